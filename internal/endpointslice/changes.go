// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpointslice

import (
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Changes are the writes of a plan. They are to be carried out in this order: all of
// Create, then Update wave by wave, then all of Delete, so that an endpoint that
// moves is listed in its new slice before it leaves the old one. Writes of one wave
// do not depend on each other, nor do those of Create or Delete.
type Changes struct {
	// Create holds new slices, named so that a repeated create meets
	// AlreadyExists.
	Create []*discoveryv1.EndpointSlice
	// Update holds slices with the resourceVersion they were planned from: a
	// write that meets a newer one conflicts, and the Service is planned again.
	Update []*discoveryv1.EndpointSlice
	// Waves are the numbers of updates in each wave, one after the other. What they
	// leave over is to be written one by one.
	Waves []int
	// Delete holds slices as they were read; delete them under their UID and
	// resourceVersion only.
	Delete []*discoveryv1.EndpointSlice
	// Unfinished tells that these writes only prepare for others: once they are
	// carried out, another plan is due.
	Unfinished bool
	// MissingNodes names nodes that selected pods run on and that do not exist.
	// Those pods are left out until their node appears.
	MissingNodes []string
	// ZoneHints has an entry for each family of a Service with [AutoTopology].
	ZoneHints []ZoneHints
	Stats     Stats
}

// Stats count what a plan is about, all families of the Service together.
type Stats struct {
	// Added and Removed are endpoints that the plan lists and lists no more.
	Added, Removed int
	// Desired are the endpoints that are listed in the end.
	Desired int
	// Slices is how many slices there are in the end, IdealSlices how few could
	// hold the same endpoints.
	Slices, IdealSlices int
}

func (s Stats) plus(other Stats) Stats {
	return Stats{
		Added:       s.Added + other.Added,
		Removed:     s.Removed + other.Removed,
		Desired:     s.Desired + other.Desired,
		Slices:      s.Slices + other.Slices,
		IdealSlices: s.IdealSlices + other.IdealSlices,
	}
}

// UpdateWaves returns the updates by waves.
func (c *Changes) UpdateWaves() [][]*discoveryv1.EndpointSlice {
	var waves [][]*discoveryv1.EndpointSlice
	left := c.Update
	for _, n := range c.Waves {
		waves = append(waves, left[:n])
		left = left[n:]
	}
	for i := range left {
		waves = append(waves, left[i:i+1])
	}
	return waves
}

// Empty tells whether there is nothing to write.
func (c *Changes) Empty() bool { return len(c.Create)+len(c.Update)+len(c.Delete) == 0 }

// writer turns the edits of all families into changes.
type writer struct {
	service     *corev1.Service
	labels      map[string]string
	names       *Namer
	triggerTime time.Time
}

// changes turns edits into writes. Slices that are obsolete are deleted, and never
// written anew.
func (w *writer) changes(edits, obsolete []*edit) Changes {
	created, updated, removed := recycle(split(edits))
	waits := waitsFor(updated)
	updated, swapped := Arrange(updated, waits)
	left := slices.Concat(obsolete, removed)
	if disputed := disputed(slices.Concat(created, updated), swapped, left); len(disputed) > 0 {
		return w.settle(disputed, slices.Concat(updated, swapped, left))
	}
	if w.service.DeletionTimestamp != nil {
		// The garbage collector is removing the slices of this Service; a new
		// one would only race with it.
		created, updated, swapped = nil, append(updated, swapped...), nil
	}
	for _, e := range swapped {
		left = append(left, &edit{current: e.current})
		e.current = nil
		created = append(created, e)
	}
	changes := Changes{Waves: waves(updated, waits)}
	for _, e := range created {
		changes.Create = append(changes.Create, w.create(e))
	}
	for _, e := range updated {
		changes.Update = append(changes.Update, w.update(e))
	}
	for _, e := range left {
		changes.Delete = append(changes.Delete, e.current)
	}
	return changes
}

// recycle writes a new slice under the name of one of its family that would be
// deleted: one write instead of two, and what others put on the slice
// (annotations, finalizers) survives.
func recycle(created, updated, removed []*edit) (stillCreated, allUpdated, stillRemoved []*edit) {
	for _, e := range created {
		old := slices.IndexFunc(removed, func(old *edit) bool { return old.family == e.family })
		if old < 0 {
			stillCreated = append(stillCreated, e)
			continue
		}
		e.current, e.leaving = removed[old].current, removed[old].leaving
		updated = append(updated, e)
		removed = slices.Delete(removed, old, old+1)
	}
	return stillCreated, updated, removed
}

// split sorts edits into new slices, slices to write and slices to remove;
// untouched ones are in none.
func split(edits []*edit) (created, updated, removed []*edit) {
	for _, e := range edits {
		switch {
		case e.current == nil:
			created = append(created, e)
		case e.removed:
			removed = append(removed, e)
		case e.touched:
			updated = append(updated, e)
		}
	}
	return created, updated, removed
}

func (w *writer) create(e *edit) *discoveryv1.EndpointSlice {
	return &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{
			Name:            w.names.Next(e.family),
			GenerateName:    GenerateName(w.service),
			Namespace:       w.service.Namespace,
			Labels:          maps.Clone(w.labels),
			Annotations:     StampTrigger(nil, w.triggerTime),
			OwnerReferences: []metav1.OwnerReference{ownerReference(w.service)},
		},
		AddressType: e.family,
		Ports:       clonePorts(e.ports),
		Endpoints:   e.endpoints,
	}
}

// update keeps everything of the slice's metadata but the labels, which are the
// Service's, and the trigger time, which is that of this change.
func (w *writer) update(e *edit) *discoveryv1.EndpointSlice {
	slice := w.touch(e.current)
	slice.Labels, slice.Ports, slice.Endpoints = maps.Clone(w.labels), clonePorts(e.ports), e.endpoints
	return slice
}

// clonePorts copies ports, which several slices and the Service in the cache
// share: a client decodes the server's answer into the object it sends.
func clonePorts(ports []discoveryv1.EndpointPort) []discoveryv1.EndpointPort {
	clone := make([]discoveryv1.EndpointPort, len(ports))
	for i := range ports {
		ports[i].DeepCopyInto(&clone[i])
	}
	return clone
}

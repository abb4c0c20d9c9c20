// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpointslice

import (
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
)

// Limits of the number of endpoints in one slice. The upper one is the API's.
const (
	DefaultMaxEndpoints = 100
	MaxMaxEndpoints     = 1000
)

// Input is all that a plan is made from. Nothing in it is changed.
type Input struct {
	Service *corev1.Service
	// Pods are those of the Service's namespace that its selector matches.
	Pods []*corev1.Pod
	// Slices are all slices labelled with the Service's name, whoever manages
	// them.
	Slices []*discoveryv1.EndpointSlice
	// Shares says how much of the cluster's CPU each zone has. Only a Service
	// with [AutoTopology] needs it.
	Shares ZoneShares
	// TriggerTime is when the change happened that the plan publishes, as
	// [State.Trigger] has it. Zero means that it is not known.
	TriggerTime time.Time
	// ZoneOf returns the zone of a node, empty when it has none, and whether
	// there is such a node.
	ZoneOf func(node string) (zone string, exists bool)
	// MaxEndpoints is how many endpoints a slice holds at most. Zero means
	// DefaultMaxEndpoints.
	MaxEndpoints int
}

// Plan returns the writes that make the slices of a Service list exactly its
// endpoints. Equal input gives an equal plan, and a plan carried out in full
// leaves nothing to do.
func Plan(in Input) Changes {
	if !Managed(in.Service) {
		return Changes{}
	}
	s := NewState(in.MaxEndpoints)
	s.Reset(in.Service, in.Pods, in.Slices, in.ZoneOf)
	return s.Plan(in.Shares, in.TriggerTime)
}

// Plan returns what [Plan] would for all that the state has been shown. Only a
// Service with [AutoTopology] needs the zones' shares; its plans cost what the
// Service has, since each of its hints depends on all the others.
func (s *State) Plan(shares ZoneShares, trigger time.Time) Changes {
	auto := AutoTopology(s.service)
	var edits []*edit
	var zoneHints []ZoneHints
	var stats Stats
	for _, addressType := range s.families {
		f, _ := familyOf(addressType)
		p := packer{State: s, shelf: s.shelves[f], keepHints: auto}
		packed := p.packFamily()
		p.describe(packed)
		if auto {
			zoneHints = append(zoneHints, hintZones(addressType, packed, shares))
		}
		edits = append(edits, packed...)
		stats = stats.plus(p.stats)
	}
	w := writer{
		service: s.service, labels: s.labels, triggerTime: trigger,
		names: newNamer(s.service, func(name string) bool { return s.slices[name] != nil }),
	}
	changes := w.changes(edits, s.obsoleteSlices())
	changes.ZoneHints, changes.Stats = zoneHints, stats
	if len(s.missing) > 0 {
		changes.MissingNodes = slices.Sorted(maps.Keys(s.missing))
	}
	return changes
}

// obsoleteSlices are to be deleted: of a family the Service dropped, or owned by an
// earlier Service of the same name. Slices with another manager and slices on their
// way out are left alone.
func (s *State) obsoleteSlices() []*edit {
	var obsolete []*edit
	for _, name := range slices.Sorted(maps.Keys(s.obsolete)) {
		slice := s.obsolete[name].slice
		e := &edit{current: slice, family: slice.AddressType, removed: true}
		if f, known := familyOf(slice.AddressType); known {
			e.leaving = s.leave(nil, slice.Endpoints, f)
		}
		obsolete = append(obsolete, e)
	}
	return obsolete
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpointslice

import (
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
)

// StampTrigger sets the annotation from which kube-proxy and others work out how
// long a change took to reach them, or removes that of an earlier change when
// the time is zero. It changes the given annotations, makes them when there are
// none, and returns them.
func StampTrigger(annotations map[string]string, at time.Time) map[string]string {
	if at.IsZero() {
		delete(annotations, corev1.EndpointsLastChangeTriggerTime)
		return annotations
	}
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[corev1.EndpointsLastChangeTriggerTime] = at.UTC().Format(time.RFC3339Nano)
	return annotations
}

// Readiness is what is remembered of one pod: since when it is ready, or is not,
// and whether that has been published.
type Readiness struct {
	uid     types.UID
	since   time.Time // zero when nobody said
	serving bool
	told    bool
}

// ReadinessOf returns what a pod says of its readiness.
func ReadinessOf(pod *corev1.Pod) Readiness {
	r := Readiness{uid: pod.UID, serving: Ready(pod)}
	for i := range pod.Status.Conditions {
		if pod.Status.Conditions[i].Type == corev1.PodReady {
			r.since = pod.Status.Conditions[i].LastTransitionTime.Time
			break
		}
	}
	return r
}

// Follow takes over from what was remembered of the pod before whether its last
// change has been published.
func (r *Readiness) Follow(before *Readiness) {
	r.told = before.told && r.uid == before.uid && !r.since.After(before.since)
}

// Triggers works out when the changes happened that are published for a Service:
// it remembers those that have been, and goes through those only that have not.
// The zero value remembers nothing.
type Triggers struct {
	known   bool      // something has been published
	created time.Time // when the Service was created for which that was
	untold  map[*Readiness]struct{}
}

// WithoutPods returns what is remembered of the Service alone.
func (t *Triggers) WithoutPods() Triggers { return Triggers{known: t.known, created: t.created} }

// Add takes in a pod of the Service, or what replaces a pod that was dropped.
func (t *Triggers) Add(r *Readiness) {
	if r.told || r.since.IsZero() {
		return
	}
	if t.untold == nil {
		t.untold = map[*Readiness]struct{}{}
	}
	t.untold[r] = struct{}{}
}

// Drop takes a pod out.
func (t *Triggers) Drop(r *Readiness) { delete(t.untold, r) }

// Next returns the earliest change since Published was called last: for a Service
// seen for the first time that it was created, later a change of a pod's
// readiness. It is zero when nothing changed whose time is known.
//
// After a restart nothing is remembered. Then published, if not nil, tells which
// pods the objects in the API list as they are, and only the others count; it is
// nil when there are no such objects, which is what a new Service looks like.
func (t *Triggers) Next(service *corev1.Service, published func(*Readiness) bool) time.Time {
	created := service.CreationTimestamp.Time
	if !t.known && published == nil {
		return created
	}
	var next time.Time
	for r := range t.untold {
		if t.known || !published(r) {
			next = earlier(next, r.since)
		}
	}
	if t.known && created.After(t.created) {
		next = earlier(next, created)
	}
	return next
}

// Known tells whether anything has been published, so that Next needs nobody to
// tell what has.
func (t *Triggers) Known() bool { return t.known }

// Published records that all there is has been published. Until then a change
// counts as not published, however often Next is called.
func (t *Triggers) Published(service *corev1.Service) {
	for r := range t.untold {
		r.told = true
	}
	clear(t.untold)
	t.known, t.created = true, service.CreationTimestamp.Time
}

// Published tells which pods the slices of a Service list as they are, for
// [Triggers.Next]. It is nil when the Service has no slice.
func Published(all []*discoveryv1.EndpointSlice) func(*Readiness) bool {
	if !slices.ContainsFunc(all, managed) {
		return nil
	}
	serving := map[types.UID]bool{}
	for _, slice := range all {
		if managed(slice) {
			noteServing(serving, slice)
		}
	}
	return ListedAs(serving)
}

func noteServing(serving map[types.UID]bool, slice *discoveryv1.EndpointSlice) {
	for i := range slice.Endpoints {
		if endpoint := &slice.Endpoints[i]; endpoint.TargetRef != nil {
			serving[endpoint.TargetRef.UID] = ptr.Deref(endpoint.Conditions.Serving, false)
		}
	}
}

// ListedAs tells which pods are listed, by UID, as they are.
func ListedAs(serving map[types.UID]bool) func(*Readiness) bool {
	return func(r *Readiness) bool {
		listed, found := serving[r.uid]
		return found && listed == r.serving
	}
}

// earlier returns the earlier of two times; zero is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

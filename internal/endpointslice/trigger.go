// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpointslice

import (
	"slices"
	"sync"
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

// Triggers works out when the changes happened that are published for a Service:
// it remembers the changes that have been. All methods are safe for concurrent
// use.
type Triggers struct {
	mu       sync.Mutex
	services map[types.NamespacedName]*publishedTimes
}

// publishedTimes are the times of the last changes that were published.
type publishedTimes struct {
	service time.Time
	pods    map[types.UID]time.Time
}

// NewTriggers returns a value that remembers nothing.
func NewTriggers() *Triggers {
	return &Triggers{services: map[types.NamespacedName]*publishedTimes{}}
}

// Trigger is the change that a plan publishes.
type Trigger struct {
	// Time is when the earliest of several changes happened. It is zero when
	// nothing changed whose time is known.
	Time time.Time

	service types.NamespacedName
	times   *publishedTimes
}

// Next returns what has changed since the last trigger that was handed to
// Published: for a Service seen for the first time that it was created, later
// the earliest change of a pod's readiness.
//
// After a restart nothing is remembered. Then published, if not nil, tells which
// pods the objects in the API list as they are, and only the others count; it is
// nil when there are no such objects, which is what a new Service looks like.
func (t *Triggers) Next(service *corev1.Service, pods []*corev1.Pod, published func(*corev1.Pod) bool) Trigger {
	key := types.NamespacedName{Namespace: service.Namespace, Name: service.Name}
	created := service.CreationTimestamp.Time
	next := Trigger{service: key, times: &publishedTimes{service: created, pods: make(map[types.UID]time.Time, len(pods))}}
	t.mu.Lock()
	last := t.services[key]
	t.mu.Unlock()
	for _, pod := range pods {
		at := readySince(pod)
		if at.IsZero() || !Listable(pod) {
			continue
		}
		next.times.pods[pod.UID] = at
		if !last.knows(pod, at, published) {
			next.Time = earlier(next.Time, at)
		}
	}
	if last == nil && published == nil {
		next.Time = created
	} else if last != nil && created.After(last.service) {
		next.Time = earlier(next.Time, created)
	}
	return next
}

// knows tells whether a pod's readiness was published since it changed. A nil
// receiver remembers nothing.
func (p *publishedTimes) knows(pod *corev1.Pod, since time.Time, published func(*corev1.Pod) bool) bool {
	if p == nil {
		return published != nil && published(pod)
	}
	return !since.After(p.pods[pod.UID])
}

// Published tells which pods the slices of a Service list as they are, for
// [Triggers.Next]. It is nil when the Service has no slice.
func Published(all []*discoveryv1.EndpointSlice) func(*corev1.Pod) bool {
	if !slices.ContainsFunc(all, managed) {
		return nil
	}
	var listed map[types.UID]bool // whether the pod is listed as serving; made when first needed
	return func(pod *corev1.Pod) bool {
		if listed == nil {
			listed = servingByPod(all)
		}
		serving, found := listed[pod.UID]
		return found && serving == Ready(pod)
	}
}

func servingByPod(all []*discoveryv1.EndpointSlice) map[types.UID]bool {
	listed := map[types.UID]bool{}
	for _, slice := range all {
		if !managed(slice) {
			continue
		}
		for i := range slice.Endpoints {
			if endpoint := &slice.Endpoints[i]; endpoint.TargetRef != nil {
				listed[endpoint.TargetRef.UID] = ptr.Deref(endpoint.Conditions.Serving, false)
			}
		}
	}
	return listed
}

// Published records that a trigger's plan was carried out. Until then the change
// counts as not published, however often the plan is made.
func (t *Triggers) Published(trigger Trigger) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.services[trigger.service] = trigger.times
}

// Forget drops what is known of a Service that is gone.
func (t *Triggers) Forget(service types.NamespacedName) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.services, service)
}

// readySince is when a pod's readiness changed last, zero when nobody said.
func readySince(pod *corev1.Pod) time.Time {
	for i := range pod.Status.Conditions {
		if pod.Status.Conditions[i].Type == corev1.PodReady {
			return pod.Status.Conditions[i].LastTransitionTime.Time
		}
	}
	return time.Time{}
}

// earlier returns the earlier of two times; zero is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

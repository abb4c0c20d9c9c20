// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
)

// state is how slices list a pod.
type state int

const (
	gone state = iota
	notReady
	ready
)

// change is something about a pod that slices are to show.
type change struct {
	pod  string
	want state
	// written is when the write was answered, seen when slices showed it. A slice
	// may be faster than the answer.
	written, seen time.Time
	// stale says that slices listed the pod as ready and may not any longer.
	stale bool
}

// latency is the time from the answer to the write until slices showed it, and 0
// when they did before.
func (c *change) latency() time.Duration { return max(0, c.seen.Sub(c.written)) }

// listing counts the copies of a pod in all slices.
type listing struct {
	ready, notReady int
}

// shows says whether a watcher of the slices sees the state. With a copy in two
// slices, a watcher may take either.
func (l listing) shows(want state) bool {
	switch want {
	case ready:
		return l.ready > 0
	case notReady:
		return l.ready == 0
	case gone:
		return l.ready+l.notReady == 0
	default:
		return false
	}
}

// is says whether that is all they show: one copy at most.
func (l listing) is(want state) bool {
	return l == map[state]listing{ready: {ready: 1}, notReady: {notReady: 1}, gone: {}}[want]
}

// tracker knows what slices and Endpoints show, from their watch events, and
// what they ought to show. All its methods may be called at any time.
type tracker struct {
	mu sync.Mutex
	// slices hold by their name which pods are listed, and whether as ready.
	slices map[string]map[string]bool
	listed map[string]listing
	// wanted is the last state asked for each pod.
	wanted map[string]state
	// open are the changes that slices do not show yet.
	open map[string][]*change
	// addresses are the ready ones in the Endpoints of each Service, short the
	// Services whose Endpoints do not have as many as wanted.
	addresses, wantedAddresses map[string]int
	short                      map[string]bool
	// settled is when the last open change or short Endpoints was done with.
	settled time.Time
	// most is the most slices there ever were at a time.
	most int
}

func newTracker() *tracker {
	return &tracker{
		slices:          map[string]map[string]bool{},
		listed:          map[string]listing{},
		wanted:          map[string]state{},
		open:            map[string][]*change{},
		addresses:       map[string]int{},
		wantedAddresses: map[string]int{},
		short:           map[string]bool{},
	}
}

// expect opens a change, before it is written.
func (t *tracker) expect(pod string, want state) *change {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := &change{pod: pod, want: want, stale: want != ready && t.listed[pod].ready > 0}
	t.wanted[pod] = want
	t.open[pod] = append(t.open[pod], c)
	t.closeShown(pod, time.Now())
	return c
}

// answered records that the change has been written.
func (t *tracker) answered(c *change) {
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	c.written = now
}

// expectAddresses says how many ready addresses the Endpoints of a Service are
// to have.
func (t *tracker) expectAddresses(service string, count int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.wantedAddresses[service] = count
	t.compareAddresses(service, time.Now())
}

// slice takes in what a slice lists now: nil when it is gone.
func (t *tracker) slice(name string, object *discoveryv1.EndpointSlice) {
	now := time.Now()
	pods := podsOf(object)
	t.mu.Lock()
	defer t.mu.Unlock()
	before := t.slices[name]
	if object == nil {
		delete(t.slices, name)
	} else {
		t.slices[name] = pods
		t.most = max(t.most, len(t.slices))
	}
	for pod, wasReady := range before {
		if isReady, still := pods[pod]; !still || isReady != wasReady {
			t.count(pod, wasReady, -1)
		}
	}
	for pod, isReady := range pods {
		if wasReady, already := before[pod]; !already || isReady != wasReady {
			t.count(pod, isReady, 1)
		}
	}
	for pod := range before {
		t.closeShown(pod, now)
	}
	for pod := range pods {
		t.closeShown(pod, now)
	}
}

// podsOf returns the pods of a slice and whether they are listed as ready.
func podsOf(slice *discoveryv1.EndpointSlice) map[string]bool {
	if slice == nil {
		return nil
	}
	pods := make(map[string]bool, len(slice.Endpoints))
	for i := range slice.Endpoints {
		endpoint := &slice.Endpoints[i]
		if endpoint.TargetRef == nil {
			continue
		}
		pods[endpoint.TargetRef.Name] = endpoint.Conditions.Ready == nil || *endpoint.Conditions.Ready
	}
	return pods
}

func (t *tracker) count(pod string, isReady bool, by int) {
	l := t.listed[pod]
	if isReady {
		l.ready += by
	} else {
		l.notReady += by
	}
	t.listed[pod] = l
	if l == (listing{}) {
		delete(t.listed, pod)
	}
}

// closeShown ends the open changes of a pod that slices show.
func (t *tracker) closeShown(pod string, now time.Time) {
	open, some := t.open[pod]
	if !some {
		return
	}
	still := open[:0]
	for _, c := range open {
		if t.listed[pod].shows(c.want) {
			c.seen, t.settled = now, now
		} else {
			still = append(still, c)
		}
	}
	t.open[pod] = still
	if len(still) == 0 {
		delete(t.open, pod)
	}
}

// endpoints takes in the Endpoints of a Service: nil when they are gone.
func (t *tracker) endpoints(service string, object *corev1.Endpoints) {
	now := time.Now()
	count := 0
	if object != nil {
		for i := range object.Subsets {
			count += len(object.Subsets[i].Addresses)
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.addresses[service] = count
	t.compareAddresses(service, now)
}

func (t *tracker) compareAddresses(service string, now time.Time) {
	wanted, some := t.wantedAddresses[service]
	isShort := some && t.addresses[service] != wanted
	if isShort {
		t.short[service] = true
	} else if t.short[service] {
		delete(t.short, service)
		t.settled = now
	}
}

// missing counts what is not shown yet: pods in slices, Services in Endpoints.
func (t *tracker) missing() (pods, services int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.open), len(t.short)
}

// settledAt is when slices and Endpoints last became what was wanted.
func (t *tracker) settledAt() time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.settled
}

// snapshot returns which pods each slice lists.
func (t *tracker) snapshot() map[string][]string {
	t.mu.Lock()
	defer t.mu.Unlock()
	pods := make(map[string][]string, len(t.slices))
	for name, listed := range t.slices {
		pods[name] = slices.Sorted(maps.Keys(listed))
	}
	return pods
}

// sliceCounts returns how many slices there are, and were at most.
func (t *tracker) sliceCounts() (now, most int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.slices), t.most
}

// verify compares what slices show with what was asked for, for every pod ever.
func (t *tracker) verify() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	for pod, want := range t.wanted {
		if l := t.listed[pod]; !l.is(want) {
			return fmt.Errorf("slices list pod %s %d times as ready and %d times as not ready at the end, it is %s",
				pod, l.ready, l.notReady, want)
		}
	}
	for pod := range t.listed {
		if _, known := t.wanted[pod]; !known {
			return fmt.Errorf("slices list pod %s, which there is not", pod)
		}
	}
	return nil
}

// String implements fmt.Stringer.
func (s state) String() string { return [...]string{"gone", "not ready", "ready"}[s] }

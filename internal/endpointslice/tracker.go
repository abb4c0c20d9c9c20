// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpointslice

import (
	"sync"
	"time"

	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
)

// MaxWait bounds how long a Service waits for a cache to show the writes made
// for it. It passes only when the cache missed something for good (a slice that
// was created and deleted while a watch was down); after it the cache is taken
// as it is, which resourceVersions and fixed names keep safe.
const MaxWait = 10 * time.Second

// Tracker remembers the writes to slices that a cache has not shown yet. It
// answers two questions: may a plan be made from what the cache holds, and is an
// event about a slice news or the echo of an own write? It holds nothing about
// slices whose last write the cache has shown. All methods are safe for
// concurrent use.
type Tracker struct {
	mu       sync.Mutex
	services map[types.NamespacedName]*pendingWrites
}

// pendingWrites are those of one Service, by the slice's UID.
type pendingWrites struct {
	writes  map[types.UID]pendingWrite
	waiting time.Time // since when a plan has been put off; zero when none is
}

type pendingWrite struct {
	resourceVersion string
	deleted         bool
}

// NewTracker returns a tracker that knows of no writes.
func NewTracker() *Tracker {
	return &Tracker{services: map[types.NamespacedName]*pendingWrites{}}
}

// ServiceOf returns the Service that a slice's label names.
func ServiceOf(slice *discoveryv1.EndpointSlice) types.NamespacedName {
	return types.NamespacedName{Namespace: slice.Namespace, Name: slice.Labels[discoveryv1.LabelServiceName]}
}

// Wrote records a slice as the server answered its create or update.
func (t *Tracker) Wrote(slice *discoveryv1.EndpointSlice) {
	t.record(slice, pendingWrite{resourceVersion: slice.ResourceVersion})
}

// Deleted records that a slice was deleted.
func (t *Tracker) Deleted(slice *discoveryv1.EndpointSlice) {
	t.record(slice, pendingWrite{deleted: true})
}

func (t *Tracker) record(slice *discoveryv1.EndpointSlice, write pendingWrite) {
	t.mu.Lock()
	defer t.mu.Unlock()
	service := ServiceOf(slice)
	pending := t.services[service]
	if pending == nil {
		pending = &pendingWrites{writes: map[types.UID]pendingWrite{}}
		t.services[service] = pending
	}
	pending.writes[slice.UID] = write
}

// Behind tells whether the slices a cache holds for a Service are older than
// the writes made for it. The Service then waits: Seen or Gone will report news
// when the cache has caught up, and after MaxWait nothing is waited for.
func (t *Tracker) Behind(service types.NamespacedName, cached []*discoveryv1.EndpointSlice, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	pending := t.services[service]
	if pending == nil {
		return false
	}
	held := make(map[types.UID]*discoveryv1.EndpointSlice, len(cached))
	for _, slice := range cached {
		held[slice.UID] = slice
	}
	for uid, write := range pending.writes {
		if write.shownBy(held[uid]) {
			delete(pending.writes, uid)
		}
	}
	if pending.waiting.IsZero() {
		pending.waiting = now
	}
	if len(pending.writes) == 0 || now.Sub(pending.waiting) >= MaxWait {
		delete(t.services, service)
		return false
	}
	return true
}

// Seen takes notice of a slice that was added or updated in the cache and tells
// whether its Service should be looked at again.
func (t *Tracker) Seen(slice *discoveryv1.EndpointSlice) (news bool) {
	return t.observe(slice, func(write pendingWrite) (settled, news bool) {
		if write.deleted {
			return slice.DeletionTimestamp != nil, false
		}
		order := compareVersions(slice.ResourceVersion, write.resourceVersion)
		return order >= 0, order > 0
	})
}

// Gone takes notice of a slice that left the cache, or no longer bears the
// Service's name, and tells whether its Service should be looked at again.
func (t *Tracker) Gone(slice *discoveryv1.EndpointSlice) (news bool) {
	return t.observe(slice, func(write pendingWrite) (settled, news bool) {
		return true, !write.deleted
	})
}

// observe settles the write that an event shows. An event about a slice without
// a pending write is always news: somebody else wrote it, or this process just
// started.
func (t *Tracker) observe(slice *discoveryv1.EndpointSlice, judge func(pendingWrite) (settled, news bool)) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	service := ServiceOf(slice)
	pending := t.services[service]
	if pending == nil {
		return true
	}
	write, found := pending.writes[slice.UID]
	if !found {
		return true
	}
	settled, news := judge(write)
	if settled {
		delete(pending.writes, slice.UID)
	}
	if len(pending.writes) > 0 {
		return news
	}
	delete(t.services, service)
	return news || !pending.waiting.IsZero()
}

// Forget drops what is known of a Service that is gone.
func (t *Tracker) Forget(service types.NamespacedName) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.services, service)
}

// shownBy tells whether a cached slice, nil when there is none, is at least as
// new as the write.
func (w pendingWrite) shownBy(cached *discoveryv1.EndpointSlice) bool {
	if w.deleted {
		return cached == nil || cached.DeletionTimestamp != nil
	}
	return cached != nil && compareVersions(cached.ResourceVersion, w.resourceVersion) >= 0
}

// compareVersions orders resourceVersions of one resource (KEP-5504). A server
// that makes them otherwise gets plain equality: anything else counts as newer,
// which costs a look at the API and hides nothing.
func compareVersions(a, b string) int {
	order, err := resourceversion.CompareResourceVersion(a, b)
	switch {
	case err == nil:
		return order
	case a == b:
		return 0
	default:
		return 1
	}
}

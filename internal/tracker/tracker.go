// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package tracker

import (
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
)

// MaxWait bounds how long an owner waits for a cache to show the writes made
// for it. It passes only when the cache missed something for good (an object
// that was created and deleted while a watch was down); after it the cache is
// taken as it is, which resourceVersions and fixed names keep safe.
const MaxWait = 10 * time.Second

// Tracker remembers the writes to objects of one kind that a cache has not shown
// yet. It answers two questions: may a plan be made from what the cache holds,
// and is an event about an object news or the echo of an own write? It holds
// nothing about objects whose last write the cache has shown. All methods are
// safe for concurrent use.
//
// Objects are grouped by their owner, the key under which plans are made: the
// Service of an EndpointSlice, for one.
type Tracker[T metav1.Object] struct {
	ownerOf func(T) types.NamespacedName

	mu     sync.Mutex
	owners map[types.NamespacedName]*pendingWrites
}

// pendingWrites are those of one owner, by the object's UID.
type pendingWrites struct {
	writes  map[types.UID]pendingWrite
	waiting time.Time // since when a plan has been put off; zero when none is
	// underWay counts the writes whose answers have not come yet, and gone are the
	// objects that left the cache meanwhile: an event may be faster than the answer.
	underWay int
	gone     map[types.UID]bool
}

type pendingWrite struct {
	name            string
	resourceVersion string
	deleted         bool
}

// New returns a tracker that knows of no writes. ownerOf must give an object the
// same owner in every version the tracker is shown.
func New[T metav1.Object](ownerOf func(T) types.NamespacedName) *Tracker[T] {
	return &Tracker[T]{ownerOf: ownerOf, owners: map[types.NamespacedName]*pendingWrites{}}
}

// Begin tells that a write for an owner is about to be made. The caller calls done
// once it has recorded the answer: what leaves the cache in between is not waited for.
func (t *Tracker[T]) Begin(owner types.NamespacedName) (done func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	pending := t.pending(owner)
	if pending.underWay == 0 {
		pending.gone = map[types.UID]bool{}
	}
	pending.underWay++
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		pending.underWay--
		if pending.underWay > 0 {
			return
		}
		pending.gone = nil
		if len(pending.writes) == 0 && t.owners[owner] == pending {
			delete(t.owners, owner)
		}
	}
}

// Wrote records an object as the server answered its create or update.
func (t *Tracker[T]) Wrote(object T) {
	t.record(object, pendingWrite{name: object.GetName(), resourceVersion: object.GetResourceVersion()})
}

// Deleted records that an object was deleted.
func (t *Tracker[T]) Deleted(object T) {
	t.record(object, pendingWrite{name: object.GetName(), deleted: true})
}

func (t *Tracker[T]) record(object T, write pendingWrite) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if pending := t.pending(t.ownerOf(object)); !pending.gone[object.GetUID()] {
		pending.writes[object.GetUID()] = write
	}
}

// pending returns what is known of an owner, if only that it is nothing.
func (t *Tracker[T]) pending(owner types.NamespacedName) *pendingWrites {
	pending := t.owners[owner]
	if pending == nil {
		pending = &pendingWrites{writes: map[types.UID]pendingWrite{}}
		t.owners[owner] = pending
	}
	return pending
}

// Behind tells whether the objects a cache holds for an owner are older than the
// writes made for it. The owner then waits: Seen or Gone will report news when
// the cache has caught up, and after MaxWait nothing is waited for. cached returns
// what the cache holds under a name; it is asked for what was written, and for
// nothing else.
func (t *Tracker[T]) Behind(owner types.NamespacedName, cached func(name string) (T, bool), now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	pending := t.owners[owner]
	if pending == nil {
		return false
	}
	for uid, write := range pending.writes {
		var held metav1.Object
		if object, found := cached(write.name); found && object.GetUID() == uid {
			held = object
		}
		if write.shownBy(held) {
			delete(pending.writes, uid)
		}
	}
	if pending.waiting.IsZero() {
		pending.waiting = now
	}
	if len(pending.writes) == 0 || now.Sub(pending.waiting) >= MaxWait {
		delete(t.owners, owner)
		return false
	}
	return true
}

// Pending tells whether there are writes for an owner that no cache has shown
// yet.
func (t *Tracker[T]) Pending(owner types.NamespacedName) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.owners[owner] != nil
}

// Seen takes notice of an object that was added or updated in the cache and
// tells whether its owner should be looked at again.
func (t *Tracker[T]) Seen(object T) (news bool) {
	return t.observe(object, func(write pendingWrite) (settled, news bool) {
		if write.deleted {
			return object.GetDeletionTimestamp() != nil, false
		}
		order := compareVersions(object.GetResourceVersion(), write.resourceVersion)
		return order >= 0, order > 0
	})
}

// Gone takes notice of an object that left the cache, or left its owner, and
// tells whether that owner should be looked at again.
func (t *Tracker[T]) Gone(object T) (news bool) {
	t.mu.Lock()
	if pending := t.owners[t.ownerOf(object)]; pending != nil && pending.underWay > 0 {
		pending.gone[object.GetUID()] = true
	}
	t.mu.Unlock()
	return t.observe(object, func(write pendingWrite) (settled, news bool) {
		return true, !write.deleted
	})
}

// observe settles the write that an event shows. An event about an object
// without a pending write is always news: somebody else wrote it, or this
// process just started.
func (t *Tracker[T]) observe(object T, judge func(pendingWrite) (settled, news bool)) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	owner := t.ownerOf(object)
	pending := t.owners[owner]
	if pending == nil {
		return true
	}
	write, found := pending.writes[object.GetUID()]
	if !found {
		return true
	}
	settled, news := judge(write)
	if settled {
		delete(pending.writes, object.GetUID())
	}
	if len(pending.writes) > 0 || pending.underWay > 0 {
		return news
	}
	delete(t.owners, owner)
	return news || !pending.waiting.IsZero()
}

// Forget drops what is known of an owner that is gone.
func (t *Tracker[T]) Forget(owner types.NamespacedName) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.owners, owner)
}

// shownBy tells whether a cached object, nil when there is none, is at least as
// new as the write.
func (w pendingWrite) shownBy(cached metav1.Object) bool {
	if w.deleted {
		return cached == nil || cached.GetDeletionTimestamp() != nil
	}
	return cached != nil && compareVersions(cached.GetResourceVersion(), w.resourceVersion) >= 0
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

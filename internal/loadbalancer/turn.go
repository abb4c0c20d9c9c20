// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package loadbalancer

import (
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/third_party/forked/golang/btree"
)

// Turn lets one Service at a time move to another address because its pools want it
// to: whoever watches sees one move, and can stop it there.
type Turn struct {
	mover  types.NamespacedName
	queue  *btree.BTree[Waiter]
	queued map[types.NamespacedName]Waiter
}

// NewTurn returns one that nobody has.
func NewTurn() *Turn {
	const degree = 32
	return &Turn{queue: btree.New(degree, Waiter.before), queued: map[types.NamespacedName]Waiter{}}
}

// Take tells whether a Service may move now. If not, it waits for its turn, and End of
// another names it.
func (t *Turn) Take(w Waiter) bool {
	if t.mover.Name == "" || t.mover == w.NamespacedName {
		t.remove(w.NamespacedName)
		t.mover = w.NamespacedName
		return true
	}
	t.remove(w.NamespacedName)
	t.queued[w.NamespacedName] = w
	t.queue.ReplaceOrInsert(w)
	return false
}

// End takes the turn from a Service, or its place in the queue, and says who may move
// now, if somebody waits and nobody has the turn.
func (t *Turn) End(name types.NamespacedName) (next []Waiter) {
	t.remove(name)
	if t.mover == name {
		t.mover = types.NamespacedName{}
	}
	if t.mover.Name != "" {
		return nil
	}
	if first, waits := t.queue.Min(); waits {
		next = append(next, first)
	}
	return next
}

func (t *Turn) remove(name types.NamespacedName) {
	if w, queued := t.queued[name]; queued {
		t.queue.Delete(w)
		delete(t.queued, name)
	}
}

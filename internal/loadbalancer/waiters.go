// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package loadbalancer

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/third_party/forked/golang/btree"
)

// Spot is something that Services wait for. Two that wait for the same have equal
// spots.
type Spot struct {
	// Pool and Family are of any address of a pool.
	Pool   string
	Family corev1.IPFamily
	// Namespace, with a pool, is what its limit lets a namespace have.
	Namespace string
	// Address, alone, is a certain address, or a port of it. What is nothing for one who
	// waits for it may be something for another: the call goes on to who is next.
	Address netip.Addr
}

// Waiter is a Service that waits.
type Waiter struct {
	types.NamespacedName
	// Since is what orders waiters: when the Service was created.
	Since time.Time
}

func (w Waiter) compare(other Waiter) int {
	return cmp.Or(w.Since.Compare(other.Since), cmp.Compare(w.Namespace, other.Namespace), cmp.Compare(w.Name, other.Name))
}

func (w Waiter) before(other Waiter) bool { return w.compare(other) < 0 }

// Found is why a Service waits in a spot.
type Found int

const (
	// NothingLeft tells that nothing is free there.
	NothingLeft Found = iota + 1
	// Skipped tells that it did not try, since others wait there who are ahead.
	Skipped
)

// Waiters are the Services that wait for addresses, in the order of their age. What
// one of them is called for, it tries to get, and then it says what it found: then the
// call has ended or goes on to the next.
//
//	next := waiters.Free(spots...)         // something came free
//	called := waiters.Called(w)            // it begins to try
//	next := waiters.Wait(w, called, found) // there was nothing
//	next := waiters.Leave(w)               // it got it, or could not try
//
// A Service does not try where those who are ahead of it want all that is free (Ahead),
// whether it is called or not: it skips the spot. The first there is called then. Who
// can't try, for a reason of its own, waits for nothing.
//
// What is nothing for one who waits for a certain address may be something for another:
// there a Service that is called tries, whoever is ahead, and one that finds nothing has
// the next one called.
//
// Each costs the logarithm of the number of those who wait.
type Waiters struct {
	queues map[Spot]*waitingQueue
	all    map[types.NamespacedName]*waiting
	// calls counts them.
	calls int
}

// waitingQueue are those who wait in one spot: idle ones, and those who are called.
type waitingQueue struct{ idle, called *btree.BTree[Waiter] }

// waiting is where a waiter waits, and what it is called for.
type waiting struct {
	Waiter

	spots map[Spot]int // the number of the call, 0 if it is not called
}

// Call is a spot that a Service is called for.
type Call struct {
	Spot
	// number tells the call from later ones.
	number int
}

// NewWaiters returns none.
func NewWaiters() *Waiters {
	return &Waiters{queues: map[Spot]*waitingQueue{}, all: map[types.NamespacedName]*waiting{}}
}

// Len returns how many Services wait.
func (w *Waiters) Len() int { return len(w.all) }

// Count returns how many wait in a spot.
func (w *Waiters) Count(spot Spot) int {
	if q := w.queues[spot]; q != nil {
		return q.idle.Len() + q.called.Len()
	}
	return 0
}

// Ahead tells whether those who wait in a spot and are before a Service want all of so many
// addresses that are free there. The first one always looks.
func (w *Waiters) Ahead(of Waiter, spot Spot, free int) bool {
	q, ahead := w.queues[spot], 0
	if q == nil {
		return false
	}
	for _, tree := range []*btree.BTree[Waiter]{q.idle, q.called} {
		tree.Ascend(func(other Waiter) bool {
			if !other.before(of) {
				return false
			}
			ahead++
			return ahead < free
		})
	}
	return ahead > 0 && ahead >= free
}

// Free calls who has waited in each of some spots for longest, of those who are not
// called there yet. It returns them in the order of their age.
func (w *Waiters) Free(spots ...Spot) []Waiter {
	var called []Waiter
	for _, spot := range spots {
		if first, waits := w.call(spot); waits && !slices.Contains(called, first) {
			called = append(called, first)
		}
	}
	slices.SortFunc(called, Waiter.compare)
	return called
}

// call calls the first idle one in a spot.
func (w *Waiters) call(spot Spot) (Waiter, bool) { return w.callFrom(spot, Waiter{}) }

// callFrom calls the first idle one in a spot that is not before another.
func (w *Waiters) callFrom(spot Spot, from Waiter) (next Waiter, found bool) {
	q := w.queues[spot]
	if q == nil {
		return Waiter{}, false
	}
	q.idle.AscendGreaterOrEqual(from, func(candidate Waiter) bool {
		next, found = candidate, true
		return false
	})
	if found {
		q.idle.Delete(next)
		q.called.ReplaceOrInsert(next)
		w.number(next, spot)
	}
	return next, found
}

// number notes a call.
func (w *Waiters) number(of Waiter, spot Spot) {
	w.calls++
	w.all[of.NamespacedName].spots[spot] = w.calls
}

// callFirst has the first one in a spot look, also if it was called before and may have
// looked already.
func (w *Waiters) callFirst(spot Spot) (Waiter, bool) {
	q := w.queues[spot]
	first, found := q.called.Min()
	if idle, waits := q.idle.Min(); !found || waits && idle.before(first) {
		return w.call(spot)
	}
	w.number(first, spot)
	return first, true
}

// Wait has a Service wait in the spots in which it did not find what it asks for, and
// no others. It says what it was called for when it began to try, which ends these
// calls; those that came meanwhile stay. It returns who is called now.
func (w *Waiters) Wait(of Waiter, called []Call, found map[Spot]Found) []Waiter {
	var next []Waiter
	var answered []Spot
	if is := w.all[of.NamespacedName]; is != nil {
		another := !is.Since.Equal(of.Since) // a new Service of the name
		for spot, number := range is.spots {
			switch {
			case another || found[spot] == 0:
				next = append(next, w.leave(is, spot)...)
			case slices.Contains(called, Call{spot, number}):
				next = append(next, w.answer(is, spot)...)
				answered = append(answered, spot)
			}
		}
	}
	for spot, what := range found {
		isNew := w.join(of, spot)
		if what != Skipped || !isNew && !slices.Contains(answered, spot) {
			continue
		}
		// What it skipped may be free: somebody has to look.
		if first, waits := w.callFirst(spot); waits {
			next = append(next, first)
		}
	}
	return next
}

// answer ends the call of a waiter for a spot.
func (w *Waiters) answer(is *waiting, spot Spot) (next []Waiter) {
	is.spots[spot] = 0
	q := w.queues[spot]
	q.called.Delete(is.Waiter)
	if spot.Address.IsValid() {
		if waiter, found := w.callFrom(spot, is.Waiter); found {
			next = append(next, waiter)
		}
	}
	q.idle.ReplaceOrInsert(is.Waiter)
	return next
}

// Join has a Service wait in a spot, beside those where it waits already, before it has
// tried. Nobody is called for that.
func (w *Waiters) Join(of Waiter, spot Spot) { w.join(of, spot) }

// join tells whether a waiter is new in a spot, where it waits from now on.
func (w *Waiters) join(of Waiter, spot Spot) bool {
	is := w.all[of.NamespacedName]
	if is == nil {
		is = &waiting{Waiter: of, spots: map[Spot]int{}}
		w.all[of.NamespacedName] = is
	}
	if _, there := is.spots[spot]; there {
		return false
	}
	is.spots[spot] = 0
	q := w.queues[spot]
	if q == nil {
		const degree = 32
		q = &waitingQueue{btree.New(degree, Waiter.before), btree.New(degree, Waiter.before)}
		w.queues[spot] = q
	}
	q.idle.ReplaceOrInsert(is.Waiter)
	return true
}

// Called returns what a Service is called for, to be given to Wait once it has tried.
func (w *Waiters) Called(name types.NamespacedName) []Call {
	is := w.all[name]
	if is == nil {
		return nil
	}
	var called []Call
	for spot, number := range is.spots {
		if number > 0 {
			called = append(called, Call{spot, number})
		}
	}
	return called
}

// Waits tells whether a Service waits in a spot.
func (w *Waiters) Waits(name types.NamespacedName, spot Spot) bool {
	is := w.all[name]
	if is == nil {
		return false
	}
	_, waits := is.spots[spot]
	return waits
}

// Leave ends the waiting of a Service. Its calls go on to whom it returns: what came
// free may still be there, as may what others left to it.
func (w *Waiters) Leave(name types.NamespacedName) []Waiter {
	is := w.all[name]
	if is == nil {
		return nil
	}
	var next []Waiter
	for spot := range is.spots {
		next = append(next, w.leave(is, spot)...)
	}
	return next
}

// leave ends the waiting of a Service in a spot. Its call goes on, and so does its place
// at the head: those behind have skipped the spot because of it.
func (w *Waiters) leave(is *waiting, spot Spot) (next []Waiter) {
	q := w.queues[spot]
	called := is.spots[spot] > 0 || !w.Ahead(is.Waiter, spot, 1)
	q.idle.Delete(is.Waiter)
	q.called.Delete(is.Waiter)
	delete(is.spots, spot)
	if len(is.spots) == 0 {
		delete(w.all, is.NamespacedName)
	}
	if called {
		if waiter, found := w.call(spot); found {
			next = append(next, waiter)
		}
	}
	if q.idle.Len()+q.called.Len() == 0 {
		delete(w.queues, spot)
	}
	return next
}

// All returns all who wait, in no order.
func (w *Waiters) All() []Waiter {
	found := make([]Waiter, 0, len(w.all))
	for _, is := range w.all {
		found = append(found, is.Waiter)
	}
	return found
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package pool

import (
	"iter"
	"math/big"
	"net/netip"
	"slices"

	"k8s.io/apimachinery/pkg/types"

	"servicenet.dev/servicenet/internal/allocator"
)

// tally counts what the numbers of pools are used for, of one kind. It is brought
// up to date one Service at a time, so that the work for a change does not grow
// with the cluster.
type tally[N number[N]] struct {
	*realm[N]
	locate func(N) (allocator.Block, int)

	services map[types.NamespacedName][]entry[N]
	// carried is how many Services have a number: one, but for mistakes.
	carried map[N]int
	// counts and holds are by holding.
	counts []count
	holds  []hold
}

// entry is a number of a Service and where it counts.
type entry[N number[N]] struct {
	number N
	// owner and outside are holdings, or nobody.
	owner, outside int
	others         bool
}

// nobody stands for no holding.
const nobody = -1

// count is what Services have of a holding.
type count struct {
	used, usedReserved, usedByOthers, usedOutside int
}

// hold is what no Service has of a holding and is not free either.
type hold struct {
	held, heldReserved int
}

func newTally[N number[N]](r *realm[N], locate func(N) (allocator.Block, int)) *tally[N] {
	return &tally[N]{
		realm: r, locate: locate, services: map[types.NamespacedName][]entry[N]{}, carried: map[N]int{},
		counts: make([]count, len(r.holdings)), holds: make([]hold, len(r.holdings)),
	}
}

// set says which numbers a Service has, none if it is gone. serving are the pools
// that serve it.
func (t *tally[N]) set(name types.NamespacedName, who *Who, serving []int, numbers []N) {
	for _, e := range t.services[name] {
		t.add(e, -1)
	}
	delete(t.services, name)
	if len(numbers) == 0 {
		return
	}
	entries := make([]entry[N], 0, len(numbers))
	for _, n := range numbers {
		e := t.enter(n, who, serving)
		t.add(e, 1)
		entries = append(entries, e)
	}
	t.services[name] = entries
}

// enter returns where a number counts that a Service has.
func (t *tally[N]) enter(n N, who *Who, serving []int) entry[N] {
	e := entry[N]{number: n, owner: t.holdingOf(n), outside: nobody}
	if meant, found := t.reserved[n]; found && meant.namespace == who.Namespace && meant.name == who.Name {
		return e
	}
	e.others = e.owner != nobody && !slices.Contains(serving, e.owner)
	for _, i := range serving {
		h := t.holdings[i]
		switch {
		case len(h.whole) == 0:
		case h.whole.has(n) && !h.excluded.has(n):
			e.outside = nobody
			return e
		case e.outside == nobody:
			e.outside = i
		}
	}
	return e
}

// holdingOf returns whose number it is, if it is one that can be given out.
func (t *tally[N]) holdingOf(n N) int {
	i, found := t.claims.holder(n)
	if !found || t.classOf(i, n) <= allocator.Excluded {
		return nobody
	}
	return i
}

func (t *tally[N]) classOf(holding int, n N) allocator.Class {
	block, number := t.locate(n)
	return t.holdings[holding].stock.of.ClassOf(block, number)
}

// add counts an entry in or out. A number that several Services have is used once.
func (t *tally[N]) add(e entry[N], change int) {
	before := t.carried[e.number]
	after := before + change
	if after == 0 {
		delete(t.carried, e.number)
	} else {
		t.carried[e.number] = after
	}
	if e.outside != nobody {
		t.counts[e.outside].usedOutside += change
	}
	if e.owner == nobody {
		return
	}
	c := &t.counts[e.owner]
	if e.others {
		c.usedByOthers += change
	}
	if before == 0 || after == 0 {
		c.used += change
		if t.classOf(e.owner, e.number) == allocator.Reserved {
			c.usedReserved += change
		}
	}
}

// hold says which numbers are kept for Services or about to be given to them.
func (t *tally[N]) hold(numbers iter.Seq[N]) {
	clear(t.holds)
	for n := range numbers {
		i := t.holdingOf(n)
		if i == nobody || t.carried[n] > 0 {
			continue
		}
		t.holds[i].held++
		if t.classOf(i, n) == allocator.Reserved {
			t.holds[i].heldReserved++
		}
	}
}

// usage is how a pool stands in a kind of numbers. Used, free and held add up to
// the capacity.
type usage struct {
	capacity, free           *big.Int
	used, held               int64
	usedByOthers, usedInVain int
}

// usage returns how a pool stands; false if it has no numbers of this kind.
func (t *tally[N]) usage(pool string) (usage, bool) {
	i := slices.IndexFunc(t.holdings, func(h *holding[N]) bool { return h.pool.Name == pool })
	if i < 0 || len(t.holdings[i].whole) == 0 {
		return usage{}, false
	}
	stock, c, h := t.holdings[i].stock, t.counts[i], t.holds[i]
	reserved := stock.of.Capacity(allocator.Reserved).Int64() - int64(c.usedReserved) - int64(h.heldReserved)
	u := usage{
		capacity: stock.capacity(), used: int64(c.used), held: int64(h.held) + reserved,
		usedByOthers: c.usedByOthers, usedInVain: c.usedOutside,
	}
	u.free = new(big.Int).Sub(u.capacity, big.NewInt(u.used+u.held))
	return u, true
}

// locateAddress and locatePort say in which block a number is.
func locateAddress(address netip.Addr) (allocator.Block, int) { return allocator.Locate(address) }

func locatePort(port Port) (allocator.Block, int) { return allocator.LocatePort(int(port)) }

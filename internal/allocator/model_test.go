// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package allocator

import (
	"math/big"
	"math/rand/v2"
	"net/netip"
	"testing"

	"go4.org/netipx"

	"servicenet.dev/servicenet/internal/bitmap"
)

// place is a number of a block.
type place struct {
	block  Block
	number int
}

// model knows the class of every number by asking each span in turn, and what
// is taken as a plain map.
type model struct {
	classes map[place]Class
	taken   map[place]bool
	left    [classCount]int // free numbers by class
}

func newModel(classes map[place]Class) *model {
	m := &model{classes: classes, taken: map[place]bool{}}
	for _, class := range classes {
		m.left[class]++
	}
	return m
}

func (m *model) set(at place, taken bool) {
	if taken {
		m.taken[at] = true
		m.left[m.classes[at]]--
	} else {
		delete(m.taken, at)
		m.left[m.classes[at]]++
	}
}

// spanOf returns a span within a few blocks, with any static band.
func spanOf(rng *rand.Rand, origin netip.Addr) Span {
	base := widen(origin)
	from := rng.Uint64N(3 * BlockSize)
	long := rng.Uint64N([]uint64{1, 20, 8000}[rng.IntN(3)])
	return Span{
		First:  base.plus(wide{low: from}).address(origin),
		Last:   base.plus(wide{low: from + long}).address(origin),
		Static: rng.IntN(30),
	}
}

func rangesOf(rng *rand.Rand, origin netip.Addr) []netipx.IPRange {
	var all []netipx.IPRange
	for range rng.IntN(6) {
		s := spanOf(rng, origin)
		all = append(all, netipx.IPRangeFrom(s.First, s.Last))
	}
	return all
}

// addressWorld returns a random range, and the class of each of its numbers.
func addressWorld(t *testing.T, rng *rand.Rand, origin netip.Addr) (*Range, map[place]Class) {
	t.Helper()
	spec := AddressSpec{Excluded: rangesOf(rng, origin), Reserved: rangesOf(rng, origin)}
	for range 1 + rng.IntN(4) {
		spec.Spans = append(spec.Spans, spanOf(rng, origin))
	}
	within := func(ranges []netipx.IPRange, address netip.Addr) bool {
		for _, r := range ranges {
			if r.Contains(address) {
				return true
			}
		}
		return false
	}
	classes := map[place]Class{}
	for at := range uint64(5 * BlockSize) {
		address := widen(origin).plus(wide{low: at}).address(origin)
		some, static := false, false
		for _, s := range spec.Spans {
			if netipx.IPRangeFrom(s.First, s.Last).Contains(address) {
				some = true
				static = static || apart(s.First, address) < s.Static
			}
		}
		block, number := Locate(address)
		if some {
			classes[place{block, number}] = classBy(within(spec.Excluded, address), within(spec.Reserved, address), static)
		}
	}
	return addressRange(t, spec), classes
}

func portWorld(t *testing.T, rng *rand.Rand) (*Range, map[place]Class) {
	t.Helper()
	random := func() PortSpan {
		first := 32000 + rng.IntN(2000)
		return PortSpan{First: first, Last: first + rng.IntN(500), Static: rng.IntN(30)}
	}
	spec := PortSpec{
		Spans:    []PortSpan{random(), random()},
		Excluded: []PortSpan{random()},
		Reserved: []PortSpan{random()},
	}
	within := func(spans []PortSpan, port int) bool {
		for _, s := range spans {
			if port >= s.First && port <= s.Last {
				return true
			}
		}
		return false
	}
	classes := map[place]Class{}
	for port := range portCount {
		static := false
		for _, s := range spec.Spans {
			static = static || port >= s.First && port < s.First+s.Static && port <= s.Last
		}
		if within(spec.Spans, port) {
			block, number := LocatePort(port)
			classes[place{block, number}] = classBy(within(spec.Excluded, port), within(spec.Reserved, port), static)
		}
	}
	return portRange(t, spec), classes
}

// apart returns how far two addresses of a world are apart.
func apart(from, to netip.Addr) int {
	distance := new(big.Int).SetBytes(to.AsSlice())
	return int(distance.Sub(distance, new(big.Int).SetBytes(from.AsSlice())).Int64())
}

func classBy(excluded, reserved, static bool) Class {
	switch {
	case excluded:
		return Excluded
	case reserved:
		return Reserved
	case static:
		return Static
	default:
		return Dynamic
	}
}

// run takes and frees at random, and then takes until nothing is left.
func run(t *testing.T, rng *rand.Rand, of *Range, classes map[place]Class) {
	t.Helper()
	w, m := newWorld(t, of), newModel(classes)
	w.rng = rng
	var all []place
	blocks := map[Block]bool{}
	for at := range classes {
		blocks[at.block] = true
		all = append(all, at)
	}
	for block := range blocks {
		for number := range BlockSize {
			if got := of.ClassOf(block, number); got != classes[place{block, number}] {
				t.Fatalf("%v of %v is %s, want %s", number, block, letter(got), letter(classes[place{block, number}]))
			}
		}
	}
	if len(all) == 0 {
		t.Fatal("an empty world")
	}
	for range 300 {
		step(t, w, m, all[rng.IntN(len(all))])
	}
	for takeByModel(t, w, m) {
		check(t, w, m)
	}
	if m.left[Dynamic]+m.left[Static] > 0 {
		t.Fatalf("%d dynamic and %d static numbers were never given out", m.left[Dynamic], m.left[Static])
	}
	check(t, w, m)
}

func step(t *testing.T, w *world, m *model, at place) {
	t.Helper()
	switch w.rng.IntN(6) {
	case 0, 1:
		takeByModel(t, w, m)
	case 2: // on request
		if m.classes[at] == Excluded {
			break
		}
		taken := w.open(at.block)
		if taken.Take(at.number) {
			m.set(at, true)
		}
		w.index.Update(at.block, taken)
	case 3: // freed, and the block removed when it is empty
		taken := w.open(at.block)
		if taken.Free(at.number) {
			m.set(at, false)
		}
		w.index.Update(at.block, taken)
		if taken.Count() == 0 {
			w.index.Remove(at.block)
			delete(w.blocks, at.block)
		}
	case 4: // a restart
		w.index = NewIndex(w.of)
		for block, taken := range w.blocks {
			w.index.Update(block, taken)
		}
	case 5:
		w.active = at.block
	}
	check(t, w, m)
}

// takeByModel takes a number and tells whether there was one.
func takeByModel(t *testing.T, w *world, m *model) bool {
	t.Helper()
	choice, number, found := w.take()
	if found != (m.left[Dynamic]+m.left[Static] > 0) {
		t.Fatalf("found a number %v, with %d dynamic and %d static ones left", found, m.left[Dynamic], m.left[Static])
	}
	if !found {
		return false
	}
	at := place{choice.Block, number}
	want := Dynamic
	if m.left[Dynamic] == 0 {
		want = Static
	}
	if choice.Class != want || m.classes[at] != want || m.taken[at] {
		t.Fatalf("took %v of class %s as %s, taken %v, want class %s",
			at, letter(m.classes[at]), letter(choice.Class), m.taken[at], letter(want))
	}
	m.set(at, true)
	return true
}

func check(t *testing.T, w *world, m *model) {
	t.Helper()
	for class := Reserved; class < classCount; class++ {
		left := new(big.Int).Sub(w.of.Capacity(class), big.NewInt(int64(w.index.Taken(class))))
		if left.Int64() != int64(m.left[class]) {
			t.Fatalf("%v of class %s are left, want %d", left, letter(class), m.left[class])
		}
	}
}

func TestEveryFreeNumberIsReached(t *testing.T) {
	for seed := range uint64(48) {
		rng := rand.New(rand.NewPCG(seed, 1))
		var of *Range
		var classes map[place]Class
		switch seed % 4 {
		case 0:
			of, classes = addressWorld(t, rng, addr("10.0.3.7"))
		case 1:
			of, classes = addressWorld(t, rng, addr("255.255.176.0"))
		case 2:
			of, classes = addressWorld(t, rng, addr("fd00::ffff:ffff:ffff:e000"))
		case 3:
			of, classes = portWorld(t, rng)
		}
		run(t, rng, of, classes)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// A fresh block's bitmap is what Pick is handed for a new one.
func TestNewBlockIsPickedFromWithAnEmptySet(t *testing.T) {
	of := addressRange(t, AddressSpec{Spans: []Span{serviceCIDR(t, "10.0.0.0/28")}})
	rng := rand.New(rand.NewPCG(3, 3))
	choice, found := NewIndex(of).Choose(rng, Block{})
	if !found || !choice.New {
		t.Fatalf("chose %v", choice)
	}
	number, found := of.Pick(rng, choice.Class, choice.Block, bitmap.New(BlockSize))
	if !found || of.ClassOf(choice.Block, number) != Dynamic {
		t.Errorf("picked %d (%v)", number, found)
	}
}

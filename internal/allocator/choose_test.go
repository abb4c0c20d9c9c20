// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package allocator

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"servicenet.dev/servicenet/internal/bitmap"
)

// checkUniform compares how often each of a number of things came with how often
// equal chances let expect, by Pearson's chi-square. Beyond five standard
// deviations chance is out of the question.
func checkUniform[K comparable](t *testing.T, counts map[K]int, things, expected int) {
	t.Helper()
	if len(counts) != things {
		t.Fatalf("%d came, want %d", len(counts), things)
	}
	square := 0.0
	for _, count := range counts {
		off := float64(count - expected)
		square += off * off / float64(expected)
	}
	freedom := float64(things - 1)
	if limit := freedom + 5*math.Sqrt(2*freedom); square > limit {
		t.Errorf("chi-square %.0f with %.0f degrees of freedom, want at most %.0f", square, freedom, limit)
	}
}

// world is a range with the blocks that exist, as a ledger would keep them.
type world struct {
	t      testing.TB
	rng    *rand.Rand
	of     *Range
	index  *Index
	blocks map[Block]*bitmap.Set
	active Block
}

func newWorld(tb testing.TB, of *Range) *world {
	tb.Helper()
	return &world{
		t: tb, rng: rand.New(rand.NewPCG(11, 12)), of: of, index: NewIndex(of), blocks: map[Block]*bitmap.Set{},
	}
}

// open returns a block, which exists from now on.
func (w *world) open(block Block) *bitmap.Set {
	if w.blocks[block] == nil {
		w.blocks[block] = bitmap.New(BlockSize)
	}
	return w.blocks[block]
}

// take takes a number by choice.
func (w *world) take() (choice Choice, number int, found bool) {
	choice, found = w.index.Choose(w.rng, w.active)
	if !found {
		return Choice{}, 0, false
	}
	if exists := w.blocks[choice.Block] != nil; exists == choice.New {
		w.t.Fatalf("%v exists %v, chosen as a new one %v", choice.Block, exists, choice.New)
	}
	taken := w.open(choice.Block)
	number, found = w.of.Pick(w.rng, choice.Class, choice.Block, taken)
	if !found || !taken.Take(number) {
		w.t.Fatalf("chose %v, which has nothing free", choice)
	}
	w.index.Update(choice.Block, taken)
	return choice, number, true
}

// takeAll takes all numbers of a block but those given.
func (w *world) takeAll(address string, but ...int) Block {
	block, _ := Locate(addr(address))
	taken := w.open(block)
	taken.TakeBand(taken.Whole())
	for _, number := range but {
		taken.Free(number)
	}
	w.index.Update(block, taken)
	return block
}

func TestChoiceGoesFromActiveToPartlyUsedToNew(t *testing.T) {
	w := newWorld(t, addressRange(t, AddressSpec{Spans: []Span{serviceCIDR(t, "10.0.0.0/18")}}))
	check := func(what string, want ...Choice) {
		t.Helper()
		counts := map[Choice]int{}
		for range 100 * len(want) {
			choice, _ := w.index.Choose(w.rng, w.active)
			counts[choice]++
		}
		for _, choice := range want {
			if counts[choice] == 0 {
				t.Errorf("%s: %v was never chosen, but %v", what, choice, counts)
			}
		}
		if len(counts) != len(want) {
			t.Errorf("%s: chose %v, want %v", what, counts, want)
		}
	}
	first, _ := Locate(addr("10.0.0.0"))
	second, third, fourth := first.plus(1), first.plus(2), first.plus(3)

	check("none exists", Choice{first, Dynamic, true}, Choice{second, Dynamic, true},
		Choice{third, Dynamic, true}, Choice{fourth, Dynamic, true})
	w.takeAll("10.0.16.0", 5, 6)
	check("one exists", Choice{second, Dynamic, false})
	w.takeAll("10.0.32.0", 0)
	check("two exist", Choice{second, Dynamic, false}, Choice{third, Dynamic, false})
	w.active = third
	check("one is active", Choice{third, Dynamic, false})
	w.takeAll("10.0.32.0")
	check("the active one is full", Choice{second, Dynamic, false})
	w.takeAll("10.0.16.0")
	check("those that exist are full", Choice{first, Dynamic, true}, Choice{fourth, Dynamic, true})
	w.takeAll("10.0.48.0")
	check("one new one is left", Choice{first, Dynamic, true})
	w.takeAll("10.0.0.0", 1, 2, 256, 257)
	check("a dynamic number is left", Choice{first, Dynamic, false})
	w.takeAll("10.0.0.0", 1, 2, 256)
	check("only static ones are left", Choice{first, Static, false})
	w.takeAll("10.0.0.0", 0)
	if choice, found := w.index.Choose(w.rng, first); found {
		t.Errorf("chose %v, where all is taken", choice)
	}
	w.index.Remove(third)
	check("a block is gone", Choice{third, Dynamic, true})
}

func TestStaticBandOfANewBlockComesLast(t *testing.T) {
	// Two spans, and a block of static numbers alone.
	w := newWorld(t, addressRange(t, AddressSpec{Spans: []Span{
		{First: addr("10.0.0.0"), Last: addr("10.0.16.9"), Static: 4096},
		{First: addr("10.1.0.0"), Last: addr("10.1.0.9")},
	}}))
	for range 20 {
		if choice, number, _ := w.take(); choice.Class != Dynamic {
			t.Fatalf("took %v of %v while dynamic ones were left", number, choice)
		}
	}
	choice, _, _ := w.take()
	block, _ := Locate(addr("10.0.0.0"))
	if want := (Choice{block, Static, true}); choice != want {
		t.Errorf("chose %v, want %v", choice, want)
	}
}

func TestBlocksAreChosenUniformly(t *testing.T) {
	w := newWorld(t, addressRange(t, AddressSpec{
		Spans:    []Span{serviceCIDR(t, "10.0.0.0/14"), serviceCIDR(t, "10.8.0.0/24")},
		Excluded: ranges("10.1.0.0-10.1.255.255", "10.2.0.7-10.2.0.7"),
	}))
	choices := func(things, expected int) map[Block]int {
		counts := map[Block]int{}
		for range things * expected {
			choice, _ := w.index.Choose(w.rng, Block{})
			counts[choice.Block]++
		}
		return counts
	}
	// 48 blocks of the /14 are not excluded, and there is one more.
	checkUniform(t, choices(49, 200), 49, 200)
	full := []string{
		"10.0.0.0", "10.0.32.0", "10.0.48.0", "10.0.240.0", "10.2.0.0", "10.2.16.0", "10.3.16.0", "10.3.32.0", "10.3.240.0",
	}
	for _, address := range full {
		w.takeAll(address)
	}
	news := choices(40, 200)
	checkUniform(t, news, 40, 200)
	for _, address := range full {
		block, _ := Locate(addr(address))
		if news[block] > 0 {
			t.Errorf("%v is full, and was chosen", block)
		}
	}
	for _, address := range full {
		w.takeAll(address, 300)
	}
	checkUniform(t, choices(9, 200), 9, 200)
}

func TestNewBlocksOfA64AreSpread(t *testing.T) {
	w := newWorld(t, addressRange(t, AddressSpec{Spans: []Span{serviceCIDR(t, "fd00::/64"), serviceCIDR(t, "fd00:0:0:9::/64")}}))
	halves := map[string]int{}
	for range 400 {
		choice, _ := w.index.Choose(w.rng, Block{})
		address := choice.Block.Prefix().Addr().As16()
		halves[fmt.Sprint(address[7], address[8]>>7)]++
	}
	checkUniform(t, halves, 4, 100)
}

func TestBlocksElsewhereCountForNothing(t *testing.T) {
	w := newWorld(t, addressRange(t, AddressSpec{
		Spans:    []Span{serviceCIDR(t, "10.0.0.0/19")},
		Excluded: ranges("10.0.16.0-10.0.31.255"),
	}))
	excluded := w.takeAll("10.0.16.0", 5)
	w.takeAll("10.0.32.0", 5)
	w.takeAll("fd00::", 5)
	w.index.Remove(excluded)
	if choice, _ := w.index.Choose(w.rng, excluded); choice.Block.String() != "10.0.0.0/20" || !choice.New {
		t.Errorf("chose %v", choice)
	}
	for class := Excluded; class <= Dynamic; class++ {
		if taken := w.index.Taken(class); taken != 0 {
			t.Errorf("%d of class %s are taken", taken, letter(class))
		}
	}
}

func TestNothingAllocates(t *testing.T) {
	w := newWorld(t, addressRange(t, AddressSpec{
		Spans:    []Span{serviceCIDR(t, "10.0.0.0/16")},
		Reserved: ranges("10.0.7.7-10.0.7.7"),
	}))
	w.takeAll("10.0.0.0", 300, 1799)
	w.takeAll("10.0.128.0")
	allocations := testing.AllocsPerRun(100, func() {
		choice, number, _ := w.take()
		taken := w.blocks[choice.Block]
		taken.Free(number)
		w.index.Update(choice.Block, taken)
	})
	if allocations != 0 {
		t.Errorf("%v allocations to take and free a number", allocations)
	}
}

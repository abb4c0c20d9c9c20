// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package pool

import (
	"math/big"
	"slices"

	"servicenet.dev/servicenet/internal/allocator"
)

// tract is what the spec of a pool says about numbers: addresses of a family, or
// ports.
type tract[N number[N]] struct {
	pool *Pool
	// bands are the stretches as they are written.
	bands []band[N]
	// whole is the numbers of all of them, excluded the ones that the pool does
	// not have.
	whole, excluded set[N]
	reservations    []reservation[N]
}

// band is a stretch of numbers of which the lowest ones are a static band.
type band[N number[N]] struct {
	span[N]
	static int
}

// reservation is a number that is meant for somebody.
type reservation[N number[N]] struct {
	number N
	reservee
}

// reservee is whom a number is reserved for: a Service, and, of several numbers
// that it needs, which one.
type reservee struct {
	namespace, name, use string
}

// numbers returns the numbers of a tract.
func (t *tract[N]) numbers() set[N] { return t.whole.minus(t.excluded) }

// finish finds what is missing from the parts, and what is wrong with them.
func (t *tract[N]) finish(excluded []span[N], reservations []reservation[N]) {
	spans := make([]span[N], len(t.bands))
	for i := range t.bands {
		spans[i] = t.bands[i].span
	}
	t.whole = newSet(spans)
	t.excluded = newSet(excluded).within(t.whole)
	if len(t.bands) > 0 && len(t.numbers()) == 0 {
		t.pool.faultf("exclusions: nothing is left of %v", t.whole)
	}
	seen := map[N]bool{}
	for _, r := range reservations {
		switch {
		case !t.whole.has(r.number):
			t.pool.faultf("reservations: %v is not a number of the pool", r.number)
		case t.excluded.has(r.number):
			t.pool.faultf("reservations: %v is excluded", r.number)
		case seen[r.number]:
			t.pool.faultf("reservations: %v is reserved twice", r.number)
		default:
			seen[r.number] = true
			t.reservations = append(t.reservations, r)
		}
	}
}

// recipe is what a Range is made of. Equal recipes make equal Ranges.
type recipe[N number[N]] struct {
	bands              []band[N]
	excluded, reserved set[N]
}

func (r *recipe[N]) equal(other *recipe[N]) bool {
	return slices.Equal(r.bands, other.bands) && slices.Equal(r.excluded, other.excluded) && slices.Equal(r.reserved, other.reserved)
}

// stock is the Range of a recipe.
type stock[N number[N]] struct {
	recipe recipe[N]
	of     *allocator.Range
	// open tells whether there is anything to choose automatically.
	open bool
}

// restock returns the stock of a recipe, the one that there was if it is the same.
func restock[N number[N]](r recipe[N], previous *stock[N], cook func(*recipe[N]) *allocator.Range) *stock[N] {
	if previous != nil && r.equal(&previous.recipe) {
		return previous
	}
	of := cook(&r)
	return &stock[N]{recipe: r, of: of, open: of.Capacity(allocator.Static).Sign() > 0 || of.Capacity(allocator.Dynamic).Sign() > 0}
}

// capacity returns how many numbers there are to give out, on request or without.
func (s *stock[N]) capacity() *big.Int {
	total := new(big.Int)
	for _, class := range [...]allocator.Class{allocator.Reserved, allocator.Static, allocator.Dynamic} {
		total.Add(total, s.of.Capacity(class))
	}
	return total
}

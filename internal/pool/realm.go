// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package pool

import (
	"iter"
	"slices"

	"servicenet.dev/servicenet/internal/allocator"
)

// area is the numbers that the API server has.
type area[N number[N]] struct {
	// accepted numbers may be named, settled ones may be chosen.
	accepted, settled set[N]
	// soon is what will be settled before long.
	soon set[N]
	// edges are never chosen.
	edges set[N]
	// bands are what is settled, with its static bands.
	bands []band[N]
}

// realm is all pools with numbers of one kind, addresses of a family or ports,
// and what is in none of them.
type realm[N number[N]] struct {
	area[N]
	// holdings are those of all pools, in the order in which Services try them.
	holdings []*holding[N]
	// claims say which of the holdings has a number.
	claims claims[N]
	// reserved and reservations are the same, looked at from both ends.
	reserved     map[N]reservee
	reservations map[reservee]claim[N]
	// nobodys is what pools exclude and no pool has.
	nobodys set[N]
	// open is what Services get that no pool serves.
	open *stock[N]
	// grows tells whether there will be more of that before long.
	grows bool
}

// holding is the numbers of a pool.
type holding[N number[N]] struct {
	*tract[N]
	// own is the numbers that no pool with a better right has.
	own   set[N]
	stock *stock[N]
	// grows tells whether there will be more to choose from before long.
	grows bool
}

// newRealm returns a realm of tracts that are in the order in which Services try
// them. What is the same as in a previous one, which may be nil, is taken from
// there.
func newRealm[N number[N]](
	tracts []*tract[N], numbers area[N], previous *realm[N], cook func(*recipe[N]) *allocator.Range,
) *realm[N] {
	r := &realm[N]{
		area:         numbers,
		holdings:     make([]*holding[N], len(tracts)),
		reserved:     map[N]reservee{},
		reservations: map[reservee]claim[N]{},
	}
	for i, t := range tracts {
		r.holdings[i] = &holding[N]{tract: t}
	}
	r.divide()
	r.reserve()
	r.stockUp(previous, cook)
	return r
}

// byRight returns the indexes of the holdings, those first that have the better
// right to a number.
func (r *realm[N]) byRight() []int {
	sorted := make([]int, len(r.holdings))
	for i := range sorted {
		sorted[i] = i
	}
	slices.SortFunc(sorted, func(a, b int) int { return compareRight(r.holdings[a].pool, r.holdings[b].pool) })
	return sorted
}

// divide says whose each number is.
func (r *realm[N]) divide() {
	byRight := r.byRight()
	sets := make([]set[N], len(byRight))
	var excluded []set[N]
	for i, index := range byRight {
		sets[i] = r.holdings[index].numbers()
		excluded = append(excluded, r.holdings[index].excluded)
	}
	r.claims = divide(sets)
	for i := range r.claims {
		r.claims[i].holder = byRight[r.claims[i].holder]
	}
	for i, own := range r.claims.byHolder(len(r.holdings)) {
		r.holdings[i].own = own
	}
	r.nobodys = union(excluded...).minus(union(sets...))
}

// reserve collects the reservations. A pool's counts if the number is its own.
func (r *realm[N]) reserve() {
	for i, h := range r.holdings {
		for _, reservation := range h.reservations {
			if !h.own.has(reservation.number) {
				continue
			}
			r.reserved[reservation.number] = reservation.reservee
			if _, earlier := r.reservations[reservation.reservee]; !earlier {
				r.reservations[reservation.reservee] = claim[N]{single(reservation.number), i}
			}
		}
	}
}

// stockUp makes the Ranges.
func (r *realm[N]) stockUp(previous *realm[N], cook func(*recipe[N]) *allocator.Range) {
	before := map[string]*stock[N]{}
	var openBefore *stock[N]
	if previous != nil {
		openBefore = previous.open
		for _, h := range previous.holdings {
			before[h.pool.Name] = h.stock
		}
	}
	closed, reserved := []set[N]{r.nobodys}, []set[N]{r.edges}
	for _, h := range r.holdings {
		if h.pool.exclusive {
			closed = append(closed, h.own)
		}
		h.grows = len(h.own.within(r.soon)) > 0
		mine := h.reservedNumbers()
		reserved = append(reserved, mine)
		h.stock = restock(recipe[N]{
			bands:    h.bands,
			excluded: h.whole.minus(h.own.within(r.settled)),
			reserved: union(mine, r.edges.within(h.whole)),
		}, before[h.pool.Name], cook)
	}
	r.grows = len(r.soon.minus(union(closed...))) > 0
	r.open = restock(recipe[N]{bands: r.bands, excluded: union(closed...), reserved: union(reserved...)}, openBefore, cook)
}

// reservedNumbers returns the numbers of reservations that count.
func (h *holding[N]) reservedNumbers() set[N] {
	var spans []span[N]
	for _, reservation := range h.reservations {
		if h.own.has(reservation.number) {
			spans = append(spans, single(reservation.number))
		}
	}
	return newSet(spans)
}

// of goes through the holdings of pools that have numbers of this kind.
func (r *realm[N]) of(pools []int) iter.Seq[*holding[N]] {
	return func(yield func(*holding[N]) bool) {
		for _, i := range pools {
			if h := r.holdings[i]; len(h.whole) > 0 && !yield(h) {
				return
			}
		}
	}
}

// find returns the holding of a pool, nil if it has no numbers of this kind.
func (r *realm[N]) find(pool string) *holding[N] {
	for _, h := range r.holdings {
		if h.pool.Name == pool && len(h.whole) > 0 {
			return h
		}
	}
	return nil
}

// owner returns the pool that has a number, nil if none has.
func (r *realm[N]) owner(n N) *Pool {
	if i, found := r.claims.holder(n); found {
		return r.holdings[i].pool
	}
	return nil
}

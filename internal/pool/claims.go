// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package pool

import "slices"

// claim is numbers and whose they are.
type claim[N number[N]] struct {
	span[N]
	// holder is the index of a set.
	holder int
}

// claims are sorted, and share no number.
type claims[N number[N]] []claim[N]

// divide gives each number to the first of the sets that has it.
func divide[N number[N]](sets []set[N]) claims[N] {
	cells := cellsOf(sets)
	owner := make([]int, len(cells))
	// free[i] leads from a cell to the first one from there on that has no owner
	// yet, so that none is visited in vain, however many sets share it.
	free := make([]int, len(cells)+1)
	for i := range free {
		free[i] = i
	}
	for holder, s := range sets {
		for _, part := range s {
			i := nextFree(free, search(cells, part.first))
			for i < len(cells) && cells[i].first.Compare(part.last) <= 0 {
				owner[i], free[i] = holder+1, i+1
				i = nextFree(free, i)
			}
		}
	}
	var divided claims[N]
	for i, cell := range cells {
		if owner[i] > 0 {
			divided = divided.add(claim[N]{cell, owner[i] - 1})
		}
	}
	return divided
}

// nextFree returns the first free cell from one on, and shortens the way there.
func nextFree(free []int, i int) int {
	for free[i] != i {
		free[i] = free[free[i]]
		i = free[i]
	}
	return i
}

// cellsOf cuts the numbers of sets into the largest pieces that each set has
// either as a whole or not at all.
func cellsOf[N number[N]](sets []set[N]) []span[N] {
	var starts []N
	var highest N // comes before all others at first
	for _, s := range sets {
		for _, part := range s {
			starts = append(starts, part.first)
			if next := part.last.Next(); next.Compare(part.last) > 0 {
				starts = append(starts, next)
			}
			if part.last.Compare(highest) > 0 {
				highest = part.last
			}
		}
	}
	slices.SortFunc(starts, N.Compare)
	starts = slices.Compact(starts)
	var cells []span[N]
	for i, first := range starts {
		switch {
		case first.Compare(highest) > 0:
		case i+1 < len(starts):
			cells = append(cells, span[N]{first, starts[i+1].Prev()})
		default:
			cells = append(cells, span[N]{first, highest})
		}
	}
	return cells
}

// search returns the index of the cell that starts with a number.
func search[N number[N]](cells []span[N], first N) int {
	i, _ := slices.BinarySearchFunc(cells, first, func(s span[N], first N) int { return s.first.Compare(first) })
	return i
}

// add adds a claim that comes after all others.
func (c claims[N]) add(next claim[N]) claims[N] {
	if last := len(c) - 1; last >= 0 && c[last].holder == next.holder && c[last].last.Next() == next.first {
		c[last].last = next.last
		return c
	}
	return append(c, next)
}

// holder returns whose a number is.
func (c claims[N]) holder(n N) (holder int, found bool) {
	i, _ := slices.BinarySearchFunc(c, n, func(c claim[N], n N) int { return c.last.Compare(n) })
	if i == len(c) || c[i].first.Compare(n) > 0 {
		return 0, false
	}
	return c[i].holder, true
}

// byHolder returns the numbers of each of count sets.
func (c claims[N]) byHolder(count int) []set[N] {
	sets := make([]set[N], count)
	for _, claim := range c {
		sets[claim.holder] = append(sets[claim.holder], claim.span)
	}
	return sets
}

// within returns which numbers of a set each of count holders has.
func (c claims[N]) within(s set[N], count int) []set[N] {
	sets := c.byHolder(count)
	for i := range sets {
		sets[i] = sets[i].within(s)
	}
	return sets
}

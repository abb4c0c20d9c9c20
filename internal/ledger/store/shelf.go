// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"maps"
	"math/big"
	"time"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/allocator"
	"servicenet.dev/servicenet/internal/ledger"
)

// shelf is the magazine of a range: numbers on loan that can be given at once.
type shelf struct {
	family servicenetv1alpha1.NumberFamily
	of     *allocator.Range
	index  *allocator.Index
	// active is the block that numbers were last borrowed from.
	active allocator.Block
	// opening is a new block that load-balancer addresses are to be taken from.
	opening allocator.Choice
	// size is how many numbers can be chosen, at most manyNumbers.
	size int

	// numbers are given from the end. Those that are not spare or not of this
	// shelf any more are passed over; count is how many there are without them.
	numbers []*number
	count   int

	// kept is how many numbers were last borrowed ahead of need, at a time.
	kept     int
	borrowed time.Time
	// used is when a number was last asked for, and waiting how many wait now.
	used    time.Time
	waiting int
	// loan is under way if it is not nil.
	loan *loan
}

// loan is numbers on the way to a shelf.
type loan struct {
	done chan struct{}
	err  error
}

// manyNumbers is as many as make no difference.
const manyNumbers = 1 << 30

// shelf returns the shelf of a range.
func (s *Store) shelf(family servicenetv1alpha1.NumberFamily, of *allocator.Range) *shelf {
	if h := s.shelves[of]; h != nil {
		return h
	}
	size := new(big.Int).Add(of.Capacity(allocator.Dynamic), of.Capacity(allocator.Static))
	h := &shelf{family: family, of: of, index: allocator.NewIndex(of), size: manyNumbers, borrowed: time.Now(), used: time.Now()}
	if size.IsInt64() {
		h.size = int(min(size.Int64(), manyNumbers))
	}
	for _, p := range s.pages {
		h.update(p)
	}
	s.shelves[of] = h
	return h
}

// update tells the index of what is taken in a block.
func (h *shelf) update(p *page) {
	switch {
	case p.key.Family != h.family || !h.of.Touches(p.key.Block):
	case p.broken != nil:
		h.index.Update(p.key.Block, allTaken())
	case p.block == nil:
		h.index.Remove(p.key.Block)
	default:
		h.index.Update(p.key.Block, p.block.Taken())
	}
}

// free returns how many numbers are free.
func (h *shelf) free() int {
	return h.size - h.index.Taken(allocator.Dynamic) - h.index.Taken(allocator.Static)
}

// has tells whether a number can be chosen automatically.
func (h *shelf) has(place ledger.Place) bool {
	if place.Family != h.family {
		return false
	}
	class := h.of.ClassOf(place.Block, place.Number)
	return class == allocator.Dynamic || class == allocator.Static
}

// put puts a spare number on the shelf.
func (h *shelf) put(n *number) {
	n.shelf = h
	h.numbers = append(h.numbers, n)
	h.count++
}

// shelve puts a spare number on a shelf that has use for it: first one that
// somebody waits at. Without one, and if it is kept for somebody, it stays here for
// a while for whoever asks for it by number.
func (s *Store) shelve(n *number) {
	n.state, n.due = spare, time.Now().Add(s.Timing.Recall)
	var best *shelf
	for _, h := range s.shelves {
		if n.kept == nil && h.has(n.Place) && (best == nil || h.waiting > best.waiting) {
			best = h
		}
	}
	if best != nil {
		best.put(n)
	}
}

// unshelve takes a number off its shelf.
func (s *Store) unshelve(n *number) {
	if h := n.shelf; h != nil {
		h.count--
		n.shelf = nil
	}
}

// pop returns a number to give, nil if there is none. It stays where it is.
func (s *Store) pop(h *shelf) *number {
	for len(h.numbers) > 0 {
		last := len(h.numbers) - 1
		n := h.numbers[last]
		if n.shelf != h || n.state != spare {
			h.numbers = h.numbers[:last]
			continue
		}
		if s.usedByOthers(n) {
			continue
		}
		h.numbers = h.numbers[:last]
		return n
	}
	return nil
}

// usedByOthers tells whether a spare number was seen to be used, which got past
// the ledger, and leaves it to whoever has it.
func (s *Store) usedByOthers(n *number) bool {
	f, p := s.Seen(n.Place), s.pages[n.Key]
	switch {
	case f.unused():
		return false
	case f.carried():
		s.carry(p, n, f.Carrier)
	default:
		s.leave(p, n)
		s.later(p, func(b *ledger.Block) bool { return b.Reclaim(n.Number, s.holder) }, nil)
	}
	return true
}

// takeOver moves spare numbers of other shelves that this one could give.
func (s *Store) takeOver(h *shelf) {
	for _, other := range s.shelves {
		if other == h || other.family != h.family {
			continue
		}
		for _, n := range other.numbers {
			if n.shelf == other && n.state == spare && h.has(n.Place) {
				s.unshelve(n)
				h.put(n)
			}
		}
	}
}

// giveBack returns a spare number to the ledger.
func (s *Store) giveBack(n *number) {
	p := s.pages[n.Key]
	s.leave(p, n)
	s.later(p, func(b *ledger.Block) bool { return b.Return(n.Number, s.holder) }, nil)
}

// empty returns the numbers of a shelf.
func (s *Store) empty(h *shelf) {
	for _, n := range h.numbers {
		if n.shelf == h && n.state == spare {
			s.giveBack(n)
		}
	}
}

// tidy returns the numbers of shelves that were not asked for lately, and loose
// ones that nobody came for.
func (s *Store) tidy() {
	for of, h := range s.shelves {
		if h.waiting > 0 || h.loan != nil || time.Since(h.used) < s.Timing.Idle {
			continue
		}
		s.empty(h)
		delete(s.shelves, of)
	}
	now := time.Now()
	for _, p := range s.pages {
		s.giveUpOn(p)
		for _, n := range p.mine {
			if n.state == spare && n.shelf == nil && n.due.Before(now) {
				s.giveBack(n)
			}
		}
		maps.DeleteFunc(p.asked, func(_ int, a asked) bool { return a.until.Before(now) })
		maps.DeleteFunc(p.ending, func(_ int, until time.Time) bool { return until.Before(now) })
	}
}

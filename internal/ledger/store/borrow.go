// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"time"

	"servicenet.dev/servicenet/internal/allocator"
	"servicenet.dev/servicenet/internal/ledger"
)

// borrow returns the loan that is under way for a shelf, and begins one if none
// is.
func (s *Store) borrow(h *shelf) *loan {
	if h.loan == nil {
		h.loan = &loan{done: make(chan struct{})}
		go s.fetch(h, h.loan)
	}
	return h.loan
}

// fetch puts numbers on a shelf.
func (s *Store) fetch(h *shelf, l *loan) {
	ctx, cancel := context.WithTimeout(s.life, s.Timing.Patience)
	defer cancel()
	err := s.fill(ctx, h)
	s.mu.Lock()
	defer s.mu.Unlock()
	l.err, h.loan = err, nil
	close(l.done)
}

// fill borrows from one block after the other until one had something.
func (s *Store) fill(ctx context.Context, h *shelf) error {
	search := s.newSearch(h)
	for {
		s.mu.Lock()
		choice, found := h.index.Choose(s.rng, h.active)
		if !found {
			s.takeOver(h)
		}
		some := h.count > 0
		s.mu.Unlock()
		switch {
		case found:
			got, err := s.borrowFrom(ctx, h, ledger.Key{Family: h.family, Block: choice.Block}, choice.Class)
			if got > 0 || err != nil {
				return err
			}
		case some:
			return nil
		default:
			if err := search.next(ctx); err != nil {
				return err
			}
		}
	}
}

// borrowFrom puts free numbers of a block on loan: as many as are waited for, and
// some ahead of need. It returns how many, which may be none: others were faster.
func (s *Store) borrowFrom(ctx context.Context, h *shelf, key ledger.Key, class allocator.Class) (count int, err error) {
	var got []int
	ahead := 0
	move := func(b *ledger.Block) error {
		ahead = ledger.Magazine(h.kept, time.Since(h.borrowed), h.free())
		got = s.choose(h, b, class, key, max(h.waiting, 1)+ahead)
		return nil
	}
	err = s.swap(ctx, key, move, func() error {
		h.active = key.Block
		h.kept, h.borrowed = ahead, time.Now()
		for _, number := range got {
			if n := s.pages[key].mine[number]; n != nil && n.state == spare && n.shelf != h {
				s.unshelve(n)
				h.put(n)
			}
		}
		count = len(got)
		return nil
	})
	return count, err
}

// choose lends up to so many numbers of a class by chance. It passes over what was
// seen to be used, which got past the ledger: a Service keeps it, and anything else
// until it is gone. It also passes over what this replica had on loan until this
// very write returns it.
func (s *Store) choose(h *shelf, b *ledger.Block, class allocator.Class, key ledger.Key, count int) []int {
	taken := b.Taken().Clone()
	for number := range s.pages[key].mine {
		taken.Take(number)
	}
	var got []int
	for len(got) < count {
		number, found := h.of.Pick(s.rng, class, key.Block, taken)
		if !found {
			break
		}
		taken.Take(number)
		switch f := s.Seen(ledger.Place{Key: key, Number: number}); {
		case f.unused():
			b.Lend(number, s.holder)
			got = append(got, number)
		case f.carried():
			b.Adopt(number)
		default:
			b.Adopt(number)
			b.Release(number, ledger.Retention{})
		}
	}
	return got
}

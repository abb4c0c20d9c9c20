// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"time"

	"servicenet.dev/servicenet/internal/ledger"
)

// Retention says what becomes of a number whose Service is gone. The zero
// Retention frees it as soon as nothing uses it.
type Retention struct {
	// Until is for how long the number is kept for a Service of the same name.
	Until time.Time
	// For is that Service.
	For ledger.Subject
}

// Carried says that a Service is seen with a number. Every replica is to be told
// what its watch shows, the initial list and repeated events too. A number that
// this replica gave is confirmed with that. While Collect runs, a number that is
// nobody's by the ledger is adopted.
func (s *Store) Carried(place ledger.Place, owner ledger.Owner) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.page(place.Key)
	n := p.mine[place.Number]
	switch {
	case n != nil && n.state == carried:
		n.owner = owner
	case n != nil && n.state != leaving:
		s.carry(p, n, owner)
	case n == nil && s.collecting && s.adoptable(p, place.Number):
		s.later(p, func(b *ledger.Block) bool { return b.Adopt(place.Number) }, nil)
	}
}

func (s *Store) adoptable(p *page, number int) bool {
	state := p.state(number)
	return !p.known || p.broken == nil && (state == ledger.Free || state == ledger.Held)
}

// Dropped says that a Service that carried a number is gone, or carries it no
// more. Every replica is to be told what its watch shows. It is a hint: whether
// nothing uses the number is found out before it is free.
func (s *Store) Dropped(place ledger.Place, owner ledger.Owner, then Retention) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.page(place.Key)
	n := p.mine[place.Number]
	switch {
	case n == nil && (s.collecting || p.settled[place.Number]):
		s.release(p, place.Number, then)
	case n == nil || !n.owner.Same(owner):
	case n.state == leaving:
		n.ended = &then
	case n.state == carried && then != (Retention{}):
		// Numbers are retained by a hold, and only what is settled is held.
		n.ended = &then
	case n.state == carried:
		// It was never settled, so it stays on loan, and is spare once the API
		// server is seen to have let go of it.
		s.leave(p, n)
		s.give(n, Request{Owner: n.owner, Slot: n.slot})
		n.due = time.Now()
	}
}

// release holds a number that a Service had.
func (s *Store) release(p *page, number int, then Retention) {
	if p.known && p.broken == nil && p.state(number) == ledger.Held {
		return
	}
	s.later(p, func(b *ledger.Block) bool { return b.Release(number, then.Until, then.For) }, nil)
}

// Release holds numbers that no Service was found with, as by a comparison of the
// ledger with all Services. It is a hint, as Dropped is.
func (s *Store) Release(places ...ledger.Place) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, place := range places {
		s.release(s.page(place.Key), place.Number, Retention{})
	}
}

// Blocks returns what is known of all blocks. They must not be changed.
func (s *Store) Blocks() map[ledger.Key]*ledger.Block {
	s.mu.Lock()
	defer s.mu.Unlock()
	blocks := map[ledger.Key]*ledger.Block{}
	for key, p := range s.pages {
		if p.block != nil {
			blocks[key] = p.block
		}
	}
	return blocks
}

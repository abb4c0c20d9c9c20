// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"maps"
	"slices"
	"time"

	"servicenet.dev/servicenet/internal/ledger"
)

// learn brings everything in line with a new version of a page.
func (s *Store) learn(p *page) {
	p.seen++
	s.absorb(p)
	s.cleanUp(p)
	for _, shelf := range s.shelves {
		shelf.update(p)
	}
	s.noteRetained(p)
	note(s.unreadable, p, p.broken != nil)
	s.noteHolds(p)
	s.noteTenants(p)
	p.wake()
	close(s.changed)
	s.changed = make(chan struct{})
}

// noteRetained takes over for whom the numbers of a page are held.
func (s *Store) noteRetained(p *page) {
	s.noteKeeping(p, false)
	clear(p.retained)
	if p.block != nil {
		for number, hold := range p.block.Holds() {
			if !hold.For.Nobody() {
				p.retained[hold.For.Digest()] = append(p.retained[hold.For.Digest()], number)
			}
		}
	}
	s.noteKeeping(p, true)
	note(s.keepers, p, len(p.retained) > 0)
}

// noteKeeping has a page found by those whom it keeps load-balancer addresses for, or not.
func (s *Store) noteKeeping(p *page, is bool) {
	if !ledger.HasTenants(p.key.Family) {
		return
	}
	for whom := range p.retained {
		pages := s.keeping[whom]
		if is {
			pages = append(pages, p)
		} else {
			pages = slices.DeleteFunc(pages, func(other *page) bool { return other == p })
		}
		if s.keeping[whom] = pages; len(pages) == 0 {
			delete(s.keeping, whom)
		}
	}
}

// note has a page among others, or not.
func note(among map[ledger.Key]*page, p *page, is bool) {
	if is {
		among[p.key] = p
	} else {
		delete(among, p.key)
	}
}

// absorb compares what the block says of this replica's loans with what the
// replica remembers. A loan that it does not remember was handed over, or is of a
// write whose answer was lost: it was given to nobody. A loan that it remembers
// and that is none any more was taken back.
func (s *Store) absorb(p *page) {
	lent := map[int]bool{}
	if p.block != nil {
		for number, loan := range p.block.LentTo(s.holder) {
			lent[number] = true
			n := p.mine[number]
			if n == nil {
				n = s.hold(p, number)
				n.kept = loan.Kept
				s.welcome(p, n)
			}
			if loan.Recall != nil {
				s.answer(p, n, *loan.Recall)
			}
		}
	}
	for number, n := range p.mine {
		if !lent[number] {
			s.forget(p, n)
		}
	}
}

// cleanUp forgets requests for numbers that were answered, and that this replica
// settled numbers which have gone on since.
func (s *Store) cleanUp(p *page) {
	for number, a := range p.asked {
		if s.recalls(p, number) {
			a.landed = true
			p.asked[number] = a
		} else if a.landed {
			delete(p.asked, number)
		}
	}
	goneOn := func(number int) bool {
		state := p.state(number)
		return state == ledger.Free || state == ledger.Held
	}
	var ended []int
	for number := range p.settled.Numbers() {
		if goneOn(number) {
			ended = append(ended, number)
		}
	}
	for _, number := range ended {
		p.settled.Free(number)
	}
	maps.DeleteFunc(p.ending, func(number int, _ time.Time) bool { return goneOn(number) })
	maps.DeleteFunc(p.parted, func(number int, _ ledger.Retention) bool { return p.state(number) != ledger.Used })
}

// recalls tells whether the block has a request of this replica for a number.
func (s *Store) recalls(p *page, number int) bool {
	if p.block == nil {
		return false
	}
	loan, _ := p.block.Loan(number)
	return loan.Recall != nil && loan.Recall.By == s.holder
}

// unask forgets a request that was never made.
func (s *Store) unask(p *page, number int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.noteAsked(p, number)
}

// noteAsked notes whether the block has a request for a number, after it was written or
// could not be. If it does not, it was never made or is answered already, as a watch may
// be faster than the answer of a write: who waits for what comes of it looks again.
func (s *Store) noteAsked(p *page, number int) {
	a, ok := p.asked[number]
	switch {
	case !ok:
	case s.recalls(p, number):
		a.landed = true
		p.asked[number] = a
	default:
		delete(p.asked, number)
		p.wake()
	}
}

// welcome finds a use for a number that came on loan. One that was asked for by
// number may have been given before, to the Service that it was asked for, by the
// replica that handed it over: it stays given, whether somebody still waits or not.
func (s *Store) welcome(p *page, n *number) {
	if a, ok := p.asked[n.Number]; ok && !n.kept.Denies(ledger.SubjectOf(a.request.Owner.NamespacedName)) {
		delete(p.asked, n.Number)
		s.give(n, a.request)
		return
	}
	s.shelve(n)
}

// answer gives another replica a number that it asks for, if it was given to
// nobody or to the same Service.
func (s *Store) answer(p *page, n *number, recall ledger.Recall) {
	if n.state == leaving || n.answering {
		return
	}
	same := n.state == given && !recall.For.Nobody() && n.owner.Applicant().Digest() == recall.For.Digest()
	if n.state == carried {
		// Once it is settled everybody can see that a Service has it.
		s.settleSoon(p)
		return
	}
	if n.state == spare || same {
		s.leave(p, n)
		s.later(p, func(b *ledger.Block) bool { return b.HandOver(n.Number, s.holder) }, nil)
		return
	}
	n.answering = true
	s.later(p, func(b *ledger.Block) bool { return b.Refuse(n.Number, s.holder) }, func() error {
		n.answering = false
		s.answerNext(p, n)
		return nil
	})
}

// answerNext answers who asked for a number while a refusal was being written: a watch may
// have shown the next request before the answer of that write came.
func (s *Store) answerNext(p *page, n *number) {
	if p.block == nil || p.mine[n.Number] != n {
		return
	}
	if loan, _ := p.block.Loan(n.Number); loan.Holder == s.holder && loan.Recall != nil {
		s.answer(p, n, *loan.Recall)
	}
}

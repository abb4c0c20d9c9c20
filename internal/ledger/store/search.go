// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"time"

	"servicenet.dev/servicenet/internal/ledger"
)

// search looks for numbers of a range of which none is free. Other replicas may
// have some on loan that they gave to nobody, and others may only be waiting to
// be cleared. Only if there is neither is the range full.
type search struct {
	s     *Store
	h     *shelf
	until time.Time
	// asked are the numbers on loan that were asked for.
	asked map[ledger.Place]bool
}

func (s *Store) newSearch(h *shelf) *search {
	return &search{s: s, h: h, until: time.Now().Add(s.Timing.Recall), asked: map[ledger.Place]bool{}}
}

// next asks for what may be had, and waits until something changed. It fails when
// there is none, and when it took too long.
func (q *search) next(ctx context.Context) error {
	q.s.mu.Lock()
	some, changed := q.look(), q.s.changed
	broken := q.s.brokenOf(q.h)
	wait := time.Until(q.until)
	q.s.mu.Unlock()
	switch {
	case !some && broken != nil:
		return &ledger.UnavailableError{Reason: "the ledger has to be repaired", RetryAfter: 10 * time.Second, Err: broken}
	case !some:
		return &ledger.FullError{}
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-changed:
		return nil
	case <-timer.C:
	case <-ctx.Done():
	}
	return &ledger.UnavailableError{Reason: "the last free numbers are not cleared yet", RetryAfter: time.Second}
}

// look asks for numbers on loan to others, and tells whether there is something
// to wait for.
func (q *search) look() (some bool) {
	ask := max(q.h.waiting, 1)
	for _, p := range q.s.pages {
		if p.block == nil || p.key.Family != q.h.family || !q.h.of.Touches(p.key.Block) {
			continue
		}
		some = some || q.clearing(p)
		for number, loan := range p.block.Loans() {
			n := p.mine[number]
			switch {
			case n != nil:
				some = some || n.state == leaving && q.h.has(n.Place)
			case q.promising(p, number, loan):
				some = true
				ask -= q.ask(p, number, loan, ask)
			}
		}
	}
	return some
}

// clearing tells whether a number is about to be cleared: one that is held for
// nobody, and that nothing but a Service had, or one whose Service was seen to go.
func (q *search) clearing(p *page) bool {
	for number := range p.block.Holds() {
		place := ledger.Place{Key: p.key, Number: number}
		if !p.keeps(number, q.s.Now()) && q.h.has(place) && !q.s.Seen(place).Foreign {
			return true
		}
	}
	for number, until := range p.ending {
		if time.Now().Before(until) && q.h.has(ledger.Place{Key: p.key, Number: number}) {
			return true
		}
	}
	return false
}

// brokenOf returns why a block that may have free numbers of a range can't be read.
func (s *Store) brokenOf(h *shelf) error {
	for _, p := range s.unreadable {
		if p.key.Family == h.family && h.of.Touches(p.key.Block) {
			return p.broken
		}
	}
	return nil
}

// promising tells whether a number may be had from whoever has it on loan: it was
// not asked for in vain.
func (q *search) promising(p *page, number int, loan ledger.Loan) bool {
	place := ledger.Place{Key: p.key, Number: number}
	return loan.Holder != q.s.holder && loan.Kept == nil && q.h.has(place) && (!q.asked[place] || loan.Recall != nil)
}

// ask asks for a number on loan, unless somebody does or enough were asked for.
// It returns how many it asked for.
func (q *search) ask(p *page, number int, loan ledger.Loan, most int) int {
	if loan.Recall != nil || most <= 0 {
		return 0
	}
	q.asked[ledger.Place{Key: p.key, Number: number}] = true
	q.s.later(p, func(b *ledger.Block) bool { return b.Ask(number, q.s.holder, ledger.Subject{}) }, nil)
	return 1
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"time"

	"k8s.io/apimachinery/pkg/types"

	"servicenet.dev/servicenet/internal/ledger"
)

// number is a number that this replica has on loan.
type number struct {
	ledger.Place
	state possession
	// shelf is the magazine that a spare number is in, if it is in one.
	shelf *shelf
	// since is the version of the block in which the loan was first seen.
	since string
	// owner is the Service that a number was given to, or that was seen with it,
	// and slot says which of its numbers it is.
	owner ledger.Owner
	slot  string
	// due is when to ask the API server what became of a number that was given.
	due time.Time
	// gifts counts how often the number was given, or given again.
	gifts int
	// shared tells that more than one request was given the number.
	shared bool
	// answering tells that a refusal of a recall is under way.
	answering bool
	// ended is what to do once the number is settled: its Service is gone.
	ended *ledger.Retention
	// kept is for whom the number was held before, if it was.
	kept *ledger.Retention
}

// asked is a request for a number that another replica has on loan.
type asked struct {
	request Request
	// until is how long an answer is remembered to be one.
	until time.Time
	// landed tells that the block has the request, or had it.
	landed bool
}

// possession is what this replica does with a number it has on loan.
type possession int

const (
	// spare numbers can be given.
	spare possession = iota
	// given numbers wait for their Service to be seen.
	given
	// carried numbers were seen with a Service, and wait to be settled.
	carried
	// leaving numbers are being settled, returned or handed over. Whether that has
	// happened may be unknown, so nothing else can be done with them.
	leaving
)

// repeat names the number of a Service that exists. If the request is repeated,
// as the API server does after a conflict, it gets the same.
type repeat struct {
	types.NamespacedName
	uid  types.UID
	slot string
}

// hold remembers a number on loan.
func (s *Store) hold(p *page, at int) *number {
	n := &number{Place: ledger.Place{Key: p.key, Number: at}, since: p.meta.ResourceVersion}
	p.mine[at] = n
	s.Metrics.lent(n.Family, 1)
	return n
}

// forget drops a number that is not on loan any more: it was settled, returned or
// handed over, or others took it back.
func (s *Store) forget(p *page, n *number) {
	s.leave(p, n)
	delete(p.mine, n.Number)
	s.Metrics.lent(n.Family, -1)
	if n.ended != nil {
		s.release(p, n.Number, *n.ended)
	}
}

// leave ends whatever a number was for.
func (s *Store) leave(p *page, n *number) {
	switch n.state {
	case spare:
		s.unshelve(n)
	case given:
		s.settleAccount(n)
	case carried:
		delete(p.carried, n.Number)
	case leaving:
	}
	n.state = leaving
}

// give gives a number to a Service.
func (s *Store) give(n *number, r Request) {
	s.unshelve(n)
	n.state, n.owner, n.slot, n.due = given, r.Owner, r.Slot, time.Now().Add(s.Timing.InFlight)
	n.gifts++
	n.shared = false
	s.inFlight[r.Owner.Namespace]++
	s.Metrics.given(n.Family, 1)
	if key, ok := r.repeat(n.Family); ok {
		s.repeats[key] = n
	}
}

// giveAgain gives a number to another request of the Service that it was given to.
func (s *Store) giveAgain(n *number) {
	n.due = time.Now().Add(s.Timing.InFlight)
	n.gifts++
	n.shared = true
}

// mayBeFor tells whether a number was given to an owner. The name of one may yet be
// to be generated: a request that names a number which was given to such a Service of
// its namespace is most likely the same one, sent again.
func (n *number) mayBeFor(owner ledger.Owner) bool {
	nameless := n.owner.Name == "" && owner.Name == ""
	return n.owner.Same(owner) || nameless && n.owner.Namespace == owner.Namespace
}

// settleAccount undoes what give noted.
func (s *Store) settleAccount(n *number) {
	s.Metrics.given(n.Family, -1)
	namespace := n.owner.Namespace
	s.inFlight[namespace]--
	if s.inFlight[namespace] == 0 {
		delete(s.inFlight, namespace)
	}
	if key, ok := (Request{Owner: n.owner, Slot: n.slot}).repeat(n.Family); ok && s.repeats[key] == n {
		delete(s.repeats, key)
	}
}

// carry notes that a Service was seen with a number.
func (s *Store) carry(p *page, n *number, owner ledger.Owner) {
	s.leave(p, n)
	n.state, n.owner = carried, owner
	p.carried[n.Number] = n
	s.flushWithin(p, s.Timing.Settle)
}

// settleSoon has what is carried settled without waiting for another write.
func (s *Store) settleSoon(p *page) {
	s.later(p, func(*ledger.Block) bool { return false }, nil)
}

// flushWithin sees to it that what can wait for another write does not wait for
// longer than that.
func (s *Store) flushWithin(p *page, wait time.Duration) {
	at := time.Now().Add(wait)
	if !p.flush.IsZero() && !p.flush.After(at) {
		return
	}
	p.flush = at
	time.AfterFunc(wait, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if !p.flush.Equal(at) {
			return // sooner, by another
		}
		p.flush = time.Time{}
		if len(p.carried)+len(p.waiting) > 0 {
			s.startWriting(p)
		}
	})
}

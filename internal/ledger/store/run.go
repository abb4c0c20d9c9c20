// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"
	"sync"
	"time"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/ledger"
)

// Run gives numbers out until the context ends, and gives back then what it has
// on loan. It is to run on every replica, once.
func (s *Store) Run(ctx context.Context) error {
	defer s.end()
	s.load(ctx)
	var renewals sync.WaitGroup
	renewals.Go(func() { s.keepLease(ctx) })
	ticks := time.NewTicker(s.Timing.Tick)
	defer ticks.Stop()
	for {
		select {
		case <-ctx.Done():
			renewals.Wait()
			return s.close()
		case <-ticks.C:
			s.followUp(ctx)
			s.mu.Lock()
			s.tidy()
			s.mu.Unlock()
		}
	}
}

// load reads all blocks, so that the first numbers come from blocks that exist.
func (s *Store) load(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, s.Timing.Call)
	defer cancel()
	list := &servicenetv1alpha1.AllocationBlockList{}
	if err := s.Client.List(ctx, list); err != nil {
		s.Logger.Error(err, "Could not list the blocks of the ledger: they will be read one by one")
		return
	}
	for i := range list.Items {
		s.BlockSeen(&list.Items[i])
	}
}

// keepLease renews the Lease until the context ends.
func (s *Store) keepLease(ctx context.Context) {
	ticks := time.NewTicker(s.Timing.Renew)
	defer ticks.Stop()
	for ctx.Err() == nil {
		if err := s.renew(ctx); err != nil && ctx.Err() == nil {
			s.Logger.Error(err, "No numbers are given out while the Lease is not renewed")
		}
		select {
		case <-ctx.Done():
		case <-ticks.C:
		}
	}
}

// followUp asks the API server what became of the numbers that were given some
// time ago: their Services carry them, or they are spare again.
func (s *Store) followUp(ctx context.Context) {
	questions, asked := s.givenUntil(time.Now())
	if len(questions) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, s.Timing.Call)
	defer cancel()
	findings, err := s.Evidence.Look(ctx, questions)
	if err != nil {
		s.Logger.Error(err, "Could not find out what became of numbers that were given", "numbers", len(questions))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, a := range asked {
		p := s.pages[a.number.Key]
		if !p.stillGiven(a) {
			continue
		}
		switch {
		case err != nil || findings[i].Leftover || findings[i].Foreign:
			a.number.due = time.Now().Add(2 * s.Timing.Tick)
		case findings[i].carried():
			s.carry(p, a.number, findings[i].Carrier)
		default:
			s.leave(p, a.number)
			s.shelve(a.number)
		}
	}
}

// gift is a number as it was given once.
type gift struct {
	number *number
	gifts  int
}

// stillGiven tells whether nothing has become of a number since it was given.
func (p *page) stillGiven(a gift) bool {
	return p.mine[a.number.Number] == a.number && a.number.state == given && a.number.gifts == a.gifts
}

// givenUntil returns the numbers that were given and that are to be asked about by some
// time.
func (s *Store) givenUntil(due time.Time) (questions []Question, asked []gift) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.pages {
		for _, n := range p.mine {
			if n.state == given && !n.due.After(due) {
				questions = append(questions, Question{Place: n.Place, Hint: n.owner})
				asked = append(asked, gift{n, n.gifts})
			}
		}
	}
	return questions, asked
}

// lastLooks is how often a replica that ends looks for the Services that it gave numbers
// to, and lastPause how long it waits in between: the API server may be making them.
const (
	lastLooks = 4
	lastPause = 500 * time.Millisecond
)

// confirm finds the Services of the numbers that were given. Caches that end with the
// replica may not have shown them.
func (s *Store) confirm(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, s.Timing.Call)
	defer cancel()
	for look := range lastLooks {
		questions, asked := s.givenUntil(time.Now().Add(2 * s.Timing.InFlight))
		if len(questions) == 0 || look > 0 && sleep(ctx, lastPause) != nil {
			return
		}
		findings, err := s.Evidence.Look(ctx, questions)
		if err != nil {
			s.Logger.Error(err, "Could not find out what became of numbers that were given last", "numbers", len(questions))
			continue
		}
		s.mu.Lock()
		for i, a := range asked {
			p, carrier := s.pages[a.number.Key], findings[i].Carrier
			if p.stillGiven(a) && (a.number.owner.Same(carrier) || a.number.owner.Name == "" && findings[i].carried()) {
				s.carry(p, a.number, carrier)
			}
		}
		s.mu.Unlock()
	}
}

// close gives nothing out any more, settles what Services have by now, and returns what
// nobody was given. What was given and can't be found with its Service stays on loan
// until the Lease is stale, so that whoever takes it back asks the API server first.
func (s *Store) close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.confirm(s.life)
	ctx, cancel := context.WithTimeout(s.life, s.Timing.Call)
	defer cancel()
	s.mu.Lock()
	var keys []ledger.Key
	for key, p := range s.pages {
		if len(p.mine)+len(p.waiting) == 0 {
			continue
		}
		keys = append(keys, key)
		for _, n := range p.mine {
			if n.state == spare {
				s.giveBack(n)
			}
		}
	}
	s.mu.Unlock()
	for _, key := range keys {
		// What was returned before has landed when the first of these has, and the
		// block is deleted if that has left it empty when the second has.
		for range 2 {
			if err := s.swap(ctx, key, func(*ledger.Block) error { return nil }, nil); err != nil {
				return fmt.Errorf("return the numbers on loan: %w", err)
			}
		}
	}
	s.mu.Lock()
	left, holder := 0, s.holder
	for _, p := range s.pages {
		left += len(p.mine)
	}
	s.mu.Unlock()
	if left == 0 {
		s.removeLease(ctx, holder)
	}
	return nil
}

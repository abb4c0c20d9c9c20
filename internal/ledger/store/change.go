// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"errors"
	"slices"
	"time"

	"servicenet.dev/servicenet/internal/ledger"
)

// errMoved says that a number is not any more what a change needs it to be.
var errMoved = errors.New("the number changed meanwhile")

// change is something to be done to a block. All that wait when a write begins
// are done in one.
type change struct {
	// ctx is whose who waits. A change that nobody waits for any more is dropped
	// if it was not written yet.
	ctx context.Context //nolint:containedctx // of the one call that waits
	// move changes a block, or fails and changes nothing. It may be called again
	// for a newer block. mu is held.
	move func(*ledger.Block) error
	// landed is called when what move did is in the API server, and was learned. It
	// may find that the number was given to another already, if a watch was faster
	// than the answer. mu is held.
	landed func() error
	done   chan error
	// fault is the last fault of the API server.
	fault error
}

// swap makes a change and waits for it.
func (s *Store) swap(ctx context.Context, key ledger.Key, move func(*ledger.Block) error, landed func() error) error {
	c := &change{ctx: ctx, move: move, landed: landed, done: make(chan error, 1)}
	s.mu.Lock()
	if s.life.Err() != nil {
		defer s.mu.Unlock()
		return s.tooLate(c)
	}
	p := s.page(key)
	p.waiting = append(p.waiting, c)
	s.startWriting(p)
	s.mu.Unlock()
	select {
	case err := <-c.done:
		return err
	case <-ctx.Done():
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.tooLate(c)
	}
}

// later makes a change that nobody waits for. A move that returns false finds
// nothing to do any more.
func (s *Store) later(p *page, move func(*ledger.Block) bool, landed func() error) {
	p.waiting = append(p.waiting, &change{
		ctx: s.life, landed: landed, done: make(chan error, 1),
		move: func(b *ledger.Block) error { move(b); return nil },
	})
	s.startWriting(p)
}

// lazily makes a change that nobody waits for with the next write, or after some time.
func (s *Store) lazily(p *page, wait time.Duration, move func(*ledger.Block) bool) {
	p.waiting = append(p.waiting, &change{
		ctx: s.life, done: make(chan error, 1),
		move: func(b *ledger.Block) error { move(b); return nil },
	})
	s.flushWithin(p, wait)
}

func (s *Store) tooLate(c *change) error {
	return &ledger.UnavailableError{Reason: "the ledger could not be written in time", RetryAfter: time.Second, Err: c.fault}
}

// gather adds what waits to a batch and drops what nobody waits for any more. At
// the end of the Store's life that is all.
func (s *Store) gather(p *page, batch []*change) []*change {
	live := make([]*change, 0, len(batch)+len(p.waiting))
	all := slices.Concat(batch, p.waiting)
	p.waiting = nil
	for _, c := range all {
		if c.ctx.Err() != nil || s.life.Err() != nil {
			c.done <- s.tooLate(c)
			continue
		}
		live = append(live, c)
	}
	return live
}

// conclude ends a change that has landed. What nobody waits for any more stays
// as the block has it.
func (s *Store) conclude(c *change) error {
	switch {
	case c.ctx.Err() != nil:
		return s.tooLate(c)
	case c.landed != nil:
		return c.landed()
	default:
		return nil
	}
}

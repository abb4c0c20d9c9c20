// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"errors"
	"fmt"

	"servicenet.dev/servicenet/internal/ledger"
)

// Broken returns why blocks can't be read, or that they are lost. Until they are
// rebuilt, no number of theirs is given out or freed.
func (s *Store) Broken() map[ledger.Key]error {
	s.mu.Lock()
	defer s.mu.Unlock()
	broken := map[ledger.Key]error{}
	for key, p := range s.pages {
		if p.broken != nil {
			broken[key] = p.broken
		}
	}
	return broken
}

// Last returns a block of load-balancer addresses as it was last seen, also when it
// can't be read any more or is lost. It is nil if it never was. It must not be changed.
func (s *Store) Last(key ledger.Key) *ledger.Block {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.pages[key]; p != nil {
		return p.tenanted
	}
	return nil
}

// Rebuild writes a block again of which the ledger lost what it knew. One that
// can't be read or is lost is replaced by what restore makes of a new one; restore
// changes any other as it is, or a new one where there is none. It is called with the Store
// locked, perhaps more than once, and with a holder that never was, for numbers
// that nobody is to be given for as long as a request may live: the collector takes
// them back then.
//
// A block of load-balancer addresses has to be rebuilt: nothing but the block tells who
// has them, and until then those who had them last are taken to have them (Tenancies,
// Tenants, Last). No number of it needs to go to the holder that never was.
//
// It fails, and changes nothing, with ledger.ErrNewer when a newer release wrote
// the block, when somebody else was faster, and when the API server does not take
// the block in time: then it is to be looked at again.
func (s *Store) Rebuild(ctx context.Context, key ledger.Key, restore func(block *ledger.Block, absent ledger.Holder)) error {
	s.mu.Lock()
	p := s.page(key)
	absent := ledger.Holder(s.rng.Uint64())
	if p.broken == nil {
		s.mu.Unlock()
		// Others are not to wait for a block that can't be written.
		ctx, cancel := context.WithTimeout(ctx, s.Timing.Call)
		defer cancel()
		return s.swap(ctx, key, func(b *ledger.Block) error { restore(b, absent); return nil }, nil)
	}
	defer s.mu.Unlock()
	if errors.Is(p.broken, ledger.ErrNewer) {
		return p.broken
	}
	return s.replace(ctx, p, absent, restore)
}

// replace writes a new block in place of one that can't be read or is lost. mu is
// held, but not while the block is written.
func (s *Store) replace(ctx context.Context, p *page, absent ledger.Holder, restore func(*ledger.Block, ledger.Holder)) error {
	d := &draft{block: ledger.NewBlock(s.rng.Uint32())}
	restore(d.block, absent)
	var err error
	if d.data, err = d.block.Encode(); err != nil {
		return err
	}
	object := p.object(d.block, d.data)
	s.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, s.Timing.Call)
	if object.UID == "" {
		err = s.Client.Create(ctx, object)
	} else {
		err = s.Client.Update(ctx, object)
	}
	cancel()
	s.mu.Lock()
	if err != nil {
		// It has to be read before it is written, whatever became of this write.
		p.known = false
		s.Metrics.swapped(p.key.Family, "fault")
		return fmt.Errorf("write block %s anew: %w", p.key, err)
	}
	s.Metrics.swapped(p.key.Family, "done")
	s.see(p, written(d, object))
	return nil
}

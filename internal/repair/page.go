// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package repair

import (
	"errors"
	"iter"

	"servicenet.dev/servicenet/internal/allocator"
	"servicenet.dev/servicenet/internal/bitmap"
	"servicenet.dev/servicenet/internal/ledger"
)

// page is a block beside what uses its numbers.
type page struct {
	key ledger.Key
	// block is nil where there is none.
	block  *ledger.Block
	broken bool
	// used is what the ledger has for Services, carried what they carry, and twice
	// what several of them do.
	used, carried, twice *bitmap.Set
	// missing is what Services carry and the ledger does not have for them.
	missing *bitmap.Set
	// lost counts what it once had for them.
	lost int
}

func newPage(key ledger.Key, block *ledger.Block, broken bool) *page {
	p := &page{
		key: key, block: block, broken: broken,
		used: &bitmap.Set{}, carried: bitmap.New(allocator.BlockSize), twice: &bitmap.Set{}, missing: &bitmap.Set{},
	}
	if block != nil {
		p.used = block.Used()
	}
	return p
}

// carry notes that a Service carries a number, and tells whether it is the first.
func (p *page) carry(number int) bool { return p.carried.Take(number) }

// share notes that several Services carry a number.
func (p *page) share(number int) {
	if p.twice.Size() == 0 {
		p.twice = bitmap.New(allocator.BlockSize)
	}
	p.twice.Take(number)
}

// compare tells whether a Service has to be named for one of the numbers. Nothing
// is known of the numbers of a block that can't be read.
func (p *page) compare() bool {
	if !p.broken {
		for range p.carried.Without(p.used) {
			p.missing = p.carried.Clone()
			p.missing.Subtract(p.used)
			break
		}
	}
	return p.missing.Count() > 0 || p.twice.Count() > 0
}

// leaks iterates over what the ledger has for Services of which none carries it.
func (p *page) leaks() iter.Seq[int] { return p.used.Without(p.carried) }

// state returns what a number is in the ledger.
func (p *page) state(number int) ledger.State {
	if p.block == nil {
		return ledger.Free
	}
	return p.block.State(number)
}

func unreadable(key ledger.Key, err error) Finding {
	kind := BlockBroken
	switch {
	case errors.Is(err, ledger.ErrNewer):
		// The release that wrote it is at work: its block is none to be repaired.
		kind = BlockNewer
	case errors.Is(err, ledger.ErrLost):
		kind = BlockLost
	}
	return Finding{Kind: kind, Place: ledger.Place{Key: key}, Detail: err.Error()}
}

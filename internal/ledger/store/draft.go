// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"bytes"
	"time"

	"servicenet.dev/servicenet/internal/ledger"
)

// draft is a block as it is to be.
type draft struct {
	block *ledger.Block
	data  []byte
	// changes are those that were made.
	changes  []*change
	settling []*number
	// exists tells that there is an object to change, and ends that it says already
	// that all numbers are free: then it is deleted.
	exists, ends, unchanged bool
}

// draft makes changes, and settles what is carried, in a copy of the block. With
// an error nothing is to be written, and all changes were told.
func (s *Store) draft(p *page, batch []*change) (*draft, error) {
	d := &draft{exists: p.meta.UID != ""}
	if p.broken != nil {
		d.changes = batch
		return d.refuse("the ledger has to be repaired", p.broken)
	}
	if p.block != nil {
		d.block = p.block.Clone()
	} else {
		d.block = ledger.NewBlock(s.rng.Uint32())
	}
	for _, c := range batch {
		if err := c.move(d.block); err != nil {
			c.done <- err
			continue
		}
		d.changes = append(d.changes, c)
	}
	for _, n := range p.carried {
		d.block.Settle(n.Number, s.holder)
		n.state = leaving
		p.settled.Take(n.Number)
		d.settling = append(d.settling, n)
	}
	clear(p.carried)
	var err error
	if d.data, err = d.block.Encode(); err != nil {
		s.unsettle(p, d)
		return d.refuse("the ledger has no room", err)
	}
	d.ends = d.exists && p.block.Empty() && d.block.Empty()
	d.unchanged = bytes.Equal(d.data, p.data) && !d.ends || !d.exists && d.block.Empty()
	return d, nil
}

// refuse fails all changes of a draft.
func (d *draft) refuse(reason string, err error) (*draft, error) {
	for _, c := range d.changes {
		c.done <- &ledger.UnavailableError{Reason: reason, RetryAfter: 10 * time.Second, Err: err}
	}
	return &draft{}, err
}

// unsettle notes that numbers are still to be settled.
func (s *Store) unsettle(p *page, d *draft) {
	for _, n := range d.settling {
		if p.mine[n.Number] == n {
			n.state = carried
			p.carried[n.Number] = n
		}
	}
}

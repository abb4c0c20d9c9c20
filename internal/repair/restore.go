// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package repair

import (
	"servicenet.dev/servicenet/internal/allocator"
	"servicenet.dev/servicenet/internal/bitmap"
	"servicenet.dev/servicenet/internal/ledger"
)

// Carried returns which numbers of a block Services carry.
func (w *World) Carried(key ledger.Key) *bitmap.Set {
	carried := bitmap.New(allocator.BlockSize)
	for i := range w.Services {
		for _, place := range w.Services[i].Numbers {
			if place.Key == key {
				carried.Take(place.Number)
			}
		}
	}
	return carried
}

// Restore makes a block say again what became of its numbers: one that is new,
// because the old one can't be read, or one that others brought back to an earlier
// state. What is carried is used. All else that the block has free goes on loan to
// a holder that never was, as one does that died: with the requests that were
// given numbers of the block, of which nothing is known any more, nobody is given
// these. The collector takes them back once it has seen for long enough that the
// holder has no Lease, by its own clock and after the longest life of a request,
// and frees those that the API server has no use of. Until then, who asks for one
// is told to try again.
//
// Last is the block as it was last seen, nil if it never was. It tells for whom
// numbers are kept; loans that it knows are not: their holders have forgotten what
// they gave to whom.
func Restore(block, last *ledger.Block, carried *bitmap.Set, absent ledger.Holder) {
	for number := range allocator.BlockSize {
		if block.State(number) != ledger.Free {
			continue
		}
		if carried.Has(number) {
			block.Adopt(number)
			continue
		}
		kept := keptFor(last, number)
		if kept == nil {
			block.Lend(number, absent)
			continue
		}
		// For somebody it can be on loan only after a hold.
		block.Adopt(number)
		block.Release(number, *kept)
		hold, _ := block.Hold(number)
		block.Claim(number, hold.Serial, absent)
	}
}

// keptFor returns for whom a number was kept, if it was.
func keptFor(last *ledger.Block, number int) *ledger.Retention {
	if last == nil {
		return nil
	}
	if loan, lent := last.Loan(number); lent {
		return loan.Kept
	}
	if hold, held := last.Hold(number); held && !hold.For.Nobody() {
		return &hold.Retention
	}
	return nil
}

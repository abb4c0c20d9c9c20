// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import "time"

// Each move of a number tells whether the block changed. A move that does not
// find the number as it needs it changes nothing, so that it may be tried again
// after an answer was lost, and on whatever others have made of the block.

// Lend puts a free number on loan to a holder.
func (b *Block) Lend(number int, to Holder) bool {
	if !b.taken.Take(number) {
		return false
	}
	b.loans[number] = Loan{Holder: to}
	return true
}

// Return ends the loan of a number that its holder gave to nobody. The number is
// free, or held again as before.
func (b *Block) Return(number int, from Holder) bool {
	if b.loans[number].Kept != nil {
		return b.Reclaim(number, from)
	}
	if b.loans[number].Holder != from || b.State(number) != Lent {
		return false
	}
	delete(b.loans, number)
	return b.taken.Free(number)
}

// Settle makes a number on loan one that a Service has: its holder has seen the
// Service.
func (b *Block) Settle(number int, from Holder) bool {
	if b.loans[number].Holder != from || b.State(number) != Lent {
		return false
	}
	delete(b.loans, number)
	return true
}

// Adopt makes a free number one that a Service has: the Service was seen with it.
func (b *Block) Adopt(number int) bool { return b.taken.Take(number) }

// Release holds a number that a Service had. It becomes free when it is cleared,
// not before its retention ends, if there is one. Numbers with tenants are evicted.
func (b *Block) Release(number int, then Retention) bool {
	if b.State(number) != Used || len(b.Tenants(number)) > 0 {
		return false
	}
	b.hold(number, then)
	return true
}

// Reclaim holds a number on loan to a holder that is no more, until it is certain
// that no Service was given it, and for whom it was held before.
func (b *Block) Reclaim(number int, from Holder) bool {
	loan, lent := b.loans[number]
	if !lent || loan.Holder != from {
		return false
	}
	delete(b.loans, number)
	then := Retention{}
	if loan.Kept != nil {
		then = *loan.Kept
	}
	b.hold(number, then)
	return true
}

func (b *Block) hold(number int, then Retention) {
	b.serial++
	if !then.Until.IsZero() {
		then.Until = time.Unix(then.Until.Unix(), 0)
	}
	b.holds[number] = Hold{Serial: b.serial, Retention: then}
}

// Clear frees a held number: nothing uses it, as was found after the hold with
// this serial was there to be seen. Whoever took the number meanwhile ended the
// hold.
func (b *Block) Clear(number int, serial uint32) bool {
	if hold, held := b.holds[number]; !held || hold.Serial != serial {
		return false
	}
	delete(b.holds, number)
	return b.taken.Free(number)
}

// Keep makes a held number used again: a Service has it, as was found after the
// hold with this serial was there to be seen.
func (b *Block) Keep(number int, serial uint32) bool {
	if hold, held := b.holds[number]; !held || hold.Serial != serial {
		return false
	}
	delete(b.holds, number)
	return true
}

// Claim puts a held number on loan to a holder: nothing uses it, as for Clear.
func (b *Block) Claim(number int, serial uint32, to Holder) bool {
	hold, held := b.holds[number]
	if !held || hold.Serial != serial {
		return false
	}
	loan := Loan{Holder: to}
	if hold.Retention != (Retention{}) {
		loan.Kept = &hold.Retention
	}
	delete(b.holds, number)
	b.loans[number] = loan
	return true
}

// Ask records the request for a number on loan to another. There is one at a
// time: a later one has to wait.
func (b *Block) Ask(number int, by Holder, whom Subject) bool {
	loan, lent := b.loans[number]
	if !lent || loan.Holder == by || loan.Recall != nil {
		return false
	}
	loan.Recall = &Recall{By: by, For: whom}
	b.loans[number] = loan
	return true
}

// HandOver answers a request for a number on loan with the number.
func (b *Block) HandOver(number int, from Holder) bool {
	loan, lent := b.loans[number]
	if !lent || loan.Holder != from || loan.Recall == nil {
		return false
	}
	b.loans[number] = Loan{Holder: loan.Recall.By, Kept: loan.Kept}
	return true
}

// Refuse answers a request for a number on loan with a no.
func (b *Block) Refuse(number int, from Holder) bool {
	loan, lent := b.loans[number]
	if !lent || loan.Holder != from || loan.Recall == nil {
		return false
	}
	b.loans[number] = Loan{Holder: from, Kept: loan.Kept}
	return true
}

// ReclaimAll holds all numbers on loan to a holder, as Reclaim does.
func (b *Block) ReclaimAll(from Holder) (changed bool) {
	for number := range b.LentTo(from) {
		changed = b.Reclaim(number, from) || changed
	}
	return changed
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"iter"
	"maps"
	"slices"

	"servicenet.dev/servicenet/internal/allocator"
	"servicenet.dev/servicenet/internal/bitmap"
)

// State is what a number of a block is.
type State int

// A number goes from free to lent to used to held to free. Only adoption leaves
// steps out.
const (
	// Free numbers can be lent.
	Free State = iota
	// Lent numbers are on loan to a replica: in its magazine, or given to a
	// Service that it has not been seen to carry yet.
	Lent
	// Used numbers are those of Services.
	Used
	// Held numbers have no Service any more and are not free yet.
	Held
)

func (s State) String() string {
	return [...]string{"free", "lent", "used", "held"}[s]
}

// Block is what became of the numbers of a block. It is a value that is swapped
// as a whole: whoever changes one, changes a Clone.
type Block struct {
	taken *bitmap.Set
	loans map[int]Loan
	holds map[int]Hold
	// tenants are those of load-balancer addresses, which more than one Service may
	// have.
	tenants tenantTable
	serial  uint32
	// unknown is what a later release has written, kept for it.
	unknown []section
}

// NewBlock returns a block with all numbers free. Its holds count from a serial
// that should differ from that of earlier blocks of the same numbers.
func NewBlock(serial uint32) *Block {
	return &Block{
		taken: bitmap.New(allocator.BlockSize), loans: map[int]Loan{}, holds: map[int]Hold{}, serial: serial,
	}
}

// Clone returns a copy that goes its own way from here.
func (b *Block) Clone() *Block {
	return &Block{
		taken: b.taken.Clone(), loans: maps.Clone(b.loans), holds: maps.Clone(b.holds), tenants: b.tenants,
		serial: b.serial, unknown: b.unknown,
	}
}

// State returns what a number is.
func (b *Block) State(number int) State {
	if !b.taken.Has(number) {
		return Free
	}
	if _, lent := b.loans[number]; lent {
		return Lent
	}
	if _, held := b.holds[number]; held {
		return Held
	}
	return Used
}

// Taken returns the numbers that are not free. The caller must not change it.
func (b *Block) Taken() *bitmap.Set { return b.taken }

// Used returns the numbers that Services have.
func (b *Block) Used() *bitmap.Set {
	used := b.taken.Clone()
	for number := range b.loans {
		used.Free(number)
	}
	for number := range b.holds {
		used.Free(number)
	}
	return used
}

// Loan returns the loan of a number, if it is lent.
func (b *Block) Loan(number int) (loan Loan, lent bool) {
	loan, lent = b.loans[number]
	return loan, lent
}

// Hold returns the hold on a number, if it is held.
func (b *Block) Hold(number int) (hold Hold, held bool) {
	hold, held = b.holds[number]
	return hold, held
}

// Loans iterates over the numbers on loan, in their order.
func (b *Block) Loans() iter.Seq2[int, Loan] { return inOrder(b.loans) }

// Holds iterates over the numbers that are held, in their order.
func (b *Block) Holds() iter.Seq2[int, Hold] { return inOrder(b.holds) }

// LentTo iterates over the numbers on loan to a holder, in their order.
func (b *Block) LentTo(holder Holder) iter.Seq2[int, Loan] {
	return func(yield func(int, Loan) bool) {
		for number, loan := range b.Loans() {
			if loan.Holder == holder && !yield(number, loan) {
				return
			}
		}
	}
}

// Count returns how many numbers are used, lent and held.
func (b *Block) Count() (used, lent, held int) {
	return b.taken.Count() - len(b.loans) - len(b.holds), len(b.loans), len(b.holds)
}

// Empty tells whether nothing would be lost with the block.
func (b *Block) Empty() bool { return b.taken.Count() == 0 && len(b.unknown) == 0 }

func inOrder[V any](records map[int]V) iter.Seq2[int, V] {
	return func(yield func(int, V) bool) {
		for _, number := range slices.Sorted(maps.Keys(records)) {
			if !yield(number, records[number]) {
				return
			}
		}
	}
}

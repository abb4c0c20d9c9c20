// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"encoding/binary"
	"errors"
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"servicenet.dev/servicenet/internal/allocator"
	"servicenet.dev/servicenet/internal/bitmap"
)

// Loans are written as the holders, how many and 8 bytes each, in order, and then
// number by number: how far from the last, the index of the holder, and which of
// these follow: a recall, as the index of who recalls and for whom, by digest; a
// retention.
//
// Holds are written number by number: how far from the last, the serial, and a
// retention.
//
// A retention is which of these follow: until when, for whom by name, for whom by
// digest, which of its numbers.
const (
	withRecall = 1
	withKept   = 2

	withUntil  = 1
	withName   = 2
	withDigest = 4
	withSlot   = 8
)

func (b *Block) decodeTaken(content []byte) error {
	taken, err := bitmap.Decode(content)
	if err != nil {
		return err
	}
	if taken.Size() != allocator.BlockSize {
		return errors.New("the set of taken numbers has another size")
	}
	b.taken = taken
	return nil
}

// check fails when records are not about numbers that are taken, each in one way.
func (b *Block) check() error {
	for number := range b.loans {
		if _, held := b.holds[number]; held || !b.taken.Has(number) {
			return errors.New("the record of a block contradicts itself: a number on loan")
		}
	}
	for number := range b.holds {
		if !b.taken.Has(number) {
			return errors.New("the record of a block contradicts itself: a number that is held")
		}
	}
	return b.checkTenants()
}

// writer writes sections.
type writer struct {
	// names is how many bytes may still go into names. With 4,096 numbers held for
	// Services of the longest names they would take more than an object should
	// have; then those that come last are written as digests.
	names int
}

func (w *writer) loans(loans map[int]Loan) []byte {
	index := map[Holder]int{}
	for _, loan := range loans {
		index[loan.Holder] = 0
		if loan.Recall != nil {
			index[loan.Recall.By] = 0
		}
	}
	data := appendNumber(nil, len(index))
	for i, holder := range slices.Sorted(maps.Keys(index)) {
		data = binary.BigEndian.AppendUint64(data, uint64(holder))
		index[holder] = i
	}
	last := 0
	for number, loan := range inOrder(loans) {
		data = appendNumber(data, number-last)
		data = appendNumber(data, index[loan.Holder])
		last = number
		flags := len(data)
		data = append(data, 0)
		if loan.Recall != nil {
			data[flags] |= withRecall
			data = appendNumber(data, index[loan.Recall.By])
			data = append(data, loan.Recall.For.digest[:]...)
		}
		if loan.Kept != nil {
			data[flags] |= withKept
			data = w.retention(data, *loan.Kept)
		}
	}
	return data
}

func (w *writer) holds(holds map[int]Hold) []byte {
	var data []byte
	last := 0
	for number, hold := range inOrder(holds) {
		data = appendNumber(data, number-last)
		data = binary.AppendUvarint(data, uint64(hold.Serial))
		data = w.retention(data, hold.Retention)
		last = number
	}
	return data
}

func (w *writer) retention(data []byte, kept Retention) []byte {
	flags := len(data)
	data = append(data, 0)
	if !kept.Until.IsZero() {
		data[flags] |= withUntil
		data = binary.AppendVarint(data, kept.Until.Unix())
	}
	name := kept.For.name
	// A name takes two bytes for lengths.
	length := len(name.Namespace) + len(name.Name) + 2
	switch {
	case name.Name != "" && length <= w.names:
		w.names -= length
		data[flags] |= withName
		data = appendBytes(data, []byte(name.Namespace))
		data = appendBytes(data, []byte(name.Name))
	case !kept.For.Nobody():
		data[flags] |= withDigest
		data = append(data, kept.For.digest[:]...)
	}
	if kept.Slot != 0 {
		data[flags] |= withSlot
		data = binary.BigEndian.AppendUint16(data, uint16(kept.Slot))
	}
	return data
}

func decodeLoans(r *reader) map[int]Loan {
	loans := map[int]Loan{}
	if len(r.left) == 0 {
		return loans
	}
	holders := make([]Holder, r.count())
	for i := range holders {
		holders[i] = Holder(r.word())
	}
	number := 0
	for len(r.left) > 0 && r.err == nil {
		number = r.next(number)
		loan := Loan{Holder: r.holder(holders)}
		flags := r.flags(withRecall | withKept)
		if flags&withRecall != 0 {
			loan.Recall = &Recall{By: r.holder(holders), For: Subject{digest: r.digest()}}
		}
		if flags&withKept != 0 {
			loan.Kept = new(r.retention())
		}
		if _, twice := loans[number]; twice {
			r.fail("a number is on loan twice")
		}
		loans[number] = loan
	}
	return loans
}

func decodeHolds(r *reader) map[int]Hold {
	holds := map[int]Hold{}
	number := 0
	for len(r.left) > 0 && r.err == nil {
		number = r.next(number)
		hold := Hold{Serial: r.short(), Retention: r.retention()}
		if _, twice := holds[number]; twice {
			r.fail("a number is held twice")
		}
		holds[number] = hold
	}
	return holds
}

func (r *reader) retention() (kept Retention) {
	flags := r.flags(withUntil | withName | withDigest | withSlot)
	if flags&withUntil != 0 {
		kept.Until = time.Unix(r.signed(), 0)
	}
	if flags&withName != 0 {
		kept.For = SubjectOf(types.NamespacedName{Namespace: string(r.bytes()), Name: string(r.bytes())})
	}
	if flags&withDigest != 0 {
		kept.For = Subject{digest: r.digest()}
	}
	if flags&withSlot != 0 {
		kept.Slot = Slot(r.half())
	}
	return kept
}

// holder returns the holder with the index that follows.
func (r *reader) holder(holders []Holder) Holder {
	index := r.number()
	if index >= uint64(len(holders)) {
		r.fail("a holder is not listed")
		return 0
	}
	return holders[index]
}

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

// Loans are written holder by holder: the holder, 8 bytes, how many numbers it
// has, and for each how far it is from the last and whether there is a recall,
// which names who recalls and for whom.
//
// Holds are written number by number: how far from the last, the serial, and
// which of these follow: until when, for whom by name, for whom by digest.
const (
	withRecall = 1

	withUntil  = 1
	withName   = 2
	withDigest = 4
)

// namesBudget is how many bytes the names of holds may take in a record. With
// 4,096 numbers held for Services of the longest names they would take more than
// an object should have; then those that come last are held by digest.
const namesBudget = 32 << 10

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
	return nil
}

func encodeLoans(loans map[int]Loan) []byte {
	of := map[Holder][]int{}
	for number, loan := range inOrder(loans) {
		of[loan.Holder] = append(of[loan.Holder], number)
	}
	var data []byte
	for _, holder := range slices.Sorted(maps.Keys(of)) {
		data = binary.BigEndian.AppendUint64(data, uint64(holder))
		data = appendNumber(data, len(of[holder]))
		last := 0
		for _, number := range of[holder] {
			data = appendNumber(data, number-last)
			data = appendRecall(data, loans[number].Recall)
			last = number
		}
	}
	return data
}

func appendRecall(data []byte, recall *Recall) []byte {
	if recall == nil {
		return append(data, 0)
	}
	data = append(data, withRecall)
	data = binary.BigEndian.AppendUint64(data, uint64(recall.By))
	return append(data, recall.For.digest[:]...)
}

func decodeLoans(r *reader) map[int]Loan {
	loans := map[int]Loan{}
	for len(r.left) > 0 && r.err == nil {
		holder := Holder(r.word())
		number := 0
		for range r.count() {
			number = r.next(number)
			loan := Loan{Holder: holder}
			if r.flags(withRecall) != 0 {
				loan.Recall = &Recall{By: Holder(r.word()), For: Subject{digest: r.digest()}}
			}
			if _, twice := loans[number]; twice {
				r.fail("a number is on loan twice")
			}
			if r.err != nil {
				break
			}
			loans[number] = loan
		}
	}
	return loans
}

func encodeHolds(holds map[int]Hold) []byte {
	var data []byte
	last, names := 0, 0
	for number, hold := range inOrder(holds) {
		data = appendNumber(data, number-last)
		data = binary.AppendUvarint(data, uint64(hold.Serial))
		last = number
		name := hold.For.name
		length := len(name.Namespace) + len(name.Name)
		named := name.Name != "" && names+length <= namesBudget
		if named {
			names += length
		}
		data = appendHold(data, hold, named)
	}
	return data
}

func appendHold(data []byte, hold Hold, named bool) []byte {
	flags := len(data)
	data = append(data, 0)
	if !hold.Until.IsZero() {
		data[flags] |= withUntil
		data = binary.AppendVarint(data, hold.Until.Unix())
	}
	switch {
	case named:
		data[flags] |= withName
		data = appendBytes(data, []byte(hold.For.name.Namespace))
		data = appendBytes(data, []byte(hold.For.name.Name))
	case !hold.For.Nobody():
		data[flags] |= withDigest
		data = append(data, hold.For.digest[:]...)
	}
	return data
}

func decodeHolds(r *reader) map[int]Hold {
	holds := map[int]Hold{}
	number := 0
	for len(r.left) > 0 && r.err == nil {
		number = r.next(number)
		hold := Hold{Serial: r.short()}
		flags := r.flags(withUntil | withName | withDigest)
		if flags&withUntil != 0 {
			hold.Until = time.Unix(r.signed(), 0)
		}
		if flags&withName != 0 {
			hold.For = SubjectOf(types.NamespacedName{Namespace: string(r.bytes()), Name: string(r.bytes())})
		}
		if flags&withDigest != 0 {
			hold.For = Subject{digest: r.digest()}
		}
		if _, twice := holds[number]; twice {
			r.fail("a number is held twice")
		}
		holds[number] = hold
	}
	return holds
}

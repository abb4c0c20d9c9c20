// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"iter"
	"slices"
	"sync/atomic"

	"servicenet.dev/servicenet/internal/allocator"
)

// lotSize is how many numbers a lot has.
const lotSize = 64

// tenantTable is the tenants of a block, in lots that are shared by all blocks that
// have the same: a copy costs little, as does the encoding of what did not change.
type tenantTable struct {
	lots [allocator.BlockSize / lotSize]*lot
	// most is how many bytes their encoding has at most, without names.
	most int
}

// lot is the tenants of neighbouring numbers. It is never changed, only replaced.
// There is none where there are no tenants.
type lot struct {
	tenants [lotSize][]Tenant
	// named is the encoding with names, bare that without.
	named, bare atomic.Pointer[lotText]
}

// at returns the tenants of a number, none of one outside the block.
func (t *tenantTable) at(number int) []Tenant {
	if number < 0 || number >= allocator.BlockSize || t.lots[number/lotSize] == nil {
		return nil
	}
	return t.lots[number/lotSize].tenants[number%lotSize]
}

// with returns a table that differs in the tenants of one number, which may take so
// many bytes more.
func (t *tenantTable) with(number int, tenants []Tenant, more int) tenantTable {
	next, changed, some := *t, &lot{}, false
	next.most += more
	if before := t.lots[number/lotSize]; before != nil {
		changed.tenants = before.tenants
	}
	changed.tenants[number%lotSize] = tenants
	for i := range changed.tenants {
		some = some || len(changed.tenants[i]) > 0
	}
	next.lots[number/lotSize] = nil
	if some {
		next.lots[number/lotSize] = changed
	}
	return next
}

// differ iterates over the numbers whose tenants are not those of another table.
func (t *tenantTable) differ(other *tenantTable) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := range t.lots {
			if t.lots[i] == other.lots[i] {
				continue
			}
			for number := i * lotSize; number < (i+1)*lotSize; number++ {
				a, b := t.at(number), other.at(number)
				same := len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0] || slices.EqualFunc(a, b, Tenant.Equal))
				if !same && !yield(number) {
					return
				}
			}
		}
	}
}

// exceeds tells whether the encoding needs more bytes than there are, were all
// names left out.
func (t *tenantTable) exceeds(room int) bool {
	if t.most <= room {
		return false
	}
	bytes := 0
	for _, l := range &t.lots {
		if l != nil {
			bytes += len(l.text(false).data) + lotHeader
		}
	}
	return bytes > room
}

const (
	// otherBytes is what a block has at most besides loans, holds and tenants, and
	// loanBytes and holdBytes are what one of these takes without a name.
	otherBytes = 1024
	loanBytes  = 96
	holdBytes  = 32
)

// tenantRoom is how many bytes the tenants of a block may have: so many that what
// comes of them, be it holds, can be written too.
func (b *Block) tenantRoom() int {
	room := MaxEncoded - otherBytes - loanBytes*len(b.loans) - holdBytes*len(b.holds)
	for _, s := range b.unknown {
		room -= len(s.content) + otherBytes/64
	}
	return room
}

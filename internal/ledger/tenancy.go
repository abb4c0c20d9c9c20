// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"servicenet.dev/servicenet/internal/allocator"
)

// Admit gives a number to a tenant, beside those that have it if all of them may
// share it. One that is held for the Service is not held any more. A tenant that
// has the number gets new terms. It tells whether the block changed.
//
// It fails, and changes nothing, with a *SharingError, and with ErrNoRoom.
func (b *Block) Admit(number int, t Tenant) (changed bool, err error) {
	if number < 0 || number >= allocator.BlockSize {
		return false, fmt.Errorf("a block has no number %d", number)
	}
	if !t.isProper() {
		return false, fmt.Errorf("the sockets of %s are not in order: %v", t.Service, t.Sockets)
	}
	if err := b.mayEnter(number, &t); err != nil {
		return false, err
	}
	tenants := b.tenants.at(number)
	at, there := seat(tenants, t.UID)
	if there && tenants[at].Equal(t) {
		return false, nil
	}
	if err := t.joins(tenants); err != nil {
		return false, err
	}
	tenants, more := slices.Clone(tenants), t.mostBytes()
	if there {
		more -= tenants[at].mostBytes()
		tenants[at] = t
	} else {
		tenants = slices.Insert(tenants, at, t)
	}
	next := b.tenants.with(number, tenants, more)
	if next.exceeds(b.tenantRoom()) {
		return false, ErrNoRoom
	}
	b.tenants = next
	delete(b.holds, number)
	b.taken.Take(number)
	return true, nil
}

// joins fails when a tenant may not have an address beside one of its tenants.
func (t Tenant) joins(tenants []Tenant) error {
	for i := range tenants {
		if other := &tenants[i]; other.UID != t.UID {
			if reason, socket := t.excludes(other); reason != "" {
				return &SharingError{Reason: reason, With: other.Service, Socket: socket}
			}
		}
	}
	return nil
}

// mayEnter fails when a number is held for another, or on loan.
func (b *Block) mayEnter(number int, t *Tenant) error {
	if hold, held := b.holds[number]; held && hold.Denies(t.Service) {
		return &SharingError{Reason: Retained, With: hold.For}
	}
	if _, lent := b.loans[number]; lent {
		return &SharingError{Reason: OnLoan}
	}
	return nil
}

// Evict takes a number from a tenant. If it was the last one, the number is free,
// or held if it is to be kept for somebody.
func (b *Block) Evict(number int, uid types.UID, then Retention) bool {
	tenants := b.tenants.at(number)
	at, there := seat(tenants, uid)
	if !there {
		return false
	}
	b.tenants = b.tenants.with(number, slices.Delete(slices.Clone(tenants), at, at+1), -tenants[at].mostBytes())
	switch {
	case len(tenants) > 1:
	case then.For.Nobody():
		b.taken.Free(number)
	default:
		b.hold(number, then)
	}
	return true
}

// Expire frees the numbers that are held and whose retention is over.
func (b *Block) Expire(now time.Time) (changed bool) {
	for number, hold := range b.holds {
		if !hold.Until.After(now) {
			delete(b.holds, number)
			b.taken.Free(number)
			changed = true
		}
	}
	return changed
}

// Tenants returns the tenants of a number, in the order of their UIDs. They must
// not be changed.
func (b *Block) Tenants(number int) []Tenant { return b.tenants.at(number) }

// Tenant returns a tenant of a number, if it is one.
func (b *Block) Tenant(number int, uid types.UID) (t Tenant, there bool) {
	tenants := b.tenants.at(number)
	at, there := seat(tenants, uid)
	if !there {
		return Tenant{}, false
	}
	return tenants[at], true
}

// AllTenants iterates over the numbers that have tenants, in their order, with
// each of these.
func (b *Block) AllTenants() iter.Seq2[int, Tenant] {
	return func(yield func(int, Tenant) bool) {
		for number := range b.tenants.differ(&tenantTable{}) {
			for _, t := range b.tenants.at(number) {
				if !yield(number, t) {
					return
				}
			}
		}
	}
}

// NewTenants iterates over the numbers whose tenants are not those that another
// block has, which may be nil, in their order. It takes little time if one of the
// two was made of the other.
func (b *Block) NewTenants(since *Block) iter.Seq[int] {
	before, after := &tenantTable{}, &tenantTable{}
	if since != nil {
		before = &since.tenants
	}
	if b != nil {
		after = &b.tenants
	}
	return after.differ(before)
}

// seat returns where a tenant is, or would be.
func seat(tenants []Tenant, uid types.UID) (at int, there bool) {
	return slices.BinarySearchFunc(tenants, uid, func(t Tenant, uid types.UID) int { return cmp.Compare(t.UID, uid) })
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"errors"
	"iter"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/allocator"
	"servicenet.dev/servicenet/internal/ledger"
)

// Assign gives a Service one load-balancer address, of a range or not: alone, or
// beside those that it may share it with, or on new terms if it has it already. It
// has it when no error is returned, and may have it when it is unavailable.
//
// It fails with a *ledger.SharingError when the address belongs to others, with
// ledger.ErrNoRoom when the block has too many tenants, and with a
// *ledger.UnavailableError when the ledger could not be written in time.
func (s *Store) Assign(ctx context.Context, place ledger.Place, tenant ledger.Tenant) error {
	return s.HandOver(ctx, place, "", tenant)
}

// HandOver is Assign, and takes the address in the same write from the tenant with
// another UID if that has it. If it fails, that one keeps it.
func (s *Store) HandOver(ctx context.Context, place ledger.Place, from types.UID, tenant ledger.Tenant) (err error) {
	begun := time.Now()
	defer func() { s.Metrics.took(place.Family, "explicit", begun, err) }()
	ctx, cancel := context.WithTimeout(ctx, s.Timing.Patience)
	defer cancel()
	return s.swap(ctx, place.Key, func(b *ledger.Block) error {
		s.expire(b, place.Number)
		before, there := b.Tenant(place.Number, from)
		if there {
			b.Evict(place.Number, from, ledger.Retention{})
		}
		err := admit(b, place, tenant)
		if err != nil && there {
			if _, back := b.Admit(place.Number, before); back != nil {
				return errors.Join(err, back)
			}
		}
		return err
	}, nil)
}

// Vacate takes a load-balancer address from a Service. If no other has it too, it is
// free, or kept as the retention says. It does nothing if the Service does not have
// the address. It fails with a *ledger.UnavailableError when the ledger could not be
// written in time.
func (s *Store) Vacate(ctx context.Context, place ledger.Place, uid types.UID, then ledger.Retention) error {
	ctx, cancel := context.WithTimeout(ctx, s.Timing.Patience)
	defer cancel()
	return s.swap(ctx, place.Key, func(b *ledger.Block) error {
		b.Evict(place.Number, uid, then)
		return nil
	}, nil)
}

// Confirm reads the block of a load-balancer address from the API server, whatever was
// seen of it so far, and tells whether a Service has the address. It fails with a
// *ledger.UnavailableError when the block can't be read, or seems to be lost.
func (s *Store) Confirm(ctx context.Context, place ledger.Place, uid types.UID) (bool, error) {
	s.mu.Lock()
	p := s.page(place.Key)
	seen := p.seen
	s.mu.Unlock()
	if err := s.read(ctx, p, seen); err != nil {
		return false, &ledger.UnavailableError{Reason: "the ledger could not be read", RetryAfter: time.Second, Err: err}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.broken != nil {
		return false, &ledger.UnavailableError{Reason: "the ledger has to be repaired", RetryAfter: time.Second, Err: p.broken}
	}
	return slices.Contains(s.tenancies[uid], place), nil
}

// admit is Admit with an error that tells the address.
func admit(b *ledger.Block, place ledger.Place, tenant ledger.Tenant) error {
	_, err := b.Admit(place.Number, tenant)
	if sharing := (*ledger.SharingError)(nil); errors.As(err, &sharing) {
		sharing.Place = place
	}
	return err
}

// expire frees a held number whose retention is over.
func (s *Store) expire(b *ledger.Block, number int) {
	if hold, held := b.Hold(number); held && !hold.Until.After(s.Now()) {
		b.Clear(number, hold.Serial)
	}
}

// Tenancies returns the load-balancer addresses that a Service has. Those of a block
// that can't be read are those that it had last.
func (s *Store) Tenancies(uid types.UID) []ledger.Place {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.tenancies[uid])
}

// Tenants returns who has a load-balancer address, in the order of their UIDs. They
// must not be changed.
func (s *Store) Tenants(place ledger.Place) []ledger.Tenant {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.pages[place.Key]; p != nil && p.tenanted != nil {
		return p.tenanted.Tenants(place.Number)
	}
	return nil
}

// AllTenants iterates over the load-balancer addresses that Services have, with each
// of these, as they are when it is called.
func (s *Store) AllTenants() iter.Seq2[ledger.Place, ledger.Tenant] {
	blocks := s.tenanted()
	return func(yield func(ledger.Place, ledger.Tenant) bool) {
		for key, block := range blocks {
			for number, tenant := range block.AllTenants() {
				if !yield(ledger.Place{Key: key, Number: number}, tenant) {
					return
				}
			}
		}
	}
}

// AllHeld iterates over the load-balancer addresses that are kept, with whom for, as they
// are when it is called. Of some, no more than a digest of the name may be known.
func (s *Store) AllHeld() iter.Seq2[ledger.Place, ledger.Subject] {
	blocks := s.tenanted()
	return func(yield func(ledger.Place, ledger.Subject) bool) {
		for key, block := range blocks {
			for number, hold := range block.Holds() {
				if !yield(ledger.Place{Key: key, Number: number}, hold.For) {
					return
				}
			}
		}
	}
}

// Kept returns the load-balancer addresses of any family that are kept for a Service of a
// name, the lowest first. What it takes depends on how many these are.
func (s *Store) Kept(name types.NamespacedName) []ledger.Place {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.keptFor(ledger.SubjectOf(name).Digest())
}

// keptFor is Kept. mu is held.
func (s *Store) keptFor(whom ledger.Digest) (places []ledger.Place) {
	for _, p := range s.keeping[whom] {
		for _, number := range p.retained[whom] {
			places = append(places, ledger.Place{Key: p.key, Number: number})
		}
	}
	slices.SortFunc(places, func(a, b ledger.Place) int { return a.Address().Compare(b.Address()) })
	return places
}

// tenanted returns the blocks of load-balancer addresses. They must not be changed.
func (s *Store) tenanted() map[ledger.Key]*ledger.Block {
	s.mu.Lock()
	defer s.mu.Unlock()
	blocks := map[ledger.Key]*ledger.Block{}
	for key, p := range s.pages {
		if p.tenanted != nil {
			blocks[key] = p.tenanted
		}
	}
	return blocks
}

// UsedIn returns how many load-balancer addresses of a range are used, each once
// however many share it, and how many are held. Those that are excluded do not count.
func (s *Store) UsedIn(family servicenetv1alpha1.NumberFamily, of *allocator.Range) (used, held int) {
	index := allocator.NewIndex(of)
	for key, block := range s.tenanted() {
		if key.Family != family || !of.Touches(key.Block) {
			continue
		}
		index.Update(key.Block, block.Taken())
		for number := range block.Holds() {
			if of.ClassOf(key.Block, number) > allocator.Excluded {
				held++
			}
		}
	}
	for class := allocator.Reserved; class <= allocator.Dynamic; class++ {
		used += index.Taken(class)
	}
	return used - held, held
}

// FreeIn returns how many load-balancer addresses of a range AssignAny could give to
// somebody who has none, not counting those of blocks that can't be read. It must be a
// range as for AssignAny.
func (s *Store) FreeIn(family servicenetv1alpha1.NumberFamily, of *allocator.Range) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return max(s.shelf(family, of).free(), 0)
}

// IsFree tells whether nobody has a load-balancer address, and it is kept for nobody. One
// of a block that can't be read is not free.
func (s *Store) IsFree(place ledger.Place) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.pages[place.Key]
	return p == nil || p.broken == nil && p.state(place.Number) == ledger.Free
}

// TenantNews tells that the tenants of a load-balancer address have changed, or that
// it is not held any more.
type TenantNews struct {
	ledger.Place
	// UIDs are those that have the address since, on new terms or not any more.
	UIDs []types.UID
	// Free tells that the address is free now, and was not before.
	Free bool
	// Kept is for whom it was kept before, if it was and nobody has it now, and Keeps for
	// whom it is from now on, if it is.
	Kept, Keeps ledger.Subject
}

// noteTenants takes over who has the addresses of a page now. While a block can't be
// read, that is who had them before: no Service loses its address with it.
func (s *Store) noteTenants(p *page) {
	if !ledger.HasTenants(p.key.Family) || p.broken != nil {
		return
	}
	before, after := p.tenanted, p.block
	p.tenanted, p.expires = after, firstExpiry(after)
	told := map[int]bool{}
	for number := range after.NewTenants(before) {
		place := ledger.Place{Key: p.key, Number: number}
		told[number] = true
		changed := s.index(place, tenantsOf(before, number), tenantsOf(after, number))
		s.tell(TenantNews{
			Place: place, UIDs: changed, Free: stateOf(after, number) == ledger.Free, Keeps: keptBy(after, number),
		})
	}
	if before == nil {
		return
	}
	for number, hold := range before.Holds() {
		if !told[number] && stateOf(after, number) == ledger.Free {
			s.tell(TenantNews{Place: ledger.Place{Key: p.key, Number: number}, Free: true, Kept: hold.For})
		}
	}
}

// firstExpiry returns when the first retention of a block is over. It is zero if
// there is none.
func firstExpiry(b *ledger.Block) (first time.Time) {
	if b == nil {
		return first
	}
	for _, hold := range b.Holds() {
		until := hold.Until
		if until.IsZero() {
			until = time.Unix(0, 0)
		}
		if first.IsZero() || until.Before(first) {
			first = until
		}
	}
	return first
}

func (s *Store) tell(news TenantNews) {
	if s.TenantsChanged != nil {
		s.TenantsChanged(news)
	}
}

func tenantsOf(b *ledger.Block, number int) []ledger.Tenant {
	if b == nil {
		return nil
	}
	return b.Tenants(number)
}

// keptBy returns for whom a block keeps a number, nobody if for none.
func keptBy(b *ledger.Block, number int) ledger.Subject {
	if b == nil {
		return ledger.Subject{}
	}
	hold, _ := b.Hold(number)
	return hold.For
}

func stateOf(b *ledger.Block, number int) ledger.State {
	if b == nil {
		return ledger.Free
	}
	return b.State(number)
}

// index takes over that the tenants of an address are others, and returns those that
// came, went or changed.
func (s *Store) index(place ledger.Place, before, after []ledger.Tenant) (changed []types.UID) {
	for len(before)+len(after) > 0 {
		switch {
		case len(after) == 0 || len(before) > 0 && before[0].UID < after[0].UID:
			uid := before[0].UID
			rest := slices.DeleteFunc(s.tenancies[uid], func(other ledger.Place) bool { return other == place })
			if s.tenancies[uid] = rest; len(rest) == 0 {
				delete(s.tenancies, uid)
			}
			changed, before = append(changed, uid), before[1:]
		case len(before) == 0 || after[0].UID < before[0].UID:
			uid := after[0].UID
			s.tenancies[uid] = append(s.tenancies[uid], place)
			changed, after = append(changed, uid), after[1:]
		default:
			if !before[0].Equal(after[0]) {
				changed = append(changed, after[0].UID)
			}
			before, after = before[1:], after[1:]
		}
	}
	return changed
}

// expireHolds frees the load-balancer addresses whose retention is over: nothing but
// the ledger says who has one, so nobody needs to be asked.
func (s *Store) expireHolds() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.pages {
		if ledger.HasTenants(p.key.Family) && p.broken == nil && !p.expires.IsZero() && !p.expires.After(s.Now()) {
			p.expires = time.Time{} // until the block changes
			s.later(p, func(b *ledger.Block) bool { return b.Expire(s.Now()) }, nil)
		}
	}
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"errors"
	"time"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/allocator"
	"servicenet.dev/servicenet/internal/bitmap"
	"servicenet.dev/servicenet/internal/ledger"
)

// AssignAny gives a Service a load-balancer address of a range that nobody has: the
// one that it has already, else the one that is kept for it, else one by chance. It
// must be a range of the family's addresses, the same value each time. One that the
// Service has and may not have on these terms beside those it shares it with is left
// as it is, and does not count.
//
// It fails with a *ledger.FullError when all addresses are taken, and else as Assign
// does. A range that is full costs the same, however large it is.
func (s *Store) AssignAny(
	ctx context.Context, family servicenetv1alpha1.NumberFamily, of *allocator.Range, tenant ledger.Tenant,
) (place ledger.Place, err error) {
	begun := time.Now()
	kind := "automatic"
	defer func() { s.Metrics.took(family, kind, begun, err) }()
	ctx, cancel := context.WithTimeout(ctx, s.Timing.Patience)
	defer cancel()
	for _, place := range s.claims(family, of, &tenant) {
		err := s.claim(ctx, place, tenant)
		if sharing := (*ledger.SharingError)(nil); !errors.As(err, &sharing) && !errors.Is(err, errMoved) {
			kind = "retained"
			return place, err
		}
	}
	a := &assignment{s: s, h: s.lockedShelf(family, of), tenant: tenant}
	for {
		place, err := a.try(ctx)
		if !errors.Is(err, errMoved) {
			return place, err
		}
	}
}

func (s *Store) lockedShelf(family servicenetv1alpha1.NumberFamily, of *allocator.Range) *shelf {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.shelf(family, of)
}

// claims returns the addresses of a range that a Service has, and after them those
// that are kept for it.
func (s *Store) claims(family servicenetv1alpha1.NumberFamily, of *allocator.Range, tenant *ledger.Tenant) (places []ledger.Place) {
	s.mu.Lock()
	defer s.mu.Unlock()
	has := func(place ledger.Place) bool {
		// One that is reserved by now is for somebody else, or was to be asked for.
		return place.Family == family && of.ClassOf(place.Block, place.Number) > allocator.Reserved
	}
	for _, place := range s.tenancies[tenant.UID] {
		if has(place) {
			places = append(places, place)
		}
	}
	for _, place := range s.keptFor(tenant.Service.Digest()) {
		if has(place) {
			places = append(places, place)
		}
	}
	return places
}

// claim gives a Service an address that it has, or that is kept for it.
func (s *Store) claim(ctx context.Context, place ledger.Place, tenant ledger.Tenant) error {
	return s.swap(ctx, place.Key, func(b *ledger.Block) error {
		hold, held := b.Hold(place.Number)
		_, has := b.Tenant(place.Number, tenant.UID)
		if !has && (!held || hold.For.Digest() != tenant.Service.Digest()) {
			return errMoved
		}
		return admit(b, place, tenant)
	}, nil)
}

// assignment is a Service's request for any address of a range.
type assignment struct {
	s      *Store
	h      *shelf
	tenant ledger.Tenant
	// crowded are blocks with free numbers that had no room for this tenant.
	crowded []*page
}

// try chooses a block and takes a number of it. It fails with errMoved if others
// were faster.
func (a *assignment) try(ctx context.Context) (ledger.Place, error) {
	choice, err := a.choose()
	if err != nil {
		return ledger.Place{}, err
	}
	key := ledger.Key{Family: a.h.family, Block: choice.Block}
	place := ledger.Place{Key: key}
	err = a.s.swap(ctx, key, func(b *ledger.Block) error {
		var err error
		place.Number, err = a.take(b, key, choice.Class)
		return err
	}, func() error {
		a.h.active = key.Block
		return nil
	})
	if errors.Is(err, ledger.ErrNoRoom) {
		a.passOver(key)
		return ledger.Place{}, errMoved
	}
	return place, err
}

// take admits the Service to a number that is free in a block. If an answer was
// lost, it has one there by now.
func (a *assignment) take(b *ledger.Block, key ledger.Key, class allocator.Class) (int, error) {
	for _, place := range a.s.tenancies[a.tenant.UID] {
		if _, has := b.Tenant(place.Number, a.tenant.UID); !has || place.Key != key || !a.h.has(place) {
			continue
		}
		err := admit(b, place, a.tenant)
		if sharing := (*ledger.SharingError)(nil); !errors.As(err, &sharing) {
			return place.Number, err
		}
	}
	number, found := a.h.of.Pick(a.s.rng, class, key.Block, b.Taken())
	if !found {
		return 0, errMoved
	}
	return number, admit(b, ledger.Place{Key: key, Number: number}, a.tenant)
}

// choose chooses a block. A new one is shared by all who would make one.
func (a *assignment) choose() (allocator.Choice, error) {
	s, h := a.s, a.h
	s.mu.Lock()
	defer s.mu.Unlock()
	h.used = time.Now()
	for _, p := range a.crowded {
		h.index.Update(p.key.Block, allTaken())
	}
	choice, found := h.index.Choose(s.rng, h.active)
	for _, p := range a.crowded {
		h.update(p) // others may have room there
	}
	switch {
	case !found:
		return choice, a.full()
	case choice.New && h.opening.New && h.opening.Class == choice.Class && !s.exists(h, h.opening.Block):
		return h.opening, nil
	default:
		h.opening = choice
		return choice, nil
	}
}

// exists tells whether the object of a block does.
func (s *Store) exists(h *shelf, block allocator.Block) bool {
	p := s.pages[ledger.Key{Family: h.family, Block: block}]
	return p != nil && (p.block != nil || p.broken != nil)
}

// full says why no block has a free number.
func (a *assignment) full() error {
	if len(a.crowded) > 0 {
		return ledger.ErrNoRoom
	}
	if err := a.s.brokenOf(a.h); err != nil {
		return &ledger.UnavailableError{Reason: "the ledger has to be repaired", RetryAfter: 10 * time.Second, Err: err}
	}
	return &ledger.FullError{}
}

// passOver has a block looked at as full, by this request alone.
func (a *assignment) passOver(key ledger.Key) {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	a.crowded = append(a.crowded, a.s.page(key))
}

// allTaken returns what is taken of a block of which nothing may be chosen.
func allTaken() *bitmap.Set {
	all := bitmap.New(allocator.BlockSize)
	all.TakeBand(all.Whole())
	return all
}

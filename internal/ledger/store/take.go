// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"errors"
	"time"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/allocator"
	"servicenet.dev/servicenet/internal/ledger"
)

// Request says for whom a number is.
type Request struct {
	// Owner is the Service. Its UID is that of a Service that exists: a request
	// that is repeated for it gets the same number. Its name is empty if it is yet
	// to be generated.
	Owner ledger.Owner
	// Slot tells apart the numbers that a Service asks for, such as its ports.
	Slot string
}

func (r Request) repeat(family servicenetv1alpha1.NumberFamily) (key repeat, ok bool) {
	return repeat{r.Owner.NamespacedName, r.Owner.UID, string(family) + "/" + r.Slot}, r.Owner.UID != ""
}

// Take returns a number of a range, by chance, that nobody else has: the one that
// is held for the Service if there is one. It must be a range of the family's
// numbers, the same value each time.
//
// It fails with a *ledger.FullError when all numbers are taken, and with a
// *ledger.UnavailableError when that could not be found out in time.
func (s *Store) Take(
	ctx context.Context, family servicenetv1alpha1.NumberFamily, of *allocator.Range, r Request,
) (place ledger.Place, err error) {
	begun := time.Now()
	kind := "automatic"
	defer func() { s.Metrics.took(family, kind, begun, err) }()
	if place, retained := s.retainedFor(family, of, r); retained {
		err = s.pursue(ctx, &quest{place: place, request: r, retained: true})
		if taken := (*ledger.TakenError)(nil); !errors.As(err, &taken) {
			kind = "retained"
			return place, err
		}
	}
	for {
		place, wait, err := s.takeSpare(family, of, r)
		if wait == nil {
			return place, err
		}
		if err := s.await(ctx, of, wait); err != nil {
			return ledger.Place{}, err
		}
	}
}

// takeSpare gives a number from the shelf. If there is none, it returns the loan
// to wait for.
func (s *Store) takeSpare(family servicenetv1alpha1.NumberFamily, of *allocator.Range, r Request) (ledger.Place, *loan, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.shelf(family, of)
	h.used = time.Now()
	if err := s.mayGive(r); err != nil {
		return ledger.Place{}, nil, err
	}
	if n := s.givenBefore(h, r); n != nil {
		s.giveAgain(n)
		return n.Place, nil, nil
	}
	n := s.pop(h)
	if n == nil {
		h.waiting++
		return ledger.Place{}, s.borrow(h), nil
	}
	s.give(n, r)
	if h.count < h.kept/2 {
		s.borrow(h)
	}
	return n.Place, nil, nil
}

// givenBefore returns the number that a request which is repeated got.
func (s *Store) givenBefore(h *shelf, r Request) *number {
	key, ok := r.repeat(h.family)
	if !ok {
		return nil
	}
	n := s.repeats[key]
	if n == nil || h.of.ClassOf(n.Block, n.Number) <= allocator.Excluded {
		return nil
	}
	return n
}

// await waits for numbers to come to the shelf of a range.
func (s *Store) await(ctx context.Context, of *allocator.Range, l *loan) error {
	timer := time.NewTimer(s.Timing.Patience)
	defer timer.Stop()
	var err error
	select {
	case <-l.done:
	case <-timer.C:
		err = &ledger.UnavailableError{Reason: "no number could be borrowed in time", RetryAfter: time.Second}
	case <-ctx.Done():
		err = &ledger.UnavailableError{Reason: "no number could be borrowed in time", RetryAfter: time.Second, Err: ctx.Err()}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if h := s.shelves[of]; h != nil {
		h.waiting--
	}
	if err == nil {
		err = l.err
	}
	return err
}

// mayGive tells why no number may be given now, if so.
func (s *Store) mayGive(r Request) error {
	if !s.trusted() {
		return &ledger.UnavailableError{Reason: "this replica's Lease is not renewed", RetryAfter: time.Second}
	}
	if s.inFlight[r.Owner.Namespace] >= s.InFlightPerNamespace {
		return &ledger.UnavailableError{
			Reason: "the namespace was given many numbers for Services that do not exist yet", RetryAfter: 5 * time.Second,
		}
	}
	return nil
}

// retainedFor returns the number of a range that is held for a Service, and in it
// for the same use, unless it was given another before.
func (s *Store) retainedFor(family servicenetv1alpha1.NumberFamily, of *allocator.Range, r Request) (ledger.Place, bool) {
	if r.Owner.Name == "" {
		return ledger.Place{}, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.givenBefore(s.shelf(family, of), r) != nil {
		return ledger.Place{}, false
	}
	var digest ledger.Digest
	for _, p := range s.pages {
		if p.key.Family != family || len(p.retained) == 0 {
			continue
		}
		if digest == (ledger.Digest{}) {
			digest = ledger.SubjectOf(r.Owner.NamespacedName).Digest()
		}
		for _, number := range p.retained[digest] {
			hold, _ := p.block.Hold(number)
			fits := hold.Slot == 0 || r.Slot == "" || hold.Slot == ledger.SlotOf(r.Slot)
			if fits && of.ClassOf(p.key.Block, number) > allocator.Excluded {
				return ledger.Place{Key: p.key, Number: number}, true
			}
		}
	}
	return ledger.Place{}, false
}

// TakeNumber gives a Service one number, whether it is of a range or not. A
// number that others have on loan is asked for, and one that waits for the API
// server's clean-up is waited for.
//
// It fails with a *ledger.TakenError when the number belongs to another, and with
// a *ledger.UnavailableError when that could not be found out in time.
func (s *Store) TakeNumber(ctx context.Context, place ledger.Place, r Request) (err error) {
	begun := time.Now()
	defer func() { s.Metrics.took(place.Family, "explicit", begun, err) }()
	return s.pursue(ctx, &quest{place: place, request: r})
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"math/rand/v2"
	"net/netip"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/allocator"
	"servicenet.dev/servicenet/internal/ledger"
	"servicenet.dev/servicenet/internal/ledger/store"
)

// kind is a way to take numbers.
type kind struct {
	name string
	// explicit tells that numbers are asked for by number.
	explicit bool
	// begin makes a taker for a row: a function that takes one more number, and
	// tells with false that there are no more to take.
	begin func(row byte) taker
}

type taker func(ctx context.Context, s *store.Store, r store.Request, count int64) (place ledger.Place, more bool, err error)

func kinds() []kind {
	return []kind{
		{name: "automatic", begin: automatic},
		{name: "explicit, of 16 blocks", explicit: true, begin: func(row byte) taker { return explicit(row, 1<<16) }},
		{name: "explicit, of one block", explicit: true, begin: func(row byte) taker { return explicit(row, allocator.BlockSize) }},
	}
}

// automatic takes numbers of a range that nobody empties in the time.
func automatic(byte) taker {
	span, err := allocator.Prefix(netip.MustParsePrefix("10.0.0.0/9"))
	if err != nil {
		panic(err)
	}
	of, err := allocator.NewAddresses(allocator.AddressSpec{Spans: []allocator.Span{span}})
	if err != nil {
		panic(err)
	}
	return func(ctx context.Context, s *store.Store, r store.Request, _ int64) (ledger.Place, bool, error) {
		place, err := s.Take(ctx, servicenetv1alpha1.ClusterIPv4, of, r)
		return place, true, err
	}
}

// explicit takes the first so many numbers of a /16, each once and in no order.
func explicit(row byte, count int) taker {
	order := rand.Perm(count)
	return func(ctx context.Context, s *store.Store, r store.Request, at int64) (ledger.Place, bool, error) {
		if at >= int64(count) {
			return ledger.Place{}, false, nil
		}
		number := order[at]
		//nolint:gosec // halves of 16 bits
		address := netip.AddrFrom4([4]byte{172, 16 + row, byte(number >> 8), byte(number)})
		place := ledger.Address(servicenetv1alpha1.ClusterIPv4, address)
		return place, true, s.TakeNumber(ctx, place, r)
	}
}

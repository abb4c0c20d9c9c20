// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package allocator_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"

	"servicenet.dev/servicenet/internal/allocator"
	"servicenet.dev/servicenet/internal/bitmap"
)

// A keeper of blocks takes an address of a pool.
func ExampleIndex() {
	span, err := allocator.ServiceCIDR(netip.MustParsePrefix("10.96.0.0/12"))
	if err != nil {
		panic(err)
	}
	pool, err := allocator.NewAddresses(allocator.AddressSpec{Spans: []allocator.Span{span}})
	if err != nil {
		panic(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	index := allocator.NewIndex(pool)
	stored := map[allocator.Block]*bitmap.Set{}

	choice, found := index.Choose(rng, allocator.Block{})
	if !found {
		panic("the pool is full")
	}
	if choice.New {
		stored[choice.Block] = bitmap.New(allocator.BlockSize)
	}
	taken := stored[choice.Block]
	number, _ := pool.Pick(rng, choice.Class, choice.Block, taken)
	taken.Take(number)
	index.Update(choice.Block, taken)

	fmt.Println(choice.Block, choice.Block.Address(number))
	// Output: 10.97.0.0/20 10.97.12.108
}

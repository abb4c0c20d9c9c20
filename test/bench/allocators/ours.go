// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"math/rand/v2"
	"net/netip"

	"servicenet.dev/servicenet/internal/allocator"
	"servicenet.dev/servicenet/internal/bitmap"
)

// ours is a range with all its blocks in memory.
type ours struct {
	of     *allocator.Range
	index  *allocator.Index
	blocks map[allocator.Block]*bitmap.Set
	active allocator.Block
	rng    *rand.Rand
}

func newOurs(cidr string) *ours {
	span := must(allocator.ServiceCIDR(netip.MustParsePrefix(cidr)))
	of := must(allocator.NewAddresses(allocator.AddressSpec{Spans: []allocator.Span{span}}))
	return &ours{
		of: of, index: allocator.NewIndex(of), blocks: map[allocator.Block]*bitmap.Set{},
		rng: rand.New(rand.NewPCG(1, 2)),
	}
}

// take finds and takes an address.
func (o *ours) take() (allocator.Block, int) {
	choice, found := o.index.Choose(o.rng, o.active)
	if !found {
		panic("the range is full")
	}
	if choice.New {
		o.blocks[choice.Block] = bitmap.New(allocator.BlockSize)
	}
	taken := o.blocks[choice.Block]
	number, _ := o.of.Pick(o.rng, choice.Class, choice.Block, taken)
	taken.Take(number)
	o.index.Update(choice.Block, taken)
	o.active = choice.Block
	return choice.Block, number
}

func (o *ours) free(block allocator.Block, number int) {
	taken := o.blocks[block]
	taken.Free(number)
	o.index.Update(block, taken)
}

// fill takes all addresses but one, if it is valid.
func (o *ours) fill(cidr string, but netip.Addr) {
	prefix := netip.MustParsePrefix(cidr)
	for at := prefix.Addr(); prefix.Contains(at); {
		block, _ := allocator.Locate(at)
		taken := bitmap.New(allocator.BlockSize)
		taken.TakeBand(taken.Whole())
		if gap, number := allocator.Locate(but); gap == block && but.IsValid() {
			taken.Free(number)
		}
		o.blocks[block] = taken
		o.index.Update(block, taken)
		at = block.Address(allocator.BlockSize - 1).Next()
	}
}

// live takes so many addresses.
func (o *ours) live(count int) {
	for range count {
		o.take()
	}
}

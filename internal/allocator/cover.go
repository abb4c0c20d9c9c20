// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package allocator

import (
	"math/rand/v2"
	"net/netip"
	"slices"

	"servicenet.dev/servicenet/internal/bitmap"
)

// cover is the numbers of one class, in pieces sorted by their blocks. No block
// is in two of them.
type cover struct {
	pieces []piece
	// blocks is how many blocks have numbers of the class.
	blocks uint64
}

// piece is numbers of a run of blocks, the same ones in each.
type piece struct {
	first, last Block
	blocks      uint64
	// band less holes, if there are any, are the numbers. There are as many as
	// numbers says, at least one.
	band    bitmap.Band
	holes   *bitmap.Set
	numbers int
}

// addAddresses adds the addresses from one to another, which come after all that
// were added before.
func (c *cover) addAddresses(from, to netip.Addr) {
	first, start := Locate(from)
	last, end := Locate(to)
	if first == last {
		c.add(first, bitmap.Band{From: start, To: end + 1})
		return
	}
	if start > 0 {
		c.add(first, bitmap.Band{From: start, To: BlockSize})
		first = first.plus(1)
	}
	whole := first.until(last)
	if end == BlockSize-1 {
		whole++
	}
	if whole > 0 {
		c.addBlocks(first, whole)
	}
	if end < BlockSize-1 {
		c.add(last, bitmap.Band{To: end + 1})
	}
}

// addPorts adds a band of ports, which come after all that were added before.
func (c *cover) addPorts(ports bitmap.Band) {
	for ports.Len() > 0 {
		block, start := LocatePort(ports.From)
		band := bitmap.Band{From: start, To: min(start+ports.Len(), BlockSize)}
		c.add(block, band)
		ports.From += band.Len()
	}
}

// addBlocks adds all numbers of a run of blocks of addresses.
func (c *cover) addBlocks(first Block, count uint64) {
	c.pieces = append(c.pieces, piece{
		first: first, last: first.plus(count - 1), blocks: count,
		band: bitmap.Band{To: BlockSize}, numbers: BlockSize,
	})
	c.blocks += count
}

// add adds a band of a block, which comes after all that was added before.
func (c *cover) add(block Block, band bitmap.Band) {
	last := len(c.pieces) - 1
	if last < 0 || c.pieces[last].last != block {
		c.pieces = append(c.pieces, piece{first: block, last: block, blocks: 1, band: band, numbers: band.Len()})
		c.blocks++
		return
	}
	p := &c.pieces[last]
	if p.holes == nil {
		p.holes = bitmap.New(BlockSize)
	}
	p.holes.TakeBand(bitmap.Band{From: p.band.To, To: band.From})
	p.band.To = band.To
	p.numbers += band.Len()
}

// find returns the piece that has a block, nil if none has.
func (c *cover) find(block Block) *piece {
	i, _ := slices.BinarySearchFunc(c.pieces, block, func(p piece, block Block) int { return p.last.Compare(block) })
	if i == len(c.pieces) || block.Compare(c.pieces[i].first) < 0 {
		return nil
	}
	return &c.pieces[i]
}

func (p *piece) has(number int) bool {
	return number >= p.band.From && number < p.band.To && (p.holes == nil || !p.holes.Has(number))
}

// free returns how many numbers of the piece are free in a block.
func (p *piece) free(taken *bitmap.Set) int {
	if p.holes == nil {
		return taken.CountFree(p.band)
	}
	return taken.CountFreeExcept(p.band, p.holes)
}

func (p *piece) pick(rng *rand.Rand, taken *bitmap.Set) (number int, found bool) {
	if p.holes == nil {
		return taken.RandomFree(rng, p.band)
	}
	return taken.RandomFreeExcept(rng, p.band, p.holes)
}

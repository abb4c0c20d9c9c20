// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package allocator

import "math/rand/v2"

// Choice says where to take a number from.
type Choice struct {
	Block Block
	Class Class
	// New tells that the block does not exist yet: all its numbers are free.
	New bool
}

// Choose returns a block that has a free number for automatic choice, and the
// class to pick it from: dynamic numbers for as long as there are any. Among the
// blocks of a class it is the active one if that has a free number, else one of
// those that exist, else a new one, by chance. It finds none when all is taken.
//
// The zero Block stands for no active one.
func (x *Index) Choose(rng *rand.Rand, active Block) (choice Choice, found bool) {
	for _, class := range [...]Class{Dynamic, Static} {
		usage := &x.classes[class]
		if i, exists := x.search(active); exists && x.blocks[i].free[class] > 0 {
			return Choice{Block: active, Class: class}, true
		}
		if n := len(usage.open); n > 0 {
			return Choice{Block: usage.open[rng.IntN(n)], Class: class}, true
		}
		if n := x.of.classes[class].blocks - usage.blocks; n > 0 {
			return Choice{Block: x.newBlock(class, rng.Uint64N(n)), Class: class, New: true}, true
		}
	}
	return Choice{}, false
}

// newBlock returns the block with numbers of a class that does not exist, and
// has rank others like it before it.
func (x *Index) newBlock(class Class, rank uint64) Block {
	for i := 0; ; i++ {
		p := &x.of.classes[class].pieces[i]
		existing := x.within(p)
		missing := p.blocks - uint64(len(existing))
		if rank >= missing {
			rank -= missing
			continue
		}
		block := p.first.plus(rank)
		for _, earlier := range existing {
			if earlier.block.Compare(block) > 0 {
				break
			}
			block = block.plus(1)
		}
		return block
	}
}

// within returns the blocks of a piece that exist.
func (x *Index) within(p *piece) []usage {
	from, _ := x.search(p.first)
	to, found := x.search(p.last)
	if found {
		to++
	}
	return x.blocks[from:to]
}

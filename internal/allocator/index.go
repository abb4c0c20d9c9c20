// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package allocator

import (
	"slices"

	"servicenet.dev/servicenet/internal/bitmap"
)

// Index knows which blocks of a Range exist, and which of them have free
// numbers, so that one can be chosen without a look at any. It holds counts and
// no numbers: whoever keeps the blocks tells it of every change.
//
// An Index is not safe for concurrent use.
type Index struct {
	of      *Range
	blocks  []usage // sorted
	classes [classCount]classUsage
}

// usage is a block that exists, and how many numbers of each class are free in
// it.
type usage struct {
	block Block
	free  [classCount]int
}

// classUsage is what has become of a class.
type classUsage struct {
	// blocks is how many blocks with numbers of the class exist.
	blocks uint64
	// taken is how many numbers of the class are taken.
	taken int
	// open are the blocks that exist and have free numbers of the class, sorted.
	open []Block
}

// NewIndex returns the Index of a Range of which no block exists.
func NewIndex(of *Range) *Index { return &Index{of: of} }

// Taken returns how many numbers of a class are taken.
func (x *Index) Taken(class Class) int { return x.classes[class].taken }

// Update says what is taken in a block that exists. A block without numbers of
// the Range is none of its business.
func (x *Index) Update(block Block, taken *bitmap.Set) {
	i, known := x.search(block)
	if !known && !x.enter(i, block) {
		return
	}
	for class := Reserved; class < classCount; class++ {
		if p := x.of.classes[class].find(block); p != nil {
			x.setFree(i, class, p.free(taken))
		}
	}
}

// Remove says that a block does not exist any more.
func (x *Index) Remove(block Block) {
	i, known := x.search(block)
	if !known {
		return
	}
	for class := Reserved; class < classCount; class++ {
		if p := x.of.classes[class].find(block); p != nil {
			x.setFree(i, class, p.numbers)
			x.classes[class].removeOpen(block)
			x.classes[class].blocks--
		}
	}
	x.blocks = slices.Delete(x.blocks, i, i+1)
}

func (x *Index) search(block Block) (at int, found bool) {
	return slices.BinarySearchFunc(x.blocks, block, func(u usage, block Block) int { return u.block.Compare(block) })
}

// enter puts a block with all its numbers free at its place, unless it has none.
func (x *Index) enter(at int, block Block) bool {
	entry, entered := usage{block: block}, false
	for class := Reserved; class < classCount; class++ {
		if p := x.of.classes[class].find(block); p != nil {
			entry.free[class], entered = p.numbers, true
			x.classes[class].addOpen(block)
			x.classes[class].blocks++
		}
	}
	if entered {
		x.blocks = slices.Insert(x.blocks, at, entry)
	}
	return entered
}

func (x *Index) setFree(at int, class Class, free int) {
	was, usage := x.blocks[at].free[class], &x.classes[class]
	x.blocks[at].free[class] = free
	usage.taken += was - free
	switch {
	case was == 0 && free > 0:
		usage.addOpen(x.blocks[at].block)
	case was > 0 && free == 0:
		usage.removeOpen(x.blocks[at].block)
	}
}

// addOpen adds a block to the open ones.
func (u *classUsage) addOpen(block Block) {
	i, _ := slices.BinarySearchFunc(u.open, block, Block.Compare)
	u.open = slices.Insert(u.open, i, block)
}

// removeOpen removes a block from the open ones.
func (u *classUsage) removeOpen(block Block) {
	i, _ := slices.BinarySearchFunc(u.open, block, Block.Compare)
	u.open = slices.Delete(u.open, i, i+1)
}

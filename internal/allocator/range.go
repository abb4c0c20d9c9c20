// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package allocator

import (
	"math/big"
	"math/rand/v2"

	"servicenet.dev/servicenet/internal/bitmap"
)

// Class is what a number is to a Range. Each number has one class.
type Class int

const (
	// Outside is a number that is not of the Range.
	Outside Class = iota
	// Excluded numbers are never given out.
	Excluded
	// Reserved numbers are given to those they are meant for, on request.
	Reserved
	// Static numbers are given on request, and automatically once no dynamic one
	// is left.
	Static
	// Dynamic numbers are given on request and automatically.
	Dynamic

	classCount
)

// Range is the numbers of a pool, addresses of one family or ports, each with
// its class. It never changes, and is safe for concurrent use. What is taken is
// not its matter: the caller hands in the block in question.
type Range struct {
	classes [classCount]cover
}

// classify gives each number of all its class. split returns the numbers of a
// set that are in another, and those that are not.
func classify[S any](all, excluded, reserved, static S, split func(set, by S) (in, out S)) map[Class]S {
	sets := map[Class]S{}
	sets[Excluded], all = split(all, excluded)
	sets[Reserved], all = split(all, reserved)
	sets[Static], sets[Dynamic] = split(all, static)
	return sets
}

// ClassOf returns the class of a number.
func (r *Range) ClassOf(block Block, number int) Class {
	for class := Excluded; class < classCount; class++ {
		if p := r.classes[class].find(block); p != nil && p.has(number) {
			return class
		}
	}
	return Outside
}

// Touches tells whether a number of a block is of the Range.
func (r *Range) Touches(block Block) bool {
	for class := Excluded; class < classCount; class++ {
		if r.classes[class].find(block) != nil {
			return true
		}
	}
	return false
}

// Capacity returns how many numbers of a class there are.
func (r *Range) Capacity(class Class) *big.Int {
	total := new(big.Int)
	for i := range r.classes[class].pieces {
		p := &r.classes[class].pieces[i]
		count := new(big.Int).SetUint64(p.blocks)
		total.Add(total, count.Mul(count, big.NewInt(int64(p.numbers))))
	}
	return total
}

// Pick returns a number of a class that is free in a block, each with the same
// chance. taken is what the block's numbers are: its size is the block's.
func (r *Range) Pick(rng *rand.Rand, class Class, block Block, taken *bitmap.Set) (number int, found bool) {
	p := r.classes[class].find(block)
	if p == nil {
		return 0, false
	}
	return p.pick(rng, taken)
}

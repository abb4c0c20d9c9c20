// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package bitmap

import (
	"fmt"
	"math/bits"
	"slices"
)

// MaxSize is the largest size of a set: there are as many ports.
const MaxSize = 1 << 16

// Set is a set of the numbers from 0 to its size, which never changes. The
// numbers in it are the ones that are taken, all others are free; a number
// beyond the size is neither. The zero Set has the size 0.
//
// A Set is not safe for concurrent use.
type Set struct {
	size  int
	count int
	// words holds a bit for each number; those beyond the size are always zero.
	words []uint64
	// groups holds how many numbers of groupWords words each are taken: it is
	// what keeps a search as short in a full set as in an empty one.
	groups []int
}

const (
	wordBits   = 64
	groupWords = 16
	groupBits  = groupWords * wordBits
)

// New returns a set of a size from 1 to MaxSize, with all its numbers free. It
// panics at any other size.
func New(size int) *Set {
	if size < 1 || size > MaxSize {
		panic(fmt.Sprintf("bitmap: size %d is not within 1 and %d", size, MaxSize))
	}
	return &Set{
		size:   size,
		words:  make([]uint64, (size+wordBits-1)/wordBits),
		groups: make([]int, (size+groupBits-1)/groupBits),
	}
}

// Size returns how many numbers there are, taken and free.
func (s *Set) Size() int { return s.size }

// Count returns how many numbers are taken.
func (s *Set) Count() int { return s.count }

// Has tells whether a number is taken.
func (s *Set) Has(number int) bool {
	return number >= 0 && number < s.size && s.words[number/wordBits]&bit(number) != 0
}

// Take takes a number and tells whether it was there to be taken: it was free,
// and not beyond the size.
func (s *Set) Take(number int) bool {
	if number < 0 || number >= s.size || s.words[number/wordBits]&bit(number) != 0 {
		return false
	}
	s.words[number/wordBits] |= bit(number)
	s.groups[number/groupBits]++
	s.count++
	return true
}

// Free frees a number and tells whether it was taken.
func (s *Set) Free(number int) bool {
	if !s.Has(number) {
		return false
	}
	s.words[number/wordBits] &^= bit(number)
	s.groups[number/groupBits]--
	s.count--
	return true
}

// Clone returns a copy that goes its own way from here.
func (s *Set) Clone() *Set {
	copied := *s
	copied.words, copied.groups = slices.Clone(s.words), slices.Clone(s.groups)
	return &copied
}

// Equal tells whether two sets have the same size and the same numbers taken.
func (s *Set) Equal(other *Set) bool {
	return s.size == other.size && slices.Equal(s.words, other.words)
}

// recount sets the counts after words were changed as a whole.
func (s *Set) recount() {
	s.count = 0
	clear(s.groups)
	for i, word := range s.words {
		n := bits.OnesCount64(word)
		s.count += n
		s.groups[i/groupWords] += n
	}
}

func bit(number int) uint64 { return 1 << (number % wordBits) }

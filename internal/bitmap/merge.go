// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package bitmap

import (
	"fmt"
	"iter"
	"math/bits"
	"slices"
)

// TakeBand takes all numbers of a band, whether free or not.
func (s *Set) TakeBand(band Band) {
	band = s.clamp(band)
	for i := band.firstWord(); i < band.endWord(); i++ {
		s.words[i] |= band.word(i)
	}
	s.recount()
}

// Union takes all numbers that are taken in another set. It fails, and changes
// nothing, when one of them is beyond the size.
func (s *Set) Union(other *Set) error {
	if last := other.last(); last >= s.size {
		return fmt.Errorf("bitmap: number %d is beyond the size %d", last, s.size)
	}
	for i := range s.words {
		s.words[i] |= other.word(i)
	}
	s.recount()
	return nil
}

// Subtract frees all numbers that are taken in another set.
func (s *Set) Subtract(other *Set) {
	for i := range s.words {
		s.words[i] &^= other.word(i)
	}
	s.recount()
}

// Numbers iterates over the numbers that are taken, in their order. The set must
// not change meanwhile.
func (s *Set) Numbers() iter.Seq[int] {
	return s.Without(&Set{})
}

// Without iterates over the numbers that are taken here and not in another set,
// in their order. Neither set may change meanwhile.
func (s *Set) Without(other *Set) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i, word := range s.words {
			for left := word &^ other.word(i); left != 0; left &= left - 1 {
				if !yield(i*wordBits + bits.TrailingZeros64(left)) {
					return
				}
			}
		}
	}
}

// Bands iterates over the numbers that are taken as bands, each as long as can
// be, in their order. The set must not change meanwhile.
func (s *Set) Bands() iter.Seq[Band] {
	return func(yield func(Band) bool) {
		for at := 0; ; {
			from := s.next(at, 0)
			if from == s.size {
				return
			}
			at = s.next(from, ^uint64(0))
			if !yield(Band{From: from, To: at}) {
				return
			}
		}
	}
}

// next returns the first number from one on that is taken, or free if the mask
// turns the words around, and the size if there is none.
func (s *Set) next(from int, mask uint64) int {
	for i := from / wordBits; i < len(s.words); i++ {
		word := s.words[i] ^ mask
		if i == from/wordBits {
			word &= ^uint64(0) << (from % wordBits)
		}
		if word != 0 {
			return min(s.size, i*wordBits+bits.TrailingZeros64(word))
		}
	}
	return s.size
}

// last returns the highest number that is taken, -1 if none is.
func (s *Set) last() int {
	for i, word := range slices.Backward(s.words) {
		if word != 0 {
			return i*wordBits + bits.Len64(word) - 1
		}
	}
	return -1
}

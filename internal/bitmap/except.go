// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package bitmap

import (
	"math/bits"
	"math/rand/v2"
)

// CountFreeExcept returns how many numbers of a band are free and not in barred,
// which may have another size.
//
// It and RandomFreeExcept look at each word of the band: the cost depends on the
// length of the band, and on nothing else.
func (s *Set) CountFreeExcept(band Band, barred *Set) int {
	count := 0
	band = s.clamp(band)
	for i := band.firstWord(); i < band.endWord(); i++ {
		count += bits.OnesCount64(s.freeWord(i, band, barred))
	}
	return count
}

// RandomFreeExcept returns a number of a band that is free and not in barred,
// each with the same chance.
func (s *Set) RandomFreeExcept(rng *rand.Rand, band Band, barred *Set) (number int, found bool) {
	count := s.CountFreeExcept(band, barred)
	if count == 0 {
		return 0, false
	}
	band = s.clamp(band)
	rank := rng.IntN(count)
	for i := band.firstWord(); ; i++ {
		word := s.freeWord(i, band, barred)
		n := bits.OnesCount64(word)
		if rank < n {
			return i*wordBits + nthBit(word, rank), true
		}
		rank -= n
	}
}

// freeWord returns a bit for each number of a word that is in the band, free,
// and not barred.
func (s *Set) freeWord(i int, band Band, barred *Set) uint64 {
	return ^s.words[i] &^ barred.word(i) & band.word(i)
}

// word returns a word, zero if the set ends before it.
func (s *Set) word(i int) uint64 {
	if i < len(s.words) {
		return s.words[i]
	}
	return 0
}

func (b Band) firstWord() int { return b.From / wordBits }

func (b Band) endWord() int { return (b.To + wordBits - 1) / wordBits }

// word returns a bit for each number that the band has in a word.
func (b Band) word(i int) uint64 {
	mask := ^uint64(0)
	if i == b.From/wordBits {
		mask <<= b.From % wordBits
	}
	if i == b.To/wordBits {
		mask &= 1<<(b.To%wordBits) - 1
	}
	return mask
}

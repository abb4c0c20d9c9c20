// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package bitmap

import (
	"math/bits"
	"math/rand/v2"
)

// Band is the numbers from From up to, but not including, To. Numbers of a band
// that a set does not have do not count.
type Band struct {
	From, To int
}

// Len returns how many numbers a band has.
func (b Band) Len() int { return max(0, b.To-b.From) }

// Whole returns the band of all numbers of the set.
func (s *Set) Whole() Band { return Band{To: s.size} }

// CountFree returns how many numbers of a band are free.
func (s *Set) CountFree(band Band) int {
	from, to := s.freeRanks(band)
	return to - from
}

// FirstFree returns the lowest number of a band that is free.
func (s *Set) FirstFree(band Band) (number int, found bool) {
	from, to := s.freeRanks(band)
	if from == to {
		return 0, false
	}
	return s.freeAt(from), true
}

// RandomFree returns a number of a band that is free, each with the same chance.
func (s *Set) RandomFree(rng *rand.Rand, band Band) (number int, found bool) {
	from, to := s.freeRanks(band)
	if from == to {
		return 0, false
	}
	return s.freeAt(from + rng.IntN(to-from)), true
}

// clamp returns the part of a band that the set has, empty ones as Band{}.
func (s *Set) clamp(band Band) Band {
	band = Band{From: max(0, band.From), To: min(s.size, band.To)}
	if band.From >= band.To {
		return Band{}
	}
	return band
}

// freeRanks returns how many numbers of the whole set are free before a band
// and before its end.
func (s *Set) freeRanks(band Band) (from, to int) {
	band = s.clamp(band)
	return s.freeBelow(band.From), s.freeBelow(band.To)
}

// freeBelow returns how many of the numbers below one are free.
func (s *Set) freeBelow(number int) int {
	if number == s.size {
		return s.size - s.count
	}
	taken, group := 0, number/groupBits
	for _, n := range s.groups[:group] {
		taken += n
	}
	for _, word := range s.words[group*groupWords : number/wordBits] {
		taken += bits.OnesCount64(word)
	}
	if rest := number % wordBits; rest != 0 {
		taken += bits.OnesCount64(s.words[number/wordBits] & (1<<rest - 1))
	}
	return number - taken
}

// freeAt returns the free number that has rank free ones below it. There must
// be one: then the zeros beyond the size are not reached.
func (s *Set) freeAt(rank int) int {
	group := 0
	for ; ; group++ {
		free := groupBits - s.groups[group]
		if rank < free {
			break
		}
		rank -= free
	}
	for i := group * groupWords; ; i++ {
		free := bits.OnesCount64(^s.words[i])
		if rank < free {
			return i*wordBits + nthBit(^s.words[i], rank)
		}
		rank -= free
	}
}

// nthBit returns the position of the bit of a word that has n set ones below it.
// Halving takes the same six steps wherever it is.
func nthBit(word uint64, n int) int {
	position := 0
	for width := wordBits / 2; width > 0; width /= 2 {
		if low := bits.OnesCount64(word & (1<<width - 1)); n >= low {
			n -= low
			word >>= width
			position += width
		}
	}
	return position
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math/rand/v2"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/bits-and-blooms/bitset"

	"servicenet.dev/servicenet/internal/bitmap"
)

// numbers is a set whose free numbers can be counted and drawn.
type numbers interface {
	// random returns a free number from one up to another, each with the same
	// chance.
	random(rng *rand.Rand, from, to uint32) uint32
	take(number uint32)
	free(number uint32)
	encoded() int
}

func (b bench) compareLibraries() [][]string {
	kinds := []struct {
		name  string
		empty func(size uint32) numbers
	}{
		{"ours", func(size uint32) numbers { return own{bitmap.New(int(size))} }},
		{"bitset v1.29", newBitset},
		{"roaring v2.30", newRoaring},
	}
	rows := [][]string{{"find, take and free; memory; encoded", kinds[0].name, kinds[1].name, kinds[2].name}}
	for _, size := range []uint32{4096, 65536} {
		for _, fill := range []struct {
			name  string
			taken func(number uint32) bool
		}{
			{"empty", func(uint32) bool { return false }},
			{"half", func(number uint32) bool { return number*7919%size < size/2 }},
			{"one free", func(number uint32) bool { return number != size*2/3 }},
		} {
			cells := []string{fmt.Sprintf("%d, %s", size, fill.name)}
			for _, kind := range kinds {
				cells = append(cells, b.measureKind(kind.empty, size, fill.taken))
			}
			rows = append(rows, cells)
		}
	}
	return rows
}

func (b bench) measureKind(empty func(size uint32) numbers, size uint32, taken func(number uint32) bool) string {
	var set numbers
	const copies = 32
	memory := retained(func() any {
		var all []numbers
		for range copies {
			set = empty(size)
			for number := range size {
				if taken(number) {
					set.take(number)
				}
			}
			all = append(all, set)
		}
		return all
	}) / copies
	rng := rand.New(rand.NewPCG(5, 6))
	found := b.measure(func() {
		number := set.random(rng, size/16, size)
		set.take(number)
		set.free(number)
	})
	return fmt.Sprintf("%s, %.0f B, %d B", found, memory, set.encoded())
}

type own struct{ *bitmap.Set }

func (o own) random(rng *rand.Rand, from, to uint32) uint32 {
	number, _ := o.RandomFree(rng, bitmap.Band{From: int(from), To: int(to)})
	return uint32(number) //nolint:gosec // below 65,536
}

func (o own) take(number uint32) { o.Take(int(number)) }

func (o own) free(number uint32) { o.Free(int(number)) }

func (o own) encoded() int { return len(must(o.AppendBinary(nil))) }

// A library's set holds the free numbers: their ranks are what it can look for.
type bits struct{ *bitset.BitSet }

func newBitset(size uint32) numbers {
	set := bitset.New(uint(size))
	return bits{set.FlipRange(0, uint(size))}
}

func (b bits) random(rng *rand.Rand, from, to uint32) uint32 {
	below, end := b.Rank(uint(from-1)), b.Rank(uint(to-1))
	return uint32(b.Select(below + rng.UintN(end-below))) //nolint:gosec // below 65,536
}

func (b bits) take(number uint32) { b.Clear(uint(number)) }

func (b bits) free(number uint32) { b.Set(uint(number)) }

func (b bits) encoded() int { return len(must(b.MarshalBinary())) }

type roar struct{ *roaring.Bitmap }

func newRoaring(size uint32) numbers {
	set := roaring.New()
	set.AddRange(0, uint64(size))
	return roar{set}
}

func (r roar) random(rng *rand.Rand, from, to uint32) uint32 {
	below, end := r.Rank(from-1), r.Rank(to-1)
	return must(r.Select(uint32(below + rng.Uint64N(end-below)))) //nolint:gosec // below 65,536
}

func (r roar) take(number uint32) { r.Remove(number) }

func (r roar) free(number uint32) { r.Add(number) }

func (r roar) encoded() int { return len(must(r.ToBytes())) }

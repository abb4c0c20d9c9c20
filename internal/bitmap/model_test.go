// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package bitmap

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// model is a set as anybody would write it, to compare a Set with.
type model struct {
	size  int
	taken map[int]bool
}

func newModel(size int) *model { return &model{size: size, taken: map[int]bool{}} }

func (m *model) take(number int) bool {
	if number < 0 || number >= m.size || m.taken[number] {
		return false
	}
	m.taken[number] = true
	return true
}

func (m *model) free(number int) bool {
	was := m.taken[number]
	delete(m.taken, number)
	return was
}

// freeOf returns the numbers of a band that are free and not in barred, sorted.
func (m *model) freeOf(band Band, barred *model) []int {
	var free []int
	for number := max(0, band.From); number < min(m.size, band.To); number++ {
		if !m.taken[number] && !barred.taken[number] {
			free = append(free, number)
		}
	}
	return free
}

func (m *model) numbers() []int { return slices.Sorted(maps.Keys(m.taken)) }

// bands returns the numbers as bands.
func (m *model) bands() []Band {
	var bands []Band
	for _, number := range m.numbers() {
		if n := len(bands); n > 0 && bands[n-1].To == number {
			bands[n-1].To++
		} else {
			bands = append(bands, Band{From: number, To: number + 1})
		}
	}
	return bands
}

// check compares all that can be seen of a set with the model.
func (m *model) check(t *testing.T, s *Set) {
	t.Helper()
	numbers := m.numbers()
	if got := slices.Collect(s.Numbers()); !slices.Equal(got, numbers) {
		t.Fatalf("numbers (-want +got):\n%s", cmp.Diff(numbers, got))
	}
	if got := slices.Collect(s.Bands()); !slices.Equal(got, m.bands()) {
		t.Fatalf("bands (-want +got):\n%s", cmp.Diff(m.bands(), got))
	}
	if s.Size() != m.size || s.Count() != len(numbers) {
		t.Fatalf("size %d with %d taken, want %d with %d", s.Size(), s.Count(), m.size, len(numbers))
	}
	if free := s.CountFree(s.Whole()); free != m.size-len(numbers) {
		t.Fatalf("%d free, want %d", free, m.size-len(numbers))
	}
	checkEncoding(t, s)
}

func checkEncoding(t *testing.T, s *Set) {
	t.Helper()
	data, err := s.AppendBinary([]byte("before"))
	if err != nil {
		t.Fatal(err)
	}
	if limit := len("before") + 1 + 1 + 3 + (s.size+7)/8 + checksumBytes; len(data) > limit {
		t.Fatalf("encoded in %d bytes, more than the %d that bits need", len(data), limit)
	}
	back, err := Decode(data[len("before"):])
	if err != nil {
		t.Fatalf("decoding what was encoded: %v", err)
	}
	checkWhole(t, back)
	if !back.Equal(s) {
		t.Fatalf("decoded %v, want %v", slices.Collect(back.Bands()), slices.Collect(s.Bands()))
	}
}

// checkWhole checks what must hold of every Set: its counts are those of its
// words, and nothing is set beyond its size.
func checkWhole(t *testing.T, s *Set) {
	t.Helper()
	recounted := s.Clone()
	recounted.recount()
	if recounted.count != s.count || !slices.Equal(recounted.groups, s.groups) {
		t.Fatalf("counts %d %v, recounted %d %v", s.count, s.groups, recounted.count, recounted.groups)
	}
	if last := s.last(); last >= s.size {
		t.Fatalf("%d is taken in a set of size %d", last, s.size)
	}
}

// program reads numbers from bytes; beyond the end all are zero.
type program struct {
	left []byte
}

func (p *program) next(below int) int {
	value := 0
	for reach := 1; reach < below; reach <<= 8 {
		value <<= 8
		if len(p.left) > 0 {
			value |= int(p.left[0])
			p.left = p.left[1:]
		}
	}
	return value % below
}

// pair is a set with its model.
type pair struct {
	set   *Set
	model *model
}

// sizes are those where words and groups end, and what the numbers are for.
func sizes() []int {
	return []int{1, 63, 64, 65, 100, 1023, 1024, 1025, 2768, 4096, 65536}
}

func (p *program) pair() pair {
	size := sizes()[p.next(len(sizes()))]
	return pair{New(size), newModel(size)}
}

// band returns a band near or within a set, some of them empty, most of them
// short.
func (p *program) band(size int) Band {
	from := p.next(size+20) - 10
	if p.next(4) == 0 {
		return Band{From: from, To: from + p.next(size+20) - 5}
	}
	return Band{From: from, To: from + p.next(200) - 5}
}

// run lets two sets and their models do the same.
func (p *program) run(t *testing.T) {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, uint64(len(p.left))))
	a, b := p.pair(), p.pair()
	for len(p.left) > 0 {
		p.step(t, rng, a, b)
		a, b = b, a
	}
	a.model.check(t, a.set)
	b.model.check(t, b.set)
}

func (p *program) step(t *testing.T, rng *rand.Rand, a, b pair) {
	t.Helper()
	same := func(what string, got, want bool) {
		t.Helper()
		if got != want {
			t.Fatalf("%s is %v, want %v", what, got, want)
		}
	}
	number := p.next(a.model.size+8) - 4
	switch p.next(8) {
	case 0:
		same("take", a.set.Take(number), a.model.take(number))
	case 1:
		same("free", a.set.Free(number), a.model.free(number))
	case 2:
		same("has", a.set.Has(number), a.model.taken[number])
	case 3:
		band := p.band(a.model.size)
		a.set.TakeBand(band)
		for _, free := range a.model.freeOf(band, newModel(0)) {
			a.model.take(free)
		}
	case 4:
		p.find(t, rng, a, newModel(0), nil)
	case 5:
		p.find(t, rng, a, b.model, b.set)
	case 6:
		fits := b.set.last() < a.set.size
		same("union fits", a.set.Union(b.set) == nil, fits)
		for taken := range b.model.taken {
			if fits {
				a.model.take(taken)
			}
		}
	case 7:
		var without []int
		for _, taken := range a.model.numbers() {
			if !b.model.taken[taken] {
				without = append(without, taken)
			}
		}
		if got := slices.Collect(a.set.Without(b.set)); !slices.Equal(got, without) {
			t.Fatalf("without (-want +got):\n%s", cmp.Diff(without, got))
		}
		a.set.Subtract(b.set)
		for taken := range b.model.taken {
			a.model.free(taken)
		}
	}
	checkWhole(t, a.set)
}

// find counts, finds and takes free numbers of a band, except barred ones if
// there are any.
func (p *program) find(t *testing.T, rng *rand.Rand, a pair, barredModel *model, barred *Set) {
	t.Helper()
	band := p.band(a.model.size)
	free := a.model.freeOf(band, barredModel)
	var count, random int
	var found bool
	if barred == nil {
		count = a.set.CountFree(band)
		first, some := a.set.FirstFree(band)
		if some != (len(free) > 0) || some && first != free[0] {
			t.Fatalf("first free of %v is %d (%v), want the first of %v", band, first, some, free)
		}
		random, found = a.set.RandomFree(rng, band)
	} else {
		count = a.set.CountFreeExcept(band, barred)
		random, found = a.set.RandomFreeExcept(rng, band, barred)
	}
	if count != len(free) {
		t.Fatalf("%d of %v are free, want %d", count, band, len(free))
	}
	if found != (count > 0) || found && !slices.Contains(free, random) {
		t.Fatalf("random free of %v is %d (%v), want one of %v", band, random, found, free)
	}
	if found && a.set.Take(random) != a.model.take(random) {
		t.Fatalf("could not take %d", random)
	}
}

func TestSetDoesWhatAMapDoes(t *testing.T) {
	source := rand.NewChaCha8([32]byte{1})
	for range 60 {
		p := &program{left: make([]byte, 200)}
		if _, err := source.Read(p.left); err != nil {
			t.Fatal(err)
		}
		p.run(t)
	}
}

func FuzzBitmap(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{9, 9, 0, 10, 0, 0, 20, 3, 0, 0, 0, 0, 200, 4, 0, 0, 1, 0, 0, 5, 0, 0, 1, 0})
	f.Add([]byte{0, 1, 4, 0, 4, 0, 4, 6, 4, 7, 3, 3, 10, 15, 4, 5, 12, 20})
	f.Add([]byte{11, 6, 0, 0, 9, 3, 1, 0, 0, 255, 255, 5, 6, 7, 7, 8, 9, 10, 0, 1, 255, 6, 1, 2, 3, 7, 0, 0, 0, 4, 0, 0, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		const longest = 400 // the rest of a longer program would only repeat its beginning
		p := &program{left: data[:min(len(data), longest)]}
		p.run(t)
	})
}

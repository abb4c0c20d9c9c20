// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package bitmap

import (
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNewRefusesSizesNobodyNeeds(t *testing.T) {
	for _, size := range []int{-1, 0, MaxSize + 1} {
		t.Run(strconv.Itoa(size), func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Errorf("made a set of size %d", size)
				}
			}()
			New(size)
		})
	}
}

func TestZeroSetHasNoNumbers(t *testing.T) {
	s := &Set{}
	rng := rand.New(rand.NewPCG(1, 1))
	_, first := s.FirstFree(Band{To: 10})
	_, random := s.RandomFree(rng, Band{To: 10})
	_, except := s.RandomFreeExcept(rng, Band{To: 10}, New(10))
	if s.Take(0) || s.Free(0) || s.Has(0) || first || random || except || s.CountFree(Band{To: 10}) != 0 {
		t.Error("a set of size 0 has a number")
	}
}

func TestEqualSetsHaveOneSizeAndTheSameNumbers(t *testing.T) {
	for name, test := range map[string]struct {
		a, b *Set
		want bool
	}{
		"the same":        {with(100, 1, 99), with(100, 99, 1), true},
		"another number":  {with(100, 1, 99), with(100, 1, 98), false},
		"one more number": {with(100, 1), with(100, 1, 99), false},
		"another size":    {with(100, 1), with(101, 1), false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := test.a.Equal(test.b); got != test.want {
				t.Errorf("equal is %v, want %v", got, test.want)
			}
		})
	}
}

func TestCloneGoesItsOwnWay(t *testing.T) {
	s := with(100, 1)
	clone := s.Clone()
	clone.Take(2)
	clone.Free(1)
	if diff := cmp.Diff([]int{1}, slices.Collect(s.Numbers())); diff != "" {
		t.Errorf("the original (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int{2}, slices.Collect(clone.Numbers())); diff != "" {
		t.Errorf("the clone (-want +got):\n%s", diff)
	}
	checkWhole(t, s)
	checkWhole(t, clone)
}

func TestUnionThatDoesNotFitChangesNothing(t *testing.T) {
	s := with(100, 1)
	if err := s.Union(with(200, 5, 100)); err == nil {
		t.Error("took a number beyond the size")
	}
	if err := s.Union(with(200, 99)); err != nil {
		t.Errorf("a larger set with numbers that fit: %v", err)
	}
	if diff := cmp.Diff([]int{1, 99}, slices.Collect(s.Numbers())); diff != "" {
		t.Errorf("numbers (-want +got):\n%s", diff)
	}
}

func TestIterationsStopWhenAsked(t *testing.T) {
	s := with(100, 1, 5, 70)
	for number := range s.Numbers() {
		if number != 1 {
			t.Errorf("went on to %d", number)
		}
		break
	}
	for band := range s.Bands() {
		if band != (Band{From: 1, To: 2}) {
			t.Errorf("went on to %v", band)
		}
		break
	}
}

func TestNothingAllocates(t *testing.T) {
	s, other := everyOther(4096), with(4096, 1, 2, 3)
	rng := rand.New(rand.NewPCG(1, 1))
	buffer := encode(t, s)
	sum, fits := 0, true
	for name, work := range map[string]func(){
		"take and free":  func() { s.Take(1); s.Free(1) },
		"count":          func() { sum += s.CountFree(Band{From: 100, To: 4000}) },
		"first free":     func() { n, _ := s.FirstFree(Band{From: 100, To: 4000}); sum += n },
		"random free":    func() { n, _ := s.RandomFree(rng, Band{From: 100, To: 4000}); sum += n },
		"random, except": func() { n, _ := s.RandomFreeExcept(rng, Band{From: 100, To: 4000}, other); sum += n },
		"union":          func() { fits = s.Union(other) == nil },
		"subtract":       func() { s.Subtract(other) },
		"encode":         func() { buffer, _ = s.AppendBinary(buffer[:0]) },
		"iterate": func() {
			for n := range s.Numbers() {
				sum += n
			}
			for band := range s.Bands() {
				sum += band.Len()
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := testing.AllocsPerRun(10, work); got != 0 {
				t.Errorf("%v allocations", got)
			}
		})
	}
	if !fits || sum == 0 {
		t.Error("nothing was done")
	}
}

func TestRandomFreeIsUniform(t *testing.T) {
	const draws = 200_000
	s := New(4096)
	for number := range 4096 {
		if number%3 == 0 || number >= 1000 && number < 1200 {
			s.Take(number)
		}
	}
	barred := New(4096)
	for number := 0; number < 4096; number += 5 {
		barred.Take(number)
	}
	for name, test := range map[string]struct {
		barred *Set
		draw   func(*rand.Rand, Band) (int, bool)
	}{
		"free":                {New(1), s.RandomFree},
		"free and not barred": {barred, func(rng *rand.Rand, band Band) (int, bool) { return s.RandomFreeExcept(rng, band, barred) }},
	} {
		t.Run(name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(7, 7))
			band := Band{From: 900, To: 1400}
			counts := map[int]int{}
			for range draws {
				number, _ := test.draw(rng, band)
				counts[number]++
			}
			want := s.CountFreeExcept(band, test.barred)
			if len(counts) != want {
				t.Fatalf("drew %d numbers, %d are free", len(counts), want)
			}
			checkUniform(t, counts, draws)
		})
	}
}

// checkUniform compares counts with what equal chances let expect, by Pearson's
// chi-square. Beyond five standard deviations chance is out of the question.
func checkUniform(t *testing.T, counts map[int]int, draws int) {
	t.Helper()
	expected := float64(draws) / float64(len(counts))
	square := 0.0
	for _, count := range counts {
		square += (float64(count) - expected) * (float64(count) - expected) / expected
	}
	freedom := float64(len(counts) - 1)
	if limit := freedom + 5*math.Sqrt(2*freedom); square > limit {
		t.Errorf("chi-square %.0f with %.0f degrees of freedom, want at most %.0f", square, freedom, limit)
	}
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package pool

import (
	"slices"
)

// number is an address or a port. A set has addresses of one family only.
type number[N any] interface {
	comparable
	Compare(other N) int
	// Next returns the number after one. What it returns after the last one does
	// not come after it.
	Next() N
	Prev() N
}

// span is the numbers from one to another, both included.
type span[N number[N]] struct {
	first, last N
}

// set is numbers as spans, sorted, that neither share nor touch.
type set[N number[N]] []span[N]

// newSet returns the numbers of spans in any order.
func newSet[N number[N]](spans []span[N]) set[N] {
	sorted := slices.Clone(spans)
	slices.SortFunc(sorted, func(a, b span[N]) int { return a.first.Compare(b.first) })
	var joined set[N]
	for _, s := range sorted {
		last := len(joined) - 1
		switch {
		case last < 0 || s.first.Compare(joined[last].last) > 0 && s.first != joined[last].last.Next():
			joined = append(joined, s)
		case s.last.Compare(joined[last].last) > 0:
			joined[last].last = s.last
		}
	}
	return joined
}

// union returns the numbers of several sets.
func union[N number[N]](sets ...set[N]) set[N] {
	var spans []span[N]
	for _, s := range sets {
		spans = append(spans, s...)
	}
	return newSet(spans)
}

// minus returns the numbers that are not in another set.
func (s set[N]) minus(other set[N]) set[N] {
	var left set[N]
	for _, rest := range s {
		gone := false
		for _, hole := range other[other.at(rest.first):] {
			if hole.first.Compare(rest.last) > 0 {
				break
			}
			if hole.first.Compare(rest.first) > 0 {
				left = append(left, span[N]{rest.first, hole.first.Prev()})
			}
			if hole.last.Compare(rest.last) >= 0 {
				gone = true
				break
			}
			rest.first = hole.last.Next()
		}
		if !gone {
			left = append(left, rest)
		}
	}
	return left
}

// within returns the numbers that are in another set too.
func (s set[N]) within(other set[N]) set[N] { return s.minus(s.minus(other)) }

// has tells whether a number is in the set.
func (s set[N]) has(n N) bool {
	i := s.at(n)
	return i < len(s) && s[i].first.Compare(n) <= 0
}

// at returns the index of the first span that does not end before a number.
func (s set[N]) at(n N) int {
	i, _ := slices.BinarySearchFunc(s, n, func(s span[N], n N) int { return s.last.Compare(n) })
	return i
}

// single returns the set of one number.
func single[N number[N]](n N) span[N] { return span[N]{n, n} }

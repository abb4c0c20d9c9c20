// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpointslice

import (
	"slices"

	discoveryv1 "k8s.io/api/discovery/v1"
)

// target is what an endpoint stands for: a member, in one address family.
type target struct {
	family discoveryv1.AddressType
	member *member
}

// Arrange orders writes so that each comes after those it waits for. Where some
// wait for each other, one of them is taken out and counts as written first.
// Otherwise the order is kept.
//
// Updates are arranged so that an endpoint that moves from one slice to another is
// written to its new slice before it leaves the old one: it may be listed twice for
// a moment, never not at all. Where slices exchange endpoints no order does that;
// what is taken out is then replaced by a create, which comes before all updates,
// and a delete, which comes after them.
func Arrange[T comparable](writes []T, waits map[T][]T) (ordered, takenOut []T) {
	written := map[T]bool{}
	blocked := func(first T) bool { return !written[first] }
	free := func(write T) bool { return !slices.ContainsFunc(waits[write], blocked) }
	left := slices.Clone(writes)
	for len(left) > 0 {
		at := slices.IndexFunc(left, free)
		if at >= 0 {
			ordered = append(ordered, left[at])
		} else {
			at = onCycle(left, waits)
			takenOut = append(takenOut, left[at])
		}
		written[left[at]] = true
		left = slices.Delete(left, at, at+1)
	}
	return ordered, takenOut
}

// onCycle returns the place of one of the writes that wait for each other, when
// every write waits for another. The order of what a write waits for does not
// matter, so that equal input gives an equal plan.
func onCycle[T comparable](left []T, waits map[T][]T) int {
	at := 0
	for seen := map[int]bool{}; !seen[at]; {
		seen[at] = true
		first := waits[left[at]]
		at = slices.IndexFunc(left, func(other T) bool { return slices.Contains(first, other) })
	}
	return at
}

// waves cuts updates that are in order into waves, none of which holds an update
// that waits for another of it.
func waves(ordered []*edit, waits map[*edit][]*edit) []int {
	var sizes []int
	wave := map[*edit]bool{}
	for _, e := range ordered {
		if len(sizes) == 0 || slices.ContainsFunc(waits[e], func(first *edit) bool { return wave[first] }) {
			clear(wave)
			sizes = append(sizes, 0)
		}
		wave[e] = true
		sizes[len(sizes)-1]++
	}
	return sizes
}

// waitsFor returns for each update those that must come first, since they take over
// an endpoint it drops. One that listed the endpoint all along need not come first.
// Most updates drop none that stays, and wait for nothing.
func waitsFor(updates []*edit) map[*edit][]*edit {
	waits, dropping := map[*edit][]*edit{}, map[target][]*edit{}
	for _, e := range updates {
		for _, l := range e.leaving {
			t := target{family: e.family, member: l.member}
			dropping[t] = append(dropping[t], e)
		}
	}
	if len(dropping) == 0 {
		return waits
	}
	for _, e := range updates {
		for _, m := range e.members[e.kept:] {
			from := dropping[target{family: e.family, member: m}]
			if slices.Contains(from, e) {
				continue
			}
			for _, drops := range from {
				waits[drops] = append(waits[drops], e)
			}
		}
	}
	return waits
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpointslice

import (
	"slices"

	discoveryv1 "k8s.io/api/discovery/v1"
)

// target names what an endpoint stands for, in one address family: its pod, or
// its addresses if it has none.
type target struct {
	family          discoveryv1.AddressType
	namespace, name string
}

func targetOf(family discoveryv1.AddressType, endpoint *discoveryv1.Endpoint) target {
	if endpoint.TargetRef == nil {
		return target{family: family, name: joinAddresses(endpoint.Addresses)}
	}
	return target{family: family, namespace: endpoint.TargetRef.Namespace, name: endpoint.TargetRef.Name}
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

// waitsFor returns for each update those that must come first: since they take
// over an endpoint it drops, where one that listed the endpoint all along need not;
// or since they drop a copy of an endpoint that it changes. Most updates drop none
// that stays, and wait for nothing.
func waitsFor(updates []*edit) map[*edit][]*edit {
	waits := map[*edit][]*edit{}
	if !slices.ContainsFunc(updates, loses) {
		return waits
	}
	dropped := map[target][]*edit{}
	for _, e := range updates {
		if !e.lost {
			continue
		}
		kept := targets(e.family, e.endpoints)
		for was := range targets(e.family, e.current.Endpoints) {
			if !kept[was] {
				dropped[was] = append(dropped[was], e)
			}
		}
	}
	for _, e := range updates {
		for _, m := range e.members[e.kept:] {
			for _, from := range dropped[e.targetOf(m)] {
				if !e.lists(m) {
					waits[from] = append(waits[from], e)
				}
			}
		}
		for _, m := range e.changed {
			waits[e] = append(waits[e], dropped[e.targetOf(m)]...)
		}
	}
	return waits
}

// lists tells whether the slice as it is lists a member, under whatever address.
func (e *edit) lists(m *member) bool {
	return slices.ContainsFunc(e.current.Endpoints, func(endpoint discoveryv1.Endpoint) bool {
		return targetOf(e.family, &endpoint) == e.targetOf(m)
	})
}

func (e *edit) targetOf(m *member) target {
	return target{family: e.family, namespace: e.namespace, name: m.name}
}

// loses tells whether a slice drops an endpoint.
func loses(e *edit) bool { return e.lost }

func targets(family discoveryv1.AddressType, endpoints []discoveryv1.Endpoint) map[target]bool {
	set := make(map[target]bool, len(endpoints))
	for i := range endpoints {
		set[targetOf(family, &endpoints[i])] = true
	}
	return set
}

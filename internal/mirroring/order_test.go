// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package mirroring

import (
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"
	discoveryv1 "k8s.io/api/discovery/v1"
)

// carryOut carries out a plan and checks after each write that nothing is
// missing which was listed before and still is in the end: neither an address,
// nor an address with one of its ports.
func (w *world) carryOut(changes *Changes) {
	w.t.Helper()
	outcome := w.clone()
	for _, write := range outcome.writes(&changes.Changes) {
		write()
	}
	stay := w.listings()
	end := outcome.listings()
	maps.DeleteFunc(stay, func(is listing, _ bool) bool { return !end[is] })
	for _, write := range w.writes(&changes.Changes) {
		write()
		listed := w.listings()
		for is := range stay {
			if !listed[is] {
				w.t.Fatalf("%v is in no slice for a moment", is)
			}
		}
	}
}

// listings returns what consumers find in all slices together.
func (w *world) listings() map[listing]bool {
	all := map[listing]bool{}
	for _, slice := range w.slices {
		for is := range listings(slice.Endpoints, slice.Ports) {
			all[is] = true
		}
	}
	return all
}

func TestWhatMovesIsNeverUnlisted(t *testing.T) {
	for name, test := range map[string]struct {
		before, after []endpointsOption
		want          string
	}{
		"a port changes": {
			[]endpointsOption{withSubset(tcp(80), 1, 2)},
			[]endpointsOption{withSubset(tcp(81), 1, 2)},
			"0 created, 1 updated, 0 deleted",
		},
		"all ports change": {
			[]endpointsOption{withSubset(tcp(80), 1, 2), withSubset(tcp(90), 3), withSubset(tcp(100), 4)},
			[]endpointsOption{withSubset(tcp(81), 1, 2), withSubset(tcp(91), 3), withSubset(tcp(101), 4)},
			"0 created, 3 updated, 0 deleted",
		},
		"a port and all addresses change": {
			[]endpointsOption{withSubset(tcp(80), 1, firstIPv6)},
			[]endpointsOption{withSubset(tcp(81), 2, firstIPv6+1)},
			"0 created, 2 updated, 0 deleted",
		},
		"an address moves between slices": {
			[]endpointsOption{withSubset(tcp(80), 1, 2), withSubset(tcp(90), 3)},
			[]endpointsOption{withSubset(tcp(80), 1), withSubset(tcp(90), 2, 3)},
			"0 created, 2 updated, 0 deleted",
		},
		"and the other way": {
			[]endpointsOption{withSubset(tcp(80), 1), withSubset(tcp(90), 2, 3)},
			[]endpointsOption{withSubset(tcp(80), 1, 2), withSubset(tcp(90), 3)},
			"0 created, 2 updated, 0 deleted",
		},
		"along a chain": {
			[]endpointsOption{withSubset(tcp(80), 1, 2), withSubset(tcp(90), 3, 4), withSubset(tcp(100), 5)},
			[]endpointsOption{withSubset(tcp(80), 1), withSubset(tcp(90), 2, 3), withSubset(tcp(100), 4, 5)},
			"0 created, 3 updated, 0 deleted",
		},
		"two slices exchange addresses": {
			[]endpointsOption{withSubset(tcp(80), 1, 2), withSubset(tcp(90), 3, 4)},
			[]endpointsOption{withSubset(tcp(80), 1, 4), withSubset(tcp(90), 3, 2)},
			"1 created, 1 updated, 1 deleted",
		},
		"a ring of three": {
			[]endpointsOption{withSubset(tcp(80), 1), withSubset(tcp(90), 2), withSubset(tcp(100), 3)},
			[]endpointsOption{withSubset(tcp(80), 3), withSubset(tcp(90), 1), withSubset(tcp(100), 2)},
			"1 created, 2 updated, 1 deleted",
		},
		"two subsets become one": {
			[]endpointsOption{withSubset(tcp(80), 1, 2), withSubset(tcp(90), 2)},
			[]endpointsOption{withSubset(tcp(80, 90), 1, 2)},
			"0 created, 1 updated, 1 deleted",
		},
		"one subset becomes two": {
			[]endpointsOption{withSubset(tcp(80, 90), 1, 2)},
			[]endpointsOption{withSubset(tcp(80), 1, 2), withSubset(tcp(90), 2)},
			"1 created, 1 updated, 0 deleted",
		},
		"one becomes two while another changes": {
			[]endpointsOption{withSubset(tcp(80, 90), 1, 2), withSubset(tcp(100), 5)},
			[]endpointsOption{withSubset(tcp(80), 1, 2), withSubset(tcp(90), 2), withSubset(tcp(100), 6)},
			"1 created, 2 updated, 0 deleted",
		},
		"two become one while another changes": {
			[]endpointsOption{withSubset(tcp(80), 1, 2), withSubset(tcp(90), 2), withSubset(tcp(100), 5)},
			[]endpointsOption{withSubset(tcp(80, 90), 1, 2), withSubset(tcp(100), 2, 5)},
			"0 created, 2 updated, 1 deleted",
		},
		"an exchange of what a third slice lists": {
			[]endpointsOption{withSubset(tcp(80), 1), withSubset(tcp(90), 2), withSubset(tcp(100), 1, 2)},
			[]endpointsOption{withSubset(tcp(80), 2), withSubset(tcp(90), 1), withSubset(tcp(100), 1, 2)},
			"0 created, 2 updated, 0 deleted",
		},
		"and lists until it is deleted": {
			[]endpointsOption{withSubset(tcp(80), 1), withSubset(tcp(90), 2), withSubset(tcp(100), 1, 2)},
			[]endpointsOption{withSubset(tcp(80), 2), withSubset(tcp(90), 1)},
			"0 created, 2 updated, 1 deleted",
		},
		"and lists from the start": {
			[]endpointsOption{withSubset(tcp(80), 1), withSubset(tcp(90), 2)},
			[]endpointsOption{withSubset(tcp(80), 2), withSubset(tcp(90), 1), withSubset(tcp(100), 1, 2)},
			"1 created, 2 updated, 0 deleted",
		},
		"only a port moves": {
			[]endpointsOption{withSubset(tcp(80, 81), 2, 3), withSubset(tcp(90), 1)},
			[]endpointsOption{withSubset(tcp(80), 2, 3), withSubset(tcp(81, 90), 1, 2)},
			"0 created, 2 updated, 0 deleted",
		},
		"a family comes and another goes": {
			[]endpointsOption{withSubset(tcp(80), 1)},
			[]endpointsOption{withSubset(tcp(80), firstIPv6)},
			"1 created, 0 updated, 1 deleted",
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := mirrored(t, test.before...)
			changes := Plan(makeInput(makeEndpoints(test.after...), w.list()...))
			w.carryOut(&changes)
			if got := w.counts(); got != test.want {
				t.Errorf("%s, want %s", got, test.want)
			}
			if diff := cmp.Diff(mirrored(t, test.after...).members(), w.members()); diff != "" {
				t.Errorf("slices (-want +got):\n%s", diff)
			}
		})
	}
}

func TestASliceGoesToWhoeverHasItsEndpoints(t *testing.T) {
	var before, after []endpointsOption
	for i := range int32(8) {
		before = append(before, withSubset(tcp(80+i), int(i)+1, int(i)+1+firstIPv6))
		after = append(after, withSubset(tcp(187-i), int(i)+1, int(i)+1+firstIPv6))
	}
	w := mirrored(t, before...)
	listed := map[string]string{}
	for _, slice := range w.list() {
		listed[slice.Name] = slice.Endpoints[0].Addresses[0]
	}
	w.plan(makeInput(makeEndpoints(after...)))
	if got, want := w.counts(), "0 created, 16 updated, 0 deleted"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	for _, slice := range w.list() {
		if address := slice.Endpoints[0].Addresses[0]; address != listed[slice.Name] {
			t.Errorf("%s lists %s for %s", slice.Name, address, listed[slice.Name])
		}
	}
}

func TestRecycledSlicesStayInTheirFamily(t *testing.T) {
	for _, name := range []string{"web-0", "web-z"} {
		w := mirrored(t, withSubset(tcp(80), 1))
		names := w.only().DeepCopy()
		// A host's name may look like an address.
		names.Name, names.UID, names.AddressType = name, "", discoveryv1.AddressTypeFQDN
		w.store(names)
		w.plan(makeInput(makeEndpoints(withSubset(tcp(81), 1, firstIPv6))))
		if got, want := w.counts(), "1 created, 1 updated, 1 deleted"; got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// Endpoints on their way out get no new slices, so an exchange is two updates.
func TestNoSwapForEndpointsOnTheirWayOut(t *testing.T) {
	w := mirrored(t, withSubset(tcp(80), 1), withSubset(tcp(90), 2))
	w.plan(makeInput(makeEndpoints(withSubset(tcp(80), 2), withSubset(tcp(90), 1), deleting)))
	if got, want := w.counts(), "0 created, 2 updated, 0 deleted"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

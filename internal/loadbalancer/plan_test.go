// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package loadbalancer

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	corev1 "k8s.io/api/core/v1"
)

// had is a good address that a Service has and shows.
func had(address string) Holding {
	return Holding{Address: netip.MustParseAddr(address), Stays: true, Fits: true, Shown: true}
}

// unseen is one that its status does not have.
func unseen(address string) Holding {
	h := had(address)
	h.Shown = false
	return h
}

// leaving is one that its pools want to replace.
func leaving(address string) Holding {
	h := had(address)
	h.Stays = false
	return h
}

// unwanted is one that the Service does not want.
func unwanted(address string) Holding {
	h := had(address)
	h.Fits = false
	return h
}

func TestMake(t *testing.T) {
	t.Parallel()
	const v4, v6 = corev1.IPv4Protocol, corev1.IPv6Protocol
	both := []corev1.IPFamily{v4, v6}
	tests := map[string]struct {
		families []corev1.IPFamily
		named    []netip.Addr
		has      []Holding
		want     Plan
	}{
		"nothing yet":            {want: Plan{Needs: []Need{{Family: v4}}}},
		"nothing of either":      {families: both, want: Plan{Needs: []Need{{Family: v4}, {Family: v6}}}},
		"all that it needs":      {has: []Holding{had("192.0.2.1")}, want: Plan{Keep: addrs("192.0.2.1")}},
		"all, but nobody knows":  {has: []Holding{unseen("192.0.2.1")}, want: Plan{Keep: addrs("192.0.2.1")}},
		"one of two families":    {families: both, has: []Holding{had("2001:db8::1")}, want: Plan{Keep: addrs("2001:db8::1"), Needs: []Need{{Family: v4}}}},
		"one family too many":    {has: []Holding{had("192.0.2.1"), had("2001:db8::1")}, want: Plan{Keep: addrs("192.0.2.1"), GiveUp: addrs("2001:db8::1")}},
		"two, one is shown":      {has: []Holding{unseen("192.0.2.1"), had("192.0.2.2")}, want: Plan{Keep: addrs("192.0.2.2"), GiveUp: addrs("192.0.2.1")}},
		"two, the lower is kept": {has: []Holding{had("192.0.2.2"), had("192.0.2.1")}, want: Plan{Keep: addrs("192.0.2.1"), GiveUp: addrs("192.0.2.2")}},
		"one outside of its pools": {
			has:  []Holding{leaving("192.0.2.1")},
			want: Plan{Needs: []Need{{Family: v4, InsteadOf: addrs("192.0.2.1"), Rehomes: true}}},
		},
		"one outside, and its successor": {
			has:  []Holding{leaving("192.0.2.1"), unseen("192.0.2.2")},
			want: Plan{Keep: addrs("192.0.2.2"), GiveUp: addrs("192.0.2.1")},
		},
		"two outside": {
			has:  []Holding{leaving("192.0.2.1"), leaving("192.0.2.2")},
			want: Plan{Needs: []Need{{Family: v4, InsteadOf: addrs("192.0.2.1"), Rehomes: true}}, GiveUp: addrs("192.0.2.2")},
		},
		"one that it does not want": {
			has:  []Holding{unwanted("192.0.2.1")},
			want: Plan{Needs: []Need{{Family: v4, InsteadOf: addrs("192.0.2.1")}}},
		},
		"a named one": {named: addrs("192.0.2.5"), want: Plan{Needs: []Need{{Family: v4, Named: netip.MustParseAddr("192.0.2.5")}}}},
		"a named one that it has, wherever it is": {
			named: addrs("192.0.2.5"), has: []Holding{leaving("192.0.2.5")}, want: Plan{Keep: addrs("192.0.2.5")},
		},
		"another than it has": {
			named: addrs("192.0.2.5"), has: []Holding{had("192.0.2.1")},
			want: Plan{Needs: []Need{{Family: v4, Named: netip.MustParseAddr("192.0.2.5"), InsteadOf: addrs("192.0.2.1")}}},
		},
		"another, which it has, too": {
			named: addrs("192.0.2.5"), has: []Holding{had("192.0.2.1"), unseen("192.0.2.5")},
			want: Plan{Keep: addrs("192.0.2.5"), GiveUp: addrs("192.0.2.1")},
		},
		"several named ones": {
			named: addrs("192.0.2.5", "192.0.2.6"), has: []Holding{had("192.0.2.6")},
			want: Plan{Keep: addrs("192.0.2.6"), Needs: []Need{{Family: v4, Named: netip.MustParseAddr("192.0.2.5")}}},
		},
		"one named, and any of the other family": {
			families: both, named: addrs("192.0.2.5"),
			want: Plan{Needs: []Need{{Family: v4, Named: netip.MustParseAddr("192.0.2.5")}, {Family: v6}}},
		},
		"fewer named than it has": {
			named: addrs("192.0.2.5"), has: []Holding{had("192.0.2.1"), had("192.0.2.2")},
			want: Plan{
				Needs:  []Need{{Family: v4, Named: netip.MustParseAddr("192.0.2.5"), InsteadOf: addrs("192.0.2.1")}},
				GiveUp: addrs("192.0.2.2"),
			},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &Request{Families: test.families, Named: test.named}
			if r.Families == nil {
				r.Families = []corev1.IPFamily{v4}
			}
			before := slices.Clone(test.has)
			got := Make(r, test.has)
			options := cmp.Options{cmpopts.EquateEmpty(), cmp.Comparer(func(a, b netip.Addr) bool { return a == b })}
			if diff := cmp.Diff(test.want, got, options); diff != "" {
				t.Errorf("the plan is not as wanted (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(before, test.has, options); diff != "" {
				t.Errorf("what it was given has changed:\n%s", diff)
			}
			slices.Reverse(test.has)
			if diff := cmp.Diff(got, Make(r, test.has), options); diff != "" {
				t.Errorf("the order of what it has matters:\n%s", diff)
			}
		})
	}
}

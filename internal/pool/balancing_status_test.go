// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package pool

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
)

func TestStatusOfLoadBalancersCounts(t *testing.T) {
	a, b := ofTeam("a", "web"), ofTeam("b", "web")
	teamA := func(options ...any) *servicenetv1alpha1.LoadBalancerPool {
		return balancers("a", "192.0.2.0/28", append(options, forNamespaces("team", "a"))...)
	}
	for name, test := range map[string]struct {
		pools    lbPools
		services map[*Who]string
		held     string
		waiting  string
		want     string // of the first pool: used, free, held, used by others, used outside; who waits
		reason   string
	}{
		"nothing in use":       {pools: lbPools{teamA()}, want: "0 16 0 0 0 waiting 0", reason: "Available"},
		"a Service it serves":  {pools: lbPools{teamA()}, services: map[*Who]string{a: "192.0.2.1"}, want: "1 15 0 0 0 waiting 0", reason: "Available"},
		"a Service of others":  {pools: lbPools{teamA()}, services: map[*Who]string{b: "192.0.2.1"}, want: "1 15 0 1 0 waiting 0", reason: "Available"},
		"an address outside":   {pools: lbPools{teamA()}, services: map[*Who]string{a: "192.0.2.99"}, want: "0 16 0 0 1 waiting 0", reason: "Available"},
		"a shared one is once": {pools: lbPools{teamA()}, services: map[*Who]string{a: "192.0.2.1", ofTeam("a", "db"): "192.0.2.1"}, want: "1 15 0 0 0 waiting 0", reason: "Available"},
		"a kept one":           {pools: lbPools{teamA()}, held: "192.0.2.3", want: "0 15 1 0 0 waiting 0", reason: "Available"},
		"a reserved one":       {pools: lbPools{teamA(meantFor("x", "y", "192.0.2.3"))}, want: "0 15 1 0 0 waiting 0", reason: "Available"},
		"who waits":            {pools: lbPools{teamA()}, waiting: "a b a", want: "0 16 0 0 0 waiting 2", reason: "Available"},
		"nothing free": {
			pools: lbPools{balancers("a", "192.0.2.0/31")}, services: map[*Who]string{a: "192.0.2.0", b: "192.0.2.1"}, waiting: "a",
			want: "2 0 0 0 0 waiting 1", reason: "Exhausted",
		},
		"another of the same standing": {
			pools: lbPools{balancers("a", "192.0.2.0/28", younger(1)), balancers("z", "192.0.2.8/29")}, want: "0 8 0 0 0 waiting 0", reason: "Overlaps",
		},
		"nothing left": {
			pools: lbPools{balancers("a", "192.0.2.0/28"), balancers("z", "192.0.2.0/24", withPriority(1))}, want: "0 0 0 0 0 waiting 0", reason: "Overlaps",
		},
		"malformed": {pools: lbPools{balancers("a", "192.0.2.0/28 x")}, want: "0 16 0 0 0 waiting 0", reason: "Malformed"},
		"of nodes": {
			pools: lbPools{balancersOfNodes("n", "edge")}, services: map[*Who]string{a: "10.0.0.1 198.51.100.2", b: "10.0.0.1"},
			want: "2 0 0 0 0 waiting 0", reason: "Available",
		},
		"of nodes, in part": {
			pools: lbPools{balancersOfNodes("n", "edge")}, services: map[*Who]string{a: "10.0.0.1"}, want: "1 1 0 0 0 waiting 0", reason: "Available",
		},
		"of nodes, of another pool": {
			pools:    lbPools{balancersOfNodes("n", "edge"), balancersOfNodes("first", "edge", withPriority(1))},
			services: map[*Who]string{a: "10.0.0.1"}, want: "0 2 0 0 0 waiting 0", reason: "Available",
		},
		"of nodes are not outside of other pools": {
			pools: lbPools{balancers("a", "192.0.2.0/28", withPriority(1)), balancersOfNodes("n", "edge")}, services: map[*Who]string{a: "10.0.0.1"},
			want: "0 16 0 0 0 waiting 0", reason: "Available",
		},
	} {
		t.Run(name, func(t *testing.T) {
			compiled := compileBalancers(test.pools)
			tally := NewLoadBalancers(compiled, edgeNodes(), nil).Tally()
			for who, addresses := range test.services {
				tally.Set(who, addressesOf(addresses))
			}
			tally.Hold(slices.Values(addressesOf(test.held)))
			tally.Wait(strings.FieldsSeq(test.waiting))
			status, verdict := tally.Status(compiled[0])
			if got := fmt.Sprint(short(status.Families[0]), " waiting ", *status.Waiting); got != test.want || verdict.Reason != test.reason {
				t.Errorf("got %q and %s, want %q and %s", got, verdict.Reason, test.want, test.reason)
			}
		})
	}
}

func TestWhatServicesGiveUpIsNotCounted(t *testing.T) {
	compiled := compileBalancers(lbPools{balancers("p", "192.0.2.0/28 fd01::/126"), balancersOfNodes("n", "edge")})
	tally := NewLoadBalancers(compiled, edgeNodes(), nil).Tally()
	a, b := ofTeam("a", "web"), ofTeam("b", "web")
	tally.Set(a, addressesOf("192.0.2.1 fd01::1 10.0.0.1"))
	tally.Set(b, addressesOf("10.0.0.1"))
	tally.Wait(slices.Values([]string{"p"}))
	status, _ := tally.Status(compiled[0])
	if status.Total != "16/4" || status.Used != "1/1" || status.Free != "15/3" || *status.Waiting != 1 {
		t.Errorf("in use: %+v", status)
	}
	tally.Set(a, nil)
	tally.Wait(slices.Values([]string(nil)))
	status, _ = tally.Status(compiled[0])
	if status.Used != "0/0" || *status.Waiting != 0 {
		t.Errorf("given up: %+v", status)
	}
	status, _ = tally.Status(compiled[1])
	if status.Used != "1/0" {
		t.Errorf("of nodes, one still has it: %+v", status)
	}
	tally.Set(b, nil)
	if status, _ = tally.Status(compiled[1]); status.Used != "0/0" {
		t.Errorf("of nodes, given up: %+v", status)
	}
	if tally.Of() == nil {
		t.Error("the tally does not know what it is of")
	}
}

func TestPoolsWithoutNodesSaySo(t *testing.T) {
	compiled := compileBalancers(lbPools{balancersOfNodes("n", "none")})
	l := NewLoadBalancers(compiled, edgeNodes(), nil)
	status, verdict := l.Tally().Status(compiled[0])
	if verdict.Ready || verdict.Reason != servicenetv1alpha1.ReasonNoNodeAddresses || len(status.Families) != 0 {
		t.Errorf("verdict %+v, status %+v", verdict, status)
	}
}

func TestOverlapsOfLoadBalancersAreFoundFromBothSides(t *testing.T) {
	compiled := compileBalancers(lbPools{
		balancers("old", "192.0.2.0/24 fd00::/120"), balancers("new", "192.0.2.128/25 fd00::80/121", younger(1)),
		balancers("first", "192.0.2.0/28", withPriority(1)), balancers("apart", "198.51.100.0/24"),
	})
	l := NewLoadBalancers(compiled, nil, nil)
	for i, want := range [][]string{
		{"192.0.2.128/25: the pool new has it, too", "fd00::80/121: the pool new has it, too"},
		{"192.0.2.128/25: the pool old has it, too", "fd00::80/121: the pool old has it, too"},
		nil, nil,
	} {
		if diff := cmp.Diff(want, l.Overlaps(compiled[i])); diff != "" {
			t.Errorf("%s (-want +got):\n%s", compiled[i].Name, diff)
		}
	}
	if verdict := l.Judge(compiled[0]); !verdict.Ready {
		t.Errorf("the older pool says %+v", verdict)
	}
	if verdict := l.Judge(compiled[1]); verdict.Reason != servicenetv1alpha1.ReasonOverlaps {
		t.Errorf("the younger pool says %+v", verdict)
	}
}

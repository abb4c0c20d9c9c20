// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package pool

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
)

func addressesOf(text string) []netip.Addr {
	var all []netip.Addr
	for word := range strings.FieldsSeq(text) {
		all = append(all, netip.MustParseAddr(word))
	}
	return all
}

// ofTeam is a Service in a namespace of a team.
func ofTeam(team, name string) *Who {
	return &Who{Namespace: "of-" + team, Name: name, NamespaceLabels: map[string]string{"team": team}}
}

// in short: used, free, held, used by others, used outside.
func short(u servicenetv1alpha1.AddressUsage) string {
	return strings.Join([]string{u.Used, u.Free, u.Held, u.UsedByOthers, u.UsedOutside}, " ")
}

func TestStatusCounts(t *testing.T) {
	a, b := ofTeam("a", "web"), ofTeam("b", "web")
	teamA := func(options ...any) *servicenetv1alpha1.ClusterIPPool {
		return makePool("a", "10.96.5.0/28", append(options, forNamespaces("team", "a"))...)
	}
	for name, test := range map[string]struct {
		pools    []*servicenetv1alpha1.ClusterIPPool
		services map[*Who]string
		held     string
		want     string // of the first pool
	}{
		"nothing in use":           {pools: pools(teamA()), want: "0 16 0 0 0"},
		"a Service it serves":      {pools: pools(teamA()), services: map[*Who]string{a: "10.96.5.1"}, want: "1 15 0 0 0"},
		"a Service of others":      {pools: pools(teamA()), services: map[*Who]string{b: "10.96.5.1"}, want: "1 15 0 1 0"},
		"a number outside":         {pools: pools(teamA()), services: map[*Who]string{a: "10.96.9.9"}, want: "0 16 0 0 1"},
		"outside of other pools":   {pools: pools(teamA()), services: map[*Who]string{b: "10.96.9.9"}, want: "0 16 0 0 0"},
		"outside every ServiceIPs": {pools: pools(teamA()), services: map[*Who]string{a: "192.0.2.1"}, want: "0 16 0 0 1"},
		"two Services, one number": {
			pools: pools(teamA()), services: map[*Who]string{a: "10.96.5.1", ofTeam("a", "db"): "10.96.5.1"}, want: "1 15 0 0 0",
		},
		"lent or kept":          {pools: pools(teamA()), held: "10.96.5.3 10.96.9.9", want: "0 15 1 0 0"},
		"lent, and seen in use": {pools: pools(teamA()), services: map[*Who]string{a: "10.96.5.3"}, held: "10.96.5.3", want: "1 15 0 0 0"},
		"reserved":              {pools: pools(teamA(reserving("x", "y", "10.96.5.2"))), want: "0 15 1 0 0"},
		"reserved and held":     {pools: pools(teamA(reserving("x", "y", "10.96.5.2"))), held: "10.96.5.2", want: "0 15 1 0 0"},
		"reserved and used by whom it is for, whatever the selectors": {
			pools:    pools(teamA(reserving("of-b", "web", "10.96.5.2")), makePool("b", "10.96.6.0/28", forNamespaces("team", "b"))),
			services: map[*Who]string{b: "10.96.5.2"}, want: "1 15 0 0 0",
		},
		"reserved and used by another": {
			pools: pools(teamA(reserving("x", "y", "10.96.5.2"))), services: map[*Who]string{a: "10.96.5.2"}, want: "1 15 0 0 0",
		},
		"reserved for another of the namespace": {
			pools:    pools(teamA(reserving("of-b", "db", "10.96.5.2"))),
			services: map[*Who]string{b: "10.96.5.2"}, want: "1 15 0 1 0",
		},
		"excluded": {pools: pools(teamA(excluding("10.96.5.1"))), services: map[*Who]string{a: "10.96.5.1"}, want: "0 15 0 0 1"},
		"another's, that goes first": {
			pools:    pools(teamA(), makePool("first", "10.96.5.0/29", withPriority(1))),
			services: map[*Who]string{a: "10.96.5.1"}, want: "0 8 0 0 0",
		},
		"outside counts in the pool that goes first": {
			pools:    pools(teamA(withPriority(1)), makePool("all", "10.96.7.0/28")),
			services: map[*Who]string{a: "10.96.9.9"}, want: "0 16 0 0 1",
		},
		"in the next pool that serves it": {
			pools:    pools(teamA(withPriority(1)), makePool("all", "10.96.7.0/28")),
			services: map[*Who]string{a: "10.96.7.9"}, want: "0 16 0 0 0",
		},
		"its own, but of no ServiceCIDR, as of one that is being deleted": {
			pools: pools(makePool("a", "10.96.5.0/28 10.200.0.0/28", forNamespaces("team", "a"))), services: map[*Who]string{a: "10.200.0.1"},
			held: "10.200.0.3", want: "0 16 0 0 0",
		},
		"malformed": {
			pools: pools(teamA(reserving("x", "y", "192.0.2.1"))), services: map[*Who]string{a: "10.96.5.1"}, want: "1 15 0 1 0",
		},
	} {
		t.Run(name, func(t *testing.T) {
			compiled := compileAll(test.pools)
			tally := NewClusterIPs(compiled, dualStack(), noon(), nil).Tally()
			for who, addresses := range test.services {
				tally.Set(who, addressesOf(addresses))
			}
			tally.Hold(slices.Values(addressesOf(test.held)))
			status, _ := tally.Status(compiled[0])
			if len(status.Families) != 1 {
				t.Fatalf("families %v, want IPv4", status.Families)
			}
			if got := short(status.Families[0]); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func pools(all ...*servicenetv1alpha1.ClusterIPPool) []*servicenetv1alpha1.ClusterIPPool {
	return all
}

func TestStatusOfBothFamilies(t *testing.T) {
	compiled := compileAll(pools(makePool("both", "10.96.5.0/30 fd00::100/126")))
	tally := NewClusterIPs(compiled, dualStack(), noon(), nil).Tally()
	tally.Set(ofTeam("a", "web"), addressesOf("10.96.5.0 fd00::100"))
	status, verdict := tally.Status(compiled[0])
	want := servicenetv1alpha1.ClusterIPPoolStatus{
		Total: "4/4", Used: "1/1", Free: "3/3",
		Families: []servicenetv1alpha1.AddressUsage{
			{Family: "IPv4", Capacity: "4", Used: "1", Free: "3", Held: "0", UsedByOthers: "0", UsedOutside: "0"},
			{Family: "IPv6", Capacity: "4", Used: "1", Free: "3", Held: "0", UsedByOthers: "0", UsedOutside: "0"},
		},
	}
	if diff := cmp.Diff(want, status); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
	if !verdict.Ready {
		t.Errorf("verdict %v", verdict)
	}
	for i := range 3 {
		tally.Set(ofTeam("a", strconv.Itoa(i)), addressesOf(fmt.Sprintf("fd00::10%d", i+1)))
	}
	if _, verdict := tally.Status(compiled[0]); verdict.Reason != servicenetv1alpha1.ReasonExhausted {
		t.Errorf("verdict %v, want exhausted", verdict)
	}
}

func TestWhatWasHeldAndIsNoMoreIsFree(t *testing.T) {
	compiled := compileAll(pools(makePool("a", "10.96.5.0/28")))
	tally := NewClusterIPs(compiled, dualStack(), noon(), nil).Tally()
	tally.Hold(slices.Values(addressesOf("10.96.5.1 10.96.5.2")))
	tally.Hold(slices.Values(addressesOf("10.96.5.2")))
	status, _ := tally.Status(compiled[0])
	if got, want := short(status.Families[0]), "0 15 1 0 0"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestStatusOfPorts(t *testing.T) {
	object := makePorts("a", 31000, 31009, forNamespaces("team", "a"))
	object.Spec.Reservations = []servicenetv1alpha1.PortReservation{{Namespace: "x", Name: "y", HealthCheckNodePort: 31009}}
	compiled := CompileNodePortPool(object)
	tally := NewNodePorts([]*NodePortPool{compiled}, defaultPorts(t), nil).Tally()
	tally.Set(ofTeam("a", "web"), []Port{31000, 32000})
	tally.Set(ofTeam("b", "web"), []Port{31001})
	tally.Hold(slices.Values([]Port{31002}))
	status, verdict := tally.Status(compiled)
	want := servicenetv1alpha1.NodePortPoolStatus{
		Capacity: new(int32(10)), Used: new(int32(2)), Free: new(int32(6)), Held: new(int32(2)),
		UsedByOthers: new(int32(1)), UsedOutside: new(int32(1)),
	}
	if diff := cmp.Diff(want, status); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
	if !verdict.Ready {
		t.Errorf("verdict %v", verdict)
	}
}

// What Services have is counted one change at a time; it must come to the same as
// counting all anew.
func TestTallyIsThatOfTheServicesWhateverCameBefore(t *testing.T) {
	compiled := compileAll(pools(
		makePool("a", "10.96.5.0/28 fd00::100/124", forNamespaces("team", "a"), reserving("of-b", "s1", "10.96.5.3")),
		makePool("b", "10.96.5.8/29", forNamespaces("team", "b"), isExclusive()),
		makePool("all", "10.96.4.0/23", withPriority(-1), excluding("10.96.4.0/25")),
	))
	clusterIPs := NewClusterIPs(compiled, dualStack(), noon(), nil)
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 1))
		tally := clusterIPs.Tally()
		services := map[string]func(*AddressTally){}
		for range 60 {
			who := ofTeam([]string{"a", "b", "c"}[rng.IntN(3)], fmt.Sprintf("s%d", rng.IntN(5)))
			var addresses []netip.Addr
			for range rng.IntN(3) {
				addresses = append(addresses, netip.MustParseAddr(fmt.Sprintf("10.96.%d.%d", 4+rng.IntN(2), rng.IntN(20))))
			}
			slices.SortFunc(addresses, netip.Addr.Compare)
			addresses = slices.Compact(addresses)
			set := func(tally *AddressTally) { tally.Set(who, addresses) }
			set(tally)
			services[who.Namespace+"/"+who.Name] = set
		}
		anew := clusterIPs.Tally()
		for _, set := range services {
			set(anew)
		}
		for _, p := range compiled {
			want, _ := anew.Status(p)
			got, _ := tally.Status(p)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("seed %d, pool %s (-anew +got):\n%s", seed, p.Name, diff)
			}
		}
	}
}

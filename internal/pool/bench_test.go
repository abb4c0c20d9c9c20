// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package pool

import (
	"fmt"
	"net/netip"
	"strconv"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
)

// thousandPools returns pools of 32 addresses each, with a selector for the i-th.
func thousandPools(options func(i int) []any) []*servicenetv1alpha1.ClusterIPPool {
	var pools []*servicenetv1alpha1.ClusterIPPool
	for i := range 1000 {
		name, cidrs := fmt.Sprintf("pool-%d", i), fmt.Sprintf("10.96.%d.%d/27 fd00::%x/123", i/8, i%8*32, i*32)
		pools = append(pools, makePool(name, cidrs, options(i)...))
	}
	return pools
}

// What the choice for one dual-stack Service costs beside 1,000 pools.
func BenchmarkChoose(b *testing.B) {
	for _, bench := range []struct {
		name    string
		options func(i int) []any
		named   string
	}{
		{name: "a pool for each team", options: func(i int) []any { return []any{forNamespaces("team", strconv.Itoa(i)), isExclusive()} }},
		{name: "two pools for each team", options: func(i int) []any { return []any{forNamespaces("team", strconv.Itoa(i%500))} }},
		{name: "a pool for each Service", options: func(i int) []any { return []any{forServices("id", strconv.Itoa(i))} }},
		{name: "pools that shut out others", options: func(int) []any {
			return []any{withExpression("team", metav1.LabelSelectorOpNotIn, "7")}
		}},
		{name: "pools for all", options: func(int) []any { return nil }},
		{name: "named", named: "10.96.0.230", options: func(i int) []any { return []any{forNamespaces("team", strconv.Itoa(i))} }},
	} {
		b.Run(bench.name, func(b *testing.B) {
			numbers := newClusterIPs(dualStack(), thousandPools(bench.options)...)
			who := shopWeb()
			who.NamespaceLabels["team"], who.ServiceLabels["id"] = "7", "7"
			needs := []Need{{Family: corev1.IPv4Protocol}, {Index: 1, Family: corev1.IPv6Protocol}}
			if bench.named != "" {
				needs[0].Address = netip.MustParseAddr(bench.named)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, faults := numbers.Choose(who, needs, nil); len(faults) > 0 && bench.name != "pools that shut out others" {
					b.Fatal(faults)
				}
			}
		})
	}
}

// What it costs to take up the change of one of 1,000 pools.
func BenchmarkNewClusterIPs(b *testing.B) {
	compiled := compileAll(thousandPools(func(i int) []any { return []any{forNamespaces("team", strconv.Itoa(i))} }))
	numbers := NewClusterIPs(compiled, dualStack(), noon(), nil)
	b.ReportAllocs()
	for b.Loop() {
		numbers = NewClusterIPs(compiled, dualStack(), noon(), numbers)
	}
}

// What it costs to say how pools stand: 20,000 Services of which one changes, and
// 300 pools for teams.
func BenchmarkStatus(b *testing.B) {
	var objects []*servicenetv1alpha1.ClusterIPPool
	for i := range 300 {
		objects = append(objects, makePool(fmt.Sprintf("pool-%d", i), fmt.Sprintf("10.96.%d.%d/25", i/2, i%2*128), forNamespaces("team", strconv.Itoa(i))))
	}
	compiled := compileAll(objects)
	clusterIPs := NewClusterIPs(compiled, dualStack(), noon(), nil)
	service := func(i int) (*Who, []netip.Addr) {
		who := ofTeam(strconv.Itoa(i%300), strconv.Itoa(i))
		return who, []netip.Addr{netip.MustParseAddr(fmt.Sprintf("10.96.%d.%d", i%150, i/150))}
	}
	countAll := func() *AddressTally {
		tally := clusterIPs.Tally()
		for i := range 20000 {
			tally.Set(service(i))
		}
		return tally
	}
	b.Run("count all", func(b *testing.B) {
		for b.Loop() {
			countAll()
		}
	})
	tally := countAll()
	b.Run("count one Service", func(b *testing.B) {
		for b.Loop() {
			tally.Set(service(7))
		}
	})
	b.Run("all statuses", func(b *testing.B) {
		for b.Loop() {
			for _, p := range compiled {
				tally.Status(p)
			}
		}
	})
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package pool

import (
	"fmt"
	"net/netip"
	"strconv"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// thousandBalancers returns compiled pools of 32 addresses of both families each, with
// options for the i-th.
func thousandBalancers(options func(i int) []any) []*LoadBalancerPool {
	var pools lbPools
	for i := range 1000 {
		addresses := fmt.Sprintf("192.%d.%d.0/27 fd00::%x/123", i/256, i%256, i*32)
		pools = append(pools, balancers(fmt.Sprintf("pool-%d", i), addresses, options(i)...))
	}
	return compileBalancers(pools)
}

// What the choice of addresses of both families for one Service costs beside 1,000
// pools, and whether it keeps one.
func BenchmarkBalancing(b *testing.B) {
	for _, bench := range []struct {
		name    string
		options func(i int) []any
		of      string
		named   string
	}{
		{name: "a pool for each team", options: func(i int) []any { return []any{forNamespaces("team", strconv.Itoa(i)), isExclusive()} }},
		{name: "pools for all", options: func(int) []any { return nil }},
		{name: "one of them by its name", of: "pool-7", options: func(int) []any { return nil }},
		{name: "named", named: "192.0.7.3", options: func(i int) []any { return []any{forNamespaces("team", strconv.Itoa(i))} }},
	} {
		b.Run(bench.name, func(b *testing.B) {
			l := NewLoadBalancers(thousandBalancers(bench.options), nil, nil)
			who := shopWeb()
			who.NamespaceLabels["team"] = "7"
			needs := []Need{{Family: corev1.IPv4Protocol}, {Index: 1, Family: corev1.IPv6Protocol}}
			if bench.named != "" {
				needs[0].Address = netip.MustParseAddr(bench.named)
			}
			b.ReportAllocs()
			for b.Loop() {
				choices := l.Choose(who, bench.of, needs, nil)
				if choices[0].Refusal != nil || choices[1].Refusal != nil {
					b.Fatal(choices)
				}
				for range choices[0].Candidates {
					break
				}
			}
		})
	}
	b.Run("keeps", func(b *testing.B) {
		l := NewLoadBalancers(thousandBalancers(func(i int) []any { return []any{forNamespaces("team", strconv.Itoa(i))} }), nil, nil)
		who, address := shopWeb(), netip.MustParseAddr("192.0.7.3")
		who.NamespaceLabels["team"] = "7"
		b.ReportAllocs()
		for b.Loop() {
			if standing, _ := l.Keeps(who, "", address); standing != Fits {
				b.Fatal(standing)
			}
		}
	})
}

// What it costs to take up the change of one of 1,000 pools.
func BenchmarkNewLoadBalancers(b *testing.B) {
	compiled := thousandBalancers(func(i int) []any { return []any{forNamespaces("team", strconv.Itoa(i))} })
	l := NewLoadBalancers(compiled, nil, nil)
	b.ReportAllocs()
	for b.Loop() {
		l = NewLoadBalancers(compiled, nil, l)
	}
}

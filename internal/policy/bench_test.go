// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"fmt"
	"testing"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/pool"
)

// manyAddresses are a thousand exclusive pools of teams, of both families.
func manyAddresses() *pool.ClusterIPs {
	var pools []*servicenetv1alpha1.ClusterIPPool
	for i := range 1000 {
		pools = append(pools, addressPool(fmt.Sprintf("team-%04d", i), fmt.Sprintf("team-%04d", i),
			fmt.Sprintf("10.%d.%d.0/24 fd00:%x::/112", i/256, i%256, i+1)))
	}
	return clusterIPs(pools...)
}

func onePool() *pool.ClusterIPs {
	return clusterIPs(addressPool("shop", "a", "10.0.0.0/24 fd00:1::/112"))
}

// manyPorts are as many exclusive pools of two ports.
func manyPorts(tb testing.TB) *pool.NodePorts {
	tb.Helper()
	var pools []*servicenetv1alpha1.NodePortPool
	for i := range int32(1000) {
		first := 30001 + 2*i
		pools = append(pools, portPool(fmt.Sprintf("team-%04d", i), fmt.Sprintf("team-%04d", i), first, first+1))
	}
	return nodePorts(tb, pools...)
}

func TestAThousandPoolsFit(t *testing.T) {
	t.Parallel()
	addresses := ForClusterIPs(manyAddresses())
	ports := ForNodePorts(manyPorts(t), cluster(t))
	if len(addresses.Left)+len(ports.Left) > 0 {
		t.Errorf("left: %d and %d pools", len(addresses.Left), len(ports.Left))
	}
	t.Logf("addresses: %s; ports: %s", describe(addresses), describe(ports))
	ofAddresses, ofPorts := newJudge(t, addresses), newJudge(t, ports)
	for _, i := range []int32{0, 499, 999} {
		team := fmt.Sprintf("team-%04d", i)
		address := service(fmt.Sprintf("10.%d.%d.9", i/256, i%256), fmt.Sprintf("fd00:%x::9", i+1))
		port := withPorts(30001 + 2*i)
		if ofAddresses.refuses(t, from(team, address)) || ofPorts.refuses(t, from(team, port)) {
			t.Errorf("%s is refused its own", team)
		}
		if !ofAddresses.refuses(t, from("stranger", address)) || !ofPorts.refuses(t, from("stranger", port)) {
			t.Errorf("what is of %s goes to others", team)
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	for name, addresses := range map[string]*pool.ClusterIPs{"1 pool": onePool(), "1000 pools": manyAddresses()} {
		b.Run(name, func(b *testing.B) {
			set := ForClusterIPs(addresses)
			b.ReportMetric(float64(expressionBytes(set)), "bytes")
			for b.Loop() {
				newJudge(b, set)
			}
		})
	}
}

func BenchmarkMake(b *testing.B) {
	addresses := manyAddresses()
	for b.Loop() {
		ForClusterIPs(addresses)
	}
}

func BenchmarkJudge(b *testing.B) {
	for name, addresses := range map[string]*pool.ClusterIPs{"1 pool": onePool(), "1000 pools": manyAddresses()} {
		b.Run(name, func(b *testing.B) {
			j := newJudge(b, ForClusterIPs(addresses))
			a := from("team-0000", service("10.0.0.9", "fd00:1::9"))
			for b.Loop() {
				j.refusals(b, a)
			}
		})
	}
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"fmt"
	"net/netip"
	"strconv"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/ledger"
	"servicenet.dev/servicenet/internal/pool"
	"servicenet.dev/servicenet/test/badinput"
)

// thousandPools returns a cluster with 1,000 pools of both families and of ports.
func thousandPools(b *testing.B, policy func(i int) *metav1.LabelSelector) *Cluster {
	b.Helper()
	var addresses []*pool.ClusterIPPool
	var ports []*pool.NodePortPool
	for i := range 1000 {
		name := fmt.Sprintf("pool-%d", i)
		a := makeAddresses([]string{fmt.Sprintf("10.96.%d.%d/27", i/8, i%8*32), fmt.Sprintf("fd00::%x/123", i*32)})
		p := makeRanges([]portRange{{First: int32(30000 + 2*i), Last: int32(30001 + 2*i)}})
		a.Name, p.Name = name, name
		a.Spec.NamespaceSelector, p.Spec.NamespaceSelector = policy(i), policy(i)
		addresses = append(addresses, pool.CompileClusterIPPool(a))
		ports = append(ports, pool.CompileNodePortPool(p))
	}
	return &Cluster{
		Families:   pool.Cluster{Primary: v4, DualStack: true},
		ClusterIPs: pool.NewClusterIPs(addresses, cidrs(true), noon(), nil),
		NodePorts:  pool.NewNodePorts(ports, clusterPorts(b), nil),
	}
}

// What it costs to decide on a dual-stack LoadBalancer with three ports and a health
// check, and to patch it, beside 1,000 pools of addresses and as many of ports.
func BenchmarkPlan(b *testing.B) {
	forTeam := func(i int) *metav1.LabelSelector {
		return &metav1.LabelSelector{MatchLabels: map[string]string{"team": strconv.Itoa(i)}}
	}
	for name, policy := range map[string]func(int) *metav1.LabelSelector{
		"a pool for each team": forTeam,
		"pools for all":        func(int) *metav1.LabelSelector { return nil },
	} {
		cluster := thousandPools(b, policy)
		for kind, service := range map[string]*corev1.Service{
			"a ClusterIP": badinput.Make("free", "web", clusterIP),
			"a dual-stack LoadBalancer": badinput.Make("free", "web", loadBalancer, badinput.Policy(require), badinput.HTTP(0),
				badinput.Port("https", 443, tcp, 0), badinput.Port("admin", 8080, tcp, 0), badinput.Local(0)),
		} {
			b.Run(kind+", "+name, func(b *testing.B) {
				r := ask(service, nil)
				r.NamespaceLabels = map[string]string{"team": "7"}
				b.ReportAllocs()
				for b.Loop() {
					plan, faults := Decide(cluster, r)
					if len(faults) > 0 {
						b.Fatal(faults)
					}
					places, faults, err := plan.Fulfil(func(t *Take, _ *Candidate) (ledger.Place, error) {
						switch t.Family {
						case servicenetv1alpha1.ClusterIPv4:
							return ledger.Address(t.Family, netip.AddrFrom4([4]byte{10, 96, 0, 225})), nil
						case servicenetv1alpha1.ClusterIPv6:
							return ledger.Address(t.Family, netip.IPv6LinkLocalAllNodes()), nil
						default:
							return ledger.Port(30015), nil
						}
					})
					if err != nil || len(faults) > 0 || len(plan.Patch(places)) == 0 {
						b.Fatal(faults, err)
					}
				}
			})
		}
	}
}

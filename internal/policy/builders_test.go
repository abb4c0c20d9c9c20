// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/allocator"
	"servicenet.dev/servicenet/internal/pool"
)

func noon() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

// addressPool returns an exclusive pool for the namespaces of a team.
func addressPool(name, team, cidrs string) *servicenetv1alpha1.ClusterIPPool {
	p := &servicenetv1alpha1.ClusterIPPool{ObjectMeta: metav1.ObjectMeta{Name: name}}
	p.Spec.CIDRs = strings.Fields(cidrs)
	p.Spec.PoolPolicy = exclusiveFor(team)
	return p
}

// portPool likewise.
func portPool(name, team string, first, last int32) *servicenetv1alpha1.NodePortPool {
	p := &servicenetv1alpha1.NodePortPool{ObjectMeta: metav1.ObjectMeta{Name: name}}
	p.Spec.Ranges = []servicenetv1alpha1.PortRange{{First: first, Last: last}}
	p.Spec.PoolPolicy = exclusiveFor(team)
	return p
}

func exclusiveFor(team string) servicenetv1alpha1.PoolPolicy {
	return servicenetv1alpha1.PoolPolicy{
		Exclusive:         true,
		NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"team": team}},
	}
}

// everything is ServiceCIDRs that have the addresses of the tests.
func everything() []pool.ServiceCIDR {
	return []pool.ServiceCIDR{
		{Prefix: netip.MustParsePrefix("10.0.0.0/8"), Ready: true}, {Prefix: netip.MustParsePrefix("fd00::/64"), Ready: true},
	}
}

func clusterIPs(pools ...*servicenetv1alpha1.ClusterIPPool) *pool.ClusterIPs {
	var compiled []*pool.ClusterIPPool
	for _, p := range pools {
		compiled = append(compiled, pool.CompileClusterIPPool(p))
	}
	return pool.NewClusterIPs(compiled, everything(), noon(), nil)
}

func cluster(tb testing.TB) allocator.PortSpan {
	tb.Helper()
	span, err := allocator.Ports(30000, 32767)
	if err != nil {
		tb.Fatal(err)
	}
	return span
}

func nodePorts(tb testing.TB, pools ...*servicenetv1alpha1.NodePortPool) *pool.NodePorts {
	tb.Helper()
	var compiled []*pool.NodePortPool
	for _, p := range pools {
		compiled = append(compiled, pool.CompileNodePortPool(p))
	}
	return pool.NewNodePorts(compiled, cluster(tb), nil)
}

// service returns the Service shop/web with addresses.
func service(addresses ...string) *corev1.Service {
	s := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web", Labels: map[string]string{"tier": "front"}}}
	s.Spec.Type = corev1.ServiceTypeClusterIP
	s.Spec.ClusterIPs = addresses
	if len(addresses) > 0 {
		s.Spec.ClusterIP = addresses[0]
	}
	return s
}

// withPorts returns the Service shop/web with node ports.
func withPorts(ports ...int32) *corev1.Service {
	s := service("10.0.0.1")
	s.Spec.Type = corev1.ServiceTypeNodePort
	for i, port := range ports {
		s.Spec.Ports = append(s.Spec.Ports, corev1.ServicePort{Name: fmt.Sprint("p", i), Port: int32(80 + i), NodePort: port})
	}
	return s
}

// ofType changes the type of a Service.
func ofType(of corev1.ServiceType, s *corev1.Service) *corev1.Service {
	s.Spec.Type = of
	return s
}

// from is a request to create a Service in a namespace of a team.
func from(team string, s *corev1.Service) attempt {
	return attempt{service: s, labels: map[string]string{"team": team, corev1.LabelMetadataName: "shop"}, user: "somebody"}
}

// to is a request to change one.
func to(a attempt, old *corev1.Service) attempt {
	a.old = old
	return a
}

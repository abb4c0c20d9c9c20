// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package pool

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/allocator"
)

// noon is the time of all tests. Pools are a day old, unless they say otherwise.
func noon() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

type poolOption func(*servicenetv1alpha1.PoolPolicy, *metav1.ObjectMeta)

// makePool returns a pool of addresses.
func makePool(name, cidrs string, options ...any) *servicenetv1alpha1.ClusterIPPool {
	p := &servicenetv1alpha1.ClusterIPPool{ObjectMeta: metav1.ObjectMeta{Name: name}}
	p.CreationTimestamp.Time = noon().Add(-24 * time.Hour)
	p.Spec.CIDRs = strings.Fields(cidrs)
	for _, option := range options {
		switch option := option.(type) {
		case poolOption:
			option(&p.Spec.PoolPolicy, &p.ObjectMeta)
		case func(*servicenetv1alpha1.ClusterIPPoolSpec):
			option(&p.Spec)
		}
	}
	return p
}

// makePorts returns a pool of ports.
func makePorts(name string, first, last int32, options ...any) *servicenetv1alpha1.NodePortPool {
	p := &servicenetv1alpha1.NodePortPool{ObjectMeta: metav1.ObjectMeta{Name: name}}
	p.CreationTimestamp.Time = noon().Add(-24 * time.Hour)
	p.Spec.Ranges = []servicenetv1alpha1.PortRange{{First: first, Last: last}}
	for _, option := range options {
		switch option := option.(type) {
		case poolOption:
			option(&p.Spec.PoolPolicy, &p.ObjectMeta)
		case func(*servicenetv1alpha1.NodePortPoolSpec):
			option(&p.Spec)
		}
	}
	return p
}

func forNamespaces(key, value string) poolOption {
	return func(p *servicenetv1alpha1.PoolPolicy, _ *metav1.ObjectMeta) {
		p.NamespaceSelector = &metav1.LabelSelector{MatchLabels: map[string]string{key: value}}
	}
}

func forServices(key, value string) poolOption {
	return func(p *servicenetv1alpha1.PoolPolicy, _ *metav1.ObjectMeta) {
		p.ServiceSelector = &metav1.LabelSelector{MatchLabels: map[string]string{key: value}}
	}
}

func withExpression(key string, operator metav1.LabelSelectorOperator, values ...string) poolOption {
	return func(p *servicenetv1alpha1.PoolPolicy, _ *metav1.ObjectMeta) {
		p.NamespaceSelector = &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{
			Key: key, Operator: operator, Values: values,
		}}}
	}
}

func withPriority(priority int32) poolOption {
	return func(p *servicenetv1alpha1.PoolPolicy, _ *metav1.ObjectMeta) { p.Priority = priority }
}

func isExclusive() poolOption {
	return func(p *servicenetv1alpha1.PoolPolicy, _ *metav1.ObjectMeta) { p.Exclusive = true }
}

// younger makes a pool that many hours younger than others.
func younger(hours int) poolOption {
	return func(_ *servicenetv1alpha1.PoolPolicy, meta *metav1.ObjectMeta) {
		meta.CreationTimestamp.Time = meta.CreationTimestamp.Add(time.Duration(hours) * time.Hour)
	}
}

func excluding(list ...string) func(*servicenetv1alpha1.ClusterIPPoolSpec) {
	return func(s *servicenetv1alpha1.ClusterIPPoolSpec) { s.Exclusions = list }
}

func reserving(namespace, name string, addresses ...string) func(*servicenetv1alpha1.ClusterIPPoolSpec) {
	return func(s *servicenetv1alpha1.ClusterIPPoolSpec) {
		s.Reservations = append(s.Reservations, servicenetv1alpha1.AddressReservation{
			Namespace: namespace, Name: name, Addresses: addresses,
		})
	}
}

// cidr returns a ServiceCIDR that has been ready for a long time.
func cidr(text string) ServiceCIDR {
	return ServiceCIDR{Prefix: netip.MustParsePrefix(text), Ready: true}
}

// cidrSince returns one that has been ready for a time.
func cidrSince(text string, age time.Duration) ServiceCIDR {
	return ServiceCIDR{Prefix: netip.MustParsePrefix(text), Ready: true, Since: noon().Add(-age)}
}

// expectedSince returns one that a pool has been about to make for a time.
func expectedSince(text string, age time.Duration) ServiceCIDR {
	return ServiceCIDR{Prefix: netip.MustParsePrefix(text), Expected: true, Since: noon().Add(-age)}
}

func notReady(text string) ServiceCIDR { return ServiceCIDR{Prefix: netip.MustParsePrefix(text)} }

// dualStack is what the API servers of most tests have.
func dualStack() []ServiceCIDR { return []ServiceCIDR{cidr("10.96.0.0/16"), cidr("fd00::/112")} }

func compileAll(pools []*servicenetv1alpha1.ClusterIPPool) []*ClusterIPPool {
	compiled := make([]*ClusterIPPool, len(pools))
	for i, p := range pools {
		compiled[i] = CompileClusterIPPool(p)
	}
	return compiled
}

func newClusterIPs(cidrs []ServiceCIDR, pools ...*servicenetv1alpha1.ClusterIPPool) *ClusterIPs {
	return NewClusterIPs(compileAll(pools), cidrs, noon(), nil)
}

// defaultPorts is the range of the API server's default.
func defaultPorts(t *testing.T) allocator.PortSpan {
	t.Helper()
	span, err := allocator.Ports(30000, 32767)
	if err != nil {
		t.Fatal(err)
	}
	return span
}

func newNodePorts(t *testing.T, pools ...*servicenetv1alpha1.NodePortPool) *NodePorts {
	t.Helper()
	compiled := make([]*NodePortPool, len(pools))
	for i, p := range pools {
		compiled[i] = CompileNodePortPool(p)
	}
	return NewNodePorts(compiled, defaultPorts(t), nil)
}

// shopWeb asks for most tests: the Service web of the namespace shop, of team a.
func shopWeb() *Who {
	return &Who{
		Namespace: "shop", Name: "web",
		NamespaceLabels: map[string]string{"team": "a", corev1.LabelMetadataName: "shop"},
		ServiceLabels:   map[string]string{"tier": "front"},
	}
}

// classOf returns what an address is to a Range.
func classOf(r *allocator.Range, address string) allocator.Class {
	block, number := allocator.Locate(netip.MustParseAddr(address))
	return r.ClassOf(block, number)
}

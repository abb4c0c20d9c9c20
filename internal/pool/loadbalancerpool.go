// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package pool

import (
	"cmp"
	"fmt"
	"net/netip"
	"strings"

	corev1 "k8s.io/api/core/v1"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/allocator"
)

// LoadBalancerPool is a compiled one. It never changes: compile a pool anew when its
// generation changes.
type LoadBalancerPool struct {
	*Pool
	tracts
	// IPMode is what the status of Services says of addresses of the pool.
	IPMode corev1.LoadBalancerIPMode
	// AutoAssign tells whether Services get addresses of the pool without asking for
	// it.
	AutoAssign bool
	// Rehomes tells whether Services that the pool serves get another address when
	// theirs is in no pool any more that serves them.
	Rehomes bool

	// nodes is which nodes' addresses the pool has; nil if it has some of its own.
	nodes *nodePicker
}

// CompileLoadBalancerPool compiles a pool. What is wrong with it is in its Faults.
func CompileLoadBalancerPool(object *servicenetv1alpha1.LoadBalancerPool) *LoadBalancerPool {
	spec := &object.Spec
	p := newPool(&object.ObjectMeta, &spec.PoolPolicy)
	compiled := &LoadBalancerPool{
		Pool: p, tracts: newTracts(p),
		IPMode:     corev1.LoadBalancerIPMode(cmp.Or(spec.IPMode, servicenetv1alpha1.IPModeVIP)),
		AutoAssign: spec.AutoAssign == nil || *spec.AutoAssign,
		Rehomes:    spec.OnShrink == servicenetv1alpha1.ShrinkRehome,
	}
	if (spec.NodeSelector == nil) == (len(spec.Addresses) == 0) {
		p.faultf("addresses: a pool needs either addresses or a nodeSelector")
	}
	if spec.NodeSelector != nil {
		compiled.nodes = newNodePicker(p, spec)
		return compiled
	}
	excluded := p.exclusions(spec.Exclusions)
	for _, text := range spec.Addresses {
		within, err := parseStretch(text)
		if err != nil {
			p.faultf("addresses: %v", err)
			continue
		}
		// Without a static band: what is to be given on request, reservations and
		// autoAssign say.
		family := familyOf(within.first)
		compiled.tract(family).bands = append(compiled.tract(family).bands, band[netip.Addr]{span: within})
		if spec.AvoidNetworkAndBroadcast {
			excluded[family] = append(excluded[family], singles(Edges([]string{text}))...)
		}
	}
	compiled.finish(excluded, p.reservations(spec.Reservations))
	return compiled
}

// OfNodes tells whether the pool has the addresses of nodes.
func (p *LoadBalancerPool) OfNodes() bool { return p.nodes != nil }

// parseStretch reads a CIDR or a range of up to 2^64 addresses.
func parseStretch(text string) (span[netip.Addr], error) {
	if !strings.ContainsAny(text, "/-") {
		return span[netip.Addr]{}, fmt.Errorf("%q is neither a CIDR nor a range", text)
	}
	within, err := parseExclusion(text)
	if err != nil {
		return span[netip.Addr]{}, err
	}
	_, err = allocator.Addresses(within.first, within.last)
	return within, err
}

// Edges returns the first and the last address of each IPv4 CIDR of a list that has
// more than two: RFC 3021 lets hosts have both addresses of a /31.
func Edges(stretches []string) []netip.Addr {
	var edges []netip.Addr
	for _, text := range stretches {
		prefix, err := netip.ParsePrefix(text)
		if err == nil && prefix.Addr().Is4() && prefix.Bits() < 31 {
			within := spanOf(prefix)
			edges = append(edges, within.first, within.last)
		}
	}
	return edges
}

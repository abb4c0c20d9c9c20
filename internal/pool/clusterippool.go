// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package pool

import (
	"fmt"
	"net/netip"
	"strings"

	"go4.org/netipx"
	corev1 "k8s.io/api/core/v1"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/allocator"
)

// ClusterIPPool is a compiled one. It never changes: compile a pool anew when its
// generation changes.
type ClusterIPPool struct {
	*Pool
	ipv4, ipv6 *tract[netip.Addr]
}

// CompileClusterIPPool compiles a pool. What is wrong with it is in its Faults.
func CompileClusterIPPool(object *servicenetv1alpha1.ClusterIPPool) *ClusterIPPool {
	p := newPool(&object.ObjectMeta, &object.Spec.PoolPolicy)
	compiled := &ClusterIPPool{Pool: p, ipv4: &tract[netip.Addr]{pool: p}, ipv6: &tract[netip.Addr]{pool: p}}
	for _, text := range object.Spec.CIDRs {
		prefix, err := parsePrefix(text)
		if err != nil {
			p.faultf("cidrs: %v", err)
			continue
		}
		within, err := allocator.Prefix(prefix)
		if err != nil {
			p.faultf("cidrs: %v", err)
			continue
		}
		t := compiled.tract(familyOf(within.First))
		t.bands = append(t.bands, band[netip.Addr]{span[netip.Addr]{within.First, within.Last}, within.Static})
	}
	excluded := map[corev1.IPFamily][]span[netip.Addr]{}
	for _, text := range object.Spec.Exclusions {
		within, err := parseExclusion(text)
		if err != nil {
			p.faultf("exclusions: %v", err)
			continue
		}
		family := familyOf(within.first)
		excluded[family] = append(excluded[family], within)
	}
	reserved := compiled.reservations(object.Spec.Reservations)
	for _, family := range [...]corev1.IPFamily{corev1.IPv4Protocol, corev1.IPv6Protocol} {
		compiled.tract(family).finish(excluded[family], reserved[family])
	}
	return compiled
}

func (p *ClusterIPPool) tract(family corev1.IPFamily) *tract[netip.Addr] {
	if family == corev1.IPv4Protocol {
		return p.ipv4
	}
	return p.ipv6
}

// reservations returns the addresses of each family that are meant for somebody.
func (p *ClusterIPPool) reservations(list []servicenetv1alpha1.AddressReservation) map[corev1.IPFamily][]reservation[netip.Addr] {
	byFamily := map[corev1.IPFamily][]reservation[netip.Addr]{}
	for i := range list {
		for _, text := range list[i].Addresses {
			address, err := parseAddress(text)
			if err != nil {
				p.faultf("reservations: %v", err)
				continue
			}
			family := familyOf(address)
			byFamily[family] = append(byFamily[family],
				reservation[netip.Addr]{address, reservee{namespace: list[i].Namespace, name: list[i].Name}})
		}
	}
	return byFamily
}

func parsePrefix(text string) (netip.Prefix, error) {
	prefix, err := netip.ParsePrefix(text)
	switch {
	case err != nil:
		return netip.Prefix{}, fmt.Errorf("%q is no CIDR", text)
	case prefix != prefix.Masked():
		return netip.Prefix{}, fmt.Errorf("%q has bits set after its prefix", text)
	}
	return prefix, nil
}

// parseAddress reads an address as the API server demands it: without a zone, and
// IPv4 as such.
func parseAddress(text string) (netip.Addr, error) {
	address, err := netip.ParseAddr(text)
	if err != nil || address.Zone() != "" || address.Is4In6() {
		return netip.Addr{}, fmt.Errorf("%q is no address", text)
	}
	return address, nil
}

// parseExclusion reads an address, a CIDR, or a range.
func parseExclusion(text string) (span[netip.Addr], error) {
	if first, last, isRange := strings.Cut(text, "-"); isRange {
		from, err := parseAddress(first)
		if err != nil {
			return span[netip.Addr]{}, err
		}
		to, err := parseAddress(last)
		if err != nil {
			return span[netip.Addr]{}, err
		}
		if !netipx.IPRangeFrom(from, to).IsValid() {
			return span[netip.Addr]{}, fmt.Errorf("%q is no range", text)
		}
		return span[netip.Addr]{from, to}, nil
	}
	if strings.Contains(text, "/") {
		prefix, err := parsePrefix(text)
		if err != nil {
			return span[netip.Addr]{}, err
		}
		return spanOf(prefix), nil
	}
	address, err := parseAddress(text)
	return single(address), err
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package pool

import (
	"fmt"
	"net/netip"
	"strings"

	"go4.org/netipx"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/allocator"
)

// ClusterIPPool is a compiled one. It never changes: compile a pool anew when its
// generation changes.
type ClusterIPPool struct {
	*Pool
	tracts
}

// CompileClusterIPPool compiles a pool. What is wrong with it is in its Faults.
func CompileClusterIPPool(object *servicenetv1alpha1.ClusterIPPool) *ClusterIPPool {
	p := newPool(&object.ObjectMeta, &object.Spec.PoolPolicy)
	compiled := &ClusterIPPool{Pool: p, tracts: newTracts(p)}
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
	compiled.finish(p.exclusions(object.Spec.Exclusions), p.reservations(object.Spec.Reservations))
	return compiled
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

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package pool

import (
	"net/netip"

	corev1 "k8s.io/api/core/v1"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
)

// tracts is what the spec of a pool says about addresses of both families.
type tracts struct {
	ipv4, ipv6 *tract[netip.Addr]
}

func newTracts(p *Pool) tracts {
	return tracts{ipv4: &tract[netip.Addr]{pool: p}, ipv6: &tract[netip.Addr]{pool: p}}
}

// families are those of addresses.
func families() [2]corev1.IPFamily {
	return [...]corev1.IPFamily{corev1.IPv4Protocol, corev1.IPv6Protocol}
}

func (t tracts) tract(family corev1.IPFamily) *tract[netip.Addr] {
	if family == corev1.IPv4Protocol {
		return t.ipv4
	}
	return t.ipv6
}

// finish finds what is missing from the parts, and what is wrong with them.
func (t tracts) finish(excluded map[corev1.IPFamily][]span[netip.Addr], reserved map[corev1.IPFamily][]reservation[netip.Addr]) {
	for _, family := range families() {
		t.tract(family).finish(excluded[family], reserved[family])
	}
}

// exclusions returns the addresses of each family that nobody gets.
func (p *Pool) exclusions(list []string) map[corev1.IPFamily][]span[netip.Addr] {
	byFamily := map[corev1.IPFamily][]span[netip.Addr]{}
	for _, text := range list {
		within, err := parseExclusion(text)
		if err != nil {
			p.faultf("exclusions: %v", err)
			continue
		}
		family := familyOf(within.first)
		byFamily[family] = append(byFamily[family], within)
	}
	return byFamily
}

// reservations returns the addresses of each family that are meant for somebody.
func (p *Pool) reservations(list []servicenetv1alpha1.AddressReservation) map[corev1.IPFamily][]reservation[netip.Addr] {
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

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package loadbalancer

import (
	"cmp"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// Claim is an address that the status of a Service has and the ledger does not know.
type Claim struct {
	Service *corev1.Service
	Address netip.Addr
}

// Claims returns what Services claim, the oldest first: of two that claim one address,
// and may not share it, it keeps it. ours tells whether an address is of a pool, and
// has whether the ledger knows that a Service has it, or has another of the family
// instead.
func Claims(
	services []*corev1.Service, ours func(netip.Addr) bool, has func(*corev1.Service, netip.Addr) bool,
) []Claim {
	var claims []Claim
	for _, service := range services {
		for _, address := range Shown(service) {
			if ours(address) && !has(service, address) {
				claims = append(claims, Claim{service, address})
			}
		}
	}
	slices.SortStableFunc(claims, func(a, b Claim) int { return compareAge(a.Service, b.Service) })
	return claims
}

// compareAge orders Services by their age, then by name.
func compareAge(a, b *corev1.Service) int {
	return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time),
		cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
}

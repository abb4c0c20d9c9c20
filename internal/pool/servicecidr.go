// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package pool

import (
	"net/netip"
	"time"

	"go4.org/netipx"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"servicenet.dev/servicenet/internal/allocator"
)

// SettleTime is how long a ServiceCIDR must have been ready before addresses are
// chosen from it: until then some API server may not know of it, and would refuse
// them.
const SettleTime = 10 * time.Second

// ServiceCIDR is a range of addresses that the API server accepts.
type ServiceCIDR struct {
	Prefix netip.Prefix
	// Ready tells whether it is ready, and Since from when on it has been seen to
	// be, by the clock of whoever saw it. The zero time is long ago.
	Ready bool
	Since time.Time
	// Expected tells that it is not there, but that a pool has been about to make it
	// since then.
	Expected bool
}

// IsReady tells whether an API server accepts addresses of a ServiceCIDR. Without
// a condition it does: then no kube-controller-manager has looked at it yet.
func IsReady(cidr *networkingv1.ServiceCIDR) bool {
	if cidr.DeletionTimestamp != nil {
		return false
	}
	for i := range cidr.Status.Conditions {
		if condition := &cidr.Status.Conditions[i]; condition.Type == networkingv1.ServiceCIDRConditionReady {
			return condition.Status == metav1.ConditionTrue
		}
	}
	return true
}

// settles returns when addresses may be chosen from it.
func (c *ServiceCIDR) settles() time.Time { return c.Since.Add(SettleTime) }

// comes tells whether addresses will be chosen from it once it settles, if they aren't.
func (c *ServiceCIDR) comes() bool { return c.Ready || c.Expected }

// ground is the addresses of one family that the API server has.
type ground struct {
	area[netip.Addr]
	// known is all of the ServiceCIDRs, chosenFrom all of those that are settled,
	// with the network and broadcast addresses that nobody gets.
	known, chosenFrom set[netip.Addr]
}

// newGround returns the addresses of a family at a time.
func newGround(cidrs []ServiceCIDR, family corev1.IPFamily, now time.Time) ground {
	var known, chosenFrom, accepted, settled, soon, edges []span[netip.Addr]
	var bands []band[netip.Addr]
	for i := range cidrs {
		cidr := &cidrs[i]
		if !cidr.Prefix.IsValid() || familyOf(cidr.Prefix.Addr()) != family {
			continue
		}
		prefix := spanOf(cidr.Prefix)
		isSettled := !now.Before(cidr.settles())
		if cidr.comes() && !isSettled {
			soon = append(soon, prefix)
		}
		if cidr.Expected {
			continue
		}
		known = append(known, prefix)
		if !cidr.Ready {
			continue
		}
		edges = append(edges, single(prefix.first), single(prefix.last))
		if isSettled {
			chosenFrom = append(chosenFrom, prefix)
		}
		given, err := allocator.ServiceCIDR(cidr.Prefix)
		if err != nil || given == (allocator.Span{}) {
			continue
		}
		within := span[netip.Addr]{given.First, given.Last}
		accepted = append(accepted, within)
		if isSettled {
			settled = append(settled, within)
			bands = append(bands, band[netip.Addr]{within, given.Static})
		}
	}
	return ground{
		area: area[netip.Addr]{
			accepted: newSet(accepted), settled: newSet(settled), soon: newSet(soon).minus(newSet(settled)),
			edges: newSet(edges), bands: sortBands(bands),
		},
		known: newSet(known), chosenFrom: newSet(chosenFrom),
	}
}

// spanOf returns all addresses of a prefix.
func spanOf(prefix netip.Prefix) span[netip.Addr] {
	within := netipx.RangeOfPrefix(prefix)
	return span[netip.Addr]{within.From(), within.To()}
}

// familyOf returns the family of an address.
func familyOf(address netip.Addr) corev1.IPFamily {
	if address.Is4() {
		return corev1.IPv4Protocol
	}
	return corev1.IPv6Protocol
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package pool

import (
	"cmp"
	"iter"
	"net/netip"
	"slices"
	"time"

	"go4.org/netipx"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"servicenet.dev/servicenet/internal/allocator"
)

// ClusterIPs is all pools of cluster IPs beside the ServiceCIDRs of the cluster, at
// a time. It never changes, and is safe for concurrent use.
type ClusterIPs struct {
	directory  *directory
	ipv4, ipv6 *realm[netip.Addr]
	grounds    map[corev1.IPFamily]ground
	until      time.Time
}

// NewClusterIPs returns what pools, which have different names, and ServiceCIDRs
// amount to at a time. Ranges that are the same as in a previous one, which may be
// nil, are taken from there.
func NewClusterIPs(pools []*ClusterIPPool, cidrs []ServiceCIDR, now time.Time, previous *ClusterIPs) *ClusterIPs {
	if previous == nil {
		previous = &ClusterIPs{}
	}
	pools = slices.SortedFunc(slices.Values(pools), func(a, b *ClusterIPPool) int { return compareService(a.Pool, b.Pool) })
	all := make([]*Pool, len(pools))
	for i, p := range pools {
		all[i] = p.Pool
	}
	c := &ClusterIPs{directory: newDirectory(all), grounds: map[corev1.IPFamily]ground{}}
	for i := range cidrs {
		at := cidrs[i].settles()
		if cidrs[i].comes() && at.After(now) && (c.until.IsZero() || at.Before(c.until)) {
			c.until = at
		}
	}
	c.ipv4 = c.newRealm(pools, cidrs, corev1.IPv4Protocol, now, previous.ipv4)
	c.ipv6 = c.newRealm(pools, cidrs, corev1.IPv6Protocol, now, previous.ipv6)
	return c
}

func (c *ClusterIPs) newRealm(
	pools []*ClusterIPPool, cidrs []ServiceCIDR, family corev1.IPFamily, now time.Time, previous *realm[netip.Addr],
) *realm[netip.Addr] {
	tracts := make([]*tract[netip.Addr], len(pools))
	for i, p := range pools {
		tracts[i] = p.tract(family)
	}
	g := newGround(cidrs, family, now)
	c.grounds[family] = g
	return newRealm(tracts, g.area, previous, cookAddresses)
}

// AddressChoice is what to try for an address that a Service needs.
type AddressChoice struct {
	Need
	// Candidates are in the order in which to try them; at least one, or Soon.
	Candidates iter.Seq[Candidate[netip.Addr]]
	// Soon tells that there will be others at the time of Until or soon after.
	Soon bool
}

// Choose returns what to try for each of the addresses that a Service needs, or why
// it cannot have them. retained are the addresses that are kept for its name.
func (c *ClusterIPs) Choose(who *Who, needs []Need, retained []netip.Addr) ([]AddressChoice, field.ErrorList) {
	var faults field.ErrorList
	choices := make([]AddressChoice, 0, len(needs))
	serving := c.directory.serving(who)
	for _, need := range needs {
		a := ask[netip.Addr]{named: need.Address, retained: ofFamily(retained, need.Family)}
		r := c.realm(need.Family)
		choice := AddressChoice{Need: need}
		var refused *refusal[netip.Addr]
		choice.Candidates, refused = r.choose(who, serving, &a)
		switch {
		case refused == nil:
			choice.Soon = !need.Address.IsValid() && r.grow(serving)
		case refused.why == notYet:
			choice.Candidates, choice.Soon = none[netip.Addr], true
		default:
			faults = append(faults, refused.fault(pathIPs(), nouns{
				several: string(need.Family) + " addresses",
				home:    "the ServiceCIDRs of the cluster that are ready",
			}))
			continue
		}
		choices = append(choices, choice)
	}
	if len(faults) > 0 {
		return nil, faults
	}
	return choices, nil
}

// none is no candidate.
func none[N any](func(Candidate[N]) bool) {}

func ofFamily(addresses []netip.Addr, family corev1.IPFamily) []netip.Addr {
	var found []netip.Addr
	for _, address := range addresses {
		if familyOf(address) == family {
			found = append(found, address)
		}
	}
	return found
}

// Until returns when a ServiceCIDR will have been ready, or expected, for long enough:
// addresses are chosen from it, or it is not waited for any more. Then it is time for
// new ClusterIPs. Zero is never, unless a ServiceCIDR changes.
func (c *ClusterIPs) Until() time.Time { return c.until }

func (c *ClusterIPs) realm(family corev1.IPFamily) *realm[netip.Addr] {
	if family == corev1.IPv4Protocol {
		return c.ipv4
	}
	return c.ipv6
}

// cookAddresses makes a Range of addresses. What the parts are made of has been
// looked at before, so that nothing can be wrong with them.
func cookAddresses(r *recipe[netip.Addr]) *allocator.Range {
	spec := allocator.AddressSpec{Excluded: toIPRanges(r.excluded), Reserved: toIPRanges(r.reserved)}
	for _, b := range r.bands {
		spec.Spans = append(spec.Spans, allocator.Span{First: b.first, Last: b.last, Static: b.static})
	}
	made, err := allocator.NewAddresses(spec)
	if err != nil {
		return &allocator.Range{}
	}
	return made
}

func toIPRanges(s set[netip.Addr]) []netipx.IPRange {
	ranges := make([]netipx.IPRange, len(s))
	for i := range s {
		ranges[i] = toIPRange(s[i])
	}
	return ranges
}

// sortBands puts bands into an order of their own, each once.
func sortBands(bands []band[netip.Addr]) []band[netip.Addr] {
	slices.SortFunc(bands, func(a, b band[netip.Addr]) int {
		return cmp.Or(a.first.Compare(b.first), a.last.Compare(b.last))
	})
	return slices.Compact(bands)
}

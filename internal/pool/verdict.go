// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package pool

import (
	"fmt"
	"math"
	"math/big"
	"net/netip"
	"strings"

	corev1 "k8s.io/api/core/v1"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/allocator"
)

// Verdict is what the condition Ready of a pool says.
type Verdict struct {
	Ready bool
	// Reason is one of the reasons in api/v1alpha1.
	Reason  string
	Message string
}

// Judge returns the verdict on a pool. exhausted are the families that it has
// addresses of, but no free ones.
func (c *ClusterIPs) Judge(p *ClusterIPPool, exhausted ...corev1.IPFamily) Verdict {
	if len(p.Faults) > 0 {
		return malformed(p.Pool)
	}
	outside, waiting := c.outside(p)
	switch {
	case len(outside) > 0:
		return Verdict{Reason: servicenetv1alpha1.ReasonOutsideServiceCIDR,
			Message: fmt.Sprintf("%v: no ServiceCIDR has these addresses, so they are not given out", outside)}
	case len(waiting) > 0:
		return Verdict{Reason: servicenetv1alpha1.ReasonServiceCIDRNotReady,
			Message: fmt.Sprintf("%v: the ServiceCIDR of these addresses is not ready, or has not been for %v", waiting, SettleTime)}
	}
	lost := append(c.ipv4.lost(p.Name), c.ipv6.lost(p.Name)...)
	if len(lost) > 0 {
		return overlaps(lost)
	}
	if len(exhausted) > 0 {
		return exhaustion(exhausted)
	}
	return available()
}

// outside returns the addresses of a pool that no ServiceCIDR has, and those in
// one from which none are chosen yet.
func (c *ClusterIPs) outside(p *ClusterIPPool) (outside, waiting set[netip.Addr]) {
	for _, family := range families() {
		g, numbers := c.grounds[family], p.tract(family).numbers()
		outside = append(outside, numbers.minus(g.known)...)
		waiting = append(waiting, numbers.within(g.known).minus(g.chosenFrom)...)
	}
	return outside, waiting
}

// Range returns the addresses of a pool in a family, nil if it has none there.
func (c *ClusterIPs) Range(pool string, family corev1.IPFamily) *allocator.Range {
	return c.realm(family).rangeOf(pool)
}

// Capacity returns how many addresses of a family a pool has that can be given
// out, on request or without.
func (c *ClusterIPs) Capacity(pool string, family corev1.IPFamily) *big.Int {
	return c.realm(family).capacity(pool)
}

// Total returns how many addresses of a family the API server gives out, at most as
// many as an int has.
func (c *ClusterIPs) Total(family corev1.IPFamily) int {
	total := new(big.Int)
	for _, part := range c.realm(family).accepted {
		first, last := new(big.Int).SetBytes(part.first.AsSlice()), new(big.Int).SetBytes(part.last.AsSlice())
		total.Add(total, last.Sub(last, first)).Add(total, big.NewInt(1))
	}
	if !total.IsInt64() {
		return math.MaxInt
	}
	return int(total.Int64())
}

// Owner returns the pool that has an address, nil if none has.
func (c *ClusterIPs) Owner(address netip.Addr) *Pool {
	return c.realm(familyOf(address)).owner(address)
}

// Judge returns the verdict on a pool; exhausted tells whether it has no free port.
func (p *NodePorts) Judge(pool *NodePortPool, exhausted bool) Verdict {
	if len(pool.Faults) > 0 {
		return malformed(pool.Pool)
	}
	if outside := pool.ports.numbers().minus(p.ports.accepted); len(outside) > 0 {
		return Verdict{Reason: servicenetv1alpha1.ReasonOutsidePortRange,
			Message: fmt.Sprintf("%v: not in the node port range of the cluster, %v, so they are not given out", outside, p.ports.accepted)}
	}
	if lost := p.ports.lost(pool.Name); len(lost) > 0 {
		return overlaps(lost)
	}
	if exhausted {
		return Verdict{Reason: servicenetv1alpha1.ReasonExhausted, Message: "no port is free"}
	}
	return available()
}

// Range returns the ports of a pool, nil if it has none.
func (p *NodePorts) Range(pool string) *allocator.Range { return p.ports.rangeOf(pool) }

// Capacity returns how many ports a pool has that can be given out, on request or
// without.
func (p *NodePorts) Capacity(pool string) *big.Int { return p.ports.capacity(pool) }

// Owner returns the pool that has a port, nil if none has.
func (p *NodePorts) Owner(port Port) *Pool { return p.ports.owner(port) }

func malformed(p *Pool) Verdict {
	return Verdict{Reason: servicenetv1alpha1.ReasonMalformed, Message: strings.Join(p.Faults, "; ")}
}

func overlaps(lost []string) Verdict {
	return Verdict{Reason: servicenetv1alpha1.ReasonOverlaps, Message: strings.Join(lost, "; ")}
}

func exhaustion(of []corev1.IPFamily) Verdict {
	words := make([]string, len(of))
	for i, family := range of {
		words[i] = string(family)
	}
	return Verdict{Reason: servicenetv1alpha1.ReasonExhausted,
		Message: fmt.Sprintf("no %s address is free", strings.Join(words, " and no "))}
}

func available() Verdict {
	return Verdict{Ready: true, Reason: servicenetv1alpha1.ReasonAvailable, Message: "the pool has free numbers"}
}

// lost says which numbers of a pool are another's, if that is worth a word: the
// other has no better standing, or nothing is left.
func (r *realm[N]) lost(pool string) []string {
	h := r.find(pool)
	if h == nil {
		return nil
	}
	if taken := h.numbers().minus(h.own); len(taken) > 0 && len(h.own) == 0 {
		return []string{fmt.Sprintf("%v: pools that go first have all of it", taken)}
	}
	return r.yielded(h)
}

// yielded says which numbers of a holding are those of pools that have no better
// standing.
func (r *realm[N]) yielded(h *holding[N]) []string {
	taken := h.numbers().minus(h.own)
	if len(taken) == 0 {
		return nil
	}
	var lines []string
	for i, claimed := range r.claims.within(taken, len(r.holdings)) {
		if other := r.holdings[i].pool; len(claimed) > 0 && compareStanding(other, h.pool) == 0 {
			lines = append(lines, fmt.Sprintf("%v: the pool %s has it too, and goes first", claimed, other.Name))
		}
	}
	return lines
}

// contested says which numbers of a pool others of the same standing have too, whoever
// goes first.
func (r *realm[N]) contested(pool string) []string {
	h := r.find(pool)
	if h == nil {
		return nil
	}
	var lines []string
	for _, other := range r.holdings {
		if other == h || compareStanding(other.pool, h.pool) != 0 {
			continue
		}
		if both := h.numbers().within(other.numbers()); len(both) > 0 {
			lines = append(lines, fmt.Sprintf("%v: the pool %s has it, too", both, other.pool.Name))
		}
	}
	return lines
}

func (r *realm[N]) rangeOf(pool string) *allocator.Range {
	if h := r.find(pool); h != nil {
		return h.stock.of
	}
	return nil
}

func (r *realm[N]) capacity(pool string) *big.Int {
	if h := r.find(pool); h != nil {
		return h.stock.capacity()
	}
	return new(big.Int)
}

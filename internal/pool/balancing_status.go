// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package pool

import (
	"iter"
	"math/big"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
)

// BalancerTally counts what the addresses of all pools are used for. It is not safe
// for concurrent use.
type BalancerTally struct {
	addressTallies
	balancers *LoadBalancers

	// ofNodes are the addresses of nodes that Services have of a pool of them, and
	// nodes counts the Services of each.
	ofNodes map[types.NamespacedName][]nodeAddress
	nodes   map[nodeAddress]int
	// waiting counts by pool.
	waiting map[string]int32
}

// nodeAddress is an address of a node, and the pool, by its index, by which a Service
// has it.
type nodeAddress struct {
	pool    int
	address netip.Addr
}

// Tally returns a tally of no Services yet.
func (l *LoadBalancers) Tally() *BalancerTally {
	return &BalancerTally{
		addressTallies: newAddressTallies(l.ipv4, l.ipv6), balancers: l,
		ofNodes: map[types.NamespacedName][]nodeAddress{}, nodes: map[nodeAddress]int{}, waiting: map[string]int32{},
	}
}

// Of returns what the tally is of.
func (t *BalancerTally) Of() *LoadBalancers { return t.balancers }

// Set says which addresses a Service has; none if it is gone.
func (t *BalancerTally) Set(who *Who, addresses []netip.Addr) {
	name := types.NamespacedName{Namespace: who.Namespace, Name: who.Name}
	for _, was := range t.ofNodes[name] {
		t.nodes[was]--
		if t.nodes[was] == 0 {
			delete(t.nodes, was)
		}
	}
	delete(t.ofNodes, name)
	var serving []int
	if len(addresses) > 0 {
		serving = t.balancers.directory.serving(who)
	}
	var own []netip.Addr
	for _, address := range addresses {
		if i := t.balancers.nodePool(serving, address); i != nobody {
			of := nodeAddress{i, address}
			t.ofNodes[name] = append(t.ofNodes[name], of)
			t.nodes[of]++
		} else {
			own = append(own, address)
		}
	}
	t.set(name, who, serving, own)
}

// nodePool returns the first of some pools that has an address of a node, or nobody.
func (l *LoadBalancers) nodePool(serving []int, address netip.Addr) int {
	for _, i := range serving {
		if !l.pools[i].OfNodes() {
			continue
		}
		if _, has := slices.BinarySearchFunc(l.nodes[nodeKey{i, familyOf(address)}], address, netip.Addr.Compare); has {
			return i
		}
	}
	return nobody
}

// Wait says for which pools Services wait: the name of one for each of them.
func (t *BalancerTally) Wait(pools iter.Seq[string]) {
	clear(t.waiting)
	for name := range pools {
		t.waiting[name]++
	}
}

// Status returns how a pool stands, without conditions, and the verdict on it.
func (t *BalancerTally) Status(p *LoadBalancerPool) (servicenetv1alpha1.LoadBalancerPoolStatus, Verdict) {
	sums := t.sums(p.Name)
	if p.OfNodes() {
		sums = t.sumsOfNodes(p.Name)
	}
	status := servicenetv1alpha1.LoadBalancerPoolStatus{
		Total: sums.total(), Used: sums.used(), Free: sums.free(),
		Waiting: new(t.waiting[p.Name]), Families: sums.families(),
	}
	return status, t.balancers.Judge(p, sums.exhausted()...)
}

// sumsOfNodes returns how a pool of nodes stands. Services share its addresses, so
// that they never run out.
func (t *BalancerTally) sumsOfNodes(name string) addressSums {
	var sums addressSums
	i, found := t.balancers.byName[name]
	if !found {
		return nil
	}
	for _, family := range families() {
		has := t.balancers.nodes[nodeKey{i, family}]
		if len(has) == 0 {
			continue
		}
		u := usage{capacity: big.NewInt(int64(len(has)))}
		for _, address := range has {
			if t.nodes[nodeAddress{i, address}] > 0 {
				u.used++
			}
		}
		u.free = big.NewInt(int64(len(has)) - u.used)
		sums = append(sums, addressSum{family: family, usage: u, shared: true})
	}
	return sums
}

// Judge returns the verdict on a pool. exhausted are the families that it has
// addresses of, but no free ones.
func (l *LoadBalancers) Judge(p *LoadBalancerPool, exhausted ...corev1.IPFamily) Verdict {
	switch lost := append(l.ipv4.lost(p.Name), l.ipv6.lost(p.Name)...); {
	case len(p.Faults) > 0:
		return malformed(p.Pool)
	case p.OfNodes() && len(l.NodeAddresses(p.Name, corev1.IPv4Protocol)) == 0 && len(l.NodeAddresses(p.Name, corev1.IPv6Protocol)) == 0:
		return Verdict{Reason: servicenetv1alpha1.ReasonNoNodeAddresses,
			Message: "no node that the pool picks is ready, takes traffic of load balancers, and has an address"}
	case len(lost) > 0:
		return overlaps(lost)
	case len(exhausted) > 0:
		return exhaustion(exhausted)
	}
	return available()
}

// Overlaps says which addresses of a pool others of the same standing have, too, a
// line for each of them.
func (l *LoadBalancers) Overlaps(p *LoadBalancerPool) []string {
	return append(l.ipv4.contested(p.Name), l.ipv6.contested(p.Name)...)
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package pool

import (
	"math/big"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"servicenet.dev/servicenet/internal/allocator"
)

// LoadBalancers is all pools of load-balancer addresses, at a time. Nobody else has
// such addresses: what is in no pool can't be had. It never changes, and is safe for
// concurrent use.
type LoadBalancers struct {
	directory *directory
	// pools are in the order in which Services try them, as holdings of realms are.
	pools      []*LoadBalancerPool
	byName     map[string]int
	ipv4, ipv6 *realm[netip.Addr]
	// nodes are the addresses of the pools of nodes.
	nodes map[nodeKey][]netip.Addr
}

// nodeKey is a pool, by its index, and a family.
type nodeKey struct {
	pool   int
	family corev1.IPFamily
}

// NewLoadBalancers returns what pools, which have different names, and the nodes that
// take traffic amount to. Ranges that are the same as in a previous one, which may
// be nil, are taken from there.
func NewLoadBalancers(pools []*LoadBalancerPool, nodes []Node, previous *LoadBalancers) *LoadBalancers {
	if previous == nil {
		previous = &LoadBalancers{}
	}
	l := &LoadBalancers{
		pools: slices.SortedFunc(slices.Values(pools), func(a, b *LoadBalancerPool) int { return compareService(a.Pool, b.Pool) }),
		nodes: map[nodeKey][]netip.Addr{}, byName: make(map[string]int, len(pools)),
	}
	all := make([]*Pool, len(pools))
	for i, p := range l.pools {
		all[i] = p.Pool
		l.byName[p.Name] = i
		for _, family := range families() {
			if p.nodes != nil {
				l.nodes[nodeKey{i, family}] = p.nodes.pick(nodes, family)
			}
		}
	}
	l.directory = newDirectory(all)
	l.ipv4 = l.newRealm(corev1.IPv4Protocol, previous.ipv4)
	l.ipv6 = l.newRealm(corev1.IPv6Protocol, previous.ipv6)
	return l
}

// newRealm returns the pools' addresses of a family. The pools themselves are what
// there is.
func (l *LoadBalancers) newRealm(family corev1.IPFamily, previous *realm[netip.Addr]) *realm[netip.Addr] {
	tracts := make([]*tract[netip.Addr], len(l.pools))
	wholes := make([]set[netip.Addr], len(l.pools))
	for i, p := range l.pools {
		tracts[i] = p.tract(family)
		wholes[i] = tracts[i].whole
	}
	all := union(wholes...)
	return newRealm(tracts, area[netip.Addr]{accepted: all, settled: all}, previous, cookAddresses)
}

func (l *LoadBalancers) realm(family corev1.IPFamily) *realm[netip.Addr] {
	if family == corev1.IPv4Protocol {
		return l.ipv4
	}
	return l.ipv6
}

// Pool returns the pool of a name, nil if there is none.
func (l *LoadBalancers) Pool(name string) *LoadBalancerPool {
	if i, found := l.byName[name]; found {
		return l.pools[i]
	}
	return nil
}

// Pools returns all pools in the order in which Services try them. They must not be
// changed.
func (l *LoadBalancers) Pools() []*LoadBalancerPool { return l.pools }

// Serves tells whether a pool of a name serves a Service.
func (l *LoadBalancers) Serves(name string, who *Who) bool {
	p := l.Pool(name)
	return p != nil && p.serves(who)
}

// Owner returns the pool that has an address, nil if none has. Those of nodes are
// owned by no pool: several may have one.
func (l *LoadBalancers) Owner(address netip.Addr) *LoadBalancerPool {
	return l.poolOf(l.realm(familyOf(address)).owner(address))
}

// poolOf returns the pool that has some terms, nil of nil.
func (l *LoadBalancers) poolOf(p *Pool) *LoadBalancerPool {
	if p == nil {
		return nil
	}
	return l.Pool(p.Name)
}

// NodeAddresses returns the addresses of a family that a pool has of nodes. They must
// not be changed.
func (l *LoadBalancers) NodeAddresses(name string, family corev1.IPFamily) []netip.Addr {
	i, found := l.byName[name]
	if !found {
		return nil
	}
	return l.nodes[nodeKey{i, family}]
}

// HasNodeAddress tells whether a pool has an address of a node.
func (l *LoadBalancers) HasNodeAddress(name string, address netip.Addr) bool {
	i, found := l.byName[name]
	return found && l.nodePool([]int{i}, address) == i
}

// Range returns the addresses of a pool in a family, nil if it has none there. Pools
// of nodes have no Range.
func (l *LoadBalancers) Range(name string, family corev1.IPFamily) *allocator.Range {
	return l.realm(family).rangeOf(name)
}

// Capacity returns how many addresses of a family a pool has that can be given out,
// on request or without.
func (l *LoadBalancers) Capacity(name string, family corev1.IPFamily) *big.Int {
	if p := l.Pool(name); p != nil && p.OfNodes() {
		return big.NewInt(int64(len(l.NodeAddresses(name, family))))
	}
	return l.realm(family).capacity(name)
}

// Describe lists the addresses of a family that a pool has to give out, for people.
func (l *LoadBalancers) Describe(name string, family corev1.IPFamily) string {
	if p := l.Pool(name); p != nil && p.OfNodes() {
		return newSet(singles(l.NodeAddresses(name, family))).or("none")
	}
	return l.realm(family).describe(&Pool{Name: name})
}

func singles(addresses []netip.Addr) []span[netip.Addr] {
	spans := make([]span[netip.Addr], len(addresses))
	for i, address := range addresses {
		spans[i] = single(address)
	}
	return spans
}

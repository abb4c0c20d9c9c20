// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package pool

import (
	"iter"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"servicenet.dev/servicenet/internal/allocator"
)

// BalancerCandidate is where an address of a load balancer may be taken from.
type BalancerCandidate struct {
	Source Source
	// Pool is the one that has the address, whose limit counts.
	Pool *LoadBalancerPool
	// Range is what to choose from, if the source is Automatic.
	Range *allocator.Range
	// Address is the one to take, if the source is Named, Reserved or Retained.
	Address netip.Addr
	// Nodes are the addresses to take, all of them, if the source is OfNodes. They
	// must not be changed.
	Nodes []netip.Addr
}

// BalancerChoice is what to try for an address that a Service needs.
type BalancerChoice struct {
	Need
	// Candidates are in the order in which to try them; at least one, unless there is
	// a Refusal.
	Candidates iter.Seq[BalancerCandidate]
	// Refusal is why the Service can't have the address, nil if it can.
	Refusal *Refusal
}

// Choose returns what to try for each of the addresses that a Service needs. named
// is the pool that it asks for, "" for any. retained are the addresses that are kept
// for its name.
//
// A Service that names an address gets that one; a reserved one is a promise: there
// is no other then. Of what comes next the first one that is free is good: what is
// kept for it, then the pools that serve it and give out addresses unasked, or the
// one that it asks for.
func (l *LoadBalancers) Choose(who *Who, named string, needs []Need, retained []netip.Addr) []BalancerChoice {
	v := l.view(who, named)
	choices := make([]BalancerChoice, len(needs))
	for i := range needs {
		choices[i].Need = needs[i]
		choices[i].Candidates, choices[i].Refusal = v.choose(&needs[i], ofFamily(retained, needs[i].Family))
	}
	return choices
}

// view is the pools as one Service sees them.
type view struct {
	*LoadBalancers
	who *Who
	// named is the pool that the Service asks for.
	named string
	// serving are the pools that serve it, of which it may have addresses.
	serving []int
}

func (l *LoadBalancers) view(who *Who, named string) *view {
	v := &view{LoadBalancers: l, who: who, named: named}
	if named == "" {
		v.serving = l.directory.serving(who)
	} else if i, found := l.byName[named]; found && l.pools[i].serves(who) {
		v.serving = []int{i}
	}
	return v
}

func (v *view) choose(need *Need, retained []netip.Addr) (iter.Seq[BalancerCandidate], *Refusal) {
	if need.Address.IsValid() {
		p, refused := v.judge(need.Address)
		if refused != nil {
			return nil, refused
		}
		return sole(BalancerCandidate{Source: Named, Pool: p, Address: need.Address}), nil
	}
	r := v.realm(need.Family)
	if meant, found := r.reservations[reservee{namespace: v.who.Namespace, name: v.who.Name}]; found && v.mayUse(meant.holder) {
		return sole(BalancerCandidate{Source: Reserved, Pool: v.pools[meant.holder], Address: meant.first}), nil
	}
	var kept []BalancerCandidate
	for _, address := range retained {
		if p, refused := v.judge(address); refused == nil {
			kept = append(kept, BalancerCandidate{Source: Retained, Pool: p, Address: address})
		}
	}
	if len(kept) == 0 && v.firstGiving(need.Family) == nil {
		return nil, v.refuseAny(need.Family)
	}
	return v.automatic(kept, need.Family), nil
}

// mayUse tells whether a pool whose number is reserved for the Service is one that
// it asks for, or it asks for none: what is reserved it has of pools that do not
// serve it, too.
func (v *view) mayUse(pool int) bool { return v.named == "" || v.pools[pool].Name == v.named }

// giving goes through the pools that have addresses of a family to give to the Service
// without its naming one.
func (v *view) giving(family corev1.IPFamily) iter.Seq[int] {
	return func(yield func(int) bool) {
		for _, i := range v.serving {
			p := v.pools[i]
			has := v.realm(family).holdings[i].stock.open || p.OfNodes() && len(v.nodes[nodeKey{i, family}]) > 0
			if has && (p.AutoAssign || v.named != "") && !yield(i) {
				return
			}
		}
	}
}

// firstGiving returns the first of them, nil if there is none.
func (v *view) firstGiving(family corev1.IPFamily) *LoadBalancerPool {
	for i := range v.giving(family) {
		return v.pools[i]
	}
	return nil
}

// automatic returns some candidates, then what pools give.
func (v *view) automatic(first []BalancerCandidate, family corev1.IPFamily) iter.Seq[BalancerCandidate] {
	return func(yield func(BalancerCandidate) bool) {
		for _, candidate := range first {
			if !yield(candidate) {
				return
			}
		}
		for i := range v.giving(family) {
			candidate := BalancerCandidate{Source: Automatic, Pool: v.pools[i], Range: v.realm(family).holdings[i].stock.of}
			if v.pools[i].OfNodes() {
				candidate = BalancerCandidate{Source: OfNodes, Pool: v.pools[i], Nodes: v.nodes[nodeKey{i, family}]}
			}
			if !yield(candidate) {
				return
			}
		}
	}
}

func sole(candidate BalancerCandidate) iter.Seq[BalancerCandidate] {
	return func(yield func(BalancerCandidate) bool) { yield(candidate) }
}

// judge tells whether the Service may have an address of its own, and which pool has
// it.
func (v *view) judge(address netip.Addr) (*LoadBalancerPool, *Refusal) {
	r := v.realm(familyOf(address))
	holder, found := r.claims.holder(address)
	meant, reserved := r.reserved[address]
	if found && reserved && meant.namespace == v.who.Namespace && meant.name == v.who.Name && v.mayUse(holder) {
		return v.pools[holder], nil
	}
	if !slices.ContainsFunc(v.serving, func(i int) bool { return r.holdings[i].numbers().has(address) }) {
		return nil, v.refuseAddress(address)
	}
	switch owner := v.pools[holder]; {
	case reserved:
		return nil, refuse(RefusedNotPermitted, "is reserved for another Service")
	case owner.exclusive && !owner.serves(v.who):
		return nil, refuse(RefusedNotPermitted, "belongs to a pool that does not serve this Service")
	default:
		return owner, nil
	}
}

// Standing is how a Service stands with an address that it has.
type Standing int

const (
	// Fits is an address that the Service might be given now.
	Fits Standing = iota + 1
	// Kept is one that it would not be given, and keeps.
	Kept
	// Rehomed is one that it would not be given, and is to be given another for.
	Rehomed
)

// Keeps tells how a Service stands with an address that it has, and of which pool
// the address is, nil if it is of none that the Service may use. named is the pool
// that it asks for.
//
// An address that does not fit any more is kept, unless the first pool that would
// give the Service one of its family rehomes: what pools of others say moves nobody,
// and nobody is left without an address.
func (l *LoadBalancers) Keeps(who *Who, named string, address netip.Addr) (Standing, *LoadBalancerPool) {
	v, family := l.view(who, named), familyOf(address)
	if i := l.nodePool(v.serving, address); i != nobody {
		return Fits, v.pools[i]
	}
	if p, refused := v.judge(address); refused == nil {
		return Fits, p
	}
	if first := v.firstGiving(family); first != nil && first.Rehomes {
		return Rehomed, nil
	}
	return Kept, nil
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package pool

import (
	"iter"

	"servicenet.dev/servicenet/internal/allocator"
)

// Source is why a Service may have a number.
type Source int

const (
	// Named numbers are asked for by the Service.
	Named Source = iota + 1
	// Reserved numbers are meant for the Service.
	Reserved
	// Retained numbers are kept for the Service's name since an earlier one of
	// that name was deleted.
	Retained
	// Automatic is any free number of a Range.
	Automatic
	// OfNodes is all addresses that a pool has of nodes, which Services share.
	OfNodes
)

// Candidate is where a number may be taken from.
type Candidate[N any] struct {
	Source Source
	// Pool is the pool whose limit counts; nil outside of pools.
	Pool *Pool
	// Range is what to choose from, if the source is Automatic.
	Range *allocator.Range
	// Number is the one to take, of the other sources.
	Number N
}

// ask is what a Service needs one number for.
type ask[N number[N]] struct {
	// use is which of the numbers that a Service has it is; see reservee.
	use string
	// named is the number that the Service names, the zero value if it names none.
	named N
	// retained are the numbers kept for it.
	retained []N
}

// choose returns what to try for a number, in this order, or why there is nothing.
// A Service that names a number gets that one. A reserved one is a promise: there
// is no other then. Of what comes next the first free one is good. The pools are
// those that serve the Service.
func (r *realm[N]) choose(who *Who, pools []int, a *ask[N]) (iter.Seq[Candidate[N]], *refusal[N]) {
	var none N
	if a.named != none {
		pool, refused := r.judge(who, a.named, pools)
		if refused != nil {
			return nil, refused
		}
		return only(Candidate[N]{Source: Named, Pool: pool, Number: a.named}), nil
	}
	if reservation, found := r.reservations[reservee{who.Namespace, who.Name, a.use}]; found {
		if refused := r.judgeReserved(reservation.first); refused != nil {
			return nil, refused
		}
		return only(Candidate[N]{Source: Reserved, Pool: r.holdings[reservation.holder].pool, Number: reservation.first}), nil
	}
	var retained []Candidate[N]
	for _, n := range a.retained {
		if pool, refused := r.judge(who, n, pools); refused == nil && r.settled.has(n) {
			retained = append(retained, Candidate[N]{Source: Retained, Pool: pool, Number: n})
		}
	}
	served, open := r.whatServes(pools)
	switch {
	case len(retained) > 0 || open:
		return r.automatic(retained, pools, served), nil
	case r.grow(pools):
		return nil, &refusal[N]{why: notYet}
	default:
		return nil, &refusal[N]{why: nothingLeft, served: served}
	}
}

// judgeReserved tells whether the API server has a number that is reserved.
func (r *realm[N]) judgeReserved(n N) *refusal[N] {
	switch {
	case r.accepted.has(n):
		return nil
	case r.soon.has(n):
		return &refusal[N]{why: notYet}
	default:
		return &refusal[N]{why: reservedOutside, number: n, hint: r.accepted}
	}
}

func only[N any](candidate Candidate[N]) iter.Seq[Candidate[N]] {
	return func(yield func(Candidate[N]) bool) { yield(candidate) }
}

// whatServes tells whether any of the pools has numbers of this kind, and whether
// there is anything to choose from, in them or, if there is none, outside.
func (r *realm[N]) whatServes(pools []int) (served, open bool) {
	for h := range r.of(pools) {
		if h.stock.open {
			return true, true
		}
		served = true
	}
	return served, !served && r.open.open
}

// grow tells whether there will be more to choose from before long, in the pools or, if
// none of them has numbers of this kind, outside.
func (r *realm[N]) grow(pools []int) bool {
	served := false
	for h := range r.of(pools) {
		if h.grows {
			return true
		}
		served = true
	}
	return !served && r.grows
}

// automatic returns some candidates, then the Ranges to choose from.
func (r *realm[N]) automatic(first []Candidate[N], pools []int, served bool) iter.Seq[Candidate[N]] {
	return func(yield func(Candidate[N]) bool) {
		for _, candidate := range first {
			if !yield(candidate) {
				return
			}
		}
		if !served && r.open.open {
			yield(Candidate[N]{Source: Automatic, Range: r.open.of})
			return
		}
		for h := range r.of(pools) {
			if h.stock.open && !yield(Candidate[N]{Source: Automatic, Pool: h.pool, Range: h.stock.of}) {
				return
			}
		}
	}
}

// judge tells whether a Service may have a number, and whose it is.
func (r *realm[N]) judge(who *Who, n N, pools []int) (*Pool, *refusal[N]) {
	if !r.accepted.has(n) {
		if r.edges.has(n) {
			return nil, &refusal[N]{why: edge, number: n}
		}
		if r.soon.has(n) {
			return nil, &refusal[N]{why: notYet}
		}
		return nil, &refusal[N]{why: outsideServer, number: n, hint: r.accepted}
	}
	owner := r.owner(n)
	if meant, found := r.reserved[n]; found {
		if meant.namespace != who.Namespace || meant.name != who.Name {
			return nil, &refusal[N]{why: reservedForOther, number: n}
		}
		return owner, nil
	}
	return owner, r.judgeTerms(who, n, owner, pools)
}

// judgeTerms tells whether the terms of pools let a Service have a number.
func (r *realm[N]) judgeTerms(who *Who, n N, owner *Pool, pools []int) *refusal[N] {
	switch {
	case r.nobodys.has(n):
		return &refusal[N]{why: excluded, number: n}
	case owner != nil && owner.exclusive && !owner.serves(who):
		return &refusal[N]{why: exclusive, number: n}
	}
	var serving []set[N]
	var names []string
	for h := range r.of(pools) {
		if h.whole.has(n) && !h.excluded.has(n) {
			return nil
		}
		serving, names = append(serving, h.own), append(names, h.pool.Name)
	}
	if len(serving) == 0 {
		return nil
	}
	return &refusal[N]{why: outsidePools, number: n, hint: union(serving...), pools: names}
}

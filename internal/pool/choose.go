// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package pool

import "servicenet.dev/servicenet/internal/allocator"

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
// is no other then. Of what comes next the first free one is good.
func (r *realm[N]) choose(who *Who, a *ask[N]) ([]Candidate[N], *refusal[N]) {
	serving := r.serving(who)
	var none N
	if a.named != none {
		pool, refused := r.judge(who, a.named, serving)
		if refused != nil {
			return nil, refused
		}
		return []Candidate[N]{{Source: Named, Pool: pool, Number: a.named}}, nil
	}
	if reservation, found := r.reservations[reservee{who.Namespace, who.Name, a.use}]; found {
		if !r.accepted.has(reservation.first) {
			return nil, &refusal[N]{why: reservedOutside, number: reservation.first, hint: r.accepted}
		}
		return []Candidate[N]{{Source: Reserved, Pool: r.holdings[reservation.holder].pool, Number: reservation.first}}, nil
	}
	candidates := make([]Candidate[N], 0, len(a.retained)+len(serving)+1)
	for _, n := range a.retained {
		if pool, refused := r.judge(who, n, serving); refused == nil && r.settled.has(n) {
			candidates = append(candidates, Candidate[N]{Source: Retained, Pool: pool, Number: n})
		}
	}
	candidates = r.automatic(candidates, serving)
	if len(candidates) == 0 {
		return nil, &refusal[N]{why: nothingLeft, pools: len(serving)}
	}
	return candidates, nil
}

// automatic appends the Ranges to choose from.
func (r *realm[N]) automatic(candidates []Candidate[N], serving []*holding[N]) []Candidate[N] {
	if len(serving) == 0 && r.open.open {
		return append(candidates, Candidate[N]{Source: Automatic, Range: r.open.of})
	}
	for _, h := range serving {
		if h.stock.open {
			candidates = append(candidates, Candidate[N]{Source: Automatic, Pool: h.pool, Range: h.stock.of})
		}
	}
	return candidates
}

// judge tells whether a Service may have a number, and whose it is.
func (r *realm[N]) judge(who *Who, n N, serving []*holding[N]) (*Pool, *refusal[N]) {
	if !r.accepted.has(n) {
		if r.edges.has(n) {
			return nil, &refusal[N]{why: edge, number: n}
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
	return owner, r.judgeTerms(who, n, owner, serving)
}

// judgeTerms tells whether the terms of pools let a Service have a number.
func (r *realm[N]) judgeTerms(who *Who, n N, owner *Pool, serving []*holding[N]) *refusal[N] {
	switch {
	case r.nobodys.has(n):
		return &refusal[N]{why: excluded, number: n}
	case owner != nil && owner.exclusive && !owner.serves(who):
		return &refusal[N]{why: exclusive, number: n}
	case len(serving) > 0 && !inAny(serving, n):
		return &refusal[N]{why: outsidePools, number: n, hint: ownOf(serving)}
	}
	return nil
}

func inAny[N number[N]](serving []*holding[N], n N) bool {
	for _, h := range serving {
		if h.whole.has(n) && !h.excluded.has(n) {
			return true
		}
	}
	return false
}

// ownOf returns the numbers of holdings.
func ownOf[N number[N]](holdings []*holding[N]) set[N] {
	sets := make([]set[N], len(holdings))
	for i, h := range holdings {
		sets[i] = h.own
	}
	return union(sets...)
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package pool

import (
	"net/netip"
	"slices"
)

// Fence is the numbers of a pool that are not for everybody.
type Fence[N any] struct {
	// Pool is its name.
	Pool string
	// Spans are the numbers of an exclusive pool that are for Terms only; none, if
	// the pool is for everybody.
	Spans []FencedSpan[N]
	Terms Terms
	// Reserved are numbers that are for one Service each, whatever Terms say.
	Reserved []ReservedNumber[N]
}

// FencedSpan is the numbers from one to another, both included.
type FencedSpan[N any] struct{ First, Last N }

// ReservedNumber is a number, and the Service that it is for.
type ReservedNumber[N any] struct {
	Number          N
	Namespace, Name string
}

// Terms say which Services a pool serves: those that meet all requirements.
type Terms struct {
	// Nobody is served by a malformed pool.
	Nobody bool
	// Namespaces and Services are required of the labels of each.
	Namespaces, Services []Requirement
}

// Requirement asks for a label with one of some values, or with any if there are
// none. Not turns it around.
type Requirement struct {
	Key    string
	Values []string
	Not    bool
}

// Fences returns the fences of all pools that have any, those first that have the
// better right to a number. No two of them share one, wherever ServiceCIDRs are.
func (c *ClusterIPs) Fences() []Fence[netip.Addr] {
	fences := c.ipv4.fences()
	for i, more := range c.ipv6.fences() {
		fences[i].Spans = append(fences[i].Spans, more.Spans...)
		fences[i].Reserved = append(fences[i].Reserved, more.Reserved...)
	}
	return withoutOpen(fences)
}

// Fences is like that of ClusterIPs.
func (p *NodePorts) Fences() []Fence[Port] { return withoutOpen(p.ports.fences()) }

// Empty tells whether there is no pool.
func (p *NodePorts) Empty() bool { return len(p.ports.holdings) == 0 }

// fences returns that of every pool, in the order of their right.
func (r *realm[N]) fences() []Fence[N] {
	fences := make([]Fence[N], len(r.holdings))
	for i, index := range r.byRight() {
		fences[i] = r.holdings[index].fence()
	}
	return fences
}

func (h *holding[N]) fence() Fence[N] {
	f := Fence[N]{Pool: h.pool.Name, Terms: h.pool.terms()}
	if h.pool.exclusive && !f.Terms.everybody() {
		for _, part := range h.own {
			f.Spans = append(f.Spans, FencedSpan[N]{part.first, part.last})
		}
	}
	for _, r := range h.reservations {
		if h.own.has(r.number) {
			f.Reserved = append(f.Reserved, ReservedNumber[N]{r.number, r.namespace, r.name})
		}
	}
	return f
}

func withoutOpen[N any](fences []Fence[N]) []Fence[N] {
	return slices.DeleteFunc(fences, func(f Fence[N]) bool { return len(f.Spans) == 0 && len(f.Reserved) == 0 })
}

func (p *Pool) terms() Terms {
	return Terms{Nobody: len(p.Faults) > 0, Namespaces: p.namespaces.requirements(), Services: p.services.requirements()}
}

func (t *Terms) everybody() bool { return !t.Nobody && len(t.Namespaces) == 0 && len(t.Services) == 0 }

func (s selector) requirements() []Requirement {
	var all []Requirement
	for _, r := range s {
		all = append(all, Requirement{Key: r.key, Values: r.values, Not: r.not})
	}
	return all
}

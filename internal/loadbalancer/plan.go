// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package loadbalancer

import (
	"cmp"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// Holding is an address that a Service has in the ledger.
type Holding struct {
	Address netip.Addr
	// Stays tells that pools let it keep the address; if they do not, it is to have
	// another instead.
	Stays bool
	// Fits tells that the address is what it asks for: of the pool that it names, or
	// of any, and on terms that others who share the address agree with.
	Fits bool
	// Shown tells that its status has the address.
	Shown bool
}

// Need is an address that is to be found.
type Need struct {
	Family corev1.IPFamily
	// Named is the one that it has to be; not valid if any will do.
	Named netip.Addr
	// InsteadOf are addresses of the family that are given up once the need is met.
	InsteadOf []netip.Addr
	// Rehomes tells that the need is not the Service's wish, but that of its pools.
	Rehomes bool
}

// Plan is what is to become of the addresses of a Service.
type Plan struct {
	// Keep are those that it keeps for good.
	Keep []netip.Addr
	// Needs are to be met.
	Needs []Need
	// GiveUp are those that it has no use for.
	GiveUp []netip.Addr
}

// Make returns what is to become of the addresses of a Service, given what it has. The
// order of what it has does not matter.
func Make(r *Request, has []Holding) Plan {
	var p Plan
	has = slices.Clone(has)
	// Of several that are as good, it keeps what people see, then the lowest.
	slices.SortFunc(has, func(a, b Holding) int {
		return cmp.Or(compareBool(a.Shown, b.Shown), a.Address.Compare(b.Address))
	})
	for _, family := range r.Families {
		p.planFamily(r, family, ofFamily(has, family))
	}
	for i := range has {
		if !slices.Contains(r.Families, FamilyOf(has[i].Address)) {
			p.GiveUp = append(p.GiveUp, has[i].Address)
		}
	}
	return p
}

// compareBool puts true first.
func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	default:
		return 1
	}
}

func ofFamily(has []Holding, family corev1.IPFamily) []Holding {
	var found []Holding
	for i := range has {
		if FamilyOf(has[i].Address) == family {
			found = append(found, has[i])
		}
	}
	return found
}

func (p *Plan) planFamily(r *Request, family corev1.IPFamily, has []Holding) {
	if named := r.Of(family); len(named) > 0 {
		p.planNamed(family, named, has)
		return
	}
	for i := range has {
		if has[i].Stays && has[i].Fits {
			p.Keep = append(p.Keep, has[i].Address)
			p.GiveUp = append(p.GiveUp, addresses(slices.Delete(has, i, i+1))...)
			return
		}
	}
	need := Need{Family: family}
	if len(has) > 0 {
		need.InsteadOf, need.Rehomes = []netip.Addr{has[0].Address}, has[0].Fits
		p.GiveUp = append(p.GiveUp, addresses(has[1:])...)
	}
	p.Needs = append(p.Needs, need)
}

// planNamed is for a Service that names addresses of a family. It keeps those alone:
// whether pools would rather have it elsewhere is no matter, since it may have nothing
// else. While it waits for one of them, it keeps one that it had before.
func (p *Plan) planNamed(family corev1.IPFamily, named []netip.Addr, has []Holding) {
	var missing []netip.Addr
	for _, address := range named {
		at := slices.IndexFunc(has, func(h Holding) bool { return h.Address == address })
		if at < 0 {
			missing = append(missing, address)
			continue
		}
		p.Keep = append(p.Keep, address)
		has = slices.Delete(has, at, at+1)
	}
	for i, address := range missing {
		need := Need{Family: family, Named: address}
		if i < len(has) {
			need.InsteadOf = []netip.Addr{has[i].Address}
		}
		p.Needs = append(p.Needs, need)
	}
	p.GiveUp = append(p.GiveUp, addresses(has[min(len(missing), len(has)):])...)
}

func addresses(of []Holding) []netip.Addr {
	var found []netip.Addr
	for i := range of {
		found = append(found, of[i].Address)
	}
	return found
}

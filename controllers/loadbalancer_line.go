// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"servicenet.dev/servicenet/internal/allocator"
	"servicenet.dev/servicenet/internal/ledger"
	"servicenet.dev/servicenet/internal/loadbalancer"
	"servicenet.dev/servicenet/internal/pool"
)

// line is who wants addresses that there may be too few of.
type line struct {
	waiters map[loadbalancer.Spot][]loadbalancer.Waiter
	// ranges are what there is to choose from in the spots that are not of one address.
	ranges map[loadbalancer.Spot]*allocator.Range
}

// lineUp has Services wait before the first of them is served, where there might be more of
// them than free addresses: so the longest waiter gets the first, whichever worker is the
// fastest. All of them are to be looked at then. What is free, others may want, too, by
// name, or to move there: where it is enough for all there are, nobody has to wait.
func (b *loadBalancers) lineUp(ctx context.Context, all *pool.LoadBalancers) {
	l := &line{waiters: map[loadbalancer.Spot][]loadbalancer.Waiter{}, ranges: map[loadbalancer.Spot]*allocator.Range{}}
	served := 0
	for record := range each[*serviceRecord](b.replica.services.List()) {
		if service := record.balanced; service != nil && b.terms.Duty(service, false) == loadbalancer.Serve {
			served++
			b.joinLine(ctx, l, all, service)
		}
	}
	for spot, waiters := range l.waiters {
		of := l.ranges[spot]
		if !spot.Address.IsValid() && (of == nil || served <= b.store.FreeIn(familyOf(spot.Family), of)) {
			continue
		}
		b.mu.Lock()
		for _, waiter := range waiters {
			b.waiters.Join(waiter, spot)
		}
		b.mu.Unlock()
	}
}

// joinLine notes which addresses a Service wants and does not have. One that can't be
// understood, or not be looked at now, wants none.
func (b *loadBalancers) joinLine(ctx context.Context, l *line, all *pool.LoadBalancers, service *corev1.Service) {
	provider, _ := b.provider.(*poolProvider)
	has := b.store.Tenancies(service.UID)
	r, faults, err := provider.newRound(ctx, service)
	if err != nil || len(faults) > 0 || r.request.AnyFamily && len(has) > 0 && len(r.request.Named) == 0 {
		return
	}
	for _, family := range r.request.Families {
		of := func(place ledger.Place) bool { return loadbalancer.FamilyOf(place.Address()) == family }
		named := r.request.Of(family)
		for _, address := range named {
			if !slices.Contains(has, placeOf(address)) {
				r.joinPools(l, all, pool.Need{Family: family, Address: address})
			}
		}
		if len(named) == 0 && !slices.ContainsFunc(has, of) {
			r.joinPools(l, all, pool.Need{Family: family})
		}
	}
}

// joinPools notes that the Service wants an address of the pools that give it one. What it
// names is one less for others.
func (r *round) joinPools(l *line, all *pool.LoadBalancers, need pool.Need) {
	choice := all.Choose(r.who, r.request.Pool, []pool.Need{need}, r.kept())[0]
	if choice.Refusal != nil {
		return
	}
	for candidate := range choice.Candidates {
		spot := loadbalancer.Spot{Pool: candidate.Pool.Name, Family: need.Family}
		switch candidate.Source {
		case pool.Named:
			certain := loadbalancer.Spot{Address: candidate.Address}
			l.waiters[certain] = append(l.waiters[certain], r.waiter)
		case pool.Automatic:
			l.ranges[spot] = candidate.Range
		case pool.OfNodes:
			continue // where all share
		default:
			return // it has a claim to that
		}
		l.waiters[spot] = append(l.waiters[spot], r.waiter)
	}
}

// kept returns the addresses that are kept for the name of the Service.
func (r *round) kept() (kept []netip.Addr) {
	for _, place := range r.store.Kept(r.owner.NamespacedName) {
		kept = append(kept, place.Address())
	}
	return kept
}

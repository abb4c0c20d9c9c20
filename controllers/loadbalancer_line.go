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

// lineUp has Services wait before the first of them is served, where they want more
// addresses than are free: so the longest waiter gets the first, whichever worker is the
// fastest. All of them are to be looked at then.
func (b *loadBalancers) lineUp(ctx context.Context, all *pool.LoadBalancers) {
	l := &line{waiters: map[loadbalancer.Spot][]loadbalancer.Waiter{}, ranges: map[loadbalancer.Spot]*allocator.Range{}}
	for record := range each[*serviceRecord](b.replica.services.List()) {
		if service := record.balanced; service != nil && b.terms.Duty(service, false) == loadbalancer.Serve {
			b.joinLine(ctx, l, all, service)
		}
	}
	for spot, waiters := range l.waiters {
		if len(waiters) <= b.freeIn(spot, l.ranges[spot]) {
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
				spot := loadbalancer.Spot{Address: address}
				l.waiters[spot] = append(l.waiters[spot], r.waiter)
			}
		}
		if len(named) == 0 && !slices.ContainsFunc(has, of) {
			r.joinPools(l, all, family)
		}
	}
}

// joinPools notes that the Service wants any address of the pools that give it one.
func (r *round) joinPools(l *line, all *pool.LoadBalancers, family corev1.IPFamily) {
	choice := all.Choose(r.who, r.request.Pool, []pool.Need{{Family: family}}, r.kept())[0]
	if choice.Refusal != nil {
		return
	}
	for candidate := range choice.Candidates {
		if candidate.Source != pool.Automatic {
			return // it has a claim to that
		}
		spot := loadbalancer.Spot{Pool: candidate.Pool.Name, Family: family}
		l.waiters[spot], l.ranges[spot] = append(l.waiters[spot], r.waiter), candidate.Range
	}
}

// kept returns the addresses that are kept for the name of the Service.
func (r *round) kept() (kept []netip.Addr) {
	for _, place := range r.store.Kept(r.owner.NamespacedName) {
		kept = append(kept, place.Address())
	}
	return kept
}

// freeIn returns how many addresses are free in a spot, of a range or a certain one.
func (b *loadBalancers) freeIn(spot loadbalancer.Spot, of *allocator.Range) int {
	switch {
	case of != nil:
		return b.store.FreeIn(familyOf(spot.Family), of)
	case b.store.IsFree(placeOf(spot.Address)):
		return 1
	default:
		return 0
	}
}

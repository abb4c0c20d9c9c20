// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"servicenet.dev/servicenet/internal/allocator"
	"servicenet.dev/servicenet/internal/ledger"
	"servicenet.dev/servicenet/internal/loadbalancer"
	"servicenet.dev/servicenet/internal/pool"
)

// makeAgain has a Service deleted and made again, while nothing else happens. It gets what
// is kept for its name, whatever else there is by now.
func (u *upheaval) makeAgain(ctx context.Context) {
	u.v.mu.Lock()
	c := u.look()
	var of *corev1.Service
	var kept []netip.Addr
	for _, s := range heavedAll[*corev1.Service](u.v) {
		if some := c.keptFor(s); len(some) > 0 {
			of, kept = s, some
		}
	}
	u.v.mu.Unlock()
	if of == nil {
		return
	}
	u.logf("%s is made again, and %v is kept for it", of.UID, kept)
	name := client.ObjectKeyFromObject(of)
	u.edit(name, func(s *corev1.Service) bool {
		s.DeletionTimestamp = new(metav1.Now())
		return false
	})
	_ = lapse(ctx, 2*time.Second)
	next := of.DeepCopy()
	next.Finalizers, next.Status = nil, corev1.ServiceStatus{}
	u.v.mu.Lock()
	if u.v.stored(next) == nil {
		u.v.put("", next)
	}
	u.v.mu.Unlock()
	u.settle(ctx)
	if missing := without(kept, u.tenancies()[next.UID]); len(missing) > 0 {
		u.errorf("%s was made again, and has %v, not %v", next.UID, u.tenancies()[next.UID], kept)
	}
}

// keptFor returns the addresses that are certain to be kept for the name of a Service once
// it is deleted, and to be given to another that asks for the same.
func (c *calmness) keptFor(s *corev1.Service) (kept []netip.Addr) {
	request, faults := loadbalancer.Read(s)
	if c.terms.Duty(s, false) != loadbalancer.Serve || len(faults) > 0 || len(request.Named) > 0 {
		return nil
	}
	for _, address := range c.has[s.UID] {
		place, owner := placeOf(address), c.seenPools.all.Owner(address)
		standing, _ := c.seenPools.all.Keeps(c.who(s), request.Pool, address)
		alone := len(c.blocks[place.Key].Tenants(place.Number)) == 1
		if owner == nil || owner.Retain < 5*time.Second || owner.Limits(c.who(s)) || standing != pool.Fits || !alone {
			continue
		}
		choice := c.seenPools.all.Choose(c.who(s), request.Pool, []pool.Need{{Family: loadbalancer.FamilyOf(address)}}, []netip.Addr{address})[0]
		for candidate := range choice.Candidates {
			if candidate.Source == pool.Retained {
				kept = append(kept, address)
			}
		}
	}
	return kept
}

// succeed has Services come and end while nobody leads, and somebody lead then. Nobody gets
// what was free, or comes free, if somebody else has waited for it for longer.
func (u *upheaval) succeed(ctx context.Context) {
	for _, r := range u.replicas {
		u.logf("%s dies", r)
		r.kill()
	}
	for i := range 4 {
		next := u.newService(types.NamespacedName{Namespace: "shop", Name: strconv.Itoa(6 + i)})
		u.v.mu.Lock()
		if u.v.stored(next) == nil {
			u.v.put("", next)
		}
		u.v.mu.Unlock()
		_ = lapse(ctx, time.Second)
	}
	before := u.desert()
	_ = lapse(ctx, u.v.upTo(time.Minute))
	u.replicas = []*heavedReplica{u.start(ctx), u.start(ctx)}
	u.lead(ctx, u.replicas[0])
	_ = lapse(ctx, 10*time.Second)
	u.settle(ctx)
	u.v.mu.Lock()
	defer u.v.mu.Unlock()
	after := u.look()
	for uid, addresses := range after.has {
		for _, address := range without(addresses, before.has[uid]) {
			for _, older := range after.passedOver(uid, address) {
				u.errorf("%s has %s now, for which %s has waited for longer", uid, address, older)
			}
		}
	}
}

// desert ends half of the Services that have addresses, and takes the finalizers of half of
// the others, so that there is more to be done for these. It returns what was before that,
// and has calls take longer.
func (u *upheaval) desert() *calmness {
	u.v.mu.Lock()
	defer u.v.mu.Unlock()
	before := u.look()
	u.v.slow = 500 * time.Millisecond
	for _, s := range heavedAll[*corev1.Service](u.v) {
		if u.v.rng.IntN(2) == 0 {
			continue
		}
		if len(before.has[s.UID]) > 0 {
			u.v.remove("", s)
			continue
		}
		after := s.DeepCopy()
		after.Finalizers, u.edited[s.UID] = nil, time.Now()
		u.v.putService("", s, after)
	}
	return before
}

// passedOver returns the Services that wait for any address of a pool that has one, and are
// older than the one that has got it without naming it.
func (c *calmness) passedOver(by types.UID, address netip.Addr) (older []types.UID) {
	got, place, family := c.all[by], placeOf(address), loadbalancer.FamilyOf(address)
	request, faults := loadbalancer.Read(got)
	shared := len(c.blocks[place.Key].Tenants(place.Number)) > 1
	if len(faults) > 0 || slices.Contains(request.Named, address) || shared || c.isReserved(got, &request, family) {
		return nil
	}
	for _, s := range c.all {
		wish, faults := loadbalancer.Read(s)
		isOlder := cmp.Or(s.CreationTimestamp.Compare(got.CreationTimestamp.Time),
			cmp.Compare(s.Namespace, got.Namespace), cmp.Compare(s.Name, got.Name)) < 0
		if !isOlder || len(faults) > 0 || c.terms.Duty(s, false) != loadbalancer.Serve {
			continue
		}
		if slices.Contains(c.unmet(s, &wish), pool.Need{Family: family}) && c.mightHave(s, &wish, place) {
			older = append(older, s.UID)
		}
	}
	return older
}

// isReserved tells whether an address of a family is reserved for a Service.
func (c *calmness) isReserved(s *corev1.Service, request *loadbalancer.Request, family corev1.IPFamily) bool {
	choice := c.seenPools.all.Choose(c.who(s), request.Pool, []pool.Need{{Family: family}}, nil)[0]
	if choice.Refusal != nil {
		return false
	}
	for candidate := range choice.Candidates {
		return candidate.Source == pool.Reserved
	}
	return false
}

// mightHave tells whether pools would give a Service an address, without a look at limits.
func (c *calmness) mightHave(s *corev1.Service, request *loadbalancer.Request, place ledger.Place) bool {
	family := loadbalancer.FamilyOf(place.Address())
	choice := c.seenPools.all.Choose(c.who(s), request.Pool, []pool.Need{{Family: family}}, nil)[0]
	if choice.Refusal != nil {
		return false
	}
	for candidate := range choice.Candidates {
		if candidate.Source == pool.Automatic && !candidate.Pool.Limits(c.who(s)) &&
			candidate.Range.ClassOf(place.Block, place.Number) > allocator.Reserved {
			return true
		}
	}
	return false
}

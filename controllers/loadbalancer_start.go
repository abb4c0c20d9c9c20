// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"servicenet.dev/servicenet/internal/ledger"
	"servicenet.dev/servicenet/internal/loadbalancer"
	"servicenet.dev/servicenet/internal/pool"
)

// lookPeriod is how often blocks that are lost, and metrics, are looked after.
const lookPeriod = 5 * time.Second

// run takes over what Services have, lets addresses be given, and follows the pools,
// until the context ends.
func (b *loadBalancers) run(ctx context.Context) error {
	if !b.retry(ctx, b.sweep) || !b.retry(ctx, b.follow) {
		return nil
	}
	b.remember()
	b.requests.open(b.inOrder)
	swept := b.clock.Now()
	for {
		b.measure()
		select {
		case <-ctx.Done():
			return nil
		case <-b.changed:
			b.awaitRest(ctx)
			b.retry(ctx, b.follow)
		case <-time.After(lookPeriod):
			b.retry(ctx, b.mend)
		}
		if b.clock.Since(swept) >= b.options.RepairInterval {
			b.retry(ctx, b.sweep)
			swept = b.clock.Now()
		}
	}
}

// together is for how long pools that change are waited for when one has. Those that were
// edited while a watch was broken off come one by one, and in no order: what they amount
// to halfway is what they never were, and nobody is to move for that.
const together = 50 * time.Millisecond

// awaitRest waits for the rest of what has changed.
func (b *loadBalancers) awaitRest(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(together):
	}
	select {
	case <-b.changed:
	default:
	}
}

// poolsChange tells whether there are pools that are not followed yet.
func (b *loadBalancers) poolsChange() bool { return b.book.LoadBalancers() != b.pools.Load() }

// retry does something until it succeeds. It returns false when the context ends.
func (b *loadBalancers) retry(ctx context.Context, do func(context.Context) error) bool {
	for {
		err := do(ctx)
		if err == nil {
			return true
		}
		if ctx.Err() != nil {
			return false
		}
		log.FromContext(ctx).Error(err, "Could not look after load balancers, and try again")
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

// follow has addresses come from the pools as they are now. Before that, what Services
// have of these by their status is taken over: nobody else is to get it. Others line up for
// the rest.
func (b *loadBalancers) follow(ctx context.Context) error {
	if !b.poolsChange() {
		return nil
	}
	all := b.book.LoadBalancers()
	if err := b.adopt(ctx, all); err != nil {
		return err
	}
	b.lineUp(ctx, all)
	b.pools.Store(all)
	b.mu.Lock()
	names := make([]types.NamespacedName, 0, len(b.services))
	for _, name := range b.services {
		names = append(names, name)
	}
	b.mu.Unlock()
	b.inOrder(names)
	for _, name := range names {
		b.requests.add(name)
	}
	return nil
}

// inOrder puts the oldest Services first.
func (b *loadBalancers) inOrder(names []types.NamespacedName) {
	created := map[types.NamespacedName]time.Time{}
	for _, name := range names {
		if record := b.record(name); record != nil {
			created[name] = record.Created
		}
	}
	slices.SortFunc(names, func(a, b types.NamespacedName) int {
		return cmp.Or(created[a].Compare(created[b]), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
}

// adopt has the ledger know the addresses of pools that Services have by their status,
// the oldest Service first. One that may not have what it shows gets another later.
func (b *loadBalancers) adopt(ctx context.Context, all *pool.LoadBalancers) error {
	var services []*corev1.Service
	for record := range each[*serviceRecord](b.replica.services.List()) {
		if service := record.balanced; service != nil && b.terms.Duty(service, false) == loadbalancer.Serve {
			services = append(services, service)
		}
	}
	ours := func(address netip.Addr) bool { return all.Owner(address) != nil }
	for _, claim := range loadbalancer.Claims(services, ours, b.has) {
		if err := b.adoptOne(ctx, all, claim); err != nil {
			return fmt.Errorf("taking over %s of Service %s: %w", claim.Address, claim.Service.Name, err)
		}
	}
	return nil
}

// has tells whether the ledger knows an address of a Service, or another of the family.
func (b *loadBalancers) has(service *corev1.Service, address netip.Addr) bool {
	return slices.ContainsFunc(b.store.Tenancies(service.UID), func(place ledger.Place) bool {
		return place.Address() == address || place.Address().Is4() == address.Is4()
	})
}

func (b *loadBalancers) adoptOne(ctx context.Context, all *pool.LoadBalancers, claim loadbalancer.Claim) error {
	provider, _ := b.provider.(*poolProvider)
	r, faults, err := provider.newRound(ctx, claim.Service)
	if err != nil || len(faults) > 0 {
		return err
	}
	choice := all.Choose(r.who, "", []pool.Need{{Family: loadbalancer.FamilyOf(claim.Address), Address: claim.Address}}, nil)[0]
	if choice.Refusal != nil && choice.Refusal.Reason == pool.RefusedNotPermitted {
		return nil
	}
	_, _, err = r.admit(ctx, placeOf(claim.Address), false, true)
	return err
}

// remember notes which addresses are shared.
func (b *loadBalancers) remember() {
	provider, _ := b.provider.(*poolProvider)
	for place, tenant := range b.store.AllTenants() {
		provider.sharers.add(tenant.Key, place)
	}
}

// sweep takes addresses from Services that are gone, or have nothing of ours to have any
// more, without our having seen it.
func (b *loadBalancers) sweep(ctx context.Context) error {
	if err := b.mend(ctx); err != nil {
		return err
	}
	var errs []error
	orphans := map[types.UID]bool{}
	for _, tenant := range b.store.AllTenants() {
		b.mu.Lock()
		_, known := b.services[tenant.UID]
		b.mu.Unlock()
		if known || orphans[tenant.UID] {
			continue
		}
		orphans[tenant.UID] = true
		name, lives, err := b.confirm(ctx, tenant)
		if err != nil || lives {
			errs = append(errs, err)
			continue
		}
		owner := ledger.Owner{NamespacedName: name, UID: tenant.UID}
		errs = append(errs, b.releaseAll(ctx, owner, name.Name != ""))
	}
	return errors.Join(errs...)
}

// confirm asks the API server whether a Service that the cache does not show is there,
// and ours. If its name is not known, all are asked.
func (b *loadBalancers) confirm(ctx context.Context, tenant ledger.Tenant) (name types.NamespacedName, lives bool, err error) {
	name = tenant.Service.Name()
	if name.Name != "" {
		var service corev1.Service
		switch err := b.live.Get(ctx, name, &service); {
		case apierrors.IsNotFound(err):
			return name, false, nil
		case err != nil:
			return name, false, fmt.Errorf("reading Service %s: %w", name, err)
		}
		return name, service.UID == tenant.UID && b.terms.Matters(&service), nil
	}
	var all corev1.ServiceList
	if err := b.live.List(ctx, &all); err != nil {
		return name, false, fmt.Errorf("listing Services: %w", err)
	}
	for i := range all.Items {
		if all.Items[i].UID == tenant.UID {
			return client.ObjectKeyFromObject(&all.Items[i]), b.terms.Matters(&all.Items[i]), nil
		}
	}
	return name, false, nil
}

// mend writes blocks again that are lost or can't be read, with what the status of
// Services says of them.
func (b *loadBalancers) mend(ctx context.Context) error {
	var errs []error
	for key := range b.store.Broken() {
		if !isBalancing(key.Family) {
			continue
		}
		tenants, err := b.tenantsOf(ctx, key)
		if err == nil {
			err = b.store.Rebuild(ctx, key, func(block *ledger.Block, _ ledger.Holder) {
				for _, t := range tenants {
					// Of two that claim one address the older one has it.
					_, _ = block.Admit(t.number, t.Tenant)
				}
			})
		}
		if err != nil && !errors.Is(err, ledger.ErrNewer) && !apierrors.IsConflict(err) && !apierrors.IsAlreadyExists(err) {
			errs = append(errs, fmt.Errorf("rebuilding block %s: %w", key, err))
		}
	}
	return errors.Join(errs...)
}

// seat is a tenant of a number.
type seat struct {
	ledger.Tenant

	number int
}

// tenantsOf returns who has the addresses of a block: whom the ledger knew last, and
// those whose status says so, the oldest first.
func (b *loadBalancers) tenantsOf(ctx context.Context, key ledger.Key) ([]seat, error) {
	var seats []seat
	for place, tenant := range b.store.AllTenants() {
		if place.Key == key {
			seats = append(seats, seat{tenant, place.Number})
		}
	}
	var services []*corev1.Service
	for record := range each[*serviceRecord](b.replica.services.List()) {
		if record.balanced != nil && b.terms.Duty(record.balanced, false) == loadbalancer.Serve {
			services = append(services, record.balanced)
		}
	}
	all := b.book.LoadBalancers()
	in := func(address netip.Addr) bool { return placeOf(address).Key == key }
	provider, _ := b.provider.(*poolProvider)
	for _, claim := range loadbalancer.Claims(services, in, func(*corev1.Service, netip.Addr) bool { return false }) {
		r, faults, err := provider.newRound(ctx, claim.Service)
		if err != nil {
			return nil, err
		}
		if len(faults) == 0 && all.Owner(claim.Address) != nil {
			seats = append(seats, seat{r.tenant(false, nil), placeOf(claim.Address).Number})
		}
	}
	return seats, nil
}

// releaseDeparted takes the addresses of Services of a name that are gone.
func (b *loadBalancers) releaseDeparted(ctx context.Context, name types.NamespacedName) error {
	b.mu.Lock()
	departed := b.departed[name]
	delete(b.departed, name)
	b.mu.Unlock()
	for i, uid := range departed {
		if err := b.releaseAll(ctx, ledger.Owner{NamespacedName: name, UID: uid}, true); err != nil {
			b.mu.Lock()
			b.departed[name] = append(b.departed[name], departed[i:]...)
			b.mu.Unlock()
			return err
		}
	}
	return nil
}

// releaseAll takes all its addresses from a Service. Of one that is deleted, they may be
// kept for another of its name.
func (b *loadBalancers) releaseAll(ctx context.Context, owner ledger.Owner, deleted bool) error {
	var errs []error
	for _, place := range b.store.Tenancies(owner.UID) {
		var then ledger.Retention
		tenant, _ := tenantOf(b.store.Tenants(place), owner.UID)
		if deleted && !tenant.Node {
			then = b.book.retention(place, owner)
		}
		errs = append(errs, b.store.Vacate(ctx, place, owner.UID, then))
	}
	b.callLimited(owner.Namespace)
	b.news.balancingChanged(owner.NamespacedName)
	return errors.Join(errs...)
}

// callLimited calls those who wait for a namespace to have fewer addresses.
func (b *loadBalancers) callLimited(namespace string) {
	all := b.pools.Load()
	if all == nil {
		return
	}
	var called []loadbalancer.Waiter
	b.mu.Lock()
	for _, p := range all.Pools() {
		if p.Limit == 0 {
			continue
		}
		called = append(called, b.waiters.Free(loadbalancer.Spot{Pool: p.Name, Namespace: namespace})...)
	}
	b.mu.Unlock()
	b.enqueue(called...)
}

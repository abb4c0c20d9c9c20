// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"servicenet.dev/servicenet/internal/ledger"
	"servicenet.dev/servicenet/internal/loadbalancer"
	"servicenet.dev/servicenet/internal/pool"
)

// stayWithNodes has the Service go on with the addresses of nodes, of the pool that it
// has them of, also when nodes come or go. They are then as if it had named them.
func (r *round) stayWithNodes(places []ledger.Place) {
	for _, family := range r.request.Families {
		if len(r.request.Of(family)) > 0 {
			continue
		}
		has, showsOther := r.nodesOf(places, family)
		choice := r.all.Choose(r.who, r.request.Pool, []pool.Need{{Family: family}}, nil)[0]
		if len(has) == 0 || showsOther || choice.Refusal != nil {
			continue
		}
		for candidate := range choice.Candidates {
			isOf := func(address netip.Addr) bool { return slices.Contains(candidate.Nodes, address) }
			if !slices.ContainsFunc(has, isOf) {
				continue
			}
			for _, address := range candidate.Nodes {
				r.nodes[address] = candidate.Pool
			}
			r.request.Named = append(r.request.Named, candidate.Nodes...)
			break
		}
	}
}

// nodesOf returns which of the Service's addresses of a family are those of nodes, and
// whether its status shows another: two leaders may have given it both, and people know
// that one.
func (r *round) nodesOf(places []ledger.Place, family corev1.IPFamily) (has []netip.Addr, showsOther bool) {
	shown := loadbalancer.Shown(r.service)
	for _, place := range places {
		address := place.Address()
		tenant, _ := tenantOf(r.store.Tenants(place), r.owner.UID)
		switch {
		case loadbalancer.FamilyOf(address) != family:
		case tenant.Node:
			has = append(has, address)
		default:
			showsOther = showsOther || slices.Contains(shown, address)
		}
	}
	return has, showsOther
}

// meet finds an address for a need, or notes why there is none.
func (r *round) meet(ctx context.Context, need *loadbalancer.Need) error {
	if of := r.nodes[need.Named]; of != nil {
		met, refusal, err := r.meetByNodes(ctx, need, of, []netip.Addr{need.Named})
		if !met && err == nil {
			r.fail(need, refusal)
		}
		return err
	}
	if need.Rehomes && !r.takeTurn() {
		r.fail(need, loadbalancer.Refusal{Reason: loadbalancer.PoolExhausted, Message: "others are moved first"})
		return nil
	}
	if met, err := r.meetByKept(ctx, need); met || err != nil {
		return err
	}
	choice := r.all.Choose(r.who, r.request.Pool, []pool.Need{{Family: need.Family, Address: need.Named}}, nil)[0]
	if choice.Refusal != nil {
		r.fail(need, r.refusalOfPools(need, choice.Refusal))
		return nil
	}
	return r.meetByPools(ctx, need, &choice)
}

// meetByKept has the Service have what is kept for its name, if it names nothing else and
// may have it. What it can't have any more is as if it had not been kept.
func (r *round) meetByKept(ctx context.Context, need *loadbalancer.Need) (met bool, err error) {
	kept := r.kept()
	if len(kept) == 0 || need.Named.IsValid() {
		return false, nil
	}
	choice := r.all.Choose(r.who, r.request.Pool, []pool.Need{{Family: need.Family}}, kept)[0]
	if choice.Refusal != nil {
		return false, nil
	}
	for candidate := range choice.Candidates {
		if candidate.Source != pool.Retained {
			break
		}
		if met, _, err := r.try(ctx, need, &candidate); met || err != nil {
			return met, err
		}
	}
	return false, nil
}

// meetByPools has the Service have the first that can be had of what pools offer, or an
// address of others that have its key.
func (r *round) meetByPools(ctx context.Context, need *loadbalancer.Need, choice *pool.BalancerChoice) error {
	if r.request.Key != "" && !need.Named.IsValid() {
		defer r.turns.lock("key/" + r.request.Key)()
		if shared, err := r.joinSharers(ctx, need); shared || err != nil {
			return err
		}
	}
	var refusals []loadbalancer.Refusal
	for candidate := range choice.Candidates {
		done, refusal, err := r.try(ctx, need, &candidate)
		if done || err != nil {
			return err
		}
		refusals = append(refusals, refusal)
	}
	r.fail(need, worst(refusals))
	return nil
}

// worst returns the refusal that says most: that nothing is free, unless something
// else is wrong with all candidates.
func worst(refusals []loadbalancer.Refusal) loadbalancer.Refusal {
	worst := refusals[0]
	var full []string
	for _, refusal := range refusals {
		if refusal.Reason == loadbalancer.PoolExhausted {
			full = append(full, refusal.Message)
		}
	}
	if len(full) > 0 {
		return loadbalancer.Refusal{
			Reason:  loadbalancer.PoolExhausted,
			Message: "no address is free in the pools that serve this Service: " + strings.Join(full, ", "),
		}
	}
	return worst
}

// fail notes that a need is not met. Where an address of one family is enough, and
// the Service has one, it does not wait for the other.
func (r *round) fail(need *loadbalancer.Need, refusal loadbalancer.Refusal) {
	r.unmet = append(r.unmet, loadbalancer.Unmet{Need: *need, Refusal: refusal})
	if !need.Rehomes {
		// Once others do not mind any more, it is content with what it has.
		for _, address := range need.InsteadOf {
			r.waits[loadbalancer.Spot{Address: address}] = loadbalancer.NothingLeft
		}
	}
}

// met notes that it is.
func (r *round) met(need *loadbalancer.Need, addresses ...netip.Addr) {
	r.got = append(r.got, addresses...)
	r.instead = append(r.instead, need.InsteadOf...)
	r.moving = r.moving || need.Rehomes
}

// try takes what a candidate has. done tells that the need is met.
func (r *round) try(
	ctx context.Context, need *loadbalancer.Need, candidate *pool.BalancerCandidate,
) (done bool, refusal loadbalancer.Refusal, err error) {
	if candidate.Source == pool.OfNodes {
		return r.meetByNodes(ctx, need, candidate.Pool, candidate.Nodes)
	}
	unlock, reached := r.limit(candidate.Pool, need, candidate.Address)
	defer unlock()
	if reached {
		r.waits[loadbalancer.Spot{Pool: candidate.Pool.Name, Namespace: r.owner.Namespace}] = loadbalancer.NothingLeft
		return false, loadbalancer.Refusal{Reason: loadbalancer.LimitReached, Message: fmt.Sprintf(
			"the namespace has the %d addresses of pool %s that it may have", candidate.Pool.Limit, candidate.Pool.Name)}, nil
	}
	if candidate.Source == pool.Automatic {
		return r.tryAny(ctx, need, candidate)
	}
	place, spot := placeOf(candidate.Address), loadbalancer.Spot{Address: candidate.Address}
	isCalled := slices.ContainsFunc(r.called, func(call loadbalancer.Call) bool { return call.Spot == spot })
	if candidate.Source == pool.Named && !isCalled && r.store.IsFree(place) && r.isAhead(spot, 1) {
		r.waits[spot] = loadbalancer.Skipped
		return false, loadbalancer.Refusal{
			Reason: loadbalancer.AddressInUse, Message: candidate.Address.String() + " is for a Service that waits for it for longer",
		}, nil
	}
	_, sharing, err := r.admit(ctx, place, false, false)
	switch {
	case err != nil:
		return false, refusal, err
	case sharing != nil:
		if candidate.Source != pool.Retained { // which it has no claim to any more
			r.waits[spot] = loadbalancer.NothingLeft
		}
		return false, r.refusalOf(sharing), nil
	}
	r.met(need, candidate.Address)
	return true, refusal, nil
}

// tryAny takes any address of a pool, unless those are ahead who wait for all that are free.
func (r *round) tryAny(
	ctx context.Context, need *loadbalancer.Need, candidate *pool.BalancerCandidate,
) (done bool, refusal loadbalancer.Refusal, err error) {
	spot := loadbalancer.Spot{Pool: candidate.Pool.Name, Family: need.Family}
	full := loadbalancer.Refusal{Reason: loadbalancer.PoolExhausted, Message: candidate.Pool.Name}
	if r.isAhead(spot, r.store.FreeIn(familyOf(need.Family), candidate.Range)) {
		r.waits[spot] = loadbalancer.Skipped
		return false, full, nil
	}
	tenant := r.tenant(false, nil)
	place, err := r.store.AssignAny(ctx, familyOf(need.Family), candidate.Range, tenant)
	_, isFull := errors.AsType[*ledger.FullError](err)
	_, isShared := errors.AsType[*ledger.SharingError](err)
	switch {
	case isFull, isShared, errors.Is(err, ledger.ErrNoRoom):
		r.waits[spot] = loadbalancer.NothingLeft
		return false, full, nil
	case err != nil:
		return false, refusal, err
	}
	r.acted, r.tenancies[place] = true, tenant
	r.sharers.add(tenant.Key, place)
	r.met(need, place.Address())
	return true, refusal, nil
}

// isAhead tells whether all of what is free in a spot is for those who wait there and are
// before the Service.
func (r *round) isAhead(spot loadbalancer.Spot, free int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.waiters.Ahead(r.waiter, spot, free)
}

// takeTurn tells whether the Service may move now because its pools want it to.
func (r *round) takeTurn() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waitsForTurn = !r.turn.Take(r.waiter)
	return !r.waitsForTurn
}

// endTurn ends the move of a Service.
func (p *poolProvider) endTurn(name nameOf) {
	p.mu.Lock()
	next := p.turn.End(name)
	p.mu.Unlock()
	p.enqueue(next...)
}

// joinSharers has the Service share an address with others that have its key, if it may
// have the address and its ports are free there.
func (r *round) joinSharers(ctx context.Context, need *loadbalancer.Need) (bool, error) {
	key := ledger.SharingKeyOf(r.request.Key)
	for _, place := range r.sharers.of(key, r.store.Tenants) {
		address := place.Address()
		standing, of := r.all.Keeps(r.who, r.request.Pool, address)
		fits := loadbalancer.FamilyOf(address) == need.Family && standing == pool.Fits
		if !fits || of.OfNodes() || !of.AutoAssign && r.request.Pool == "" {
			continue
		}
		joined, err := r.join(ctx, need, place, of)
		if joined || err != nil {
			return joined, err
		}
	}
	return false, nil
}

// join has the Service share an address of a pool, if it may.
func (r *round) join(ctx context.Context, need *loadbalancer.Need, place ledger.Place, of *pool.LoadBalancerPool) (bool, error) {
	unlock, reached := r.limit(of, need, place.Address())
	defer unlock()
	if reached {
		return false, nil
	}
	_, sharing, err := r.admit(ctx, place, false, false)
	if err != nil || sharing != nil {
		return false, err
	}
	r.met(need, place.Address())
	return true, nil
}

// limit tells whether the namespace has as many addresses of a pool as it may, so that it
// can't have one more. Another Service that shares one which it has is none more. Until
// unlock is called, no other Service of the namespace gets one.
func (r *round) limit(of *pool.LoadBalancerPool, need *loadbalancer.Need, address netip.Addr) (unlock func(), reached bool) {
	if of == nil || !of.Limits(r.who) {
		return func() {}, false
	}
	unlock = r.turns.lock("namespace/" + r.owner.Namespace)
	counted := r.usedOf(of, need)
	return unlock, !counted[address] && len(counted) >= of.Limit
}

// meetByNodes has the Service have addresses of nodes, as far as its ports are free
// there. Of others that it does not get, it lacks each.
func (r *round) meetByNodes(
	ctx context.Context, need *loadbalancer.Need, of *pool.LoadBalancerPool, nodes []netip.Addr,
) (met bool, refusal loadbalancer.Refusal, err error) {
	var got []netip.Addr
	var lacking []loadbalancer.Unmet
	for _, address := range nodes {
		refused, sharing, err := r.admit(ctx, placeOf(address), true, true)
		if err != nil {
			return false, refusal, err
		}
		if sharing != nil {
			refusal = r.refusalOf(sharing)
			lacking = append(lacking, loadbalancer.Unmet{Need: loadbalancer.Need{Family: need.Family, Named: address}, Refusal: refusal})
			r.waits[loadbalancer.Spot{Address: address}] = loadbalancer.NothingLeft
			continue
		}
		if len(refused) > 0 {
			r.refused[address] = refused
			r.waits[loadbalancer.Spot{Address: address}] = loadbalancer.NothingLeft
		}
		r.nodes[address] = of
		got = append(got, address)
	}
	if len(got) == 0 {
		return false, refusal, nil
	}
	r.unmet = append(r.unmet, lacking...)
	r.met(need, got...)
	return true, refusal, nil
}

// refusalOf returns why the Service can't share an address. It names nobody.
func (r *round) refusalOf(sharing *ledger.SharingError) loadbalancer.Refusal {
	refusal := loadbalancer.Refusal{Reason: loadbalancer.AddressInUse, Message: sharing.Error()}
	if slices.Contains([]ledger.Refusal{ledger.OtherNamespace, ledger.OtherSelector, ledger.PortTaken}, sharing.Reason) {
		refusal.Reason = loadbalancer.SharingRefused
	}
	return refusal
}

// refusalOfPools returns why pools have nothing for the Service.
func (r *round) refusalOfPools(need *loadbalancer.Need, of *pool.Refusal) loadbalancer.Refusal {
	refusal := loadbalancer.Refusal{Reason: of.Reason, Message: of.Message}
	if need.Named.IsValid() {
		refusal.Message = need.Named.String() + " " + of.Message
	}
	for _, p := range r.all.Pools() {
		mayBeOf := p.OfNodes() && (r.request.Pool == "" || r.request.Pool == p.Name) && r.all.Serves(p.Name, r.who)
		if of.Reason == pool.RefusedNoPool && mayBeOf {
			refusal.Reason = loadbalancer.NoNodes
			refusal.Message = fmt.Sprintf("no node of pool %s is ready and has an address of %s", p.Name, need.Family)
		}
	}
	return refusal
}

// usedOf returns the addresses of a pool that the Services of the namespace have, but for
// those that the Service itself is about to give up, and those that are kept for others
// that were deleted.
func (r *round) usedOf(of *pool.LoadBalancerPool, need *loadbalancer.Need) map[netip.Addr]bool {
	counted := map[netip.Addr]bool{}
	count := func(address netip.Addr) {
		if owner := r.all.Owner(address); owner != nil && owner.Name == of.Name {
			counted[address] = true
		}
	}
	for record := range r.balancedIn(r.owner.Namespace) {
		for _, place := range r.store.Tenancies(record.UID) {
			if record.UID != r.owner.UID || !slices.Contains(need.InsteadOf, place.Address()) {
				count(place.Address())
			}
		}
	}
	for place, subject := range r.store.AllHeld() {
		if subject.Name().Namespace == r.owner.Namespace && subject.Name() != r.owner.NamespacedName {
			count(place.Address())
		}
	}
	return counted
}

// whoIs returns what pools see of a Service.
func (b *loadBalancers) whoIs(ctx context.Context, service *corev1.Service) (*pool.Who, error) {
	namespace, err := b.namespace(ctx, service.Namespace)
	if err != nil {
		return nil, err
	}
	return &pool.Who{
		Namespace: service.Namespace, Name: service.Name,
		NamespaceLabels: namespace.Labels, ServiceLabels: service.Labels,
	}, nil
}

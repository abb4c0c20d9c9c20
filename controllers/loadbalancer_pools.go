// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"maps"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/ledger"
	"servicenet.dev/servicenet/internal/ledger/store"
	"servicenet.dev/servicenet/internal/loadbalancer"
	"servicenet.dev/servicenet/internal/pool"
)

// poolProvider gives Services addresses of LoadBalancerPools. The ledger decides who
// has which.
type poolProvider struct {
	*loadBalancers

	sharers *sharers
	// turns let one Service of a namespace, or of a sharing key, choose at a time.
	turns locks
}

// placeOf returns the place of an address in the ledger.
func placeOf(address netip.Addr) ledger.Place {
	if address.Is4() {
		return ledger.Address(servicenetv1alpha1.LoadBalancerIPv4, address)
	}
	return ledger.Address(servicenetv1alpha1.LoadBalancerIPv6, address)
}

// familyOf returns the family of the ledger that has addresses of a family.
func familyOf(family corev1.IPFamily) servicenetv1alpha1.NumberFamily {
	if family == corev1.IPv4Protocol {
		return servicenetv1alpha1.LoadBalancerIPv4
	}
	return servicenetv1alpha1.LoadBalancerIPv6
}

// Ours is of provider.
func (p *poolProvider) Ours(service *corev1.Service) func(netip.Addr) bool {
	all, has := p.pools.Load(), p.store.Tenancies(service.UID)
	return func(address netip.Addr) bool {
		return slices.Contains(has, placeOf(address)) || all.Owner(address) != nil
	}
}

// EnsureDeleted is of provider.
func (p *poolProvider) EnsureDeleted(ctx context.Context, service *corev1.Service) error {
	retain := service.DeletionTimestamp != nil
	return p.releaseAll(ctx, store.OwnerOf(service), retain)
}

// Ensure is of provider.
func (p *poolProvider) Ensure(ctx context.Context, service *corev1.Service) (*ensured, error) {
	r, faults, err := p.newRound(ctx, service)
	if err != nil {
		return nil, err
	}
	if len(faults) > 0 {
		p.forget(client.ObjectKeyFromObject(service))
		return r.refuse(faults), nil
	}
	if err := r.look(ctx); err != nil {
		return nil, err
	}
	plan := loadbalancer.Make(&r.request, r.has)
	for i := range plan.Needs {
		if err := r.meet(ctx, &plan.Needs[i]); err != nil {
			return nil, err
		}
	}
	if len(plan.Keep)+len(r.got) > 0 && r.request.AnyFamily && !slices.ContainsFunc(r.unmet, loadbalancer.Unmet.Needed) {
		r.waits = addressSpots(r.waits)
	}
	r.rest()
	return r.conclude(&plan), nil
}

// round is the work on one Service.
type round struct {
	*poolProvider

	service *corev1.Service
	owner   ledger.Owner
	who     *pool.Who
	waiter  loadbalancer.Waiter
	request loadbalancer.Request
	all     *pool.LoadBalancers
	ours    func(netip.Addr) bool

	// tenancies are what it has in the ledger, by what was seen and done here.
	tenancies map[ledger.Place]ledger.Tenant
	// has are the addresses that it had, nodes those that it is to have of nodes, with
	// the pool.
	has   []loadbalancer.Holding
	nodes map[netip.Addr]*pool.LoadBalancerPool
	// called are what it was called for, waits what it is to wait for, and refused the
	// ports of addresses that others have.
	called  []loadbalancer.Call
	waits   map[loadbalancer.Spot]loadbalancer.Found
	refused map[netip.Addr][]loadbalancer.Port

	// got are addresses that it got, instead those that these are instead of, and gone
	// those of nodes that take no traffic any more.
	got, instead, gone []netip.Addr
	unmet              []loadbalancer.Unmet
	// acted tells that the ledger has changed, moving that the Service has the turn to
	// move and a new address, and waitsForTurn that others have the turn.
	acted, moving, waitsForTurn bool
}

func (p *poolProvider) newRound(ctx context.Context, service *corev1.Service) (r *round, faults []string, err error) {
	name := client.ObjectKeyFromObject(service)
	r = &round{
		poolProvider: p, service: service, owner: store.OwnerOf(service),
		waiter: loadbalancer.Waiter{NamespacedName: name, Since: service.CreationTimestamp.Time},
		all:    p.pools.Load(), ours: p.Ours(service),
		nodes: map[netip.Addr]*pool.LoadBalancerPool{}, waits: map[loadbalancer.Spot]loadbalancer.Found{},
		refused: map[netip.Addr][]loadbalancer.Port{}, tenancies: map[ledger.Place]ledger.Tenant{},
	}
	if r.who, err = p.whoIs(ctx, service); err != nil {
		return nil, nil, err
	}
	p.mu.Lock()
	r.called = p.waiters.Called(name)
	p.mu.Unlock()
	r.request, faults = loadbalancer.Read(service)
	return r, faults, nil
}

// tenant returns what the Service is to the ledger, with some of its ports.
func (r *round) tenant(ofNode bool, without []loadbalancer.Port) ledger.Tenant {
	terms := ledger.Terms{
		Key: ledger.SharingKeyOf(r.request.Key), CrossNamespace: r.request.CrossNamespace,
		Node: ofNode, Selector: ledger.Digest(r.request.Local),
	}
	for _, port := range r.request.Ports {
		if !slices.Contains(without, port) {
			terms.Sockets = append(terms.Sockets, ledger.SocketOf(port.Protocol, port.Port))
		}
	}
	return ledger.NewTenant(r.owner, terms)
}

// look finds out what the Service has, and whether it keeps it. What it has, it has on
// the terms that it asks for now, if that is possible.
func (r *round) look(ctx context.Context) error {
	places := r.store.Tenancies(r.owner.UID)
	r.stayWithNodes(places)
	shown := loadbalancer.Shown(r.service)
	for _, place := range places {
		address := place.Address()
		tenant, _ := tenantOf(r.store.Tenants(place), r.owner.UID)
		r.tenancies[place] = tenant
		if tenant.Node && r.nodes[address] == nil {
			r.gone = append(r.gone, address)
			continue
		}
		standing, of := r.all.Keeps(r.who, r.request.Pool, address)
		is := loadbalancer.Holding{
			Address: address, Stays: standing != pool.Rehomed, Shown: slices.Contains(shown, address),
			// A pool that it names and that does not serve it moves nobody.
			Fits: of != nil || r.request.Pool == "" || !r.all.Serves(r.request.Pool, r.who),
		}
		if err := r.renew(ctx, place, &tenant, &is); err != nil {
			return err
		}
		r.has = append(r.has, is)
	}
	return nil
}

func tenantOf(all []ledger.Tenant, uid types.UID) (ledger.Tenant, bool) {
	at := slices.IndexFunc(all, func(t ledger.Tenant) bool { return t.UID == uid })
	if at < 0 {
		return ledger.Tenant{}, false
	}
	return all[at], true
}

// renew has the ledger know on which terms the Service has an address. It does not fit
// any more if others do not agree with them. Of ports that others have, it has the rest.
func (r *round) renew(ctx context.Context, place ledger.Place, is *ledger.Tenant, holding *loadbalancer.Holding) error {
	if tenant := r.tenant(is.Node, nil); is.Equal(tenant) {
		return nil
	}
	refused, refusal, err := r.admit(ctx, place, is.Node, true)
	if err != nil {
		return err
	}
	if refusal != nil {
		holding.Fits = false
		if slices.Contains(r.request.Named, place.Address()) {
			r.fail(&loadbalancer.Need{Family: loadbalancer.FamilyOf(place.Address()), Named: place.Address()}, r.refusalOf(refusal))
			r.waits[loadbalancer.Spot{Address: place.Address()}] = loadbalancer.NothingLeft
		}
		return nil
	}
	if len(refused) > 0 {
		r.refused[place.Address()] = refused
		r.waits[loadbalancer.Spot{Address: place.Address()}] = loadbalancer.NothingLeft
	}
	return nil
}

// admit has the Service have an address, if partly with those ports alone that others
// do not have, which it returns. A refusal says why it can't have it.
func (r *round) admit(
	ctx context.Context, place ledger.Place, ofNode, partly bool,
) (refused []loadbalancer.Port, refusal *ledger.SharingError, err error) {
	for {
		tenant := r.tenant(ofNode, refused)
		if before, has := tenantOf(r.store.Tenants(place), r.owner.UID); has && before.Equal(tenant) {
			r.tenancies[place] = tenant
			return refused, nil, nil
		}
		err := r.store.Assign(ctx, place, tenant)
		sharing, isSharing := errors.AsType[*ledger.SharingError](err)
		switch {
		case err == nil:
			r.acted, r.tenancies[place] = true, tenant
			r.sharers.add(tenant.Key, place)
			return refused, nil, nil
		case errors.Is(err, ledger.ErrNoRoom):
			return nil, &ledger.SharingError{Place: place, Reason: "in use by as many Services as there can be"}, nil
		case !isSharing:
			return nil, nil, err
		case !partly || sharing.Reason != ledger.PortTaken || len(refused)+1 >= len(r.request.Ports):
			return nil, sharing, nil
		}
		refused = append(refused, loadbalancer.Port{Protocol: sharing.Socket.Protocol(), Port: sharing.Socket.Port()})
	}
}

// refuse returns the status of a Service that can't be understood. It keeps what it has.
func (r *round) refuse(faults []string) *ensured {
	verdict := &loadbalancer.Verdict{Reason: loadbalancer.Malformed, Message: strings.Join(faults, "; ")}
	is := &ensured{Desired: loadbalancer.Desired{Ours: r.ours, Allocated: verdict}, has: r.tenancies, acted: true}
	for _, place := range r.store.Tenancies(r.owner.UID) {
		r.tenancies[place], _ = tenantOf(r.store.Tenants(place), r.owner.UID)
		is.Entries = append(is.Entries, r.entry(place.Address()))
	}
	return is
}

// entry returns what a status says of an address.
func (r *round) entry(address netip.Addr) loadbalancer.Entry {
	e := loadbalancer.Entry{Address: address, Mode: r.request.Mode, Refused: r.refused[address]}
	of := r.nodes[address]
	if of == nil {
		of = r.all.Owner(address)
	}
	switch {
	case e.Mode != "":
	case of != nil:
		e.Mode = of.IPMode
	default:
		e.Mode = r.shownMode(address)
	}
	return e
}

// shownMode is the mode of an address whose pool is gone: as it is.
func (r *round) shownMode(address netip.Addr) corev1.LoadBalancerIPMode {
	for i := range r.service.Status.LoadBalancer.Ingress {
		is := &r.service.Status.LoadBalancer.Ingress[i]
		if is.IP == address.String() && is.IPMode != nil {
			return *is.IPMode
		}
	}
	return corev1.LoadBalancerIPModeVIP
}

// rest has the Service wait for what it did not get.
func (r *round) rest() {
	name := r.waiter.NamespacedName
	r.mu.Lock()
	again := false
	for spot := range r.waits {
		again = again || !r.waiters.Waits(name, spot)
	}
	next := r.waiters.Wait(r.waiter, r.called, r.waits)
	before := r.waitsFor[name]
	r.waitFor(name, r.waits)
	if r.waitsFor[name] != before {
		r.news.balancingChanged(name)
	}
	if !r.moving && !r.waitsForTurn {
		next = append(next, r.turn.End(name)...)
	}
	r.mu.Unlock()
	r.enqueue(next...)
	if again {
		// What came free after it was looked for, and before it waited, called nobody.
		r.enqueue(r.waiter)
	}
}

// addressSpots returns the spots of certain addresses: a Service to which one family is
// enough waits for ports of what it has, not for the other family.
func addressSpots(waits map[loadbalancer.Spot]loadbalancer.Found) map[loadbalancer.Spot]loadbalancer.Found {
	some := maps.Clone(waits)
	maps.DeleteFunc(some, func(spot loadbalancer.Spot, _ loadbalancer.Found) bool { return !spot.Address.IsValid() })
	return some
}

// conclude returns what the status is to say, and what is to be done then.
func (r *round) conclude(plan *loadbalancer.Plan) *ensured {
	has := slices.Concat(plan.Keep, r.got)
	for i := range r.unmet {
		has = append(has, without(r.unmet[i].InsteadOf, has)...)
	}
	// What it had of nodes and was to give up, it may just have got again.
	giveUp := without(slices.Concat(plan.GiveUp, r.instead, r.gone), r.got)
	is := &ensured{given: r.got, has: r.tenancies, acted: r.acted || len(giveUp) > 0}
	is.Ours = r.ours
	is.Allocated = loadbalancer.Judge(&r.request, has, r.unmet)
	for _, address := range has {
		is.Entries = append(is.Entries, r.entry(address))
	}
	if len(giveUp) == 0 && !r.moving {
		return is
	}
	is.settle = func(ctx context.Context) error {
		for _, address := range giveUp {
			if err := r.store.Vacate(ctx, placeOf(address), r.owner.UID, ledger.Retention{}); err != nil {
				return err
			}
			delete(r.tenancies, placeOf(address))
		}
		if !r.waitsForTurn { // or it would lose its place
			r.endTurn(r.waiter.NamespacedName)
		}
		return nil
	}
	return is
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/allocator"
	"servicenet.dev/servicenet/internal/ledger"
	"servicenet.dev/servicenet/internal/loadbalancer"
	"servicenet.dev/servicenet/internal/pool"
)

const (
	// atRest is after how long all is as it should be: addresses are kept for half a
	// minute, a status that two disagree of is restored once a minute, and all is
	// compared once in the repair interval.
	atRest = 5 * time.Minute
	// idle is for how long nothing happens then.
	idle = 3 * time.Minute
)

func containsAddress(all []netip.Addr, address netip.Addr) bool { return slices.Contains(all, address) }

// settle lets all faults end, and checks what all comes to.
func (u *upheaval) settle(ctx context.Context) {
	u.v.mu.Lock()
	u.v.faults, u.v.slow = 0, 5*time.Millisecond
	u.v.mu.Unlock()
	u.logf("all is calm")
	for _, r := range u.replicas {
		r.link.set(func(l *heavedLink) { l.down, l.fuse = false, 0 })
		r.setDeaf(false)
	}
	var faults []string
	for until := time.Now().Add(atRest); time.Now().Before(until); {
		_ = lapse(ctx, atRest/20)
		if faults = u.disagreements(); len(faults) == 0 {
			break
		}
	}
	_ = lapse(ctx, time.Minute) // the status of pools comes later
	for _, fault := range faults {
		u.errorf("%s", fault)
	}
	if len(faults) > 0 {
		u.replicas[0].describe(u)
		return
	}
	u.v.mu.Lock()
	before := u.writes
	u.v.mu.Unlock()
	u.logf("nothing happens any more")
	_ = lapse(ctx, idle)
	u.v.mu.Lock()
	defer u.v.mu.Unlock()
	if more := u.writes - before; more > 0 {
		u.errorf("%d writes were made without a reason", more)
	}
	for _, fault := range u.replicas[0].remembered() {
		u.errorf("the leader remembers %s", fault)
	}
}

// describe notes what a replica that leads knows, for the log of a run that fails.
func (r *heavedReplica) describe(u *upheaval) {
	b := r.balancers
	b.mu.Lock()
	defer b.mu.Unlock()
	u.logf("%s has the pools of its cache: %v; it is at work on %v", r, b.pools.Load() == r.book.LoadBalancers(), b.busy)
	for _, record := range r.services.List() {
		if s := record.(*serviceRecord).balanced; s != nil { //nolint:errcheck // nothing else is there
			_, known := b.services[s.UID]
			u.logf("%s has %s: known %v, behind %v, waits for %q, is called for %v, has %v, shows %v", r, s.UID, known,
				b.tracker.Pending(client.ObjectKeyFromObject(s)), b.waitsFor[client.ObjectKeyFromObject(s)], b.waiters.Called(client.ObjectKeyFromObject(s)),
				b.store.Tenancies(s.UID), loadbalancer.Shown(s))
		}
	}
}

// remembered tells what a replica that leads remembers for nothing.
func (r *heavedReplica) remembered() (faults []string) {
	found := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	b := r.balancers
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.busy) > 0 || len(b.departed) > 0 {
		found("work: %v, %v", b.busy, b.departed)
	}
	services, wants, contests := maps.Clone(b.services), maps.Clone(b.wants), maps.Clone(b.contests)
	for _, object := range r.v.all("Service") {
		delete(services, object.GetUID())
		delete(wants, object.GetUID())
		delete(contests, object.GetUID())
	}
	if len(services)+len(wants)+len(contests) > 0 {
		found("Services that are gone: %v, %v, %v", services, wants, contests)
	}
	for _, object := range r.v.all("Service") {
		if b.tracker.Pending(client.ObjectKeyFromObject(object)) {
			found("a write of %s", object.GetUID())
		}
	}
	return faults
}

// calm is all there is at a moment.
type calmness struct {
	*upheaval
	seenPools
	blocks map[ledger.Key]*ledger.Block
	// has are the addresses that Services have, by UID, and all the Services.
	has    map[types.UID][]netip.Addr
	all    map[types.UID]*corev1.Service
	faults []string
}

// tenancies returns the addresses that Services have.
func (u *upheaval) tenancies() map[types.UID][]netip.Addr {
	u.v.mu.Lock()
	defer u.v.mu.Unlock()
	return u.look().has
}

// look looks at all there is. mu of the server is held.
func (u *upheaval) look() *calmness {
	c := &calmness{
		upheaval: u, seenPools: u.present(), blocks: map[ledger.Key]*ledger.Block{},
		has: map[types.UID][]netip.Addr{}, all: map[types.UID]*corev1.Service{},
	}
	for _, object := range heavedAll[*servicenetv1alpha1.AllocationBlock](u.v) {
		block, readable := blockOf(object)
		key, err := blockKey(object)
		if !readable || err != nil {
			c.foundf("block %s can't be read", object.Name)
			continue
		}
		c.blocks[key] = block
		for number, t := range block.AllTenants() {
			c.has[t.UID] = append(c.has[t.UID], ledger.Place{Key: key, Number: number}.Address())
		}
	}
	for _, s := range heavedAll[*corev1.Service](u.v) {
		c.all[s.UID] = s
	}
	return c
}

func (c *calmness) foundf(format string, args ...any) {
	c.faults = append(c.faults, fmt.Sprintf(format, args...))
}

// disagreements tells what is not as it should be once all is calm.
func (u *upheaval) disagreements() []string {
	u.v.mu.Lock()
	defer u.v.mu.Unlock()
	c := u.look()
	if len(c.faults) > 0 {
		return c.faults
	}
	for key, block := range c.blocks {
		for number := range block.Taken().Numbers() {
			c.checkNumber(ledger.Place{Key: key, Number: number}, block)
		}
	}
	for _, s := range heavedAll[*corev1.Service](u.v) {
		if u.terms.Duty(s, false) != loadbalancer.Serve {
			c.checkStranger(s)
			continue
		}
		c.checkServed(s)
	}
	return c.faults
}

// checkNumber checks that an address that is taken is had by Services that are to have
// one. For a name it is kept for half a minute, which is over then.
func (c *calmness) checkNumber(place ledger.Place, block *ledger.Block) {
	tenants := block.Tenants(place.Number)
	if len(tenants) == 0 {
		c.foundf("%s is %s, and nobody has it", place, block.State(place.Number))
	}
	for _, t := range tenants {
		s := c.all[t.UID]
		if s == nil || c.terms.Duty(s, false) != loadbalancer.Serve {
			c.foundf("%s is had by %s, which is to have none", place, t.UID)
		}
	}
}

// checkStranger checks that nothing is left of us on a Service that is not ours, unless
// somebody has taken the finalizer off: then its status is nobody's.
func (c *calmness) checkStranger(s *corev1.Service) {
	reason, _ := loadbalancer.Reason(s)
	_, edited := c.edited[s.UID]
	if loadbalancer.HasFinalizer(s) || reason != "" && !edited {
		c.foundf("%s is not ours, and has %v, %q", s.UID, s.Finalizers, reason)
	}
}

// checkServed checks that a Service has and says what it should.
func (c *calmness) checkServed(s *corev1.Service) {
	has, shown := c.has[s.UID], loadbalancer.Shown(s)
	if !loadbalancer.HasFinalizer(s) {
		c.foundf("%s has no finalizer", s.UID)
	}
	if missing := without(has, shown); len(missing) > 0 {
		c.foundf("%s has %v, and its status says %v", s.UID, has, shown)
	}
	for _, address := range without(shown, has) {
		if c.seenPools.all.Owner(address) != nil {
			c.foundf("the status of %s says %s, which it does not have", s.UID, address)
		}
	}
	condition := apimeta.FindStatusCondition(s.Status.Conditions, servicenetv1alpha1.ConditionAddressAllocated)
	if condition == nil || condition.ObservedGeneration != s.Generation {
		c.foundf("the status of %s is old: %+v, generation %d", s.UID, condition, s.Generation)
		return
	}
	request, wrong := loadbalancer.Read(s)
	if len(wrong) > 0 {
		if condition.Reason != loadbalancer.Malformed {
			c.foundf("%s is malformed, and %s", s.UID, condition.Reason)
		}
		return
	}
	for _, address := range has {
		c.checkTerms(s, &request, placeOf(address))
	}
	unmet := slices.Concat(c.unmet(s, &request), c.unmetOfNodes(s, &request))
	if allocated := condition.Status == "True"; allocated != (len(unmet) == 0) {
		c.foundf("%s says %s: %s, and lacks %v", s.UID, condition.Reason, condition.Message, unmet)
	}
	for i := range unmet {
		if what := c.available(s, &request, &unmet[i]); what != "" {
			c.foundf("%s waits (%s) for %v, and could have %s", s.UID, condition.Reason, unmet[i], what)
		}
	}
	c.checkHomes(s, &request)
}

// checkTerms checks that a Service has an address on the terms that it asks for, and
// with as many of its ports as it can.
func (c *calmness) checkTerms(s *corev1.Service, request *loadbalancer.Request, place ledger.Place) {
	tenant, _ := c.blocks[place.Key].Tenant(place.Number, s.UID)
	want := tenantFor(s, request, tenant.Node)
	if !c.agrees(s, request, place.Address()) {
		for _, port := range request.Ports {
			one := *request
			one.Ports = []loadbalancer.Port{port}
			if c.admits(s, &one, place.Address(), tenant.Node) {
				c.foundf("%s has %s as %+v, and could have it as %+v", s.UID, place, tenant, want)
			}
		}
		return
	}
	for _, socket := range want.Sockets {
		wider := tenantFor(s, request, tenant.Node)
		wider.Sockets = append(slices.Clone(tenant.Sockets), socket)
		slices.Sort(wider.Sockets)
		if _, err := c.blocks[place.Key].Clone().Admit(place.Number, wider); err == nil && !slices.Contains(tenant.Sockets, socket) {
			c.foundf("%s could have %s on %s", s.UID, socket, place)
		}
	}
}

// agrees tells whether a Service has an address on the terms that it asks for, if
// perhaps not with all ports.
func (c *calmness) agrees(s *corev1.Service, request *loadbalancer.Request, address netip.Addr) bool {
	place := placeOf(address)
	tenant, _ := c.blocks[place.Key].Tenant(place.Number, s.UID)
	want := tenantFor(s, request, tenant.Node)
	other := func(socket ledger.Socket) bool { return !slices.Contains(want.Sockets, socket) }
	if slices.ContainsFunc(tenant.Sockets, other) {
		return false
	}
	want.Sockets = tenant.Sockets
	return tenant.Equal(want)
}

func tenantFor(s *corev1.Service, request *loadbalancer.Request, ofNode bool) ledger.Tenant {
	terms := ledger.Terms{
		Key: ledger.SharingKeyOf(request.Key), CrossNamespace: request.CrossNamespace, Node: ofNode, Selector: ledger.Digest(request.Local),
	}
	for _, port := range request.Ports {
		terms.Sockets = append(terms.Sockets, ledger.SocketOf(port.Protocol, port.Port))
	}
	return ledger.NewTenant(ledger.Owner{NamespacedName: types.NamespacedName{Namespace: s.Namespace, Name: s.Name}, UID: s.UID}, terms)
}

// unmet returns what a Service asks for and does not have.
func (c *calmness) unmet(s *corev1.Service, request *loadbalancer.Request) (unmet []pool.Need) {
	has := slices.DeleteFunc(slices.Clone(c.has[s.UID]), func(address netip.Addr) bool {
		_, of := c.seenPools.all.Keeps(c.who(s), request.Pool, address)
		return !c.agrees(s, request, address) || of == nil && len(request.Of(loadbalancer.FamilyOf(address))) == 0 &&
			c.seenPools.all.Serves(request.Pool, c.who(s))
	})
	for _, family := range request.Families {
		named := request.Of(family)
		for _, address := range named {
			if !slices.Contains(has, address) {
				unmet = append(unmet, pool.Need{Family: family, Address: address})
			}
		}
		of := func(address netip.Addr) bool { return loadbalancer.FamilyOf(address) == family }
		needed := !request.AnyFamily || len(has) == 0 || slices.ContainsFunc(c.has[s.UID], of)
		// One that has addresses of nodes stays with these.
		stays := slices.ContainsFunc(c.has[s.UID], func(address netip.Addr) bool { return of(address) && isOfNode(address) })
		if len(named) == 0 && !slices.ContainsFunc(has, of) && needed && !stays {
			unmet = append(unmet, pool.Need{Family: family})
		}
	}
	return unmet
}

// unmetOfNodes returns the addresses of nodes that a Service does not have, of the pool
// of which it has others.
func (c *calmness) unmetOfNodes(s *corev1.Service, request *loadbalancer.Request) (unmet []pool.Need) {
	for _, family := range request.Families {
		choice := c.seenPools.all.Choose(c.who(s), request.Pool, []pool.Need{{Family: family}}, nil)[0]
		if len(request.Of(family)) > 0 || choice.Refusal != nil {
			continue
		}
		for candidate := range choice.Candidates {
			if len(without(candidate.Nodes, c.has[s.UID])) == len(candidate.Nodes) {
				continue
			}
			for _, address := range candidate.Nodes {
				if slices.Contains(c.has[s.UID], address) && c.agrees(s, request, address) {
					continue
				}
				unmet = append(unmet, pool.Need{Family: family, Address: address})
			}
			break
		}
	}
	return unmet
}

// couldServe tells whether a Service could have one of its ports on the address of a node.
func (c *calmness) couldServe(s *corev1.Service, request *loadbalancer.Request, address netip.Addr) bool {
	return slices.ContainsFunc(request.Ports, func(port loadbalancer.Port) bool {
		one := *request
		one.Ports = []loadbalancer.Port{port}
		return c.admits(s, &one, address, true)
	})
}

// available returns what a Service could have for a need, empty if there is nothing.
func (c *calmness) available(s *corev1.Service, request *loadbalancer.Request, need *pool.Need) string {
	if need.Address.IsValid() && isOfNode(need.Address) && c.couldServe(s, request, need.Address) {
		return need.Address.String()
	}
	who := c.who(s)
	choice := c.seenPools.all.Choose(who, request.Pool, []pool.Need{*need}, nil)[0]
	if choice.Refusal != nil {
		return ""
	}
	for candidate := range choice.Candidates {
		if candidate.Source == pool.OfNodes {
			for _, address := range candidate.Nodes {
				if c.couldServe(s, request, address) {
					return address.String()
				}
			}
			continue
		}
		counted := c.counted(s, request, need, candidate.Pool.Name)
		if candidate.Pool.Limits(who) && len(counted) >= candidate.Pool.Limit && !counted[candidate.Address] {
			continue
		}
		if candidate.Address.IsValid() && c.admits(s, request, candidate.Address, false) {
			return candidate.Address.String()
		}
		if candidate.Range != nil {
			if address := c.freeIn(need.Family, candidate.Range); address.IsValid() {
				return address.String()
			}
		}
	}
	return ""
}

// admits tells whether a Service could have an address.
func (c *calmness) admits(s *corev1.Service, request *loadbalancer.Request, address netip.Addr, ofNode bool) bool {
	place, block := placeOf(address), ledger.NewBlock(0)
	if is := c.blocks[place.Key]; is != nil {
		block = is.Clone()
	}
	_, err := block.Admit(place.Number, tenantFor(s, request, ofNode))
	return err == nil
}

// freeIn returns an address of a range that nobody has.
func (c *calmness) freeIn(family corev1.IPFamily, of *allocator.Range) netip.Addr {
	for _, text := range []string{"192.0.2.0", "198.51.100.0", "2001:db8::"} {
		first := netip.MustParseAddr(text)
		if loadbalancer.FamilyOf(first) != family {
			continue
		}
		for range 8 {
			place := placeOf(first)
			block := c.blocks[place.Key]
			if of.ClassOf(place.Block, place.Number) == allocator.Dynamic && (block == nil || block.State(place.Number) == ledger.Free) {
				return first
			}
			first = first.Next()
		}
	}
	return netip.Addr{}
}

// counted returns the addresses of a pool that a Service's namespace has, but for those
// that it would give up for a need.
func (c *calmness) counted(of *corev1.Service, request *loadbalancer.Request, need *pool.Need, name string) map[netip.Addr]bool {
	counted := map[netip.Addr]bool{}
	var has []loadbalancer.Holding
	for _, address := range c.has[of.UID] {
		has = append(has, loadbalancer.Holding{Address: address, Shown: slices.Contains(loadbalancer.Shown(of), address)})
	}
	plan := loadbalancer.Make(request, has)
	gone := plan.GiveUp
	for i := range plan.Needs {
		if plan.Needs[i].Family == need.Family && plan.Needs[i].Named == need.Address {
			gone = append(gone, plan.Needs[i].InsteadOf...)
		}
	}
	for uid, addresses := range c.has {
		for _, address := range addresses {
			owner := c.seenPools.all.Owner(address)
			goes := uid == of.UID && slices.Contains(gone, address)
			if s := c.all[uid]; s != nil && !goes && s.Namespace == of.Namespace && owner != nil && owner.Name == name {
				counted[address] = true
			}
		}
	}
	return counted
}

// checkHomes checks that a Service is where its pools want it to be, if that is possible.
func (c *calmness) checkHomes(s *corev1.Service, request *loadbalancer.Request) {
	for _, address := range c.has[s.UID] {
		family := loadbalancer.FamilyOf(address)
		if len(request.Of(family)) > 0 || !slices.Contains(request.Families, family) {
			if !slices.Contains(request.Named, address) && len(c.unmet(s, request)) == 0 {
				c.foundf("%s has %s, which it has no use for", s.UID, address)
			}
			continue
		}
		standing, _ := c.seenPools.all.Keeps(c.who(s), request.Pool, address)
		if what := c.available(s, request, &pool.Need{Family: family}); standing == pool.Rehomed && what != "" {
			c.foundf("%s has %s and is to have another, and could have %s", s.UID, address, what)
		}
	}
}

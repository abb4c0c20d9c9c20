// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"iter"
	"net/netip"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/ledger"
	"servicenet.dev/servicenet/internal/loadbalancer"
	"servicenet.dev/servicenet/internal/pool"
)

// lately is for how long something may come of what was so: caches lag, and writes land
// late.
const lately = time.Minute

// past is what Services and pools were lately.
type past struct {
	services map[types.UID][]seenService
	pools    []seenPools
}

type seenService struct {
	*corev1.Service
	until time.Time
}

// seenPools are what pools, nodes and namespaces amounted to.
type seenPools struct {
	all        *pool.LoadBalancers
	pools      []*pool.LoadBalancerPool
	nodes      []pool.Node
	namespaces map[string]map[string]string
	until      time.Time
}

// mixtures returns what pools, nodes and namespaces amount to as one may have seen them of
// whom each watch lags by itself: first what they were at a time.
func (p *past) mixtures() iter.Seq[*seenPools] {
	return func(yield func(*seenPools) bool) {
		for i := range p.pools {
			if !yield(&p.pools[i]) {
				return
			}
		}
		for _, pools := range p.pools {
			for _, nodes := range p.pools {
				all := pool.NewLoadBalancers(pools.pools, nodes.nodes, nil)
				for _, namespaces := range p.pools {
					if !yield(&seenPools{all: all, namespaces: namespaces.namespaces}) {
						return
					}
				}
			}
		}
	}
}

func newPast() past { return past{services: map[types.UID][]seenService{}} }

// present returns what pools amount to now. mu of the server is held.
func (u *upheaval) present() seenPools {
	var pools []*pool.LoadBalancerPool
	for _, of := range heavedAll[*servicenetv1alpha1.LoadBalancerPool](u.v) {
		pools = append(pools, pool.CompileLoadBalancerPool(of))
	}
	var nodes []pool.Node
	for _, of := range heavedAll[*corev1.Node](u.v) {
		if node, takes := pool.NodeOf(of); takes {
			nodes = append(nodes, node)
		}
	}
	seen := seenPools{
		all: pool.NewLoadBalancers(pools, nodes, nil), pools: pools, nodes: nodes, namespaces: map[string]map[string]string{},
	}
	for _, of := range heavedAll[*corev1.Namespace](u.v) {
		seen.namespaces[of.Name] = of.Labels
	}
	return seen
}

func (p *seenPools) who(s *corev1.Service) *pool.Who {
	return &pool.Who{Namespace: s.Namespace, Name: s.Name, NamespaceLabels: p.namespaces[s.Namespace], ServiceLabels: s.Labels}
}

// check is called with each change.
func (u *upheaval) check(by string, before, after client.Object) {
	is := after
	if after == nil {
		is = before
	}
	if by != "" && heavedKind(is) != "Lease" {
		u.writes++
		u.logf("replica %s writes %s %s", by, heavedKind(is), is.GetName())
	}
	switch heavedKind(is) {
	case "AllocationBlock":
		if by != "" {
			u.checkBlock(by, before, after)
		}
	case "Service":
		was, _ := before.(*corev1.Service)
		now, _ := after.(*corev1.Service)
		u.remember(by, was)
		if by == "" {
			u.logf("users: %s", wishText(now))
		}
		if by != "" && was != nil && now != nil {
			u.checkStatus(by, was, now)
		}
	case "LoadBalancerPool", "Node", "Namespace":
		if by == "" {
			u.logf("users: %s %s, deleted %v", heavedKind(is), is.GetName(), after == nil)
			u.rememberPools()
		}
	}
}

// wishText says what a Service asks for, and what its status says.
func wishText(s *corev1.Service) string {
	if s == nil {
		return "a Service is gone"
	}
	return fmt.Sprintf("%s %s %v %s %v %s %v %v labels %v deleted %v, has %v", s.UID, s.Spec.Type, s.Finalizers, s.Spec.LoadBalancerIP,
		s.Spec.IPFamilies, *s.Spec.IPFamilyPolicy, s.Spec.ExternalTrafficPolicy, s.Annotations, s.Labels, s.DeletionTimestamp != nil,
		loadbalancer.Shown(s))
}

// remember notes what a Service was until now, if a user changes it.
func (u *upheaval) remember(by string, was *corev1.Service) {
	if by != "" || was == nil {
		return
	}
	u.past.services[was.UID] = append(u.past.services[was.UID], seenService{was, time.Now()})
}

// rememberPools notes what they are from now on, and that what they were is over.
func (u *upheaval) rememberPools() {
	if n := len(u.past.pools); n > 0 {
		u.past.pools[n-1].until = time.Now()
	}
	u.past.pools = slices.DeleteFunc(u.past.pools, func(p seenPools) bool { return !p.until.IsZero() && time.Since(p.until) > lately })
	u.past.pools = append(u.past.pools, u.present())
}

// blockOf returns what an object says, and whether it can be read.
func blockOf(object client.Object) (*ledger.Block, bool) {
	of, is := object.(*servicenetv1alpha1.AllocationBlock)
	if !is || of == nil {
		return ledger.NewBlock(0), true
	}
	block, err := ledger.Decode(of.Data)
	return block, err == nil
}

// service returns a Service by its UID, nil if it is gone. mu of the server is held.
func (u *upheaval) service(uid types.UID) *corev1.Service {
	for _, s := range heavedAll[*corev1.Service](u.v) {
		if s.UID == uid {
			return s
		}
	}
	return nil
}

// checkBlock checks that tenants may share, and that none is given or taken what its
// Service does not agree with.
func (u *upheaval) checkBlock(by string, before, after client.Object) {
	was, readable := blockOf(before)
	now, _ := blockOf(after)
	if !readable || was == nil {
		was = ledger.NewBlock(0)
	}
	of, _ := after.(*servicenetv1alpha1.AllocationBlock)
	if of == nil {
		of, _ = before.(*servicenetv1alpha1.AllocationBlock)
	}
	key, err := blockKey(of)
	if err != nil {
		u.errorf("%s: %v", of.Name, err)
		return
	}
	for number := range now.NewTenants(was) {
		place := ledger.Place{Key: key, Number: number}
		u.logf("replica %s: %s is had by %s", by, place, tenantNames(now.Tenants(number)))
		u.checkSharing(place, now.Tenants(number))
		for _, t := range was.Tenants(number) {
			if _, stays := now.Tenant(number, t.UID); !stays {
				u.checkLoss(place, &t)
			}
		}
		for _, t := range now.Tenants(number) {
			if _, had := was.Tenant(number, t.UID); !had && before != nil { // a block that is written anew may be a lost one
				u.checkGift(place, &t)
			}
		}
	}
}

func tenantNames(tenants []ledger.Tenant) (names []string) {
	for _, t := range tenants {
		names = append(names, string(t.UID))
	}
	return names
}

// checkSharing checks the rule, as anybody would say it.
func (u *upheaval) checkSharing(place ledger.Place, tenants []ledger.Tenant) {
	for i, a := range tenants {
		for _, b := range tenants[:i] {
			near := a.Service.Name().Namespace == b.Service.Name().Namespace || a.CrossNamespace && b.CrossNamespace
			agree := a.Key == b.Key && a.Key != ledger.SharingKey{} && near && a.Selector == b.Selector || a.Node && b.Node
			clash := slices.ContainsFunc(a.Sockets, func(s ledger.Socket) bool { return slices.Contains(b.Sockets, s) })
			if !agree || clash {
				u.errorf("%s is had by %s and %s: %+v, %+v", place, a.UID, b.UID, a, b)
			}
		}
	}
}

// isContended tells whether two lead, or did just now.
func (u *upheaval) isContended() bool { return time.Since(u.contended) < 10*time.Second }

// checkLoss checks that nobody can read any more that a Service has what is taken from it.
// Where two lead, one may write a status while the other gives up what it says: that is
// put right at once.
func (u *upheaval) checkLoss(place ledger.Place, t *ledger.Tenant) {
	s := u.service(t.UID)
	if s == nil || u.terms.Duty(s, false) != loadbalancer.Serve || time.Since(u.damaged) < lately || u.isContended() {
		return
	}
	if slices.Contains(loadbalancer.Shown(s), place.Address()) && time.Since(u.edited[t.UID]) > lately {
		u.errorf("%s is taken from %s, whose status has it", place, t.UID)
	}
}

// checkGift checks that a Service has our finalizer before it has an address, unless it
// has it already by its status, and that its namespace may have it.
func (u *upheaval) checkGift(place ledger.Place, t *ledger.Tenant) {
	s := u.service(t.UID)
	if s == nil || time.Since(u.edited[t.UID]) < lately || time.Since(u.damaged) < lately {
		return
	}
	if !loadbalancer.HasFinalizer(s) && !slices.Contains(loadbalancer.Shown(s), place.Address()) {
		u.errorf("%s is given to %s, which has no finalizer", place, t.UID)
	}
	if !u.isContended() && time.Since(u.elected) > 10*time.Second && !u.withinLimit(s, place.Address()) {
		u.errorf("%s is given to %s, whose namespace has as much as it may", place, t.UID)
	}
}

// withinLimit tells whether a namespace could have an address by what pools were lately,
// as one more beside what its other Services have.
func (u *upheaval) withinLimit(s *corev1.Service, address netip.Addr) bool {
	for p := range u.past.mixtures() {
		owner := p.all.Owner(address)
		if owner == nil || !owner.Limits(p.who(s)) {
			return true
		}
		has := map[netip.Addr]bool{address: true}
		for _, other := range heavedAll[*corev1.Service](u.v) {
			if other.Namespace != s.Namespace || other.UID == s.UID {
				continue
			}
			for _, held := range u.placesOf(other.UID) {
				if of := p.all.Owner(held); of != nil && of.Name == owner.Name {
					has[held] = true
				}
			}
		}
		if len(has) <= owner.Limit {
			return true
		}
	}
	return false
}

// checkStatus checks a write of a Service by a replica.
func (u *upheaval) checkStatus(by string, was, now *corev1.Service) {
	had, has := loadbalancer.Shown(was), loadbalancer.Shown(now)
	places := u.placesOf(was.UID)
	u.logf("replica %s: %s: %s %s, %v, %s", by, was.UID, now.Spec.Type, now.Finalizers, has, conditionText(now))
	if !u.terms.Ours(was) && !loadbalancer.HasFinalizer(was) && len(places) == 0 {
		u.errorf("%s is not ours, and was written", was.UID)
	}
	// What a process wrote before it died may land when another has gone on, as may what
	// one of two that lead is just writing. Who leads puts that right.
	if foreignIn(was) > foreignIn(now) && now.Spec.Type == corev1.ServiceTypeLoadBalancer {
		u.errorf("the status of %s loses what others have put there", was.UID)
	}
	if time.Since(u.damaged) < lately || u.isContended() || u.links[by].isCut() {
		return
	}
	got := without(has, had)
	for _, address := range got {
		if !slices.Contains(places, address) {
			u.errorf("the status of %s says %s, which it does not have", was.UID, address)
		}
	}
	for _, address := range without(had, has) {
		if slices.Contains(places, address) && !u.isShared(address) && !u.mayLose(was, address, without(has, got)) {
			u.errorf("the status of %s loses %s for no reason", was.UID, address)
		}
	}
}

// foreignIn counts the entries of a status that are no addresses.
func foreignIn(s *corev1.Service) (count int) {
	for i := range s.Status.LoadBalancer.Ingress {
		if s.Status.LoadBalancer.Ingress[i].Hostname != "" {
			count++
		}
	}
	return count
}

func conditionText(s *corev1.Service) string {
	reason, _ := loadbalancer.Reason(s)
	return reason + ": " + messageOf(&s.Status)
}

// placesOf returns the addresses that a Service has by the ledger. mu of the server is
// held.
func (u *upheaval) placesOf(uid types.UID) (addresses []netip.Addr) {
	for _, object := range heavedAll[*servicenetv1alpha1.AllocationBlock](u.v) {
		key, err := blockKey(object)
		block, readable := blockOf(object)
		if err != nil || !readable {
			continue
		}
		for number, t := range block.AllTenants() {
			if t.UID == uid {
				addresses = append(addresses, ledger.Place{Key: key, Number: number}.Address())
			}
		}
	}
	return addresses
}

// isOfNode tells the addresses of nodes from others.
func isOfNode(address netip.Addr) bool { return address.Is4() && address.As4()[0] == 10 }

// isShared tells whether Services have an address with a sharing key: others have a say
// then. mu of the server is held.
func (u *upheaval) isShared(address netip.Addr) bool {
	place := placeOf(address)
	for _, object := range heavedAll[*servicenetv1alpha1.AllocationBlock](u.v) {
		block, readable := blockOf(object)
		if key, err := blockKey(object); err != nil || !readable || key != place.Key {
			continue
		}
		return slices.ContainsFunc(block.Tenants(place.Number), func(t ledger.Tenant) bool { return t.Key != ledger.SharingKey{} })
	}
	return false
}

// fitsOther tells whether a Service that loses an address keeps one of the same family
// that fits: a move has ended, or was taken back since the old one fits again.
func (p *seenPools) fitsOther(s *corev1.Service, request *loadbalancer.Request, stays []netip.Addr, lost netip.Addr) bool {
	return slices.ContainsFunc(stays, func(other netip.Addr) bool {
		standing, _ := p.all.Keeps(p.who(s), request.Pool, other)
		return loadbalancer.FamilyOf(other) == loadbalancer.FamilyOf(lost) && standing == pool.Fits
	})
}

// mayLose tells whether the wish of a Service, or that of pools, was lately that it
// does not have an address, while others stay.
func (u *upheaval) mayLose(now *corev1.Service, address netip.Addr, stays []netip.Addr) bool {
	versions := []*corev1.Service{now}
	for _, seen := range u.past.services[now.UID] {
		if time.Since(seen.until) < lately {
			versions = append(versions, seen.Service)
		}
	}
	for _, s := range versions {
		request, faults := loadbalancer.Read(s)
		switch {
		case u.terms.Duty(s, false) != loadbalancer.Serve, len(faults) > 0,
			request.Key != "", // others decide, too
			!slices.Contains(request.Families, loadbalancer.FamilyOf(address)),
			isOfNode(address):
			return true
		}
		named := request.Of(loadbalancer.FamilyOf(address))
		switch {
		case len(named) > 0 && !slices.Contains(named, address), len(named) > 0 && s != now: // which may have been one of several
			return true
		case len(named) > 0:
			continue
		}
		for p := range u.past.mixtures() {
			standing, of := p.all.Keeps(p.who(s), request.Pool, address)
			if standing == pool.Rehomed || of == nil && p.all.Serves(request.Pool, p.who(s)) || p.fitsOther(s, &request, stays, address) {
				return true
			}
		}
	}
	return false
}

func blockKey(of *servicenetv1alpha1.AllocationBlock) (ledger.Key, error) {
	return ledger.ParseKey(of.Family, of.First)
}

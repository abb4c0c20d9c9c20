// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"maps"
	"net/netip"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/utils/clock"
	netutils "k8s.io/utils/net"
	"sigs.k8s.io/controller-runtime/pkg/client"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/allocator"
	"servicenet.dev/servicenet/internal/ledger"
	"servicenet.dev/servicenet/internal/pool"
)

// poolBook knows all pools beside what the API server has, as the caches show
// them. What they amount to is worked out when somebody asks after a change.
type poolBook struct {
	clock clock.PassiveClock
	ports allocator.PortSpan

	mu            sync.Mutex
	clusterPools  map[string]*pool.ClusterIPPool
	nodePortPools map[string]*pool.NodePortPool
	cidrs         map[string]settlingCIDR
	balancerBook
	// promised are the pools that make ServiceCIDRs of their own.
	promised map[string]promise

	clusterIPs *pool.ClusterIPs
	nodePorts  *pool.NodePorts
	// freshIPs and freshPorts tell that nothing has changed since they were made.
	freshIPs, freshPorts bool
}

// cidrOfFlags is the ServiceCIDR that API servers make of their flags. They all know
// it when they start.
const cidrOfFlags = "kubernetes"

// settlingCIDR is a ServiceCIDR and since when it is seen to be ready.
type settlingCIDR struct {
	object *networkingv1.ServiceCIDR
	ready  bool
	since  time.Time
}

// promise is the ServiceCIDRs that a pool is to make, and since when.
type promise struct {
	prefixes []netip.Prefix
	since    time.Time
}

func newPoolBook(now clock.PassiveClock, ports allocator.PortSpan) *poolBook {
	return &poolBook{
		clock: now, ports: ports,
		clusterPools: map[string]*pool.ClusterIPPool{}, nodePortPools: map[string]*pool.NodePortPool{},
		cidrs: map[string]settlingCIDR{}, promised: map[string]promise{}, balancerBook: newBalancerBook(),
	}
}

// ClusterIPs returns what the pools of ClusterIPs amount to now.
func (b *poolBook) ClusterIPs() *pool.ClusterIPs {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.clock.Now()
	if b.freshIPs && (b.clusterIPs.Until().IsZero() || now.Before(b.clusterIPs.Until())) {
		return b.clusterIPs
	}
	cidrs := b.serviceCIDRs()
	cidrs = append(cidrs, b.expected(cidrs, now)...)
	b.clusterIPs = pool.NewClusterIPs(slices.Collect(maps.Values(b.clusterPools)), cidrs, now, b.clusterIPs)
	b.freshIPs = true
	return b.clusterIPs
}

// serviceCIDRs returns the ServiceCIDRs. mu is held.
func (b *poolBook) serviceCIDRs() []pool.ServiceCIDR {
	var cidrs []pool.ServiceCIDR
	for _, name := range slices.Sorted(maps.Keys(b.cidrs)) {
		of := b.cidrs[name]
		for _, text := range of.object.Spec.CIDRs {
			if prefix, err := netip.ParsePrefix(text); err == nil {
				cidrs = append(cidrs, pool.ServiceCIDR{Prefix: prefix, Ready: of.ready, Since: of.since})
			}
		}
	}
	return cidrs
}

// expected returns the ServiceCIDRs that pools are about to make, beside those that are
// there. mu is held.
func (b *poolBook) expected(there []pool.ServiceCIDR, now time.Time) []pool.ServiceCIDR {
	made := map[netip.Prefix]bool{}
	for i := range there {
		made[there[i].Prefix] = true
	}
	var cidrs []pool.ServiceCIDR
	for _, promised := range b.promised {
		if now.Sub(promised.since) >= pool.SettleTime {
			continue // it is not waited for any more
		}
		for _, prefix := range promised.prefixes {
			if !made[prefix] {
				cidrs = append(cidrs, pool.ServiceCIDR{Prefix: prefix, Since: promised.since, Expected: true})
			}
		}
	}
	return cidrs
}

// prefixes returns those of all ServiceCIDRs, ready or not.
func (b *poolBook) prefixes() []netip.Prefix {
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []netip.Prefix
	for _, cidr := range b.serviceCIDRs() {
		all = append(all, cidr.Prefix)
	}
	return all
}

// families returns the address families that the API server was started with: those
// of the ServiceCIDR that it makes of its flags. False if there is none.
func (b *poolBook) families() (pool.Cluster, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	of, known := b.cidrs[cidrOfFlags]
	if !known || len(of.object.Spec.CIDRs) == 0 {
		return pool.Cluster{}, false
	}
	primary := corev1.IPv4Protocol
	if netutils.IsIPv6CIDRString(of.object.Spec.CIDRs[0]) {
		primary = corev1.IPv6Protocol
	}
	return pool.Cluster{Primary: primary, DualStack: len(of.object.Spec.CIDRs) > 1}, true
}

// NodePorts returns what the pools of node ports amount to now.
func (b *poolBook) NodePorts() *pool.NodePorts {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.freshPorts {
		b.nodePorts = pool.NewNodePorts(slices.Collect(maps.Values(b.nodePortPools)), b.ports, b.nodePorts)
		b.freshPorts = true
	}
	return b.nodePorts
}

// clusterIPPool and nodePortPool return a pool as it was compiled, nil if there is
// none.
func (b *poolBook) clusterIPPool(name string) *pool.ClusterIPPool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.clusterPools[name]
}

func (b *poolBook) nodePortPool(name string) *pool.NodePortPool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.nodePortPools[name]
}

// retention returns for how long the number of a Service that was deleted is kept.
func (b *poolBook) retention(place ledger.Place, owner ledger.Owner) ledger.Retention {
	of := b.owner(place)
	if of == nil {
		return ledger.Retention{}
	}
	return retentionUntil(owner, b.clock.Now(), of.Retain)
}

// owner returns the pool that has a number, nil if none has.
func (b *poolBook) owner(place ledger.Place) *pool.Pool {
	switch {
	case place.Family == servicenetv1alpha1.NodePort:
		return b.NodePorts().Owner(pool.Port(place.Block.Port(place.Number))) //nolint:gosec // a port
	case isBalancing(place.Family):
		if of := b.LoadBalancers().Owner(place.Address()); of != nil {
			return of.Pool
		}
		return nil
	default:
		return b.ClusterIPs().Owner(place.Address())
	}
}

// clusterIPPoolEvents, nodePortPoolEvents and serviceCIDREvents return handlers of
// informers, which call back when what the pools amount to has changed.
func (b *poolBook) clusterIPPoolEvents(changed func()) toolscache.ResourceEventHandler {
	return bookEvents(changed, func(name string, is *servicenetv1alpha1.ClusterIPPool) {
		b.mu.Lock()
		defer b.mu.Unlock()
		put(b.clusterPools, name, is, pool.CompileClusterIPPool)
		put(b.promised, name, is, func(is *servicenetv1alpha1.ClusterIPPool) promise {
			return promise{pool.OwnServiceCIDRs(is), b.clock.Now()}
		})
		b.freshIPs = false
	})
}

func (b *poolBook) nodePortPoolEvents(changed func()) toolscache.ResourceEventHandler {
	return bookEvents(changed, func(name string, is *servicenetv1alpha1.NodePortPool) {
		b.mu.Lock()
		defer b.mu.Unlock()
		put(b.nodePortPools, name, is, pool.CompileNodePortPool)
		b.freshPorts = false
	})
}

func (b *poolBook) serviceCIDREvents(changed func()) toolscache.ResourceEventHandler {
	seen := func(name string, is *networkingv1.ServiceCIDR) {
		b.mu.Lock()
		defer b.mu.Unlock()
		now := b.clock.Now()
		was, known := b.cidrs[name]
		put(b.cidrs, name, is, func(is *networkingv1.ServiceCIDR) settlingCIDR {
			next := settlingCIDR{object: is, ready: pool.IsReady(is), since: now}
			switch {
			case known && was.ready && was.object.UID == is.UID && slices.Equal(was.object.Spec.CIDRs, is.Spec.CIDRs):
				next.since = was.since
			case !known && (is.Name == cidrOfFlags || longReady(is, now)):
				next.since = time.Time{}
			}
			return next
		})
		b.freshIPs = false
	}
	return toolscache.ResourceEventHandlerFuncs{
		AddFunc:    func(object any) { tell(object, seen, changed) },
		UpdateFunc: func(_, object any) { tell(object, seen, changed) },
		DeleteFunc: func(object any) { tellGone(object, seen, changed) },
	}
}

// settled tells whether addresses are chosen from a ServiceCIDR already.
func (b *poolBook) settled(cidr *networkingv1.ServiceCIDR) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	of, known := b.cidrs[cidr.Name]
	return known && of.object.UID == cidr.UID && of.ready && b.clock.Since(of.since) >= pool.SettleTime
}

// longReady tells whether a ServiceCIDR that was ready when it was first seen has
// been so for long, as after a restart. A clock that somebody else wrote the time
// by may be wrong by the better part of a minute.
func longReady(cidr *networkingv1.ServiceCIDR, now time.Time) bool {
	const enough = time.Minute
	since := cidr.CreationTimestamp.Time
	for i := range cidr.Status.Conditions {
		if condition := &cidr.Status.Conditions[i]; condition.Type == networkingv1.ServiceCIDRConditionReady {
			since = condition.LastTransitionTime.Time
		}
	}
	return now.Sub(since) >= enough
}

// bookEvents are those of pools. Only their specs matter here.
func bookEvents[T client.Object](changed func(), seen func(name string, is T)) toolscache.ResourceEventHandler {
	return toolscache.ResourceEventHandlerFuncs{
		AddFunc: func(object any) { tell(object, seen, changed) },
		UpdateFunc: func(before, object any) {
			was, isObject := before.(metav1.Object)
			is, _ := object.(metav1.Object)
			if isObject && is != nil && was.GetUID() == is.GetUID() && was.GetGeneration() == is.GetGeneration() {
				return
			}
			tell(object, seen, changed)
		},
		DeleteFunc: func(object any) { tellGone(object, seen, changed) },
	}
}

func tell[T client.Object](object any, seen func(name string, is T), changed func()) {
	if is, ok := object.(T); ok {
		seen(is.GetName(), is)
		changed()
	}
}

// tellGone tells of an object that is deleted, of which nothing is left but the name.
func tellGone[T client.Object](object any, seen func(name string, is T), changed func()) {
	if last, missed := object.(toolscache.DeletedFinalStateUnknown); missed {
		object = last.Obj
	}
	if is, ok := object.(T); ok {
		var none T
		seen(is.GetName(), none)
		changed()
	}
}

// put takes over an object under its name; a nil one is gone.
func put[T comparable, V any](all map[string]V, name string, is T, made func(T) V) {
	var none T
	if is == none {
		delete(all, name)
		return
	}
	all[name] = made(is)
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"maps"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	toolscache "k8s.io/client-go/tools/cache"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/pool"
)

// balancerBook is what the book knows of load balancers.
type balancerBook struct {
	balancerPools map[string]*pool.LoadBalancerPool
	// nodes are those that take traffic, podCIDRs the addresses of pods of all nodes.
	nodes    map[string]pool.Node
	podCIDRs map[string][]string

	balancers *pool.LoadBalancers
	// fresh tells that nothing has changed since balancers was made.
	fresh bool
}

func newBalancerBook() balancerBook {
	return balancerBook{
		balancerPools: map[string]*pool.LoadBalancerPool{}, nodes: map[string]pool.Node{}, podCIDRs: map[string][]string{},
	}
}

// LoadBalancers returns what the pools of load-balancer addresses amount to now.
func (b *poolBook) LoadBalancers() *pool.LoadBalancers {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.fresh {
		b.balancers = pool.NewLoadBalancers(
			slices.Collect(maps.Values(b.balancerPools)), slices.Collect(maps.Values(b.nodes)), b.balancers)
		b.fresh = true
	}
	return b.balancers
}

// loadBalancerPool returns a pool as it was compiled, nil if there is none.
func (b *poolBook) loadBalancerPool(name string) *pool.LoadBalancerPool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.balancerPools[name]
}

// loadBalancerPoolEvents returns a handler of an informer, which calls back when what
// the pools amount to has changed.
func (b *poolBook) loadBalancerPoolEvents(changed func()) toolscache.ResourceEventHandler {
	return bookEvents(changed, func(name string, is *servicenetv1alpha1.LoadBalancerPool) {
		b.mu.Lock()
		defer b.mu.Unlock()
		put(b.balancerPools, name, is, pool.CompileLoadBalancerPool)
		b.fresh = false
	})
}

// nodeEvents returns one that calls back when pools see another node, or another state
// of one.
func (b *poolBook) nodeEvents(changed func()) toolscache.ResourceEventHandler {
	seen := func(name string, is *corev1.Node) {
		if b.seeNode(name, is) {
			changed()
		}
	}
	none := func() {}
	return toolscache.ResourceEventHandlerFuncs{
		AddFunc:    func(object any) { tell(object, seen, none) },
		UpdateFunc: func(_, object any) { tell(object, seen, none) },
		DeleteFunc: func(object any) { tellGone(object, seen, none) },
	}
}

// seeNode takes over a node, nil if it is gone, and tells whether a pool may have other
// addresses now.
func (b *poolBook) seeNode(name string, is *corev1.Node) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	was, took := b.nodes[name]
	var now pool.Node
	takes := false
	delete(b.podCIDRs, name)
	if is != nil {
		now, takes = pool.NodeOf(is)
		if len(is.Spec.PodCIDRs) > 0 {
			b.podCIDRs[name] = is.Spec.PodCIDRs
		}
	}
	if took == takes && maps.Equal(was.Labels, now.Labels) && slices.Equal(was.Addresses, now.Addresses) {
		return false
	}
	if takes {
		b.nodes[name] = now
	} else {
		delete(b.nodes, name)
	}
	// Pools without nodes would have to be looked at for nothing.
	for _, p := range b.balancerPools {
		if p.OfNodes() {
			b.fresh = false
			return true
		}
	}
	return false
}

// podPrefixes returns the addresses of pods, those of each node. mu is held.
func (b *poolBook) podPrefixes() []netip.Prefix {
	var all []netip.Prefix
	for _, name := range slices.Sorted(maps.Keys(b.podCIDRs)) {
		for _, text := range b.podCIDRs[name] {
			if prefix, err := netip.ParsePrefix(text); err == nil {
				all = append(all, prefix)
			}
		}
	}
	return all
}

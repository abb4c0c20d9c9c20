// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"iter"
	"maps"
	"net/netip"
	"slices"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/admission"
	"servicenet.dev/servicenet/internal/ledger"
	"servicenet.dev/servicenet/internal/pool"
	"servicenet.dev/servicenet/internal/webhooks"
)

// poolFacts is what a replica knows of the cluster when a pool changes.
type poolFacts struct{ *replica }

var _ webhooks.PoolFacts = poolFacts{}

// ClusterIPPool is of webhooks.PoolFacts.
func (f poolFacts) ClusterIPPool(name string) *admission.ClusterIPPoolRequest {
	previous := f.book.ClusterIPs()
	request := f.book.clusterIPRequest(name)
	request.Previous = previous
	counted := usage[netip.Addr]{seen: map[netip.Addr]bool{}, byNamespace: map[string]int{}}
	for service, place := range f.numbersInUse() {
		if place.Family == servicenetv1alpha1.ClusterIPv4 || place.Family == servicenetv1alpha1.ClusterIPv6 {
			of := previous.Owner(place.Address())
			counted.add(place.Address(), service.Namespace, of != nil && of.Name == name)
		}
	}
	request.Usage = counted.of()
	return request
}

// NodePortPool is of webhooks.PoolFacts.
func (f poolFacts) NodePortPool(name string) *admission.NodePortPoolRequest {
	previous := f.book.NodePorts()
	request := f.book.nodePortRequest(name)
	request.Previous = previous
	counted := usage[pool.Port]{seen: map[pool.Port]bool{}, byNamespace: map[string]int{}}
	for service, place := range f.numbersInUse() {
		if place.Family == servicenetv1alpha1.NodePort {
			port := pool.Port(place.Block.Port(place.Number)) //nolint:gosec // a port
			of := previous.Owner(port)
			counted.add(port, service.Namespace, of != nil && of.Name == name)
		}
	}
	request.Usage = counted.of()
	return request
}

// LoadBalancerPool is of webhooks.PoolFacts.
func (f poolFacts) LoadBalancerPool(name string) *admission.LoadBalancerPoolRequest {
	previous := f.book.LoadBalancers()
	request := f.book.loadBalancerRequest(name)
	request.Previous = previous
	counted := usage[netip.Addr]{seen: map[netip.Addr]bool{}, byNamespace: map[string]int{}}
	for address, namespace := range f.balancing.AllAddresses() {
		of := previous.Owner(address)
		counted.add(address, namespace, of != nil && of.Name == name)
	}
	request.Usage = counted.of()
	return request
}

// numbersInUse goes through the numbers of all Services.
func (f poolFacts) numbersInUse() iter.Seq2[*serviceRecord, ledger.Place] {
	return func(yield func(*serviceRecord, ledger.Place) bool) {
		for service := range each[*serviceRecord](f.services.List()) {
			for _, place := range service.Numbers {
				if !yield(service, place) {
					return
				}
			}
		}
	}
}

// usage counts what Services have, each number once.
type usage[N comparable] struct {
	seen        map[N]bool
	byNamespace map[string]int
}

// add counts a number of a namespace. own tells whether it is the pool's that is asked
// for.
func (u *usage[N]) add(n N, namespace string, own bool) {
	if !u.seen[n] && own {
		u.byNamespace[namespace]++
	}
	u.seen[n] = true
}

func (u *usage[N]) of() admission.Usage[N] {
	return admission.Usage[N]{ByNamespace: u.byNamespace, Numbers: func(yield func(N) bool) {
		for n := range u.seen {
			if !yield(n) {
				return
			}
		}
	}}
}

// clusterIPRequest returns what there is beside a pool.
func (b *poolBook) clusterIPRequest(name string) *admission.ClusterIPPoolRequest {
	b.mu.Lock()
	defer b.mu.Unlock()
	request := &admission.ClusterIPPoolRequest{CIDRs: b.serviceCIDRs(), Now: b.clock.Now()}
	for other, p := range b.clusterPools {
		if other != name {
			request.Others = append(request.Others, p)
		}
	}
	return request
}

// loadBalancerRequest likewise.
func (b *poolBook) loadBalancerRequest(name string) *admission.LoadBalancerPoolRequest {
	b.mu.Lock()
	defer b.mu.Unlock()
	request := &admission.LoadBalancerPoolRequest{Nodes: slices.Collect(maps.Values(b.nodes)), PodCIDRs: b.podPrefixes()}
	for _, cidr := range b.serviceCIDRs() {
		request.ServiceCIDRs = append(request.ServiceCIDRs, cidr.Prefix)
	}
	for other, p := range b.balancerPools {
		if other != name {
			request.Others = append(request.Others, p)
		}
	}
	return request
}

// nodePortRequest likewise.
func (b *poolBook) nodePortRequest(name string) *admission.NodePortPoolRequest {
	b.mu.Lock()
	defer b.mu.Unlock()
	request := &admission.NodePortPoolRequest{Cluster: b.ports}
	for other, p := range b.nodePortPools {
		if other != name {
			request.Others = append(request.Others, p)
		}
	}
	return request
}

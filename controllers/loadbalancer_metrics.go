// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"net/netip"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"servicenet.dev/servicenet/internal/loadbalancer"
)

// loadBalancerMetrics are those of the controller of load balancers.
type loadBalancerMetrics struct {
	addresses  *prometheus.GaugeVec
	waiting    *prometheus.GaugeVec
	allocation prometheus.Histogram
}

func newLoadBalancerMetrics(registry prometheus.Registerer) (*loadBalancerMetrics, error) {
	r := &registrar{registry: registry, subsystem: "servicenet_loadbalancer"}
	m := &loadBalancerMetrics{
		addresses: register(r, prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Subsystem: r.subsystem, Name: "pool_addresses", Help: "Addresses of pools, by what they are: capacity, used or held",
		}, []string{"pool", "family", "state"})),
		waiting: register(r, prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Subsystem: r.subsystem, Name: "waiting_services", Help: "Services that wait for an address of a pool",
		}, []string{"pool"})),
		allocation: register(r, prometheus.NewHistogram(prometheus.HistogramOpts{
			Subsystem: r.subsystem, Name: "allocation_duration_seconds",
			Help:    "Time from when a Service is seen without an address until its status has it",
			Buckets: prometheus.ExponentialBuckets(0.005, 2, 18),
		})),
	}
	return m, r.failed()
}

// measure sets the metrics of pools.
func (b *loadBalancers) measure() {
	all := b.pools.Load()
	b.counters.addresses.Reset()
	b.counters.waiting.Reset()
	for _, p := range all.Pools() {
		b.counters.waiting.WithLabelValues(p.Name).Set(0)
		for _, family := range []corev1.IPFamily{corev1.IPv4Protocol, corev1.IPv6Protocol} {
			of := all.Range(p.Name, family)
			if of == nil {
				continue
			}
			capacity, _ := all.Capacity(p.Name, family).Float64()
			used, held := b.store.UsedIn(familyOf(family), of)
			for state, count := range map[string]float64{"capacity": capacity, "used": float64(used), "held": float64(held)} {
				b.counters.addresses.WithLabelValues(p.Name, string(family), state).Set(count)
			}
		}
	}
	for name := range b.Waiting() {
		b.counters.waiting.WithLabelValues(name).Inc()
	}
}

var _ balancing = (*loadBalancers)(nil)

// AddressesOf is of balancing, as are those that follow.
func (b *loadBalancers) AddressesOf(service types.UID) []netip.Addr {
	var addresses []netip.Addr
	for _, place := range b.store.Tenancies(service) {
		addresses = append(addresses, place.Address())
	}
	return addresses
}

// AllAddresses returns those of Services that the cache shows.
func (b *loadBalancers) AllAddresses() iter.Seq2[netip.Addr, string] {
	return func(yield func(netip.Addr, string) bool) {
		for place, tenant := range b.store.AllTenants() {
			b.mu.Lock()
			name, known := b.services[tenant.UID]
			b.mu.Unlock()
			if known && !yield(place.Address(), name.Namespace) {
				return
			}
		}
	}
}

// Waiting returns for whom each waiting Service waits.
func (b *loadBalancers) Waiting() iter.Seq[string] {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Values(slices.Collect(maps.Values(b.waitsFor)))
}

// balancedIn iterates over the Services of a namespace that matter.
func (b *loadBalancers) balancedIn(namespace string) iter.Seq[*serviceRecord] {
	return func(yield func(*serviceRecord) bool) {
		services, err := b.replica.services.ByIndex(toolscache.NamespaceIndex, namespace)
		if err != nil {
			return
		}
		for record := range each[*serviceRecord](services) {
			if record.balanced != nil && !yield(record) {
				return
			}
		}
	}
}

// namespace returns a namespace, an empty one if it is not known yet.
func (b *loadBalancers) namespace(ctx context.Context, name string) (*corev1.Namespace, error) {
	namespace := &corev1.Namespace{}
	if err := b.reader.Get(ctx, client.ObjectKey{Name: name}, namespace); err != nil && !apierrors.IsNotFound(err) {
		return nil, fmt.Errorf("reading namespace %s: %w", name, err)
	}
	return namespace, nil
}

// waitFor notes for which pool a Service waits; empty if it waits for none. mu is held.
func (b *loadBalancers) waitFor(name types.NamespacedName, waits map[loadbalancer.Spot]loadbalancer.Found) {
	all := b.pools.Load()
	for _, p := range all.Pools() { // in the order in which Services try them
		for spot := range waits {
			owner := spot.Pool
			if of := all.Owner(spot.Address); spot.Address.IsValid() && of != nil {
				owner = of.Name
			}
			if owner == p.Name {
				b.waitsFor[name] = owner
				return
			}
		}
	}
	delete(b.waitsFor, name)
}

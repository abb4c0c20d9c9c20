// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"slices"
	"sync"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	toolscache "k8s.io/client-go/tools/cache"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/ledger"
	"servicenet.dev/servicenet/internal/ledger/store"
)

// carriers knows which Service carries a number, as the cache shows it. It never
// waits, so that the ledger can ask it.
type carriers struct {
	// families are those of the controllers that run.
	families []servicenetv1alpha1.NumberFamily
	// addresses are the IPAddress objects; nil if there are none to look at.
	addresses toolscache.Store

	mu sync.RWMutex
	// first is one Service by number, others are the rest where several have one.
	first  map[ledger.Place]*corev1.Service
	others map[ledger.Place][]*corev1.Service
}

func newCarriers(options Options) *carriers {
	c := &carriers{first: map[ledger.Place]*corev1.Service{}, others: map[ledger.Place][]*corev1.Service{}}
	if options.runs(ClusterIPName) {
		c.families = append(c.families, servicenetv1alpha1.ClusterIPv4, servicenetv1alpha1.ClusterIPv6)
	}
	if options.runs(NodePortName) {
		c.families = append(c.families, servicenetv1alpha1.NodePort)
	}
	return c
}

// numbers returns the numbers that a Service carries, each once; none of nil.
func (c *carriers) numbers(service *corev1.Service) []ledger.Place {
	if service == nil {
		return nil
	}
	var own []ledger.Place
	for _, place := range store.Numbers(service) {
		if slices.Contains(c.families, place.Family) && !slices.Contains(own, place) {
			own = append(own, place)
		}
	}
	return own
}

// replace takes over that a Service was one and is another; nil is none.
func (c *carriers) replace(before, after *corev1.Service) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, place := range c.numbers(before) {
		c.remove(place, before)
	}
	for _, place := range c.numbers(after) {
		if c.first[place] == nil {
			c.first[place] = after
		} else {
			c.others[place] = append(c.others[place], after)
		}
	}
}

func (c *carriers) remove(place ledger.Place, service *corev1.Service) {
	isIt := func(other *corev1.Service) bool { return sameName(service, other) }
	rest := slices.DeleteFunc(c.others[place], isIt)
	if first := c.first[place]; first != nil && isIt(first) {
		delete(c.first, place)
		if len(rest) > 0 {
			c.first[place], rest = rest[0], rest[1:]
		}
	}
	if len(rest) == 0 {
		delete(c.others, place)
	} else {
		c.others[place] = rest
	}
}

// seen is Seen of the ledger's options.
func (c *carriers) seen(place ledger.Place) store.Finding {
	if carrier := c.carrier(place); carrier != nil {
		return store.Finding{Carrier: store.OwnerOf(carrier)}
	}
	// Of load-balancer addresses the API server has no objects.
	if c.addresses == nil || place.Family != servicenetv1alpha1.ClusterIPv4 && place.Family != servicenetv1alpha1.ClusterIPv6 {
		return store.Finding{}
	}
	object, found, err := c.addresses.GetByKey(place.String())
	if address, ok := object.(*networkingv1.IPAddress); ok && found && err == nil {
		return store.FindingOf(address)
	}
	return store.Finding{}
}

// carrier returns a Service that carries a number, nil if none does.
func (c *carriers) carrier(place ledger.Place) *corev1.Service {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.first[place]
}

func sameName(a, b *corev1.Service) bool { return a.Namespace == b.Namespace && a.Name == b.Name }

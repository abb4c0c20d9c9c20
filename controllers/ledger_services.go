// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"slices"
	"sync"

	toolscache "k8s.io/client-go/tools/cache"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/ledger"
	"servicenet.dev/servicenet/internal/ledger/store"
)

// carriers knows which Service carries a number, as the cache shows it. It never
// waits, so that the ledger can ask it.
type carriers struct {
	// addresses are records of the IPAddress objects; nil if there are none to look at.
	addresses toolscache.Store

	mu sync.RWMutex
	// first is one Service by number, others are the rest where several have one.
	first  map[ledger.Place]*serviceRecord
	others map[ledger.Place][]*serviceRecord
}

func newCarriers() *carriers {
	return &carriers{first: map[ledger.Place]*serviceRecord{}, others: map[ledger.Place][]*serviceRecord{}}
}

// replace takes over that a Service was one and is another; nil is none.
func (c *carriers) replace(before, after *serviceRecord) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, place := range before.numbers() {
		c.remove(place, before)
	}
	for _, place := range after.numbers() {
		if c.first[place] == nil {
			c.first[place] = after
		} else {
			c.others[place] = append(c.others[place], after)
		}
	}
}

func (c *carriers) remove(place ledger.Place, service *serviceRecord) {
	isIt := func(other *serviceRecord) bool { return service.NamespacedName == other.NamespacedName }
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
		return store.Finding{Carrier: carrier.Owner}
	}
	// Of load-balancer addresses the API server has no objects.
	if c.addresses == nil || place.Family != servicenetv1alpha1.ClusterIPv4 && place.Family != servicenetv1alpha1.ClusterIPv6 {
		return store.Finding{}
	}
	object, found, err := c.addresses.GetByKey(place.String())
	if address, ok := object.(*addressRecord); ok && found && err == nil {
		return store.Finding{Foreign: address.foreign, Leftover: !address.foreign}
	}
	return store.Finding{}
}

// carrier returns a Service that carries a number, nil if none does.
func (c *carriers) carrier(place ledger.Place) *serviceRecord {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.first[place]
}

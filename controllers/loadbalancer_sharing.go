// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"maps"
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/types"

	"servicenet.dev/servicenet/internal/ledger"
)

// sharers are the addresses that Services with a sharing key have, so that others with
// the key find them. What it says is a hint: the ledger decides.
type sharers struct {
	mu     sync.Mutex
	places map[ledger.SharingKey]map[ledger.Place]bool
}

func newSharers() *sharers { return &sharers{places: map[ledger.SharingKey]map[ledger.Place]bool{}} }

// add notes that a Service with a key has an address.
func (s *sharers) add(key ledger.SharingKey, place ledger.Place) {
	if key == (ledger.SharingKey{}) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.places[key] == nil {
		s.places[key] = map[ledger.Place]bool{}
	}
	s.places[key][place] = true
}

// of returns the addresses that Services with a key have, the lowest first.
func (s *sharers) of(key ledger.SharingKey, tenants func(ledger.Place) []ledger.Tenant) []ledger.Place {
	s.mu.Lock()
	places := slices.SortedFunc(maps.Keys(s.places[key]), func(a, b ledger.Place) int { return a.Address().Compare(b.Address()) })
	s.mu.Unlock()
	return slices.DeleteFunc(places, func(place ledger.Place) bool {
		for _, tenant := range tenants(place) {
			if tenant.Key == key {
				return false
			}
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.places[key], place)
		if len(s.places[key]) == 0 {
			delete(s.places, key)
		}
		return true
	})
}

// locks let one at a time do something that has the same name.
type locks struct {
	mu   sync.Mutex
	held map[string]*lock
}

// lock is had by whose value is in the channel, and counts who has it or waits for it.
type lock struct {
	had    chan struct{}
	wanted int
}

// lock waits until nobody else has the lock of a name, and returns how to give it back.
func (l *locks) lock(name string) (unlock func()) {
	l.mu.Lock()
	if l.held == nil {
		l.held = map[string]*lock{}
	}
	of := l.held[name]
	if of == nil {
		of = &lock{had: make(chan struct{}, 1)}
		l.held[name] = of
	}
	of.wanted++
	l.mu.Unlock()
	of.had <- struct{}{}
	return func() {
		<-of.had
		l.mu.Lock()
		defer l.mu.Unlock()
		of.wanted--
		if of.wanted == 0 {
			delete(l.held, name)
		}
	}
}

// nameOf is the name of a Service.
type nameOf = types.NamespacedName

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"iter"

	"k8s.io/apimachinery/pkg/types"

	"servicenet.dev/servicenet/internal/ledger"
)

// GiveBack takes back numbers that an owner was given and that no Service will have,
// since the request for them failed. One that another request for the owner was given
// too stays with it, and one that the ledger knows to be somewhere else is left alone.
func (s *Store) GiveBack(owner ledger.Owner, places ...ledger.Place) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, place := range places {
		p := s.page(place.Key)
		if n := p.mine[place.Number]; n != nil && n.state == given && n.owner == owner && !n.shared {
			s.leave(p, n)
			s.shelve(n)
		}
	}
}

// Kept is a number that is held for a Service.
type Kept struct {
	ledger.Place
	// Slot says which of the Service's numbers it was.
	Slot ledger.Slot
}

// Retained returns the numbers that are held for a Service of a name, load-balancer
// addresses left out: AssignAny finds those.
func (s *Store) Retained(name types.NamespacedName) []Kept {
	s.mu.Lock()
	defer s.mu.Unlock()
	var digest ledger.Digest
	var found []Kept
	for _, p := range s.pages {
		if len(p.retained) == 0 || ledger.HasTenants(p.key.Family) {
			continue
		}
		if digest == (ledger.Digest{}) {
			digest = ledger.SubjectOf(name).Digest()
		}
		for _, number := range p.retained[digest] {
			hold, _ := p.block.Hold(number)
			found = append(found, Kept{ledger.Place{Key: p.key, Number: number}, hold.Slot})
		}
	}
	return found
}

// Pending returns the numbers that this replica gave to Services of a namespace that
// were not seen yet, and those that are held for deleted ones, each with the name of
// its Service, load-balancer addresses left out. The Store must not be called
// meanwhile.
func (s *Store) Pending(namespace string) iter.Seq2[ledger.Place, types.NamespacedName] {
	return func(yield func(ledger.Place, types.NamespacedName) bool) {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, p := range s.pages {
			if !ledger.HasTenants(p.key.Family) && !p.pending(namespace, yield) {
				return
			}
		}
	}
}

func (p *page) pending(namespace string, yield func(ledger.Place, types.NamespacedName) bool) bool {
	for _, n := range p.mine {
		if n.state == given && n.owner.Namespace == namespace && !yield(n.Place, n.owner.NamespacedName) {
			return false
		}
	}
	for _, held := range p.retained {
		for _, number := range held {
			hold, _ := p.block.Hold(number)
			if name := hold.For.Name(); name.Namespace == namespace && !yield(ledger.Place{Key: p.key, Number: number}, name) {
				return false
			}
		}
	}
	return true
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"time"

	"k8s.io/apimachinery/pkg/util/resourceversion"

	"servicenet.dev/servicenet/internal/ledger"
)

// Carried says that a Service, in the version with this resourceVersion, is seen
// with a number. Every replica is to be told what its watch shows, the initial
// list and repeated events too. A number that this replica gave is confirmed with
// that. While Collect runs, a number that is nobody's by the ledger is adopted: at
// once if it is free, after a question if it is held. Load-balancer addresses that a
// Service shows are no sign of anything.
func (s *Store) Carried(place ledger.Place, owner ledger.Owner, version string) {
	if ledger.HasTenants(place.Family) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.page(place.Key)
	delete(p.parted, place.Number)
	n := p.mine[place.Number]
	switch {
	case n != nil && n.state == carried:
		n.owner = owner
	case n != nil && n.state != leaving:
		if n.confirmedBy(owner, version) {
			s.carry(p, n, owner)
		}
	case n == nil && s.collecting > 0:
		s.adopt(p, place.Number)
	}
}

// adopt takes over a number that a Service is seen with.
func (s *Store) adopt(p *page, number int) {
	switch {
	case p.broken != nil:
	case p.state(number) == ledger.Held:
		s.suspect(p, number)
	case p.state(number) == ledger.Free:
		s.lazily(p, s.Timing.Settle, func(b *ledger.Block) bool { return b.Adopt(number) })
	}
}

// confirmedBy tells whether a Service that is seen with a number on loan ends what
// the number was given for. A version that is older than the loan is of an earlier
// life of the number, seen late. And where the number was given to one Service and
// another got it past the ledger, the request that it was given to may still come
// through: what became of it is asked when it is due.
//
// Versions of Services and of blocks are compared, which count alike where the API
// server keeps both in one etcd. Where it does not, confirmation comes when it is
// due.
func (n *number) confirmedBy(owner ledger.Owner, version string) bool {
	if n.state == spare {
		return true
	}
	if order, err := resourceversion.CompareResourceVersion(version, n.since); err != nil || order < 0 {
		return false
	}
	return n.owner.Name == "" || n.owner.Same(owner)
}

// Dropped says that a Service that carried a number is gone, or carries it no
// more. Every replica is to be told what its watch shows. It is a hint: whether
// nothing uses the number is found out before it is free. With a retention the
// number is kept for a Service of that name for some time. Load-balancer addresses are
// none of its business, as above.
func (s *Store) Dropped(place ledger.Place, owner ledger.Owner, then ledger.Retention) {
	if ledger.HasTenants(place.Family) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.page(place.Key)
	p.ending[place.Number] = time.Now().Add(s.Timing.Recall)
	n := p.mine[place.Number]
	switch {
	case n == nil && (s.collecting > 0 || p.settled.Has(place.Number)):
		s.release(p, place.Number, then)
	case n == nil:
		p.parted[place.Number] = then
	case !n.owner.Same(owner):
	case n.state == leaving || n.state == carried:
		// Only what is settled is held, and so comes back to be given.
		n.ended = &then
		s.settleSoon(p)
	}
}

// release holds a number that a Service had: at once if it is kept for the Service,
// which may come back at once. Else those that go about then share a write.
func (s *Store) release(p *page, number int, then ledger.Retention) {
	if p.known && p.broken == nil && p.state(number) == ledger.Held {
		return
	}
	move := func(b *ledger.Block) bool { return b.Release(number, then) }
	if then.Until.IsZero() {
		s.lazily(p, s.Timing.Gather, move)
	} else {
		s.later(p, move, nil)
	}
}

// Release holds numbers that no Service was found with, as by a comparison of the
// ledger with all Services. It is a hint, as Dropped is.
func (s *Store) Release(places ...ledger.Place) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, place := range places {
		s.release(s.page(place.Key), place.Number, ledger.Retention{})
	}
}

// releaseParted makes up for what an earlier leader saw too late, or not at all.
func (s *Store) releaseParted() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.pages {
		for number, then := range p.parted {
			s.release(p, number, then)
		}
	}
}

// Blocks returns what is known of all blocks. They must not be changed.
func (s *Store) Blocks() map[ledger.Key]*ledger.Block {
	s.mu.Lock()
	defer s.mu.Unlock()
	blocks := map[ledger.Key]*ledger.Block{}
	for key, p := range s.pages {
		if p.block != nil {
			blocks[key] = p.block
		}
	}
	return blocks
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"servicenet.dev/servicenet/internal/allocator"
	"servicenet.dev/servicenet/internal/ledger"
)

// Store is one replica's part in the ledger. It is safe for concurrent use.
//
// Nothing is waited for while mu is held. It guards the fields of pages, numbers
// and shelves too.
type Store struct {
	Options

	// life ends when Run does: changes that nobody waits for end with it.
	life context.Context //nolint:containedctx // the life of the Store itself, no caller's
	end  context.CancelFunc
	// writers are the pages that are being written: so many at a time.
	writers chan struct{}
	// news tells the collector that there may be something to clear.
	news chan struct{}

	mu sync.Mutex
	// holder is whom loans are to: Options.Holder, until the Lease was not renewed
	// for too long.
	holder  ledger.Holder
	rng     *rand.Rand
	pages   map[ledger.Key]*page
	shelves map[*allocator.Range]*shelf
	// keepers are the pages with numbers that are held for somebody, unreadable those
	// of blocks that can't be read.
	keepers, unreadable map[ledger.Key]*page
	// keeping are the keepers that have load-balancer addresses for whom.
	keeping map[ledger.Digest][]*page
	// tenancies are the load-balancer addresses that a Service has.
	tenancies map[types.UID][]ledger.Place
	// changed is closed, and replaced, when a version of any page is seen.
	changed chan struct{}
	// inFlight counts the numbers given, by the namespace of their Services.
	inFlight map[string]int
	// repeats finds the number that a Service that exists was given before.
	repeats map[repeat]*number
	// renewed is when the last renewal of the Lease that went well was begun.
	renewed time.Time
	// leased tells that there was one.
	leased, closed bool
	// collecting counts how often Collect runs: once, or on a change twice for a while.
	collecting int
}

// New returns a Store, which gives out nothing until Run is called. Of the context
// it takes the values, not the end.
func New(ctx context.Context, options Options) *Store {
	options = options.withDefaults()
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	return &Store{
		Options: options, life: life, end: end,
		holder:  options.Holder,
		writers: make(chan struct{}, mostWriters),
		news:    make(chan struct{}, 1),
		rng:     rand.New(rand.NewPCG(options.Seed, uint64(options.Holder))),
		pages:   map[ledger.Key]*page{},
		shelves: map[*allocator.Range]*shelf{},
		keepers: map[ledger.Key]*page{}, unreadable: map[ledger.Key]*page{},
		keeping:   map[ledger.Digest][]*page{},
		tenancies: map[types.UID][]ledger.Place{},
		changed:   make(chan struct{}),
		inFlight:  map[string]int{},
		repeats:   map[repeat]*number{},
	}
}

// page returns what is known of a block.
func (s *Store) page(key ledger.Key) *page {
	p := s.pages[key]
	if p == nil {
		p = newPage(key)
		s.pages[key] = p
	}
	return p
}

// trusted tells whether the Lease has been renewed lately enough to give numbers
// out: a request that is given one ends before others may think the Lease stale.
func (s *Store) trusted() bool {
	return s.leased && !s.closed && time.Since(s.renewed) < s.Timing.Distrust
}

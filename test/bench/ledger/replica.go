// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/ledger"
	"servicenet.dev/servicenet/internal/ledger/store"
)

// unbounded lets callers have as many numbers in flight as they take until they
// are confirmed: that bound is not what is measured.
const unbounded = 1 << 30

// replicas are Stores, each with a client and a watch of its own, of which the
// first leads.
type replicas struct {
	stores []*store.Store
	watch  watch
	stop   func() error
}

// watch is what watches of Services would have shown so far.
type watch struct {
	mu       sync.Mutex
	carriers map[ledger.Place]ledger.Owner
}

func (w *watch) seen(place ledger.Place) store.Finding {
	w.mu.Lock()
	defer w.mu.Unlock()
	return store.Finding{Carrier: w.carriers[place]}
}

// show lets all replicas see that a Service carries a number.
func (r *replicas) show(place ledger.Place, owner ledger.Owner) {
	// Newer than any version of a block: the Service was made after the loan.
	const version = "9000000000000000000"
	r.watch.mu.Lock()
	r.watch.carriers[place] = owner
	r.watch.mu.Unlock()
	for _, s := range r.stores {
		s.Carried(place, owner, version)
	}
}

// start starts replicas, which give numbers when it returns.
func (w *world) start(ctx context.Context, count int) (*replicas, error) {
	r := &replicas{watch: watch{carriers: map[ledger.Place]ledger.Owner{}}}
	// Caches and Collect end when all have returned their numbers.
	running, stop := context.WithCancel(ctx)
	around, stopAround := context.WithCancel(ctx)
	group := &errgroup.Group{}
	r.stop = func() error {
		stop()
		err := group.Wait()
		stopAround()
		return err
	}
	for i := range count {
		s, err := w.startOne(around, &r.watch)
		if err != nil {
			return nil, err
		}
		r.stores = append(r.stores, s)
		group.Go(func() error { return s.Run(running) })
		if i == 0 {
			go func() { _ = s.Collect(around) }()
		}
	}
	for i, s := range r.stores {
		if err := awaitGiving(ctx, s, i); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func (w *world) startOne(ctx context.Context, seen *watch) (*store.Store, error) {
	config := w.plane.RESTConfig()
	clients, err := client.New(config, client.Options{Scheme: w.scheme})
	if err != nil {
		return nil, fmt.Errorf("client of a replica: %w", err)
	}
	s := store.New(ctx, store.Options{
		Client: clients, Evidence: store.NewEvidence(clients), Seen: seen.seen, Namespace: namespace,
		Holder: ledger.Holder(rand.Uint64()), Seed: rand.Uint64(), InFlightPerNamespace: unbounded,
	})
	blocks, err := cache.New(config, cache.Options{Scheme: w.scheme})
	if err != nil {
		return nil, fmt.Errorf("watch of a replica: %w", err)
	}
	informer, err := blocks.GetInformer(ctx, &servicenetv1alpha1.AllocationBlock{})
	if err != nil {
		return nil, err
	}
	if _, err := informer.AddEventHandler(s.Feed()); err != nil {
		return nil, err
	}
	go func() { _ = blocks.Start(ctx) }()
	blocks.WaitForCacheSync(ctx)
	return s, nil
}

// awaitGiving waits until a replica has its Lease, and so gives a number that is
// none of those that are measured.
func awaitGiving(ctx context.Context, s *store.Store, at int) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	place := ledger.Address(servicenetv1alpha1.ClusterIPv4, netip.AddrFrom4([4]byte{192, 0, 2, byte(at)})) //nolint:gosec // 0 or 1
	for {
		err := s.TakeNumber(ctx, place, store.Request{Owner: ownerOf("ready", 0)})
		if err == nil || ctx.Err() != nil {
			return err
		}
		time.Sleep(10 * time.Millisecond) //nolint:forbidigo // nothing tells when
	}
}

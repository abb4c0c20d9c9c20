// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/ledger"
	"servicenet.dev/servicenet/internal/ledger/store"
)

// settleTimeout is how long it may take until all numbers are settled.
const settleTimeout = 2 * time.Minute

// result is what a row came to.
type result struct {
	replicas, callers int
	took              []time.Duration
	elapsed           time.Duration
	duplicates        int
	requests          requests
}

// measure takes numbers for a while and waits until all are settled.
func (w *world) measure(ctx context.Context, k kind, count, callers int) (*result, error) {
	w.row++
	replicas, err := w.start(ctx, count)
	if err != nil {
		return nil, err
	}
	before, err := w.requests(ctx)
	if err != nil {
		return nil, errors.Join(err, replicas.stop())
	}
	r := &result{replicas: count, callers: callers}
	all, err := w.takeAll(ctx, k.begin(w.row), replicas, r)
	if err == nil {
		err = w.awaitSettled(ctx, len(all))
	}
	after, errAfter := w.requests(ctx)
	r.requests = after.since(before)
	err = errors.Join(err, errAfter, replicas.stop(), w.client.DeleteAllOf(ctx, &servicenetv1alpha1.AllocationBlock{}))
	slices.Sort(r.took)
	r.duplicates = len(r.took) - len(all)
	return r, err
}

// takeAll lets callers take numbers until the time is over, and returns the
// numbers that were taken.
func (w *world) takeAll(ctx context.Context, take taker, replicas *replicas, r *result) (map[ledger.Place]bool, error) {
	var turns atomic.Int64
	var callers, confirmations sync.WaitGroup
	var mu sync.Mutex
	var errs []error
	all := map[ledger.Place]bool{}
	begun := time.Now()
	for id := range r.callers {
		callers.Go(func() {
			c := caller{
				world: w, replicas: replicas, id: id, turns: &turns, take: take, until: begun.Add(w.time), confirmations: &confirmations,
			}
			err := c.run(ctx)
			mu.Lock()
			defer mu.Unlock()
			errs = append(errs, err)
			r.took = append(r.took, c.took...)
			for _, place := range c.places {
				all[place] = true
			}
		})
	}
	callers.Wait()
	r.elapsed = time.Since(begun)
	confirmations.Wait()
	return all, errors.Join(errs...)
}

// caller takes one number after the other.
type caller struct {
	*world
	replicas *replicas
	id       int
	// turns counts the takes of all callers.
	turns *atomic.Int64
	take  taker
	until time.Time
	// confirmations are on their way.
	confirmations *sync.WaitGroup

	took   []time.Duration
	places []ledger.Place
}

// run takes numbers of one replica after the other, as requests reach webhooks.
func (c *caller) run(ctx context.Context) error {
	for time.Now().Before(c.until) {
		turn := c.turns.Add(1) - 1
		s := c.replicas.stores[int(turn)%len(c.replicas.stores)]
		owner := ownerOf(strconv.Itoa(c.id), turn)
		begun := time.Now()
		place, more, err := c.take(ctx, s, store.Request{Owner: owner}, turn)
		if err != nil {
			return fmt.Errorf("take a number: %w", err)
		}
		if !more {
			return nil
		}
		c.took = append(c.took, time.Since(begun))
		c.places = append(c.places, place)
		c.confirmLater(place, owner)
		time.Sleep(c.pause) //nolint:forbidigo // what a caller does besides
	}
	return nil
}

func (c *caller) confirmLater(place ledger.Place, owner ledger.Owner) {
	owner.UID = types.UID(owner.Name)
	c.confirmations.Add(1)
	time.AfterFunc(c.confirm, func() {
		defer c.confirmations.Done()
		c.replicas.show(place, owner)
	})
}

func ownerOf(namespace string, number int64) ledger.Owner {
	return ledger.Owner{NamespacedName: types.NamespacedName{Namespace: namespace, Name: "s-" + strconv.FormatInt(number, 10)}}
}

// awaitSettled waits until so many numbers are in use by what the API server has.
func (w *world) awaitSettled(ctx context.Context, count int) error {
	ctx, cancel := context.WithTimeout(ctx, settleTimeout)
	defer cancel()
	const often = 200 * time.Millisecond
	used := 0
	err := wait.PollUntilContextCancel(ctx, often, true, func(ctx context.Context) (bool, error) {
		blocks := &servicenetv1alpha1.AllocationBlockList{}
		if err := w.client.List(ctx, blocks); err != nil {
			return false, err
		}
		used = 0
		for i := range blocks.Items {
			used += int(blocks.Items[i].Summary.Used)
		}
		return used >= count, nil
	})
	if err != nil {
		return fmt.Errorf("%d of %d numbers are settled: %w", used, count, err)
	}
	return nil
}

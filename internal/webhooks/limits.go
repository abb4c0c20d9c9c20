// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"context"
	"sync"

	"k8s.io/apimachinery/pkg/util/sets"

	"servicenet.dev/servicenet/internal/ledger"
	"servicenet.dev/servicenet/internal/ledger/store"
	"servicenet.dev/servicenet/internal/pool"
)

// account counts what a namespace has of pools with limits, while a request takes
// numbers. From the first count to the end the namespace's turn is the request's.
type account struct {
	*inquiry

	ctx context.Context //nolint:containedctx // that of the request, of which this is a part
	// err is why nothing could be counted.
	err  error
	turn *turn
}

// used is of admission.Request. What the request itself is given is counted
// elsewhere, and what was given to its Service before, it gets again.
func (a *account) used(of *pool.Pool) int {
	if a.err != nil {
		return 0
	}
	namespace := a.Service.Namespace
	if a.turn == nil {
		if a.turn, a.err = a.turns.take(a.ctx, namespace); a.err != nil {
			return 0
		}
	}
	had, counted := a.had(), sets.New(a.taken...)
	if a.Final {
		counted.Insert(store.Numbers(a.Service)...)
		counted = counted.Difference(had)
	}
	count := 0
	for place, name := range a.facts.Numbers(namespace) {
		own := name.Name != "" && name == a.name() && !had.Has(place)
		if own || counted.Has(place) || a.ownerOf(place) != of {
			continue
		}
		counted.Insert(place)
		count++
	}
	a.times.Spent("counting")
	return count
}

// had returns the numbers of the Service that is stored.
func (a *account) had() sets.Set[ledger.Place] {
	if a.Old == nil {
		return nil
	}
	return sets.New(store.Numbers(a.Old)...)
}

// ownerOf returns the pool that has a number.
func (a *account) ownerOf(place ledger.Place) *pool.Pool {
	if place.Block.IsPorts() {
		return a.cluster.NodePorts.Owner(pool.Port(place.Block.Port(place.Number))) //nolint:gosec // a port
	}
	return a.cluster.ClusterIPs.Owner(place.Address())
}

func (a *account) close() {
	if a.turn != nil {
		a.turns.end(a.Service.Namespace, a.turn)
	}
}

// turns lets one request of a namespace at a time take numbers of pools with limits.
type turns struct {
	mu    sync.Mutex
	taken map[string]*turn
}

// turn is had by whoever put something into it.
type turn struct {
	had chan struct{}
	// wanted counts who has it or waits for it.
	wanted int
}

// take waits for the turn of a namespace.
func (t *turns) take(ctx context.Context, namespace string) (*turn, error) {
	t.mu.Lock()
	of := t.taken[namespace]
	if of == nil {
		of = &turn{had: make(chan struct{}, 1)}
		t.taken[namespace] = of
	}
	of.wanted++
	t.mu.Unlock()
	select {
	case of.had <- struct{}{}:
		return of, nil
	case <-ctx.Done():
		t.leave(namespace, of)
		return nil, &ledger.UnavailableError{
			Reason: "other requests of the namespace are not done yet", RetryAfter: comeAgain, Err: ctx.Err(),
		}
	}
}

// end passes the turn on.
func (t *turns) end(namespace string, of *turn) {
	<-of.had
	t.leave(namespace, of)
}

func (t *turns) leave(namespace string, of *turn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	of.wanted--
	if of.wanted == 0 {
		delete(t.taken, namespace)
	}
}

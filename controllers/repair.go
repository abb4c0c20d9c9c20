// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"servicenet.dev/servicenet/internal/ledger"
	"servicenet.dev/servicenet/internal/ledger/store"
)

// repairs keep the ledger what the Services say. They work on the leader.
type repairs struct {
	*replica
	// agreed is closed once the ledger was found to be what the Services say.
	agreed chan struct{}
}

func newRepairs(r *replica) *repairs { return &repairs{replica: r, agreed: make(chan struct{})} }

// run compares at once, on news, and now and then without, until the context ends.
func (r *repairs) run(ctx context.Context) error {
	for {
		if err := r.look(ctx); err != nil {
			return err
		}
		select {
		case <-r.agreed:
		default:
			close(r.agreed)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-r.news.repair:
		}
	}
}

// look compares the ledger with all Services.
func (r *repairs) look(ctx context.Context) error {
	services := &corev1.ServiceList{}
	if err := r.reader.List(ctx, services); err != nil {
		return fmt.Errorf("listing Services: %w", err)
	}
	for i := range services.Items {
		service := &services.Items[i]
		for _, place := range r.carriers.numbers(service) {
			r.store.Carried(place, store.OwnerOf(service), service.ResourceVersion)
		}
	}
	for key, block := range r.store.Blocks() {
		for number := range block.Used().Numbers() {
			place := ledger.Place{Key: key, Number: number}
			if _, seen := r.carriers.seen(place); !seen {
				r.store.Release(place)
			}
		}
	}
	return nil
}

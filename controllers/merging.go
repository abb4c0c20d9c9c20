// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"servicenet.dev/servicenet/internal/endpointslice"
)

const (
	// restBeforeMerge is for how long nothing must have been written for a Service
	// before its slices are merged: longer than the steps of a rolling update are
	// apart that writes all the time.
	restBeforeMerge = 2 * time.Second
	// mergedAtOnce is how many slices one merge empties at most.
	mergedAtOnce = 100
)

// merger decides when sparse slices are merged: when their Service is at rest, and
// so many a second of all Services together.
type merger struct {
	rate int // writes a second

	mu      sync.Mutex
	written map[types.NamespacedName]time.Time // last, of Services with sparse slices
	free    time.Time                          // when the next merge may begin
}

func newMerger(rate int) *merger {
	return &merger{rate: rate, written: map[types.NamespacedName]time.Time{}}
}

// wrote takes notice that slices of a Service were written, and returns after what
// time to look whether they can be merged.
func (m *merger) wrote(service types.NamespacedName, now time.Time) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.written[service] = now
	return restBeforeMerge
}

// wait returns for how long a merge with so many writes has to wait. If that is
// zero, it has begun.
func (m *merger) wait(service types.NamespacedName, writes int, now time.Time) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	last, known := m.written[service]
	if !known { // since this process started
		last = now
		m.written[service] = now
	}
	if wait := max(last.Add(restBeforeMerge).Sub(now), m.free.Sub(now)); wait > 0 {
		return wait
	}
	m.free = now.Add(time.Duration(writes) * time.Second / time.Duration(m.rate))
	return 0
}

// forget drops what is known of a Service.
func (m *merger) forget(service types.NamespacedName) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.written, service)
}

// merge merges the slices of a Service for which nothing else is to do, if it is
// time, and returns after what time to look again; zero is never.
func (r *endpointSliceReconciler) merge(
	ctx context.Context, service *corev1.Service, state *endpointslice.State, published *endpointslice.Changes,
) (time.Duration, error) {
	key := client.ObjectKeyFromObject(service)
	if !published.Stats.Sparse() {
		r.merger.forget(key)
		return 0, nil
	}
	if !published.Empty() {
		return r.merger.wrote(key, r.clock.Now()), nil
	}
	changes := state.Merge(mergedAtOnce)
	if changes.Empty() {
		r.merger.forget(key)
		return 0, nil
	}
	if wait := r.merger.wait(key, len(changes.Update)+len(changes.Delete), r.clock.Now()); wait > 0 {
		return wait, nil
	}
	if err := r.apply(ctx, &changes); err != nil {
		return 0, err
	}
	r.metrics.published(service, &changes)
	return r.merger.wrote(key, r.clock.Now()), nil
}

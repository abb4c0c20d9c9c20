// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"servicenet.dev/servicenet/internal/ledger/store"
)

const (
	// lookInterval is how often Leases are looked at.
	lookInterval = 500 * time.Millisecond
	// silence is for how long the Lease of a replica that is gone does not change:
	// more than twice as long as replicas wait until they renew it.
	silence = 15 * time.Second
)

// awaitReplicas waits until no replica runs, and returns how many ended without giving
// their Lease back. A replica that still ran would make again what is removed.
func (c *cleaner) awaitReplicas(ctx context.Context) (int, error) {
	ticker := time.NewTicker(lookInterval)
	defer ticker.Stop()
	seen := sightings{}
	var running []string
	for ctx.Err() == nil || running == nil {
		leases, err := c.leases(ctx)
		if ctx.Err() != nil && running != nil {
			break // which is why, if this failed
		}
		if err != nil {
			return 0, err
		}
		if running = seen.look(leases, time.Now()); len(running) == 0 {
			return len(leases), nil
		}
		select {
		case <-ctx.Done():
		case <-ticker.C:
		}
	}
	return 0, fmt.Errorf("%s still runs: stop it, and run this again", strings.Join(running, ", "))
}

// leases returns the Leases that replicas hold.
func (c *cleaner) leases(ctx context.Context) ([]coordinationv1.Lease, error) {
	var held []coordinationv1.Lease
	var all coordinationv1.LeaseList
	if err := c.api.List(ctx, &all, client.InNamespace(c.namespace)); err != nil {
		return nil, fmt.Errorf("listing the Leases of replicas: %w", err)
	}
	for i := range all.Items {
		lease := &all.Items[i]
		if ownLease(lease) && lease.Spec.HolderIdentity != nil && *lease.Spec.HolderIdentity != "" {
			held = append(held, *lease)
		}
	}
	return held, nil
}

// ownLease tells whether a Lease is one of the manager's.
func ownLease(lease client.Object) bool {
	_, ofReplica := lease.GetLabels()[store.LeaseLabel]
	return ofReplica || lease.GetName() == leaderElectionID
}

func (c *cleaner) removeLeases(ctx context.Context) (int, error) {
	return c.removeAll(ctx, &coordinationv1.LeaseList{}, ownLease, client.InNamespace(c.namespace))
}

// sightings is since when Leases have been as they are, by the observer's own clock:
// that of a replica may be wrong.
type sightings map[string]sighting

type sighting struct {
	version string
	since   time.Time
}

// look takes note of Leases, and returns who may still renew one.
func (s sightings) look(leases []coordinationv1.Lease, now time.Time) []string {
	var running []string
	for i := range leases {
		lease := &leases[i]
		known, ok := s[lease.Name]
		if !ok || known.version != lease.ResourceVersion {
			known = sighting{version: lease.ResourceVersion, since: now}
			s[lease.Name] = known
		}
		if now.Sub(known.since) < silence {
			running = append(running, *lease.Spec.HolderIdentity)
		}
	}
	return running
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"servicenet.dev/servicenet/internal/ledger"
)

// LeaseLabel is on the Leases of replicas. Its value is the Holder.
const LeaseLabel = "servicenet.dev/ledger-holder"

func leaseName(holder ledger.Holder) string { return "servicenet-ledger-" + holder.String() }

// renew writes the Lease, and makes it if it is not there.
func (s *Store) renew(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.Timing.Call)
	defer cancel()
	holder, begun := s.whom(), time.Now()
	lease := &coordinationv1.Lease{}
	err := s.Client.Get(ctx, types.NamespacedName{Namespace: s.Namespace, Name: leaseName(holder)}, lease)
	switch {
	case apierrors.IsNotFound(err):
		lease = s.newLease(holder)
		err = s.Client.Create(ctx, lease)
	case err == nil:
		lease.Spec.RenewTime = new(metav1.NewMicroTime(s.Now()))
		err = s.Client.Update(ctx, lease)
	}
	if err != nil {
		return fmt.Errorf("renew the Lease of this replica's loans: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.renewed, s.leased = begun, true
	return nil
}

// whom returns whom loans are to. When the Lease was not renewed for so long that
// others may be about to take its numbers back, that is somebody new: what they
// take is none of the new one's, however late they do.
func (s *Store) whom() ledger.Holder {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.leased && !s.trusted() {
		for _, p := range s.pages {
			for _, n := range p.mine {
				s.forget(p, n)
			}
		}
		s.holder, s.leased = ledger.Holder(s.rng.Uint64()), false
	}
	return s.holder
}

func (s *Store) newLease(holder ledger.Holder) *coordinationv1.Lease {
	now := metav1.NewMicroTime(s.Now())
	return &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: s.Namespace, Name: leaseName(holder), Labels: map[string]string{LeaseLabel: holder.String()},
		},
		Spec: coordinationv1.LeaseSpec{
			HolderIdentity: new(s.Identity), AcquireTime: &now, RenewTime: &now,
			LeaseDurationSeconds: new(int32(s.Timing.Stale.Seconds())),
		},
	}
}

// leases is how long the Leases of replicas have been as they are, by the
// observer's own clock.
type leases map[ledger.Holder]sighting

type sighting struct {
	version string
	since   time.Time
}

// stale returns the holders whose Leases have not changed for some time, those
// that have none included. It drops what it knows of others.
func (l leases) stale(holders map[ledger.Holder]bool, versions map[ledger.Holder]string, after time.Duration) []ledger.Holder {
	var stale []ledger.Holder
	for holder := range l {
		if !holders[holder] {
			delete(l, holder)
		}
	}
	for holder := range holders {
		seen, known := l[holder]
		switch {
		case !known || seen.version != versions[holder]:
			l[holder] = sighting{version: versions[holder], since: time.Now()}
		case time.Since(seen.since) > after:
			stale = append(stale, holder)
		}
	}
	return stale
}

// leaseVersions returns the versions of the replicas' Leases.
func (s *Store) leaseVersions(ctx context.Context) (map[ledger.Holder]string, error) {
	ctx, cancel := context.WithTimeout(ctx, s.Timing.Call)
	defer cancel()
	list := &coordinationv1.LeaseList{}
	if err := s.Client.List(ctx, list, client.InNamespace(s.Namespace), client.HasLabels{LeaseLabel}); err != nil {
		return nil, fmt.Errorf("list the Leases of replicas: %w", err)
	}
	versions := map[ledger.Holder]string{}
	for i := range list.Items {
		if holder, err := ledger.ParseHolder(list.Items[i].Labels[LeaseLabel]); err == nil {
			versions[holder] = list.Items[i].ResourceVersion
		}
	}
	return versions, nil
}

// reclaim holds what replicas whose Leases are stale had on loan, and removes the
// Leases once nothing is left.
func (s *Store) reclaim(ctx context.Context, known leases) {
	holders := s.holders()
	if len(holders) == 0 && len(known) == 0 {
		return
	}
	versions, err := s.leaseVersions(ctx)
	if err != nil {
		if ctx.Err() == nil {
			s.Logger.Error(err, "Could not look for replicas that are gone")
		}
		return
	}
	s.mu.Lock()
	for holder := range versions {
		if holder != s.holder {
			holders[holder] = true
		}
	}
	s.mu.Unlock()
	for _, holder := range known.stale(holders, versions, s.Timing.Stale) {
		if s.takeBack(holder) == 0 && versions[holder] != "" {
			s.removeLease(ctx, holder)
		}
	}
}

// holders returns the other replicas that have something on loan.
func (s *Store) holders() map[ledger.Holder]bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	holders := map[ledger.Holder]bool{}
	for _, p := range s.pages {
		if p.block == nil {
			continue
		}
		for _, loan := range p.block.Loans() {
			if loan.Holder != s.holder {
				holders[loan.Holder] = true
			}
		}
	}
	return holders
}

// takeBack holds what a holder has on loan, and returns how much that is.
func (s *Store) takeBack(holder ledger.Holder) (count int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.pages {
		if p.block == nil {
			continue
		}
		some := false
		for range p.block.LentTo(holder) {
			count++
			some = true
		}
		if some {
			s.later(p, func(b *ledger.Block) bool { return b.ReclaimAll(holder) }, nil)
		}
	}
	if count > 0 {
		s.Metrics.reclaimed(count)
		s.Logger.Info("Took back what a replica that is gone had on loan", "holder", holder.String(), "numbers", count)
	}
	return count
}

func (s *Store) removeLease(ctx context.Context, holder ledger.Holder) {
	ctx, cancel := context.WithTimeout(ctx, s.Timing.Call)
	defer cancel()
	lease := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: s.Namespace, Name: leaseName(holder)}}
	if err := client.IgnoreNotFound(s.Client.Delete(ctx, lease)); err != nil {
		s.Logger.Error(err, "Could not remove the Lease of a replica that is gone", "holder", holder.String())
	}
}

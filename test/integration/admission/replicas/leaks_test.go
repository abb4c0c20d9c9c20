// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package replicas

import (
	"context"
	"fmt"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/ledger"
	"servicenet.dev/servicenet/internal/ledger/store"
)

// leaks tells of numbers that nobody can have: used or held without a Service, on loan to
// a manager that is no more, and, the other way round, of a Service but not used.
func leaks(ctx context.Context) ([]string, error) {
	carried, err := carriedNumbers(ctx)
	if err != nil {
		return nil, err
	}
	alive, err := holders(ctx)
	if err != nil {
		return nil, err
	}
	var blocks servicenetv1alpha1.AllocationBlockList
	if err := plane.API.List(ctx, &blocks); err != nil {
		return nil, err
	}
	var found []string
	for i := range blocks.Items {
		key, err := ledger.ParseKey(blocks.Items[i].Family, blocks.Items[i].First)
		if err != nil {
			return nil, err
		}
		block, err := ledger.Decode(blocks.Items[i].Data)
		if err != nil {
			return nil, err
		}
		for number := range block.Taken().Numbers() {
			place, state := ledger.Place{Key: key, Number: number}, block.State(number)
			loan, _ := block.Loan(number)
			spare := state == ledger.Lent && alive[loan.Holder]
			if used := state == ledger.Used; carried[place] != used && (carried[place] || !spare) {
				found = append(found, fmt.Sprintf("%s is %s", place, state))
			}
			delete(carried, place)
		}
	}
	for place := range carried {
		found = append(found, fmt.Sprintf("%s is free and of a Service", place))
	}
	return found, nil
}

func carriedNumbers(ctx context.Context) (map[ledger.Place]bool, error) {
	var services corev1.ServiceList
	if err := plane.API.List(ctx, &services); err != nil {
		return nil, err
	}
	carried := map[ledger.Place]bool{}
	for i := range services.Items {
		for _, place := range store.Numbers(&services.Items[i]) {
			carried[place] = true
		}
	}
	return carried, nil
}

// holders returns the managers that have renewed their Leases of late.
func holders(ctx context.Context) (map[ledger.Holder]bool, error) {
	const late = 20 * time.Second
	var leases coordinationv1.LeaseList
	if err := plane.API.List(ctx, &leases, client.HasLabels{store.LeaseLabel}); err != nil {
		return nil, err
	}
	alive := map[ledger.Holder]bool{}
	for i := range leases.Items {
		lease := &leases.Items[i]
		holder, err := ledger.ParseHolder(lease.Labels[store.LeaseLabel])
		if err != nil {
			return nil, err
		}
		alive[holder] = lease.Spec.RenewTime != nil && time.Since(lease.Spec.RenewTime.Time) < late
	}
	return alive, nil
}

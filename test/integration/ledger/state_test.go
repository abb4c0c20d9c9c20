// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/ledger"
	"servicenet.dev/servicenet/internal/ledger/store"
)

// contradictions tells where the ledger differs from the Services of the cluster:
// numbers in use that no Service carries, carried ones that are not in use, held
// ones, and loans of others than the holders.
func contradictions(ctx context.Context, holders ...ledger.Holder) ([]string, error) {
	// Nothing changes any more while this is asked, but for the ledger itself: what
	// is lent or held is seen before what is carried.
	blocks := &servicenetv1alpha1.AllocationBlockList{}
	if err := api.List(ctx, blocks); err != nil {
		return nil, err
	}
	services := &corev1.ServiceList{}
	if err := api.List(ctx, services); err != nil {
		return nil, err
	}
	carriers := map[ledger.Place]string{}
	for i := range services.Items {
		for _, place := range store.Numbers(&services.Items[i]) {
			carriers[place] = services.Items[i].Name
		}
	}
	var found []string
	for i := range blocks.Items {
		key, block, err := decode(&blocks.Items[i])
		if err != nil {
			return nil, err
		}
		for number := range block.Used().Numbers() {
			place := ledger.Place{Key: key, Number: number}
			if carriers[place] == "" {
				found = append(found, fmt.Sprintf("%s is in use by no Service", place))
			}
			delete(carriers, place)
		}
		for number := range block.Holds() {
			found = append(found, fmt.Sprintf("%s is held", ledger.Place{Key: key, Number: number}))
		}
		for number, loan := range block.Loans() {
			if !slices.Contains(holders, loan.Holder) {
				found = append(found, fmt.Sprintf("%s is on loan to %s", ledger.Place{Key: key, Number: number}, loan.Holder))
			}
		}
	}
	for place, name := range carriers {
		found = append(found, fmt.Sprintf("%s of Service %s is not in use", place, name))
	}
	return found, nil
}

func decode(object *servicenetv1alpha1.AllocationBlock) (ledger.Key, *ledger.Block, error) {
	key, err := ledger.ParseKey(object.Family, object.First)
	if err != nil {
		return ledger.Key{}, nil, err
	}
	block, err := ledger.Decode(object.Data)
	return key, block, err
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package pools

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/ledger"
	"servicenet.dev/servicenet/internal/ledger/store"
)

// contradictions tells where the ledger differs from the Services of the cluster:
// numbers in use that no Service carries, carried ones that are not in use, and
// ones on loan or held.
func (s *server) contradictions(ctx context.Context) ([]string, error) {
	var blocks servicenetv1alpha1.AllocationBlockList
	if err := s.api.List(ctx, &blocks); err != nil {
		return nil, err
	}
	var services corev1.ServiceList
	if err := s.api.List(ctx, &services); err != nil {
		return nil, err
	}
	states := map[ledger.Place]ledger.State{}
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
			states[ledger.Place{Key: key, Number: number}] = block.State(number)
		}
	}
	var found []string
	carried := map[ledger.Place]bool{}
	for i := range services.Items {
		for _, place := range store.Numbers(&services.Items[i]) {
			carried[place] = true
			if states[place] != ledger.Used {
				found = append(found, fmt.Sprintf("%s of Service %s is %s", place, services.Items[i].Name, states[place]))
			}
		}
	}
	for place, state := range states {
		if !carried[place] {
			found = append(found, fmt.Sprintf("%s is %s and no Service has it", place, state))
		}
	}
	return found, nil
}

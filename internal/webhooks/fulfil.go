// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"servicenet.dev/servicenet/internal/admission"
	"servicenet.dev/servicenet/internal/ledger"
	"servicenet.dev/servicenet/internal/ledger/store"
	"servicenet.dev/servicenet/internal/pool"
)

// taker takes a number of a candidate.
type taker func(ctx context.Context, take *admission.Take, candidate *admission.Candidate) (ledger.Place, error)

// fulfil takes the numbers of a plan.
func (c *inquiry) fulfil(ctx context.Context, plan *admission.Plan, take taker) ([]ledger.Place, field.ErrorList, error) {
	a := &account{inquiry: c, ctx: ctx}
	defer a.close()
	c.Used = a.used
	return plan.Fulfil(func(t *admission.Take, candidate *admission.Candidate) (ledger.Place, error) {
		if a.err != nil {
			return ledger.Place{}, a.err
		}
		place, err := take(ctx, t, candidate)
		if err == nil {
			c.taken = append(c.taken, place)
		}
		return place, err
	})
}

// take takes a number of the ledger.
func (c *inquiry) take(ctx context.Context, take *admission.Take, candidate *admission.Candidate) (ledger.Place, error) {
	request := store.Request{Owner: c.owner(), Slot: take.Slot}
	if candidate.Source == pool.Automatic {
		return c.ledger.Take(ctx, take.Family, candidate.Range, request)
	}
	return candidate.Place, c.ledger.TakeNumber(ctx, candidate.Place, request)
}

// giveBack gives back what was taken, which nobody will have.
func (c *inquiry) giveBack() {
	if len(c.taken) > 0 {
		c.ledger.GiveBack(c.owner(), c.taken...)
	}
}

// pretend takes nothing: the Service has the number.
func pretend(_ context.Context, _ *admission.Take, candidate *admission.Candidate) (ledger.Place, error) {
	return candidate.Place, nil
}

// retained says which numbers are kept for the addresses and the ports of a Service.
// Of the names of ports the ledger knows a digest.
func retained(service *corev1.Service, kept []store.Kept) admission.Retained {
	if len(kept) == 0 {
		return admission.Retained{}
	}
	names := []string{pool.HealthCheck}
	for i := range service.Spec.Ports {
		if name := service.Spec.Ports[i].Name; !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	found := admission.Retained{Ports: map[string][]pool.Port{}}
	for _, k := range kept {
		if !k.Block.IsPorts() {
			found.Addresses = append(found.Addresses, k.Address())
			continue
		}
		for _, name := range names {
			if ledger.SlotOf(name) == k.Slot {
				found.Ports[name] = append(found.Ports[name], pool.Port(k.Block.Port(k.Number))) //nolint:gosec // a port
			}
		}
	}
	return found
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"net/netip"

	corev1 "k8s.io/api/core/v1"

	"servicenet.dev/servicenet/internal/ledger"
	"servicenet.dev/servicenet/internal/loadbalancer"
)

// provider is what gives Services their load balancers. It means what the LoadBalancer
// of k8s.io/cloud-provider does, with the difference that it answers with a part of a
// status: the controller puts that together with what others have written there, and
// writes it.
//
// All may be called again with what they have done already. An error has the Service
// tried again later.
type provider interface {
	// Ensure gives a Service what it asks for, as far as that is possible, and returns
	// what its status is to say of it. That there is nothing for it is no error.
	Ensure(ctx context.Context, service *corev1.Service) (*ensured, error)
	// EnsureDeleted takes back all that a Service has, also when it can't be asked for
	// any more what that was.
	EnsureDeleted(ctx context.Context, service *corev1.Service) error
	// Ours tells of an address of a status whether it is from here.
	Ours(service *corev1.Service) func(netip.Addr) bool
}

// ensured is what a provider has done for a Service.
type ensured struct {
	loadbalancer.Desired

	// given are the addresses that the Service has got just now.
	given []netip.Addr
	// has are the addresses that the Service has in the ledger, and on which terms, as far
	// as was seen and done here. What others do meanwhile is not there.
	has map[ledger.Place]ledger.Tenant
	// acted tells that something was done. Where nothing was, a status that is not as
	// desired was changed by somebody else.
	acted bool
	// settle is called once the status says what is desired. May be nil.
	settle func(ctx context.Context) error
}

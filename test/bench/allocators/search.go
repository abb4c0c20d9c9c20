// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	networkingv1client "k8s.io/client-go/kubernetes/typed/networking/v1"
	networkingv1listers "k8s.io/client-go/listers/networking/v1"
	"k8s.io/client-go/tools/cache"
	api "k8s.io/kubernetes/pkg/apis/core"
	"k8s.io/kubernetes/pkg/registry/core/service/ipallocator"
)

// compareSearch finds an address among live ones. What upstream does apart from
// the search, with no address live, is in the first line; its API call is in
// none: the create is refused (the search ends there), or accepted at once (then
// the gauges are set, which count all addresses, twice).
func (b bench) compareSearch() [][]string {
	rows := [][]string{{"search", "ours, find, take and free", "upstream's search", "ratio", "with its gauges", "ratio"}}
	for _, live := range []int{0, 1000, 10_000, 50_000, 100_000} {
		rows = append(rows, b.compareLive(fmt.Sprintf("%d live in a /12", live), "10.96.0.0/12", live))
	}
	// As full as can be while it is still measured in milliseconds.
	return append(rows, b.compareLive("5 free in a /16", "10.96.0.0/16", 1<<16-2-5))
}

func (b bench) compareLive(name, cidr string, live int) []string {
	o := newOurs(cidr)
	o.live(live)
	upstream := newUpstreamAddresses(cidr, live)
	ourResult := b.measure(func() { o.free(o.take()) })
	upstream.refuse = true
	search := b.measure(upstream.take)
	upstream.refuse = false
	gauges := b.measure(upstream.take)
	return []string{
		name, ourResult.String(), nice(search.nanoseconds), ratio(search, ourResult),
		nice(gauges.nanoseconds), ratio(gauges, ourResult),
	}
}

// upstreamAddresses is the API server's allocator of IPAddress objects, with an
// informer's cache and an API that does nothing.
type upstreamAddresses struct {
	networkingv1client.NetworkingV1Interface
	networkingv1client.IPAddressInterface

	of     *ipallocator.Allocator
	cached cache.Indexer
	refuse bool
}

func newUpstreamAddresses(cidr string, live int) *upstreamAddresses {
	_, network, err := net.ParseCIDR(cidr)
	try(err)
	u := &upstreamAddresses{cached: cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{})}
	u.of = must(ipallocator.NewIPAllocator(network, u, informer{cached: u.cached}))

	ones, size := network.Mask.Size()
	first := binary.BigEndian.Uint32(network.IP)
	rng := rand.New(rand.NewPCG(3, 4))
	for taken := map[uint32]bool{}; len(taken) < live; {
		host := 1 + rng.Uint32N(1<<(size-ones)-2) // neither the first nor the last address
		if !taken[host] {
			taken[host] = true
			try(u.cached.Add(addressObject(binary.BigEndian.AppendUint32(nil, first+host))))
		}
	}
	return u
}

func addressObject(address net.IP) *networkingv1.IPAddress {
	return &networkingv1.IPAddress{ObjectMeta: metav1.ObjectMeta{
		Name: address.String(),
		Labels: map[string]string{
			networkingv1.LabelIPAddressFamily: string(api.IPv4Protocol),
			networkingv1.LabelManagedBy:       ipallocator.ControllerName,
		},
	}}
}

// take searches an address; whether its create succeeds is of no interest.
func (u *upstreamAddresses) take() {
	if _, err := u.of.AllocateNext(); err != nil && !errors.Is(err, refusedError{}) {
		try(err)
	}
}

type refusedError struct{}

func (refusedError) Error() string { return "refused" }

// IPAddresses implements networkingv1client.NetworkingV1Interface.
func (u *upstreamAddresses) IPAddresses() networkingv1client.IPAddressInterface { return u }

// Create implements networkingv1client.IPAddressInterface. It stores nothing.
func (u *upstreamAddresses) Create(
	_ context.Context, address *networkingv1.IPAddress, _ metav1.CreateOptions,
) (*networkingv1.IPAddress, error) {
	if u.refuse {
		return nil, refusedError{}
	}
	return address, nil
}

// informer is one whose cache is filled by hand.
type informer struct {
	cache.SharedIndexInformer

	cached cache.Indexer
}

func (i informer) Informer() cache.SharedIndexInformer { return i }

func (informer) HasSynced() bool { return true }

func (i informer) Lister() networkingv1listers.IPAddressLister {
	return networkingv1listers.NewIPAddressLister(i.cached)
}

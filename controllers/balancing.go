// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"iter"
	"net/netip"

	"k8s.io/apimachinery/pkg/types"
)

// balancing is what the controller of load balancers knows of addresses. It tells
// numberNews of the Services of which it knows something else than before
// (balancingChanged). Its methods may be called at any time.
type balancing interface {
	// AddressesOf returns the addresses that a Service has, by the ledger.
	AddressesOf(service types.UID) []netip.Addr
	// AllAddresses returns those of all Services with the namespaces of these; one that
	// several share comes up for each of them.
	AllAddresses() iter.Seq2[netip.Addr, string]
	// Waiting returns the name of a pool for each Service that waits for an address:
	// of those that it may be of, the one that goes first.
	Waiting() iter.Seq[string]
}

// noBalancing is where nobody gives addresses out.
type noBalancing struct{}

var _ balancing = noBalancing{}

// AddressesOf is of balancing, as are those that follow.
func (noBalancing) AddressesOf(types.UID) []netip.Addr { return nil }

// AllAddresses returns none.
func (noBalancing) AllAddresses() iter.Seq2[netip.Addr, string] {
	return func(func(netip.Addr, string) bool) {}
}

// Waiting returns none.
func (noBalancing) Waiting() iter.Seq[string] { return func(func(string) bool) {} }

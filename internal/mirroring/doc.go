// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Package mirroring decides which EndpointSlices stand for an Endpoints object
// that somebody keeps by hand.
//
// A Service without a selector may have its addresses written into an Endpoints
// object of its name. Consumers read EndpointSlices only, so these addresses
// are mirrored. [Plan] compares the object with the slices there are and
// returns the writes that make the two agree:
//
//	Endpoints ──► one group a canonical subset and address family (desired.go)
//	                                   │
//	                                   ▼
//	mirrored slices ──► each group's slice, and what is left over (match.go)
//	                                   │
//	                                   ▼
//	      an order in which no address goes missing on the way (order.go)
//	                                   │
//	                                   ▼
//	                 creates, updates, deletes (changes.go)
//
// The package does no I/O, reads no clock and logs nothing. The rules are those
// of the stock EndpointSliceMirroring controller (KEP-752), so that either can
// take over from the other without changing an object.
package mirroring

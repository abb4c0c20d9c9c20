// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Package endpointslice decides what the EndpointSlices of a Service should be.
//
// [Plan] compares what a Service selects with the slices it has and returns the
// writes that make the two agree. Everything in between is a function over
// values:
//
//	Service, Pods, Nodes ──► endpoints by address family and port set (desired.go)
//	                                    │
//	slices of the Service ──► usable, or to be deleted (slice.go)
//	                                    │
//	                                    ▼
//	                   packing: keep, fill, place (pack.go)
//	                                    │
//	                                    ▼
//	                   creates, updates, deletes (changes.go)
//
// The packing has two steps that later work can feed on its own: what a change
// does to the slices that hold the changed endpoints, and where endpoints that
// lie nowhere go. The second never looks at an endpoint that stays where it is.
//
// The package does no I/O, reads no clock and logs nothing. The rules are those
// of the stock EndpointSlice controller (KEP-752, KEP-1672, KEP-4444), so that
// either can take over from the other without changing an object.
package endpointslice

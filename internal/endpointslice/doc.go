// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Package endpointslice decides what the EndpointSlices of a Service should be.
//
// [Plan] compares what a Service selects with the slices it has and returns the
// writes that make the two agree. A [State] returns the same for a Service that it
// follows from change to change, at a cost that grows with the change:
//
//	Service, Pods, Nodes ──► members, by port set (state.go, member.go)
//	                                    │
//	slices of the Service ──► settled, open, or to be deleted (held.go)
//	                                    │
//	                                    ▼
//	  packing of what is open and who is homeless: keep, fill, place (pack.go)
//	                                    │
//	                                    ▼
//	                   creates, updates, deletes (changes.go)
//	        so that copies of an endpoint never disagree (copies.go, order.go)
//
// A plan from scratch is a State that has been shown everything at once.
//
// The package does no I/O, reads no clock and logs nothing. The rules are those
// of the stock EndpointSlice controller (KEP-752, KEP-1672, KEP-4444), so that
// either can take over from the other without changing an object.
package endpointslice

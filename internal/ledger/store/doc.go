// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Package store keeps the ledger in the API server, so that all replicas of the
// manager give numbers out of one: no number goes to two Services, whichever
// replica is asked and whatever dies in between.
//
// A Store is one replica's. It changes blocks by compare-and-swap alone; changes
// of a block that wait together share one write. It borrows numbers ahead of
// need and gives them out from memory (a Shelf is a magazine of such numbers).
// What it has on loan belongs to a Lease of its own: while the Lease is not
// renewed it gives nothing out, and once it is stale for longer than any request
// can live, the leader takes the numbers back.
//
// What it knows of a block comes from its own writes, from reads, and from a
// watch (Feed), the newest wins. Nothing is decided from that alone: a swap that
// was based on an older state fails, is read anew and tried again.
//
// Numbers are freed in two steps. A number that no Service has any more is held;
// then the API server is asked (Evidence); and only if the hold is still the same
// is the number cleared.
//
// Load-balancer addresses (Assign, AssignAny, Vacate) have none of that: each is given
// and taken by a swap of its own, which decides on who shares it, and freed by one. No
// Lease is needed, since nothing is given from memory; nothing is asked, since nothing
// else has a say. Should two replicas lead for a moment, one of them may give a Service
// a second address, which whoever leads then takes back; an address never goes to two
// that may not share it.
//
// # Cost
//
// Measured by make bench-ledger on a real kube-apiserver and etcd, on two cores of
// an AMD EPYC (family 26) that they share with the callers. Takes a second:
//
//	                            1 caller  16 callers  64 callers
//	automatic                     38,399      40,826      44,874  250 takes a write
//	automatic, two replicas       45,652      50,906      40,406  230 takes a write
//	explicit, of one block           477       3,518       9,200
//	  two replicas                   281       1,135       3,459
//	explicit, of 16 blocks           349       1,116       3,410
//	  two replicas                   371         786       1,468
//
// An automatic number takes 1.3 µs at the median. An explicit one takes a share of a
// write: where 64 callers ask two replicas for numbers of 16 blocks, two share one at
// most, and a fifth of the writes meet one of the other replica.
//
// BenchmarkAssignAny gives and takes load-balancer addresses of an API server whose
// writes take 1 ms. With 50,000 in use that costs as much as with 100, for 64 callers
// and for one, and a full range is refused within 2 µs, be it a /28 or a /16.
package store

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Package endpoints decides what the Endpoints object of a Service should be.
//
// [Plan] compares what a Service selects with the object it has and returns the
// write that makes the two agree, if one is due:
//
//	Service, Pods ──► who listens on which port (desired.go)
//	                             │
//	                             ▼
//	          as few subsets as say that (regroup.go)
//	                             │
//	                             ▼
//	          at most 1000 addresses (truncate.go)
//	                             │
//	                             ▼
//	   compared with the object by what it says (compare.go)
//	                             │
//	                             ▼
//	        a create or an update, in stock order (plan.go)
//
// A [State] follows a Service from change to change and plans the same, without
// looking at pods that have not changed and are not listed (state.go).
//
// Endpoints v1 is deprecated and still read: by kubectl, by proxies and by the
// conformance tests. So the rules, and the order of subsets and ports, are those
// of the stock Endpoints controller, and either can take over from the other
// without changing an object. What is compared is the meaning and not the order,
// so that another way to sort would rewrite nothing.
//
// The package does no I/O, reads no clock and logs nothing.
package endpoints

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Package policy says in CEL what pools keep to themselves, so that the API server
// keeps to it while no manager runs. It makes ValidatingAdmissionPolicies and their
// bindings.
//
//	set := policy.ForClusterIPs(clusterIPs)
//
// The rules are those of package pool for a Service that has got its numbers, as far
// as they take numbers away from somebody:
//
//   - A number of an exclusive pool is for the Services that the pool serves; a
//     reserved one, of any pool, is for the Service that it is reserved for.
//   - Node ports are in the range of the cluster, and an ExternalName gets none.
//   - What a Service has, it keeps: only numbers that are new to it are judged.
//
// What a Service gets, limits, and what pools exclude or leave to those that they
// serve, is for the webhooks alone.
//
// Left alone is what the webhooks leave alone: what the API server does for itself,
// the Service default/kubernetes, Services that are being deleted, and dry runs, in
// which the API server makes numbers up.
//
// # Size
//
// Numbers are looked up, not searched. A table leads from a block of numbers (a CIDR,
// or a power of two of ports at a multiple of it) to a rule, and there is one look-up
// for each size of block that occurs. So a Service costs the same beside one pool and
// beside a thousand.
//
// The API server takes expressions of 100,000 characters. A policy has one expression
// for its table and one for its rules, of 64 KiB each at most, and there are eight
// policies for addresses and eight for ports at most. A pool is in one policy as a
// whole, or, if it fits in none, in [Set.Left], for the webhooks alone: they are the
// same for it. Those that have the better right to a number come first.
//
// # Cost
//
// Measured with the API server's own code by "go test -bench ." on one core of an AMD
// EPYC (family 26), Go 1.26, for a Service with two addresses:
//
//	              policies   longest expression   to compile   to judge a Service
//	1 pool        1          1 KB                 13 ms        0.2 ms
//	1,000 pools   1          42 KB                0.3 s        0.2 ms
//
// To make the policies of 1,000 pools takes 4 ms.
//
// It does no I/O. The same pools make the same policies, to the byte.
package policy

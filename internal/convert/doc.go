// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Package convert writes LoadBalancerPools that give out what pools of MetalLB, Cilium
// and kube-vip give out, to the same Services, and says what these Services need so
// that they ask our pools for what they asked theirs.
//
//	result := convert.From(convert.MetalLB, objects)
//	// write result.Pools and result.Edits, and tell of result.Notes
//
// What can't be said in our terms is never left out silently: it is a note. A pool that
// can't be converted as it is serves fewer Services rather than more, but it always has
// all of its addresses, so that Services keep those that they have.
//
// The result is checked by the rules that the manager goes by: for each Service that
// has an address, whether it stays.
//
// It does no I/O.
package convert

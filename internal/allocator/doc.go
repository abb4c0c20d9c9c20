// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Package allocator decides which numbers a pool has and which of them to give
// out next: addresses of one family, or ports.
//
// A Range says what each number is to the pool: dynamic, static, reserved,
// excluded, or none of its own. Numbers live in blocks (BlockSize addresses, or
// all ports) that belong to no pool: a Range is a view of them. An Index keeps
// count of the blocks that exist, and chooses where to take a number from:
//
//	choice, found := index.Choose(rng, active)
//	number, found := pool.Pick(rng, choice.Class, choice.Block, taken)
//
// where taken is the set of that one block, which the caller keeps, changes and
// shows to the Index again. Neither holds what is taken, so that ranges as large
// as a /64 cost what is used of them.
//
// It does no I/O, reads no clock and rolls no dice but those handed in.
package allocator

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Package numbers is what the suites about numbers share: control planes with a
// ledger, managers of numbers, and what such a suite asks of both.
//
// There is one ledger in a cluster, so that the specs of a suite run one after the
// other, and each leaves nothing behind but an empty one. Suites that wait for long
// are packages of their own, which run side by side.
package numbers

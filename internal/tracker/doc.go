// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Package tracker knows which of this process's own writes a cache has not shown
// yet, so that no plan is made from objects that are older than what was
// written, and no echo of an own write is taken for news.
//
// It does no I/O and reads no clock.
package tracker

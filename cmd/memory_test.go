// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import "testing"

func TestLittleInUseIsNotCollectedAllTheTime(t *testing.T) {
	for live, want := range map[uint64]int{
		0: 45, 1 << 20: 1000, 10 << 20: 400, 40 << 20: 100, 80 << 20: 50, 89 << 20: 45, 1 << 30: 45,
	} {
		if got := gcPercentFor(live); got != want {
			t.Errorf("%d MiB in use: %d %%, want %d %%", live>>20, got, want)
		}
	}
}

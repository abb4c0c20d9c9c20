// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	// gcPercent is how much may be allocated between two collections, in hundredths of
	// what is in use. The caches are most of it, and less than half of them again is
	// enough: a start, whose garbage is large, then needs a quarter less memory and no
	// more processor time.
	gcPercent = 45
	// gcFloor is how many bytes may be allocated in any case: where little is in use,
	// the percentage alone would have a busy manager collect all the time.
	gcFloor = 40 << 20
	// gcPeriod is how often the share is set anew.
	gcPeriod = time.Second
)

// gcPercentFor returns how much may be allocated between two collections where so many
// bytes are in use, in hundredths of these.
func gcPercentFor(live uint64) int {
	if live == 0 {
		return gcPercent
	}
	return max(gcPercent, int(min(gcFloor*100/live, 10*100)))
}

// tuneCollector keeps to gcPercentFor until the context ends. To set it stops all for
// a moment, so that it is only done where it has changed.
func tuneCollector(ctx context.Context) {
	ticker := time.NewTicker(gcPeriod)
	defer ticker.Stop()
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	for is := 0; ; {
		metrics.Read(sample)
		if want := gcPercentFor(sample[0].Value.Uint64()); want != is {
			debug.SetGCPercent(want)
			is = want
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

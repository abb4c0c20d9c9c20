// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import "time"

const (
	// leastMagazine and mostMagazine bound how many numbers a replica keeps ahead
	// of need: a few dozen, more while they go within a second.
	leastMagazine = 16
	mostMagazine  = 256
	// magazineShare is which part of what is free one magazine may have.
	magazineShare = 64
	// quick and slow are how long a magazine lasts that should grow or shrink.
	quick = time.Second
	slow  = 30 * time.Second
)

// Magazine returns how many numbers a replica should keep ahead of need: how
// many it kept, how long they lasted, and how many are free, all replicas' loans
// counted as not free. Each magazine is at most a 64th of that, so that small
// pools have none and loans never make a pool look full.
func Magazine(kept int, lasted time.Duration, free int) int {
	switch {
	case lasted < quick:
		kept *= 2
	case lasted > slow:
		kept /= 2
	}
	return min(max(kept, leastMagazine), mostMagazine, free/magazineShare)
}

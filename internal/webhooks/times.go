// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"strings"
	"time"
)

// Times is what the time of an answer was spent on.
type Times struct {
	last  time.Time
	spent []spent
}

type spent struct {
	on   string
	time time.Duration
}

// Spent notes that the time since the last note was spent on something.
func (t *Times) Spent(on string) {
	now := time.Now()
	t.spent = append(t.spent, spent{on, now.Sub(t.last)})
	t.last = now
}

// String returns the notes in their order.
func (t *Times) String() string {
	parts := make([]string, len(t.spent))
	for i, s := range t.spent {
		parts[i] = s.on + " " + s.time.Round(time.Millisecond).String()
	}
	return strings.Join(parts, ", ")
}

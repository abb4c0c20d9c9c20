// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package repair

import (
	"maps"
	"time"

	"servicenet.dev/servicenet/internal/ledger"
)

// again is how long a finding that lasts is not told again. Events are forgotten
// after an hour by default.
const again = 30 * time.Minute

// Memory tells findings that last from what only looks so for a moment. The zero
// Memory has seen nothing: a new leader begins with one. It is not safe for
// concurrent use.
type Memory struct {
	past past
	seen map[identity]sighting
}

// sighting is what is known of a finding.
type sighting struct {
	first, told time.Time
}

// Look is what there is to be done.
type Look struct {
	// Adopt is what the ledger is to take over, without a word.
	Adopt []Claim
	// Due are findings that last. Those that have a Service are to be confirmed by a
	// read of the API server itself; all are to be told and counted if they are New,
	// and fixed.
	Due []Finding
	// Next is when to look again at the latest, for findings that may turn out to
	// last; the zero time if there is none.
	Next time.Time
}

// Look compares a world with itself and with what was seen before. The times it is
// given must not run backwards.
func (m *Memory) Look(w *World, now time.Time) Look {
	report := compare(w, m.past)
	look := Look{Adopt: report.Adopt}
	seen := make(map[identity]sighting, len(report.Findings))
	for i := range report.Findings {
		f := &report.Findings[i]
		id := f.identity()
		s, known := m.seen[id]
		if !known {
			s.first = now
		}
		seen[id] = s
		due := s.first.Add(f.patience())
		if now.Before(due) {
			look.Next = earliest(look.Next, due)
			continue
		}
		f.New = s.told.IsZero() || now.Sub(s.told) >= again
		look.Due = append(look.Due, *f)
	}
	m.seen = seen
	m.remember(w, report.Findings, now)
	return look
}

// Told notes that a finding was told.
func (m *Memory) Told(f *Finding, now time.Time) {
	if s, known := m.seen[f.identity()]; known {
		s.told = now
		m.seen[f.identity()] = s
	}
}

// Last returns the block as it was when it was last seen to be good, nil if it
// never was: what Restore is to work from.
func (m *Memory) Last(key ledger.Key) *ledger.Block { return m.past.blocks[key] }

// remember keeps the ledger of this look, and of earlier ones those blocks that
// this one did not find as they should be.
func (m *Memory) remember(w *World, findings []Finding, now time.Time) {
	blocks := make(map[ledger.Key]*ledger.Block, len(w.Blocks))
	maps.Copy(blocks, w.Blocks)
	for i := range findings {
		key := findings[i].Place.Key
		if before := m.past.blocks[key]; before != nil && findings[i].Kind.Fix() == RestoreBlock {
			blocks[key] = before
		}
	}
	m.past = past{blocks: blocks, asOf: now}
}

func earliest(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

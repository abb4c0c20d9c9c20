// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"time"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/ledger"
)

// watch is what the collector knows of a held number.
type watch struct {
	serial uint32
	// since is when the hold was first seen, and next when to ask about it.
	since, next time.Time
	tries       int
	// suspect tells that a Service was seen with the number, so that it is asked
	// about even while it is kept for another.
	suspect bool
}

// noteHolds begins to watch the holds that a page has now.
func (s *Store) noteHolds(p *page) {
	if p.block == nil {
		clear(p.watches)
		return
	}
	now, news := time.Now(), false
	for number := range p.watches {
		if _, held := p.block.Hold(number); !held {
			delete(p.watches, number)
		}
	}
	for number, hold := range p.block.Holds() {
		if w := p.watches[number]; w == nil || w.serial != hold.Serial {
			w = &watch{serial: hold.Serial, since: now, next: now}
			if p.key.Family == servicenetv1alpha1.NodePort {
				w.next = now.Add(s.Timing.Quarantine)
			}
			p.watches[number] = w
			news = true
		}
	}
	if news {
		select {
		case s.news <- struct{}{}:
		default:
		}
	}
}

// Collect frees what nothing uses any more, takes back what replicas that are
// gone had on loan, and adopts what Services carry, until the context ends. It is
// to run on the leader. Should it run on several replicas for a while, they only
// repeat each other's work.
func (s *Store) Collect(ctx context.Context) error {
	s.countCollecting(1)
	defer s.countCollecting(-1)
	s.releaseParted()
	known := leases{}
	// How long Leases have not changed is counted from the first look.
	s.reclaim(ctx, known)
	reclaims := time.NewTicker(s.Timing.Stale / 6)
	defer reclaims.Stop()
	ticks := time.NewTicker(s.Timing.Tick)
	defer ticks.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-reclaims.C:
			s.reclaim(ctx, known)
		case <-ticks.C:
		case <-s.news:
			// Those that come about then share the questions too.
			_ = sleep(ctx, s.Timing.Gather)
		}
		s.expireHolds()
		for s.clear(ctx) {
		}
	}
}

func (s *Store) countCollecting(change int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.collecting += change
}

// mostQuestions bounds what is asked of the API server at a time.
const mostQuestions = 128

// clear asks about held numbers that are due, and frees those that nothing uses.
// It tells whether it is worth doing again at once.
func (s *Store) clear(ctx context.Context) bool {
	questions, serials := s.due()
	if len(questions) == 0 || ctx.Err() != nil {
		return false
	}
	call, cancel := context.WithTimeout(ctx, s.Timing.Call)
	defer cancel()
	findings, err := s.Evidence.Look(call, questions)
	if err != nil {
		s.Logger.Error(err, "Could not find out whether numbers are used", "numbers", len(questions))
		findings = make([]Finding, len(questions))
		for i := range findings {
			findings[i].Leftover = true
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, q := range questions {
		s.judge(q.Place, serials[i], findings[i])
	}
	return len(questions) == mostQuestions && err == nil
}

// judge does what was found out about a held number.
func (s *Store) judge(place ledger.Place, serial uint32, f Finding) {
	p := s.pages[place.Key]
	w := p.watches[place.Number]
	if w == nil || w.serial != serial {
		return
	}
	w.tries++
	w.suspect = false
	w.next = time.Now().Add(min(50*time.Millisecond<<min(w.tries, 7), 5*time.Second))
	switch {
	case f.unused() && !p.keeps(place.Number, s.Now()):
		s.lazily(p, s.Timing.Gather, func(b *ledger.Block) bool { return b.Clear(place.Number, serial) })
	case f.carried():
		s.later(p, func(b *ledger.Block) bool { return b.Keep(place.Number, serial) }, nil)
	}
}

// keeps tells whether a held number is kept for somebody still.
func (p *page) keeps(number int, now time.Time) bool {
	hold, _ := p.block.Hold(number)
	return hold.Until.After(now)
}

// suspect has the collector ask about a held number soon.
func (s *Store) suspect(p *page, number int) {
	if w := p.watches[number]; w != nil {
		w.suspect = true
	}
}

// due returns what to ask about held numbers.
func (s *Store) due() (questions []Question, serials []uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, wall := time.Now(), s.Now()
	for _, p := range s.pages {
		if ledger.HasTenants(p.key.Family) {
			continue
		}
		for number, w := range p.watches {
			if w.next.After(now) || p.keeps(number, wall) && !w.suspect {
				continue
			}
			if len(questions) == mostQuestions {
				return questions, serials
			}
			place := ledger.Place{Key: p.key, Number: number}
			seen := s.Seen(place)
			if seen.Foreign {
				continue // until the cache shows that it is gone
			}
			questions = append(questions, Question{Place: place, Hint: seen.Carrier})
			serials = append(serials, w.serial)
		}
	}
	return questions, serials
}

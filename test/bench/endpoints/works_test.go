// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"flag"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"servicenet.dev/servicenet/test/bench/endpoints/report"
)

func names(works []work) []string {
	var all []string
	for _, work := range works {
		all = append(all, work.Name)
	}
	return all
}

func TestFlags(t *testing.T) {
	t.Parallel()
	all := []string{"ready", "flips", "rolling", "scaledown", "oscillate", "services", "spread", "restart"}
	for name, test := range map[string]struct {
		args  []string
		works []string
		pairs int
	}{
		"none":           {nil, all, 3},
		"some works":     {[]string{"-works=restart, flips", "-pairs=5"}, []string{"flips", "restart"}, 5},
		"a quick look":   {[]string{"-quick"}, all, 1},
		"no such work":   {[]string{"-works=flips,flop"}, nil, 0},
		"no pair":        {[]string{"-pairs=0"}, nil, 0},
		"no size":        {[]string{"-scale=0"}, nil, 0},
		"too large":      {[]string{"-scale=3"}, nil, 0},
		"no requests":    {[]string{"-qps=0"}, nil, 0},
		"something else": {[]string{"flips"}, nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := parse(test.args)
			if (err != nil) != (test.works == nil) {
				t.Fatalf("got %v", err)
			}
			if err != nil {
				return
			}
			if diff := cmp.Diff(test.works, names(got.works)); diff != "" || got.pairs != test.pairs {
				t.Errorf("%d pairs of works (-want +got):\n%s", got.pairs, diff)
			}
		})
	}
	if _, err := parse([]string{"-help"}); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("help: %v", err)
	}
}

// A bar of a work that nobody does would never be judged.
func TestEveryWorkHasABar(t *testing.T) {
	t.Parallel()
	for _, work := range allWorks(newSizes(1)) {
		r := report.Report{Works: []report.Work{work.Work}}
		if len(r.Misses(false)) == 0 {
			t.Errorf("%s has no bar, or keeps it without having run", work.Name)
		}
	}
}

func TestSizesFitTogether(t *testing.T) {
	t.Parallel()
	for _, scale := range []float64{0.001, 0.1, 0.33, 1, 1.7, 2} {
		s := newSizes(scale)
		if s.low >= s.high || s.step*2 > s.pods || s.flips > s.pods || s.changes > s.existing {
			t.Errorf("scale %g: %+v", scale, s)
		}
		targets := map[int]bool{}
		for i := range s.changes {
			if target := s.target(i); targets[target] || target >= s.existing {
				t.Fatalf("scale %g: change %d is in Service %d, used or not there", scale, i, target)
			}
			targets[s.target(i)] = true
		}
	}
}

func TestSidesTakeTurnsAtGoingFirst(t *testing.T) {
	t.Parallel()
	if first, second := order(1), order(2); first[0] != second[1] || first[1] != second[0] {
		t.Errorf("got %v and %v", first, second)
	}
}

func TestThinKeepsEvenly(t *testing.T) {
	t.Parallel()
	kept, removed := thin([]int{1, 2, 3, 4, 5, 6, 7, 8}, 2)
	if diff := cmp.Diff([][]int{{4, 8}, {1, 2, 3, 5, 6, 7}}, [][]int{kept, removed}); diff != "" {
		t.Errorf("kept and removed (-want +got):\n%s", diff)
	}
	if kept, removed = thin([]int{1, 2, 3}, 3); len(kept) != 3 || len(removed) != 0 {
		t.Errorf("got %v and %v", kept, removed)
	}
}

func TestFilledAndRemovedSlices(t *testing.T) {
	t.Parallel()
	before := map[string][]string{"filled": {"a"}, "same": {"b"}, "thinner": {"c", "d"}, "went": {"e"}}
	after := map[string][]string{"filled": {"a", "e"}, "same": {"b"}, "thinner": {"c"}, "new": {"d"}}
	if filled, removed := compareSlices(before, after); filled != 1 || removed != 1 {
		t.Errorf("got %d filled and %d removed, want one of each", filled, removed)
	}
}

func TestParallelCallsStopAtTheFirstError(t *testing.T) {
	t.Parallel()
	var calls atomic.Int32
	wrong := errors.New("wrong")
	err := inParallel(t.Context(), 100*writers, func(context.Context, int) error {
		calls.Add(1)
		return wrong
	})
	if !errors.Is(err, wrong) || calls.Load() > 2*writers {
		t.Errorf("got %v after %d calls", err, calls.Load())
	}
	calls.Store(0)
	if err := inParallel(t.Context(), 100, func(context.Context, int) error { calls.Add(1); return nil }); err != nil || calls.Load() != 100 {
		t.Errorf("got %v after %d calls", err, calls.Load())
	}
	ended, end := context.WithCancelCause(t.Context())
	end(wrong)
	if err := inParallel(ended, 100, func(context.Context, int) error { return nil }); !errors.Is(err, wrong) {
		t.Errorf("got %v from calls that were cut short", err)
	}
}

func TestPacedCallsDoNotWaitForEachOther(t *testing.T) {
	t.Parallel()
	second := make(chan struct{})
	err := paced(t.Context(), 2, time.Millisecond, func(ctx context.Context, i int) error {
		if i == 1 {
			close(second)
			return nil
		}
		select {
		case <-second:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	if err != nil {
		t.Error(err)
	}
}

func TestFiguresAreKeptInAFile(t *testing.T) {
	t.Parallel()
	c := &comparison{settings: settings{out: filepath.Join(t.TempDir(), "figures.json"), bars: true}}
	c.report = report.Report{
		Machine: "m", Works: []report.Work{{Name: "restart", Title: "t"}},
		Results: []report.Result{{Work: "restart", Side: report.Ours, Pair: 1, Figures: map[report.Figure]float64{report.Writes: 1}}},
	}
	if err := c.save(); err != nil {
		t.Fatal(err)
	}
	found, err := load(c.out)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&c.report, found); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
	if c.judge(found) == nil {
		t.Error("a restart that writes is all right")
	}
	c.bars = false
	if err := c.judge(found); err != nil {
		t.Errorf("bars do not count, and still: %v", err)
	}
}

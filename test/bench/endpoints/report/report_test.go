// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMedianAndPercentiles(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		values                []float64
		median, p50, p99, max float64
	}{
		"nothing":     {nil, math.NaN(), math.NaN(), math.NaN(), math.NaN()},
		"one":         {[]float64{3}, 3, 3, 3, 3},
		"two":         {[]float64{4, 1}, 2.5, 1, 4, 4},
		"three":       {[]float64{9, 1, 2}, 2, 2, 9, 9},
		"1 to 200":    {upTo(200), 100.5, 100, 198, 200},
		"100 to 1":    {reversed(upTo(100)), 50.5, 50, 99, 100},
		"all equal":   {[]float64{5, 5, 5, 5}, 5, 5, 5, 5},
		"with a zero": {[]float64{0, 1, 0}, 0, 0, 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before := slices.Clone(test.values)
			got := []float64{
				Median(test.values), Percentile(test.values, 0.5), Percentile(test.values, 0.99), Percentile(test.values, 1),
			}
			for i, want := range []float64{test.median, test.p50, test.p99, test.max} {
				if got[i] != want && !(math.IsNaN(got[i]) && math.IsNaN(want)) {
					t.Errorf("figure %d of %v: got %v, want %v", i, test.values, got[i], want)
				}
			}
			if diff := cmp.Diff(before, test.values); diff != "" {
				t.Errorf("the values were changed: %s", diff)
			}
		})
	}
}

func upTo(n int) []float64 {
	values := make([]float64, n)
	for i := range values {
		values[i] = float64(i + 1)
	}
	return values
}

func reversed(values []float64) []float64 {
	slices.Reverse(values)
	return values
}

// reportOf has one work and the values of one or more figures, by side, a value
// for each pair.
func reportOf(work string, figures map[Figure]map[Side][]float64) *Report {
	r := &Report{Works: []Work{{Name: work}}}
	for _, side := range Sides() {
		for pair := range 3 {
			result := Result{Work: work, Side: side, Pair: pair + 1, Figures: map[Figure]float64{}}
			for figure, sides := range figures {
				if pair < len(sides[side]) {
					result.Figures[figure] = sides[side][pair]
				}
			}
			r.Results = append(r.Results, result)
		}
	}
	return r
}

func TestBars(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		work   string
		figure Figure
		values map[Figure]map[Side][]float64
		want   string
	}{
		"a share just reached": {
			"flips", CPU, map[Figure]map[Side][]float64{CPU: {Stock: {40, 43, 50}, Ours: {4.3, 1, 9}}}, "PASS",
		},
		"a share just missed": {
			"flips", CPU, map[Figure]map[Side][]float64{CPU: {Stock: {43}, Ours: {4.31}}}, "FAIL",
		},
		"one bad run does not spoil the median": {
			"services", Lag, map[Figure]map[Side][]float64{Lag: {Ours: {0.5, 9, 1}}}, "PASS",
		},
		"but it does where every run counts": {
			"restart", Writes, map[Figure]map[Side][]float64{Writes: {Ours: {0, 0, 1}}}, "FAIL",
		},
		"no write in any run": {
			"restart", Writes, map[Figure]map[Side][]float64{Writes: {Ours: {0, 0, 0}, Stock: {7, 7, 7}}}, "PASS",
		},
		"nothing on both sides": {
			"ready", Lag, map[Figure]map[Side][]float64{Lag: {Ours: {0}, Stock: {0}}}, "PASS",
		},
		"a bar between own figures": {
			"scaledown", LaterUpdates,
			map[Figure]map[Side][]float64{LaterUpdates: {Ours: {4, 5}}, SlicesFilled: {Ours: {4, 5}}}, "PASS",
		},
		"it holds for each run by itself": {
			"scaledown", LaterUpdates,
			map[Figure]map[Side][]float64{LaterUpdates: {Ours: {4, 6}}, SlicesFilled: {Ours: {9, 5}}}, "FAIL",
		},
		"own figure that is missing in one run": {
			"scaledown", LaterUpdates,
			map[Figure]map[Side][]float64{LaterUpdates: {Ours: {4, 5}}, SlicesFilled: {Ours: {4}}}, "FAIL",
		},
		"own figure that was not measured": {
			"scaledown", LaterUpdates, map[Figure]map[Side][]float64{LaterUpdates: {Ours: {0}}}, "not measured",
		},
		"no run of ours": {
			"flips", CPU, map[Figure]map[Side][]float64{CPU: {Stock: {43}}}, "not measured",
		},
		"no run of theirs": {
			"flips", CPU, map[Figure]map[Side][]float64{CPU: {Ours: {1}}}, "not measured",
		},
		"no run where every run counts": {"restart", Writes, nil, "not measured"},
		"no bar":                        {"flips", Memory, map[Figure]map[Side][]float64{Memory: {Ours: {1}, Stock: {9}}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, got := reportOf(test.work, test.values).verdict(test.work, test.figure); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestLimitsSayWhatTheyWant(t *testing.T) {
	t.Parallel()
	for want, limit := range map[string]limit{
		"≤ 1/2":        timesStock(1. / 2),
		"≤ 1/10":       timesStock(1. / 10),
		"≤ 1":          timesStock(1),
		"at most 1.34": atMost(1.34),
		"at most 0":    atMost(0),
		"≤ CPU":        atMostOur(CPU),
	} {
		if got := limit.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// The bars are a promise: this is what was promised.
func TestWhatHasABar(t *testing.T) {
	t.Parallel()
	got := make([]string, 0, len(bars()))
	for _, bar := range bars() {
		text := bar.work + ": " + label(bar.figure) + " " + bar.limit.String()
		if bar.exact {
			text += ", always"
		}
		got = append(got, text)
	}
	want := []string{
		"ready: CPU above that ≤ 1/2",
		"ready: writes ≤ 1",
		"ready: lag after the last write ≤ 1",
		"flips: CPU ≤ 1/10",
		"flips: latency, p50 ≤ 1/2",
		"flips: latency, p99 ≤ 1/2",
		"rolling: CPU ≤ 1/4",
		"rolling: writes of slices ≤ 1/2",
		"rolling: listed as ready without being so, longest ≤ 1",
		"scaledown: slices at the end, by the ideal at most 1.34",
		"scaledown: slices updated after the last change ≤ slices filled after the last change, always",
		"scaledown: slices deleted after the last change ≤ slices gone after the last change, always",
		"oscillate: most slices ever, by the ideal of the most pods at most 1.5, always",
		"services: CPU ≤ 1/4",
		"services: lag after the last write at most 1",
		"services: peak memory ≤ 1/2",
		"spread: CPU ≤ 1/10",
		"restart: writes at most 0, always",
		"restart: change during the start, published after, longest at most 1000",
		"restart: peak memory ≤ 1/2",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("bars (-want +got):\n%s", diff)
	}
}

func TestMissesOfAQuickRunAreThoseNoMachineExcuses(t *testing.T) {
	t.Parallel()
	r := &Report{
		Works: []Work{{Name: "flips"}, {Name: "restart"}},
		Results: []Result{
			{Work: "flips", Side: Stock, Figures: map[Figure]float64{CPU: 10, LatencyP50: 10, LatencyP99: 10}},
			{Work: "flips", Side: Ours, Figures: map[Figure]float64{CPU: 9, LatencyP50: 1, LatencyP99: 5}},
			{Work: "restart", Side: Stock, Figures: map[Figure]float64{Memory: 10, Writes: 3}},
			{Work: "restart", Side: Ours, Figures: map[Figure]float64{Memory: 9, Writes: 3, LiveMax: 1}},
		},
	}
	want := []string{"flips: CPU ≤ 1/10", "restart: writes at most 0", "restart: peak memory ≤ 1/2"}
	if diff := cmp.Diff(want, r.Misses(false)); diff != "" {
		t.Errorf("misses (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want[1:2], r.Misses(true)); diff != "" {
		t.Errorf("misses of a quick run (-want +got):\n%s", diff)
	}
}

func TestMarkdown(t *testing.T) {
	t.Parallel()
	r := &Report{
		Machine: "2 processors",
		Works:   []Work{{Name: "flips", Title: "some flips"}},
		Results: []Result{
			{Work: "flips", Side: Stock, Pair: 1, Figures: map[Figure]float64{CPU: 40, LatencyP50: 80, Memory: 100, Conflicts: 0, Slices: 51}},
			{Work: "flips", Side: Stock, Pair: 2, Figures: map[Figure]float64{CPU: 44, LatencyP50: 90, Memory: 100, Conflicts: 0, Slices: 51}},
			{Work: "flips", Side: Ours, Pair: 1, Figures: map[Figure]float64{CPU: 4, LatencyP50: 60.04, Memory: 25, Conflicts: 0, Slices: 50}},
		},
	}
	want := `2 processors

### All bars

| work | | kube-controller-manager | servicenet | ratio | bar | |
|---|---|---:|---:|---:|---|---|
| flips | CPU | 42.00 s | 4.00 s | 0.0952 | ≤ 1/10 | PASS |
| flips | latency, p50 | 85.0 ms | 60.0 ms | 0.706 | ≤ 1/2 | FAIL |
| flips | latency, p99 | - | - | - | ≤ 1/2 | not measured |

### flips: some flips

Medians of 2 and 1 runs.

| | kube-controller-manager | servicenet | ratio | bar | |
|---|---:|---:|---:|---|---|
| CPU | 42.00 s | 4.00 s | 0.0952 | ≤ 1/10 | PASS |
| peak memory | 100 MiB | 25 MiB | 0.25 |  |  |
| latency, p50 | 85.0 ms | 60.0 ms | 0.706 | ≤ 1/2 | FAIL |
| latency, p99 | - | - | - | ≤ 1/2 | not measured |
| slices at the end | 51 | 50 | 0.98 |  |  |
`
	if diff := cmp.Diff(want, r.Markdown()); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
}

// Every figure has a row, and only one, or it would never be shown.
func TestEveryFigureHasARow(t *testing.T) {
	t.Parallel()
	seen := map[Figure]bool{}
	labels := map[string]bool{}
	for _, row := range rows() {
		if seen[row.figure] || labels[row.label] {
			t.Errorf("%s, %q: twice", row.figure, row.label)
		}
		seen[row.figure], labels[row.label] = true, true
	}
	for _, bar := range bars() {
		if !seen[bar.figure] || bar.limit.other != "" && !seen[bar.limit.other] {
			t.Errorf("bar %s %s: no row", bar.figure, bar.limit)
		}
	}
	if got := label("unheard of"); !strings.Contains(got, "unheard of") {
		t.Errorf("label of an unknown figure is %q", got)
	}
}

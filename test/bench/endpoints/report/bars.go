// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"math"
	"slices"
	"strconv"
)

// bar is what our side has to reach in a figure of a work.
type bar struct {
	work   string
	figure Figure
	limit  limit
	// exact bars do not depend on the speed of the machine. They have to hold in
	// every run, the others in the median, and they count in a quick run too.
	exact bool
}

// limit is the upper bound of a figure: the product of factor with a figure of
// either side, or a fixed value.
type limit struct {
	factor float64
	// of is the side whose value of the same figure counts, or of our own side
	// the figure named by other. Empty for a fixed value, which is factor.
	of    Side
	other Figure
}

// timesStock is a share of what the stock side needed.
func timesStock(factor float64) limit { return limit{factor: factor, of: Stock} }

// atMost is a fixed value in the figure's unit.
func atMost(value float64) limit { return limit{factor: value} }

// atMostOur is what our side has in another figure.
func atMostOur(other Figure) limit { return limit{factor: 1, of: Ours, other: other} }

// bars are what the design promises over kube-controller-manager.
func bars() []bar {
	return []bar{
		{"ready", CPUAbove, timesStock(1. / 2), false},
		{"ready", Writes, timesStock(1), false},
		{"ready", Lag, timesStock(1), false},
		{"flips", CPU, timesStock(1. / 10), false},
		{"flips", LatencyP50, timesStock(1. / 2), false},
		{"flips", LatencyP99, timesStock(1. / 2), false},
		{"rolling", CPU, timesStock(1. / 4), false},
		{"rolling", SliceWrites, timesStock(1. / 2), false},
		{"rolling", StaleMax, timesStock(1), false},
		{"scaledown", SlicesOverIdeal, atMost(1.34), false},
		{"scaledown", LaterUpdates, atMostOur(SlicesFilled), true},
		{"scaledown", LaterDeletes, atMostOur(SlicesRemoved), true},
		{"oscillate", PeakOverIdeal, atMost(1.5), true},
		{"services", CPU, timesStock(1. / 4), false},
		{"services", Lag, atMost(1), false},
		{"services", Memory, timesStock(1. / 2), false},
		{"spread", CPU, timesStock(1. / 10), false},
		{"restart", Writes, atMost(0), true},
		{"restart", LiveMax, atMost(1000), false},
		{"restart", Memory, timesStock(1. / 2), false},
	}
}

// barOf returns the bar of a figure, if it has one.
func barOf(work string, figure Figure) (bar, bool) {
	all := bars()
	i := slices.IndexFunc(all, func(b bar) bool { return b.work == work && b.figure == figure })
	if i < 0 {
		return bar{}, false
	}
	return all[i], true
}

// String says the limit as the table does.
func (l limit) String() string {
	switch {
	case l.of == Stock && l.factor < 1:
		return fmt.Sprintf("≤ 1/%.0f", 1/l.factor)
	case l.of == Stock:
		return "≤ " + strconv.FormatFloat(l.factor, 'f', -1, 64)
	case l.of == Ours:
		return "≤ " + label(l.other)
	default:
		return "at most " + strconv.FormatFloat(l.factor, 'f', -1, 64)
	}
}

// reached says whether our side keeps the bar. It does not when a run that the
// bar needs is missing.
func (b bar) reached(r *Report) bool {
	switch {
	case !b.measured(r):
		return false
	case b.exact:
		return b.reachedInEvery(r)
	default:
		return Median(r.Values(b.work, Ours, b.figure)) <= b.value(r)
	}
}

// measured says whether there is a run of everything that the bar needs.
func (b bar) measured(r *Report) bool {
	return len(r.Values(b.work, Ours, b.figure)) > 0 && !math.IsNaN(b.value(r))
}

// value is the limit of a median.
func (b bar) value(r *Report) float64 {
	switch b.limit.of {
	case Stock:
		return b.limit.factor * Median(r.Values(b.work, Stock, b.figure))
	case Ours:
		return b.limit.factor * Median(r.Values(b.work, Ours, b.limit.other))
	default:
		return b.limit.factor
	}
}

// reachedInEvery judges every run of our side by itself: by its own other figure
// if that is the measure.
func (b bar) reachedInEvery(r *Report) bool {
	bound := b.value(r)
	return !slices.ContainsFunc(r.Results, func(result Result) bool {
		if result.Work != b.work || result.Side != Ours {
			return false
		}
		if b.limit.of == Ours {
			bound = b.limit.factor * result.Figures[b.limit.other]
		}
		return result.Figures[b.figure] > bound
	})
}

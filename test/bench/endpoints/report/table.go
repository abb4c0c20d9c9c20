// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Markdown writes a table for every work: medians of both sides, their ratio,
// the bar if there is one, and whether our side keeps it.
func (r *Report) Markdown() string {
	var text strings.Builder
	fmt.Fprintf(&text, "%s\n", r.Machine)
	r.writeBars(&text)
	for _, work := range r.Works {
		r.writeWork(&text, work)
	}
	return text.String()
}

// writeBars writes one table of all that has a bar.
func (r *Report) writeBars(text *strings.Builder) {
	fmt.Fprintf(text, "\n### All bars\n\n| work | | %s | %s | ratio | bar | |\n|---|---|---:|---:|---:|---|---|\n", Stock, Ours)
	for _, work := range r.Works {
		for _, row := range rows() {
			if _, has := barOf(work.Name, row.figure); has {
				fmt.Fprintf(text, "| %s %s\n", work.Name, r.line(work.Name, row))
			}
		}
	}
}

// line is a row of the table of a work.
func (r *Report) line(work string, row row) string {
	stock := Median(r.Values(work, Stock, row.figure))
	ours := Median(r.Values(work, Ours, row.figure))
	wanted, verdict := r.verdict(work, row.figure)
	return fmt.Sprintf("| %s | %s | %s | %s | %s | %s |",
		row.label, cell(row.unit, stock), cell(row.unit, ours), ratio(ours, stock), wanted, verdict)
}

func (r *Report) writeWork(text *strings.Builder, work Work) {
	fmt.Fprintf(text, "\n### %s: %s\n\n", work.Name, work.Title)
	fmt.Fprintf(text, "Medians of %d and %d runs.\n\n",
		r.runs(work.Name, Stock), r.runs(work.Name, Ours))
	fmt.Fprintf(text, "| | %s | %s | ratio | bar | |\n|---|---:|---:|---:|---|---|\n", Stock, Ours)
	for _, row := range rows() {
		if _, has := barOf(work.Name, row.figure); has || r.isSomething(work.Name, row.figure) {
			fmt.Fprintln(text, r.line(work.Name, row))
		}
	}
}

// isSomething says that a figure was measured and not always 0.
func (r *Report) isSomething(work string, figure Figure) bool {
	values := append(r.Values(work, Stock, figure), r.Values(work, Ours, figure)...)
	return slices.ContainsFunc(values, func(value float64) bool { return value != 0 })
}

// runs counts the runs of one side of a work.
func (r *Report) runs(work string, side Side) int {
	runs := 0
	for _, result := range r.Results {
		if result.Work == work && result.Side == side {
			runs++
		}
	}
	return runs
}

// verdict returns the bar of a figure and whether it is kept, or nothing when it
// has none.
func (r *Report) verdict(work string, figure Figure) (wanted, verdict string) {
	bar, has := barOf(work, figure)
	switch {
	case !has:
		return "", ""
	case !bar.measured(r):
		return bar.limit.String(), "not measured"
	case bar.reached(r):
		return bar.limit.String(), "PASS"
	default:
		return bar.limit.String(), "FAIL"
	}
}

// Misses names every bar of the works that our side does not keep, a line each:
// one that was not measured is not kept.
// With exactOnly those that depend on the speed of the machine are left out.
func (r *Report) Misses(exactOnly bool) []string {
	var misses []string
	for _, work := range r.Works {
		for _, bar := range bars() {
			if bar.work != work.Name || exactOnly && !bar.exact || bar.reached(r) {
				continue
			}
			misses = append(misses, fmt.Sprintf("%s: %s %s", work.Name, label(bar.figure), bar.limit))
		}
	}
	return misses
}

// cell is a value of the table, or a dash when it was not measured.
func cell(u unit, value float64) string {
	if math.IsNaN(value) {
		return "-"
	}
	return u.format(value)
}

// ratio is ours by theirs, or a dash when there is none.
func ratio(ours, stock float64) string {
	if math.IsNaN(ours) || math.IsNaN(stock) || stock == 0 {
		return "-"
	}
	return fmt.Sprintf("%.3g", ours/stock)
}

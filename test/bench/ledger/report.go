// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"
)

// What the ledger promises.
const (
	// leastTakes is how many automatic takes one write is for, at least.
	leastTakes = 16
	// mostMedian is how long half of the automatic takes of a single caller take,
	// at most.
	mostMedian = 100 * time.Microsecond
	// leastGain is how many times as many explicit takes many callers get through
	// as one does, at least.
	leastGain   = 5
	manyCallers = 64
)

// report prints the rows of a kind, and tells whether no bar was missed.
func report(k kind, results []*result) bool {
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "%s\n", k.name)
	fmt.Fprintln(table, "replicas\tcallers\ttakes\ttakes/s\tx one caller\tp50\tp99\twrites\tconflicts\ttakes/write\treads/take\ttwice\t")
	passed := true
	single := map[int]float64{}
	for _, r := range results {
		if r.callers == 1 {
			single[r.replicas] = r.rate()
		}
		gain := r.rate() / single[r.replicas]
		missed := r.missed(k, gain)
		passed = passed && len(missed) == 0
		verdict := "PASS"
		if len(missed) > 0 {
			verdict = "FAIL: " + strings.Join(missed, ", ")
		}
		fmt.Fprintf(table, "%d\t%d\t%d\t%.0f\t%.1f\t%v\t%v\t%d\t%d\t%.1f\t%.2f\t%d\t%s\n",
			r.replicas, r.callers, len(r.took), r.rate(), gain, r.quantile(0.5), r.quantile(0.99),
			r.requests.writes(), r.requests.conflicts, r.perWrite(),
			float64(r.requests.blockReads+r.requests.addressReads)/float64(len(r.took)), r.duplicates, verdict)
	}
	fmt.Fprintln(table)
	// A terminal that can't be written to is no fault of the ledger.
	_ = table.Flush()
	return passed
}

// missed names the bars that a row misses.
func (r *result) missed(k kind, gain float64) []string {
	var missed []string
	bar := func(holds bool, format string, values ...any) {
		if !holds {
			missed = append(missed, fmt.Sprintf(format, values...))
		}
	}
	bar(r.duplicates == 0, "want no number twice")
	if k.explicit {
		bar(r.callers != manyCallers || gain >= leastGain, "want %d x one caller", leastGain)
		return missed
	}
	bar(r.perWrite() >= leastTakes, "want %d takes/write", leastTakes)
	bar(r.callers != 1 || r.quantile(0.5) <= mostMedian, "want p50 <= %v", mostMedian)
	return missed
}

func (r *result) rate() float64 { return float64(len(r.took)) / r.elapsed.Seconds() }

func (r *result) perWrite() float64 { return float64(len(r.took)) / float64(r.requests.writes()) }

// quantile returns how long a part of the takes took at most.
func (r *result) quantile(part float64) time.Duration {
	if len(r.took) == 0 {
		return 0
	}
	at := min(int(part*float64(len(r.took))), len(r.took)-1)
	return r.took[at].Round(100 * time.Nanosecond)
}

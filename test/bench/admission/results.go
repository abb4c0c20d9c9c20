// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"slices"
)

// figure is something that is measured.
type figure string

const (
	portsPerSecond figure = "ports: creates and deletes of NodePort Services a second"
	portsRefused   figure = "ports: refused while ports were free"
	fillPerSecond  figure = "creates a second, from 0 to 2,000 Services"
	growPerSecond  figure = "creates a second, from 8,000 to 10,000 Services"
	singleP50      figure = "one client: create, p50, ms"
	singleP99      figure = "one client: create, p99, ms"
)

// results are the values of each round.
type results map[contenderName]map[figure][]float64

func (r results) add(who contenderName, f figure, value float64) {
	if r[who] == nil {
		r[who] = map[figure][]float64{}
	}
	r[who][f] = append(r[who][f], value)
}

// median returns that of the rounds.
func (r results) median(who contenderName, f figure) float64 {
	values := slices.Sorted(slices.Values(r[who][f]))
	if len(values) == 0 {
		return 0
	}
	return (values[(len(values)-1)/2] + values[len(values)/2]) / 2
}

// bar is what is promised of a figure.
type bar struct {
	figure
	promise string
	kept    func(r results) bool
}

func bars() []bar {
	atLeast := func(f figure, share float64) func(results) bool {
		return func(r results) bool { return r.median(ours, f) >= share*r.median(stock, f) }
	}
	return []bar{
		{fillPerSecond, "≥ 0.85 × stock", atLeast(fillPerSecond, 0.85)},
		{growPerSecond, "≥ 1.3 × stock", atLeast(growPerSecond, 1.3)},
		{singleP50, "≤ webhooks that do nothing + 0.5", func(r results) bool {
			return r.median(ours, singleP50) <= r.median(nothing, singleP50)+0.5
		}},
		{singleP99, "", nil},
		{portsPerSecond, "≥ 0.8 × stock", atLeast(portsPerSecond, 0.8)},
		{portsRefused, "0", func(r results) bool { return r.median(ours, portsRefused) == 0 }},
	}
}

// print prints the medians and tells whether all promises were kept.
func (r results) print(to io.Writer) bool {
	all := true
	fmt.Fprintf(to, "| | %s | %s | %s | by stock | promised | |\n|---|---:|---:|---:|---:|---|---|\n", stock, nothing, ours)
	for _, b := range bars() {
		verdict := ""
		if b.kept != nil {
			verdict = "PASS"
			if !b.kept(r) {
				verdict, all = "FAIL", false
			}
		}
		ratio := "-"
		if base := r.median(stock, b.figure); base > 0 {
			ratio = fmt.Sprintf("%.2f", r.median(ours, b.figure)/base)
		}
		fmt.Fprintf(to, "| %s | %.4g | %.4g | %.4g | %s | %s | %s |\n", b.figure,
			r.median(stock, b.figure), r.median(nothing, b.figure), r.median(ours, b.figure), ratio, b.promise, verdict)
	}
	return all
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package report

// Side is who did the work.
type Side string

// The two sides that are compared.
const (
	Stock Side = "kube-controller-manager"
	Ours  Side = "servicenet"
)

// Sides returns both, in the order of the table's columns.
func Sides() []Side { return []Side{Stock, Ours} }

// Work is something both sides were given to do.
type Work struct {
	// Name selects it on the command line.
	Name string `json:"name"`
	// Title says what it is, with its sizes.
	Title string `json:"title"`
}

// Result is what one run of one side measured.
type Result struct {
	Work string `json:"work"`
	Side Side   `json:"side"`
	// Pair counts the runs of a work from 1. Both sides of a pair ran one after
	// the other.
	Pair int `json:"pair"`
	// Figures are the numbers, in the unit of each figure.
	Figures map[Figure]float64 `json:"figures"`
}

// Report is everything that one call of the benchmark found.
type Report struct {
	// Machine says where it ran: processors, versions.
	Machine string   `json:"machine"`
	Works   []Work   `json:"works"`
	Results []Result `json:"results"`
}

// Values returns a figure of all runs of one side, in the order of the runs.
// Runs that did not measure it are left out.
func (r *Report) Values(work string, side Side, figure Figure) []float64 {
	var values []float64
	for _, result := range r.Results {
		if value, measured := result.Figures[figure]; measured && result.Work == work && result.Side == side {
			values = append(values, value)
		}
	}
	return values
}

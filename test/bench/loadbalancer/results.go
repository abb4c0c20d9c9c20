// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
)

// result is a figure, and what is promised of it.
type result struct {
	name    string
	got     float64
	promise string // empty if there is none
	kept    bool
}

type results []result

// most adds a figure that is to be no more than some bar.
func (r *results) most(name string, got, bar float64) {
	*r = append(*r, result{name, got, fmt.Sprintf("≤ %.4g", bar), got <= bar})
}

// least adds a figure that is to be no less than some bar.
func (r *results) least(name string, got, bar float64) {
	*r = append(*r, result{name, got, fmt.Sprintf("≥ %.4g", bar), got >= bar})
}

// just adds a figure of which nothing is promised.
func (r *results) just(name string, got float64) { *r = append(*r, result{name: name, got: got}) }

// print prints all and tells whether all promises were kept.
func (r *results) print(to io.Writer) bool {
	all := true
	fmt.Fprint(to, "| | measured | promised | |\n|---|---:|---|---|\n")
	for _, one := range *r {
		verdict := ""
		if one.promise != "" {
			verdict = "PASS"
			if !one.kept {
				verdict, all = "FAIL", false
			}
		}
		fmt.Fprintf(to, "| %s | %.4g | %s | %s |\n", one.name, one.got, one.promise, verdict)
	}
	return all
}

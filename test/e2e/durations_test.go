// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
)

// What took long, the longest first.
var _ = ReportAfterSuite("durations", func(report Report) {
	specs := slices.Clone(report.SpecReports)
	slices.SortFunc(specs, func(a, b SpecReport) int { return cmp.Compare(b.RunTime, a.RunTime) })
	for i := range specs {
		if name := cmp.Or(specs[i].FullText(), specs[i].LeafNodeType.String()); specs[i].RunTime >= time.Second {
			fmt.Fprintf(os.Stdout, "\n%6.1f s  %s", specs[i].RunTime.Seconds(), name)
		}
	}
})

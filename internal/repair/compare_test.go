// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package repair

import "testing"

func TestNothingIsFine(t *testing.T) {
	if report := Compare(&World{}); len(report.Adopt)+len(report.Findings) > 0 {
		t.Errorf("found %+v", report)
	}
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"
)

func TestParsePassesFlagsToTheManager(t *testing.T) {
	t.Parallel()
	got, err := parse([]string{"--nodes=5", "--", "--zap-log-level=debug", "--controllers=*"})
	if err != nil {
		t.Fatal(err)
	}
	if got.nodes != 5 || strings.Join(got.managerArgs, " ") != "--zap-log-level=debug --controllers=*" {
		t.Errorf("got %+v", got)
	}
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package badinput

import (
	"strings"
	"testing"
)

func TestMostOfTheTableIsAlsoThereOverIPv6(t *testing.T) {
	var some int
	for _, c := range Table() {
		over, is := OverIPv6(c)
		if !is {
			continue
		}
		some++
		if text := asJSON(over); address.MatchString(strings.ReplaceAll(text, "10.96.09.1", "")) {
			t.Errorf("%s: there is IPv4 in %s", c.Name, text)
		}
	}
	if some < len(Table())/2 {
		t.Errorf("of %d cases %d are there over IPv6", len(Table()), some)
	}
}

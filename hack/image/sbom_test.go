// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"runtime/debug"
	"testing"
)

func TestModulesAreNamedByWhatReplacesThem(t *testing.T) {
	module := &debug.Module{
		Path: "example.com/a", Version: "v1.0.0",
		Replace: &debug.Module{Path: "example.com/b", Version: "v2.0.0+incompatible", Sum: "h1:x"},
	}
	got := component(module)
	if want := "pkg:golang/example.com/b@v2.0.0%2Bincompatible"; got.PackageURL != want || got.BOMRef != want {
		t.Errorf("got %s, known as %s, want %s", got.PackageURL, got.BOMRef, want)
	}
	if got.Properties == nil || (*got.Properties)[0].Value != "h1:x" {
		t.Errorf("got properties %v, want the sum", got.Properties)
	}
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package lock

import (
	"strings"
	"testing"
)

func TestOneClusterInAFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first, err := Acquire(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Describe("API server   https://127.0.0.1:1\n"); err != nil {
		t.Fatal(err)
	}

	_, err = Acquire(dir)
	if err == nil {
		t.Fatal("the lock was given to two at a time")
	}
	for _, want := range []string{"already runs", "https://127.0.0.1:1"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("message lacks %q:\n%v", want, err)
		}
	}

	if err := first.Release(); err != nil {
		t.Fatal(err)
	}
	second, err := Acquire(dir)
	if err != nil {
		t.Fatalf("the lock can't be taken after it was released: %v", err)
	}
	if err := second.Release(); err != nil {
		t.Fatal(err)
	}
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"errors"
	"sync/atomic"
	"testing"
)

func TestWritesGoOutAtOnceWithinABound(t *testing.T) {
	const count = 50
	var underWay, most, done atomic.Int32
	full := make(chan struct{})
	writes := make([]func() error, count)
	for i := range writes {
		writes[i] = func() error {
			now := underWay.Add(1)
			defer underWay.Add(-1)
			if now > most.Load() {
				most.Store(now)
			}
			if done.Add(1) == writesAtOnce {
				close(full) // so many have begun, none of which can end before
			}
			<-full
			return nil
		}
	}
	if err := atOnce(writes); err != nil {
		t.Fatal(err)
	}
	if done.Load() != count || most.Load() > writesAtOnce {
		t.Errorf("%d writes were made of %d, up to %d at a time; want at most %d", done.Load(), count, most.Load(), writesAtOnce)
	}
}

func TestNoWriteBeginsAfterAFailure(t *testing.T) {
	broken := errors.New("broken")
	var begun atomic.Int32
	writes := make([]func() error, 100)
	for i := range writes {
		writes[i] = func() error {
			begun.Add(1)
			return broken
		}
	}
	if err := atOnce(writes); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	if n := begun.Load(); n > writesAtOnce {
		t.Errorf("%d writes have begun, want the first %d at most", n, writesAtOnce)
	}
}

// A cache that lags asks for patience only; a real fault asks for a retry.
func TestTheFaultIsToldAndNotTheLag(t *testing.T) {
	broken := errors.New("broken")
	both := make(chan struct{})
	err := atOnce([]func() error{
		func() error { <-both; return errStale },
		func() error { close(both); return broken },
	})
	if !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	if err := atOnce(nil); err != nil {
		t.Errorf("nothing to write: %v", err)
	}
}

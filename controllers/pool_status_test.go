// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/ledger"
)

// withStatus writes the status of pools while a test goes on.
func (s *numbersScene) withStatus(test func()) {
	status := &poolStatus{
		poolUsage: newPoolUsage(s.replica), statuses: s.api, clock: s.repairs.clock, heard: s.news.status, metrics: &poolMetrics{},
	}
	s.until(func(ctx context.Context) error { return status.run(ctx) }, test)
}

// used returns what the status of a pool says.
func (s *numbersScene) used(pool string) string {
	s.Helper()
	var stored servicenetv1alpha1.ClusterIPPool
	if err := s.api.Get(s.Context(), types.NamespacedName{Name: pool}, &stored); err != nil {
		s.Fatal(err)
	}
	return stored.Status.Used
}

func TestStatusIsWrittenOnceAndNotAtRest(t *testing.T) {
	inScene(t, func(s *numbersScene) {
		s.pool("a", "10.96.1.0/24")
		s.pool("b", "10.96.2.0/24")
		s.serve("web", "10.96.1.7")
		s.withStatus(func() {
			s.passes(time.Hour)
			if got := s.used("a") + s.used("b"); got != "10" {
				t.Errorf("used %s, want 1 and 0", got)
			}
			if len(s.written("a")) != 1 || len(s.written("b")) != 1 {
				t.Errorf("written at %v and %v", s.written("a"), s.written("b"))
			}
		})
	})
}

func TestStatusIsWrittenAtMostOnceASecondAndThenIsTrue(t *testing.T) {
	inScene(t, func(s *numbersScene) {
		s.pool("a", "10.96.1.0/24")
		s.pool("b", "10.96.2.0/24")
		s.withStatus(func() {
			s.passes(time.Minute)
			var services []*corev1.Service
			for i := range 100 {
				services = append(services, s.serve(fmt.Sprint("web-", i), fmt.Sprint("10.96.1.", i+1)))
				s.passes(33 * time.Millisecond)
			}
			s.drop(services[0], false)
			s.passes(2 * time.Second)
			if got := s.used("a"); got != "99" {
				t.Errorf("used %s, want 99", got)
			}
			times := s.written("a")
			for i := range len(times) - 1 {
				if pause := times[i+1].Sub(times[i]); pause < statusPeriod {
					t.Errorf("written again after %s", pause)
				}
			}
			if len(times) < 4 || len(s.written("b")) != 1 {
				t.Errorf("written %d times, and the other one %d", len(times), len(s.written("b")))
			}
		})
	})
}

func TestFirstChangeAfterARestIsWrittenAtOnce(t *testing.T) {
	inScene(t, func(s *numbersScene) {
		s.pool("a", "10.96.1.0/24")
		s.withStatus(func() {
			s.passes(time.Minute)
			begun := time.Now()
			s.serve("web", "10.96.1.7")
			s.passes(0)
			if last := s.written("a")[len(s.written("a"))-1]; !last.Equal(begun) {
				t.Errorf("last written %s later", last.Sub(begun))
			}
		})
	})
}

func TestStatusThatCannotBeWrittenIsTriedAgain(t *testing.T) {
	inScene(t, func(s *numbersScene) {
		s.pool("a", "10.96.1.0/24")
		s.pool("b", "10.96.2.0/24")
		s.fail("a")
		s.withStatus(func() {
			s.passes(10 * time.Minute)
			if s.used("b") != "0" || len(s.written("b")) != 1 {
				t.Errorf("the other pool uses %q, written at %v", s.used("b"), s.written("b"))
			}
			// 2 s, 4 s and so on up to a minute.
			if tries := len(s.written("a")); tries < 10 || tries > 20 {
				t.Errorf("tried %d times in ten minutes", tries)
			}
			s.fail()
			s.passes(longestStatusPeriod)
			if got := s.used("a"); got != "0" {
				t.Errorf("used %q, want 0", got)
			}
			tries := len(s.written("a"))
			s.passes(time.Hour)
			if len(s.written("a")) != tries {
				t.Errorf("written %d times more", len(s.written("a"))-tries)
			}
		})
	})
}

func TestCountThatFailsLosesNothing(t *testing.T) {
	inScene(t, func(s *numbersScene) {
		s.pool("a", "10.96.1.0/24")
		s.withStatus(func() {
			s.passes(time.Minute)
			s.fail("Namespace")
			s.serve("web", "10.96.1.7")
			s.passes(time.Minute)
			s.fail()
			s.passes(time.Minute)
			if got := s.used("a"); got != "1" {
				t.Errorf("used %s, want 1", got)
			}
		})
	})
}

func TestStatusIsWrittenWhenAServiceCIDRHasSettled(t *testing.T) {
	inScene(t, func(s *numbersScene) {
		s.pool("a", "10.97.1.0/24")
		s.withStatus(func() {
			s.passes(time.Minute)
			s.cidr("10.97.0.0/16")
			s.passes(time.Minute)
			var stored servicenetv1alpha1.ClusterIPPool
			if err := s.api.Get(t.Context(), types.NamespacedName{Name: "a"}, &stored); err != nil {
				t.Fatal(err)
			}
			if got := stored.Status.Conditions[0].Reason; got != servicenetv1alpha1.ReasonAvailable || len(s.written("a")) != 3 {
				t.Errorf("the reason is %s, written at %v", got, s.written("a"))
			}
		})
	})
}

func TestNumbersThatAreKeptAreHeld(t *testing.T) {
	inScene(t, func(s *numbersScene) {
		s.pool("a", "10.96.1.0/24")
		place := s.place("10.96.1.9")
		block := ledger.NewBlock(1)
		block.Adopt(place.Number)
		block.Release(place.Number, ledger.Retention{})
		s.store.BlockSeen(s.blockObject(place.Key, block))
		s.withStatus(func() {
			s.passes(time.Minute)
			var stored servicenetv1alpha1.ClusterIPPool
			if err := s.api.Get(t.Context(), types.NamespacedName{Name: "a"}, &stored); err != nil {
				t.Fatal(err)
			}
			if got := stored.Status.Families[0]; got.Held != "1" || got.Used != "0" {
				t.Errorf("held %s, used %s", got.Held, got.Used)
			}
		})
	})
}

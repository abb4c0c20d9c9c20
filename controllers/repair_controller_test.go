// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/ledger"
)

// blockObject returns the object of a block.
func (s *numbersScene) blockObject(key ledger.Key, block *ledger.Block) *servicenetv1alpha1.AllocationBlock {
	s.Helper()
	data, err := block.Encode()
	if err != nil {
		s.Fatal(err)
	}
	return &servicenetv1alpha1.AllocationBlock{
		ObjectMeta: metav1.ObjectMeta{Name: key.String(), UID: "made-by-a-test", ResourceVersion: "1"},
		Family:     key.Family, First: key.First(), Data: data,
	}
}

// spoil writes something into a block that can't be read.
func (s *numbersScene) spoil(key ledger.Key) {
	s.Helper()
	block := &servicenetv1alpha1.AllocationBlock{}
	err := s.api.Get(s.Context(), types.NamespacedName{Name: key.String()}, block)
	block.Data = []byte(garbage)
	if err == nil {
		err = s.api.Update(s.Context(), block)
	}
	if err != nil {
		s.Fatal(err)
	}
	s.store.BlockSeen(block)
}

func (s *numbersScene) hasAgreed() bool {
	select {
	case <-s.repairs.agreed:
		return true
	default:
		return false
	}
}

func TestRepairAdoptsQuietlyAndRests(t *testing.T) {
	inScene(t, func(s *numbersScene) {
		s.serve("web", "10.96.0.7")
		s.serve("api", "10.96.0.8")
		s.until(s.store.Collect, func() {
			s.until(s.repairs.run, func() {
				if s.hasAgreed() {
					t.Error("it agrees before the numbers are in the ledger")
				}
				s.passes(time.Minute)
				if s.state("10.96.0.7") != ledger.Used || s.state("10.96.0.8") != ledger.Used || !s.hasAgreed() {
					t.Errorf("the numbers are %s and %s, agreed: %v", s.state("10.96.0.7"), s.state("10.96.0.8"), s.hasAgreed())
				}
				writes := s.writes()
				s.passes(time.Hour)
				if s.writes() != writes {
					t.Errorf("%d writes at rest", s.writes()-writes)
				}
			})
		})
		if told := s.told(); len(told) > 0 {
			t.Errorf("told %q", told)
		}
	})
}

func TestRepairFreesWhatNobodyHas(t *testing.T) {
	inScene(t, func(s *numbersScene) {
		web := s.serve("web", "10.96.0.7")
		s.serve("api", "10.96.0.8")
		s.until(s.store.Collect, func() {
			s.until(s.repairs.run, func() {
				s.passes(time.Minute)
				if err := s.services.Delete(s.records.service(web)); err != nil {
					t.Fatal(err)
				}
				s.carriers.replace(s.records.service(web), nil)
				s.drop(web, true)
				s.news.addressChanged()
				s.passes(5 * time.Second)
				if got := s.state("10.96.0.7"); got != ledger.Used {
					t.Errorf("after 5 s it is %s", got)
				}
				s.passes(20 * time.Second)
				if got := s.state("10.96.0.7"); got != ledger.Free {
					t.Errorf("after 25 s it is %s", got)
				}
			})
		})
	})
}

func TestRepairTellsOnceAndAgainAfterHalfAnHour(t *testing.T) {
	inScene(t, func(s *numbersScene) {
		s.serve("web", "10.99.0.7") // in no ServiceCIDR
		s.until(s.repairs.run, func() {
			for _, step := range []struct {
				passes time.Duration
				want   int
			}{{5 * time.Second, 0}, {10 * time.Second, 1}, {29 * time.Minute, 0}, {5 * time.Minute, 1}} {
				s.passes(step.passes)
				told := slices.DeleteFunc(s.told(), func(event string) bool { return !strings.Contains(event, "ClusterIPOutOfRange") })
				if len(told) != step.want {
					t.Errorf("after %s more: told %q, want %d", step.passes, told, step.want)
				}
			}
		})
	})
}

func TestRepairTellsNothingThatTheServerKnowsBetter(t *testing.T) {
	inScene(t, func(s *numbersScene) {
		s.drop(s.serve("web", "10.99.0.7"), true)
		s.until(s.repairs.run, func() {
			s.passes(time.Hour)
			if told := s.told(); len(told) > 0 {
				t.Errorf("told %q", told)
			}
		})
	})
}

func TestRepairThatFailsForOneKindGoesOnWithTheRest(t *testing.T) {
	inScene(t, func(s *numbersScene) {
		s.serve("web", "10.96.0.7")
		s.serve("far", "10.96.99.7")
		s.until(s.store.Collect, func() {
			s.until(s.repairs.run, func() {
				s.passes(time.Minute)
				// A Service that can't be asked about, a block that can't be written, and
				// one that can.
				s.serve("outside", "10.99.0.7")
				stuck, good := s.place("10.96.0.7").Key, s.place("10.96.99.7").Key
				s.fail("Service", stuck.String())
				s.spoil(stuck)
				s.spoil(good)
				s.passes(5 * time.Minute)
				broken := s.store.Broken()
				if broken[stuck] == nil || broken[good] != nil || s.state("10.96.99.7") != ledger.Used {
					t.Errorf("broken: %v, the number is %s", broken, s.state("10.96.99.7"))
				}
				s.fail()
				s.passes(time.Minute)
				if len(s.store.Broken()) > 0 || s.state("10.96.0.7") != ledger.Used {
					t.Errorf("broken: %v, the number is %s", s.store.Broken(), s.state("10.96.0.7"))
				}
				if told := s.told(); !slices.ContainsFunc(told, func(event string) bool { return strings.Contains(event, "ClusterIPOutOfRange") }) {
					t.Errorf("told %q", told)
				}
			})
		})
	})
}

func TestRepairIsReadyAfterAMinuteThatAchievesNothing(t *testing.T) {
	inScene(t, func(s *numbersScene) {
		s.serve("web", "10.96.0.7")
		s.fail(s.place("10.96.0.7").Key.String())
		s.until(s.store.Collect, func() {
			s.until(s.repairs.run, func() {
				s.passes(readyAnyway - time.Second)
				if s.hasAgreed() {
					t.Error("it agrees too early")
				}
				s.passes(5 * time.Second)
				if !s.hasAgreed() {
					t.Error("it does not agree")
				}
				s.fail()
				s.passes(time.Minute) // so that what waits for the block ends
			})
		})
	})
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/types"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/allocator"
	"servicenet.dev/servicenet/internal/ledger"
)

const v4 = servicenetv1alpha1.ClusterIPv4

// scene is a server on which nothing goes wrong by chance, and replicas of which
// the first leads.
type scene struct {
	*testing.T
	v *server
	r []*replica
}

// play runs a test with some replicas, in a bubble where time costs nothing.
func play(t *testing.T, replicas int, adjust func(*Options), test func(*scene)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, end := context.WithCancel(t.Context())
		s := &scene{T: t, v: newServer(t, 1)}
		for i := range replicas {
			s.r = append(s.r, s.v.start(ctx, uint64(i+1), 0, adjust))
		}
		defer func() {
			end()
			for _, r := range s.r {
				r.kill()
			}
		}()
		s.r[0].lead(ctx)
		time.Sleep(time.Second)
		test(s)
	})
}

func cidr(t *testing.T, prefix string) *allocator.Range {
	t.Helper()
	span, err := allocator.ServiceCIDR(netip.MustParsePrefix(prefix))
	if err != nil {
		t.Fatal(err)
	}
	of, err := allocator.NewAddresses(allocator.AddressSpec{Spans: []allocator.Span{span}})
	if err != nil {
		t.Fatal(err)
	}
	return of
}

func ip(address string) ledger.Place { return ledger.Address(v4, netip.MustParseAddr(address)) }

func named(name string) Request {
	return Request{Owner: ledger.Owner{NamespacedName: types.NamespacedName{Namespace: "team", Name: name}}}
}

// take takes any number, which must not fail.
func (s *scene) take(r *replica, of *allocator.Range, request Request) ledger.Place {
	s.Helper()
	place, err := r.Take(s.Context(), v4, of, request)
	if err != nil {
		s.Fatalf("take a number for %s: %v", request.Owner, err)
	}
	return place
}

// takeNumber takes one number, which must not fail.
func (s *scene) takeNumber(r *replica, place ledger.Place, request Request) {
	s.Helper()
	if err := r.TakeNumber(s.Context(), place, request); err != nil {
		s.Fatalf("take %s for %s: %v", place, request.Owner, err)
	}
}

// refused checks that one number is another's.
func (s *scene) refused(r *replica, place ledger.Place, request Request, by ledger.Tenure) {
	s.Helper()
	err := r.TakeNumber(s.Context(), place, request)
	taken := (*ledger.TakenError)(nil)
	if !errors.As(err, &taken) || taken.By != by || taken.Place != place {
		s.Errorf("take %s for %s: %v, want: %s", place, request.Owner, err, by)
	}
}

// unavailable checks that it could not be found out whether a number can be had.
func (s *scene) unavailable(err error) {
	s.Helper()
	if unavailable := (*ledger.UnavailableError)(nil); !errors.As(err, &unavailable) || unavailable.RetryAfter == 0 {
		s.Errorf("%v, want: unavailable", err)
	}
}

// serve makes the Service that numbers were taken for.
func (s *scene) serve(name string, keep time.Duration, places ...ledger.Place) ledger.Owner {
	s.Helper()
	owner, err := s.v.apply(named(name).Owner, places, keep)
	if err != nil {
		s.Fatal(err)
	}
	return owner
}

func (s *scene) drop(name string) { s.v.drop(named(name).Owner.NamespacedName) }

// state returns what a number is in the API server.
func (s *scene) state(place ledger.Place) ledger.State {
	s.v.mu.Lock()
	defer s.v.mu.Unlock()
	return s.v.block(place.Key.String()).State(place.Number)
}

// becomes waits for a number to be something, and returns how long that took.
func (s *scene) becomes(place ledger.Place, want ledger.State) time.Duration {
	s.Helper()
	begun := time.Now()
	for s.state(place) != want {
		time.Sleep(10 * time.Millisecond)
		if time.Since(begun) > 5*time.Minute {
			s.Fatalf("%s is still %s, want %s", place, s.state(place), want)
		}
	}
	return time.Since(begun)
}

// stays checks that a number is something for some time.
func (s *scene) stays(place ledger.Place, want ledger.State, long time.Duration) {
	s.Helper()
	for begun := time.Now(); time.Since(begun) < long; time.Sleep(50 * time.Millisecond) {
		if got := s.state(place); got != want {
			s.Fatalf("%s became %s after %v", place, got, time.Since(begun))
		}
	}
}

// writes returns how many writes of blocks something takes.
func (s *scene) writes(of func()) int {
	s.v.mu.Lock()
	before := s.v.writes
	s.v.mu.Unlock()
	of()
	s.v.mu.Lock()
	defer s.v.mu.Unlock()
	return s.v.writes - before
}

// looks returns how many questions about numbers something takes.
func (s *scene) looks(of func()) int {
	s.v.mu.Lock()
	before := s.v.looks
	s.v.mu.Unlock()
	of()
	s.v.mu.Lock()
	defer s.v.mu.Unlock()
	return s.v.looks - before
}

// lent counts the numbers on loan, by holder.
func (s *scene) lent() map[ledger.Holder]int {
	s.v.mu.Lock()
	defer s.v.mu.Unlock()
	lent := map[ledger.Holder]int{}
	for name := range s.v.blocks {
		for _, loan := range s.v.block(name).Loans() {
			lent[loan.Holder]++
		}
	}
	return lent
}

func registry(t *testing.T, metrics *Metrics) *prometheus.Registry {
	t.Helper()
	r := prometheus.NewPedanticRegistry()
	r.MustRegister(metrics)
	return r
}

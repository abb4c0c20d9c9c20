// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// TestSimulation plays random sequences of everything that can happen, with the
// real reconcilers and handlers against a server and caches in memory. However a
// sequence goes, it has to end in the state that the rules demand.
//
// SIMULATION_SEQUENCES is how many sequences are played. SIMULATION_SEED plays
// one alone and prints all that happens in it.
func TestSimulation(t *testing.T) {
	t.Parallel()
	if seed, found := numberFrom(t, "SIMULATION_SEED"); found {
		w := simulate(t.Context(), seed, newSimMetrics(t), true)
		t.Log(strings.Join(w.lines, "\n"))
		if w.broken != nil {
			t.Fatal(w.broken)
		}
		return
	}
	sequences, found := numberFrom(t, "SIMULATION_SEQUENCES")
	if !found {
		sequences = 10_000
	}
	const parts = 8
	for part := range uint64(parts) {
		t.Run(fmt.Sprintf("part=%d", part), func(t *testing.T) {
			t.Parallel()
			metrics := newSimMetrics(t)
			for seed := part; seed < sequences; seed += parts {
				if simulate(t.Context(), seed, metrics, false).broken == nil {
					continue
				}
				w := simulate(t.Context(), seed, metrics, true)
				t.Fatalf("%s\n%v\nseed %d; to replay it:\nSIMULATION_SEED=%d go test ./controllers -run TestSimulation -v",
					strings.Join(w.lines, "\n"), w.broken, seed, seed)
			}
		})
	}
}

func newSimMetrics(t *testing.T) *simMetrics {
	t.Helper()
	slices, err := newEndpointSliceMetrics(prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	mirrored, err := newMirroringMetrics(prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	differences, err := newDifferences(prometheus.NewRegistry(), "any")
	if err != nil {
		t.Fatal(err)
	}
	return &simMetrics{slices: slices, mirroring: mirrored, differences: differences}
}

func numberFrom(t *testing.T, variable string) (number uint64, found bool) {
	t.Helper()
	text, found := os.LookupEnv(variable)
	if !found {
		return 0, false
	}
	number, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s is %q: it must be a number", variable, text)
	}
	return number, true
}

// simulate plays the sequence of one seed: some steps, then rest and a look at
// what was reached, and that a few times over.
func simulate(ctx context.Context, seed uint64, metrics *simMetrics, tracing bool) *simWorld {
	w := newSimWorld(ctx, seed, metrics, tracing)
	w.populate()
	for round := range 1 + w.random.IntN(4) {
		w.chaos = !w.chance(4)
		w.tracef("round %d, with faults: %v", round, w.chaos)
		for range 1 + w.random.IntN(20) {
			if w.broken == nil {
				w.step()
			}
		}
		w.tracef("no faults from here")
		w.settle()
		if w.broken == nil {
			w.check()
		}
	}
	if w.broken == nil {
		w.checkRest()
	}
	return w
}

// simText writes an object as a line of a trace.
type simText struct{ client.Object }

func (o simText) String() string {
	name := fmt.Sprintf("%s %s/%s", simKindOf(o.Object), o.GetNamespace(), o.GetName())
	version := fmt.Sprintf("uid=%s version=%s", o.GetUID(), o.GetResourceVersion())
	if o.GetDeletionTimestamp() != nil {
		version += " terminating"
	}
	var rest any
	switch object := o.Object.(type) {
	case *corev1.Service:
		rest = []any{object.Labels, object.Annotations, object.Spec}
	case *corev1.Pod:
		rest = []any{object.Labels, object.Spec.NodeName, object.Status.Phase, isReady(object), object.Status.PodIPs}
	case *corev1.Node:
		rest = []any{object.Labels, object.Status.Allocatable, len(object.Status.Conditions)}
	case *discoveryv1.EndpointSlice:
		rest = []any{object.Labels, object.OwnerReferences, object.AddressType, object.Ports, object.Endpoints}
	case *corev1.Endpoints:
		rest = []any{object.Labels, object.Subsets}
	}
	return fmt.Sprintf("%s %s %s", name, version, simJSON(rest))
}

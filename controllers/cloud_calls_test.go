// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"k8s.io/apimachinery/pkg/types"
)

// callTime is how long a call may take here.
const callTime = time.Minute

func newTestCalls(t *testing.T) (*cloudCalls, *prometheus.Registry) {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	counters, err := newCloudMetrics(registry)
	if err != nil {
		t.Fatal(err)
	}
	return newCloudCalls(callTime, counters), registry
}

// valueOf returns what a metric without labels, or with one set of them, has.
func valueOf(t *testing.T, registry *prometheus.Registry, name string) float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() == name {
			is := family.GetMetric()[0]
			return map[dto.MetricType]float64{
				dto.MetricType_COUNTER: is.GetCounter().GetValue(), dto.MetricType_GAUGE: is.GetGauge().GetValue(),
			}[family.GetType()]
		}
	}
	return 0
}

func balancerOf(name string) types.NamespacedName {
	return types.NamespacedName{Namespace: "shop", Name: name}
}

func TestACallIsAnsweredWithWhatItReturns(t *testing.T) {
	t.Parallel()
	calls, registry := newTestCalls(t)
	fault := errors.New("refused")
	for _, want := range []error{nil, fault} {
		got, err := called(t.Context(), calls, balancerOf("web"), "get", func(context.Context) (int, error) { return 7, want })
		if got != 7 || !errors.Is(err, want) {
			t.Errorf("%d, %v, want 7, %v", got, err, want)
		}
	}
	if n := valueOf(t, registry, "servicenet_cloud_overdue_calls_total"); n != 0 {
		t.Errorf("%v calls are overdue", n)
	}
}

func TestACallEndsWithItsTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		calls, registry := newTestCalls(t)
		begun := time.Now()
		patient := func(ctx context.Context) (int, error) {
			<-ctx.Done()
			return 7, ctx.Err()
		}
		for want := range 2 {
			got, err := called(t.Context(), calls, balancerOf("web"), "ensure", patient)
			if got != 0 || !errors.Is(err, errOverdue) || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%d, %v", got, err)
			}
			if n := valueOf(t, registry, "servicenet_cloud_overdue_calls_total"); n != float64(want+1) {
				t.Errorf("%v calls are overdue", n)
			}
		}
		if took := time.Since(begun); took != 2*callTime {
			t.Errorf("two calls took %v", took)
		}
	})
}

func TestACallThatDoesNotReturnHoldsUpItsOwnServiceAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		calls, registry := newTestCalls(t)
		release := make(chan struct{})
		var made atomic.Int32
		stubborn := func(context.Context) (int, error) {
			made.Add(1)
			<-release
			return 7, nil
		}
		if got, err := called(t.Context(), calls, balancerOf("web"), "ensure", stubborn); got != 0 || !errors.Is(err, errOverdue) {
			t.Errorf("%d, %v", got, err)
		}
		if _, err := called(t.Context(), calls, balancerOf("web"), "delete", stubborn); !errors.Is(err, errStuck) || made.Load() != 1 {
			t.Errorf("%v after %d calls, want no second one", err, made.Load())
		}
		at := time.Now()
		quick := func(context.Context) (int, error) { return 8, nil }
		if got, err := called(t.Context(), calls, balancerOf("other"), "ensure", quick); got != 8 || err != nil || time.Since(at) > 0 {
			t.Errorf("another Service: %d, %v after %v", got, err, time.Since(at))
		}
		if n := valueOf(t, registry, "servicenet_cloud_unanswered_calls"); n != 1 {
			t.Errorf("%v calls are not answered, want 1", n)
		}
		close(release)
		synctest.Wait()
		if got, err := called(t.Context(), calls, balancerOf("web"), "ensure", quick); got != 8 || err != nil {
			t.Errorf("once it has returned: %d, %v", got, err)
		}
		if n := valueOf(t, registry, "servicenet_cloud_unanswered_calls"); n != 0 {
			t.Errorf("%v calls are not answered, want 0", n)
		}
	})
}

func TestACallUnderWayIsWaitedForWhenTheManagerStops(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		calls, _ := newTestCalls(t)
		ctx, stop := context.WithCancel(t.Context())
		begun := time.Now()
		time.AfterFunc(time.Second, stop)
		tidy := func(ctx context.Context) (int, error) {
			<-ctx.Done()
			return 7, lapse(context.WithoutCancel(ctx), 2*time.Second)
		}
		got, err := called(ctx, calls, balancerOf("web"), "ensure", tidy)
		if took := time.Since(begun); got != 7 || err != nil || took != 3*time.Second {
			t.Errorf("%d, %v after %v", got, err, took)
		}
	})
}

func TestAPassOverTheNodesEndsWithTheLastService(t *testing.T) {
	t.Parallel()
	var pass nodePass
	at := time.Unix(1000, 0)
	names := []types.NamespacedName{balancerOf("a"), balancerOf("b")}
	pass.begin(at, names)
	pass.begin(at.Add(2*time.Second), names[:1]) // the nodes change again
	var got []time.Duration
	for i, name := range []string{"other", "a", "a", "b", "b"} {
		if took, all := pass.ended(at.Add(time.Duration(i+3)*time.Second), balancerOf(name)); all {
			got = append(got, took)
		}
	}
	pass.begin(at.Add(time.Minute), names[:1])
	if took, all := pass.ended(at.Add(61*time.Second), balancerOf("a")); all {
		got = append(got, took)
	}
	if diff := cmp.Diff([]time.Duration{6 * time.Second, time.Second}, got); diff != "" {
		t.Errorf("passes are not as wanted (-want +got):\n%s", diff)
	}
}

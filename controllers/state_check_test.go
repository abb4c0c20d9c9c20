// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clocktesting "k8s.io/utils/clock/testing"
)

// Each look finds what is given, at its time. A difference that two looks find is
// wrong; one that is gone the next time was on its way.
func TestADifferenceThatStaysIsPutRight(t *testing.T) {
	type look struct {
		after      time.Duration // since the one before
		found      string
		looks, bad bool
	}
	for name, looks := range map[string][]look{
		"all is well":             {{}, {after: time.Minute}, {after: 10 * time.Minute, looks: true}, {after: 5 * time.Minute}},
		"behind for a moment":     {{}, {after: 10 * time.Minute, found: "Pod a", looks: true}, {after: 5 * time.Second, looks: true}, {after: 5 * time.Second}},
		"another thing each time": {{}, {after: 10 * time.Minute, found: "Pod a", looks: true}, {after: 5 * time.Second, found: "Pod b", looks: true}},
		"wrong": {
			{}, {after: 10 * time.Minute, found: "Pod a", looks: true}, {after: time.Second, found: "Pod a"},
			{after: 4 * time.Second, found: "Pod a", looks: true, bad: true}, {after: 5 * time.Second}, {after: 10 * time.Minute, looks: true},
		},
	} {
		t.Run(name, func(t *testing.T) {
			registry := prometheus.NewRegistry()
			differences, err := newDifferences(registry, "test")
			if err != nil {
				t.Fatal(err)
			}
			now := clocktesting.NewFakePassiveClock(time.Unix(1_000_000, 0))
			c := newChecks(now, 10*time.Minute, differences)
			service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web"}}
			bad := 0
			for i, look := range looks {
				now.SetTime(now.Now().Add(look.after))
				looked, invalidated := false, false
				err := c.run(t.Context(), service, func(context.Context, *corev1.Service) (string, error) {
					looked = true
					return look.found, nil
				}, func() { invalidated = true })
				if err != nil || looked != look.looks || invalidated != look.bad {
					t.Errorf("look %d: looked %v, put right %v, error %v; want %v, %v", i, looked, invalidated, err, look.looks, look.bad)
				}
				if look.bad {
					bad++
				}
			}
			name := "servicenet_endpoint_state_differences_total{controller=test}"
			wantSamples(t, registry, map[string]float64{name: float64(bad)})
		})
	}
}

func TestServicesAreCheckedOnceInAPeriod(t *testing.T) {
	now := clocktesting.NewFakePassiveClock(time.Unix(1_000_000, 0))
	c := newChecks(now, time.Minute, nil)
	web, db := simKey("shop", "web"), simKey("shop", "db")
	c.due(web)
	now.SetTime(now.Now().Add(30 * time.Second))
	c.due(db)
	for after, want := range []int{0, 1, 2} { // times half a minute
		q := &enqueued{}
		c.enqueueDue(q)
		if len(q.keys) != want {
			t.Errorf("%d Services are enqueued after %d half minutes, want %d", len(q.keys), after+1, want)
		}
		now.SetTime(now.Now().Add(30 * time.Second))
	}
	c.forget(web)
	q := &enqueued{}
	c.enqueueDue(q)
	if len(q.keys) != 1 {
		t.Errorf("%d Services are enqueued, want the one that is left", len(q.keys))
	}
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	clocktesting "k8s.io/utils/clock/testing"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"servicenet.dev/servicenet/internal/endpoints"
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
				looked, repaired := false, false
				again, err := c.run(t.Context(), service, func(context.Context, *corev1.Service) (string, func(), error) {
					looked = true
					return look.found, func() { repaired = true }, nil
				})
				if err != nil || looked != look.looks || repaired != look.bad || (again > 0) != look.bad {
					t.Errorf("look %d: looked %v, put right %v, error %v; want %v, %v", i, looked, repaired, err, look.looks, look.bad)
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

// A cache that has missed a change for good does not keep the API server's word from
// being published.
func TestAMissedChangeIsPublishedAfterACheck(t *testing.T) {
	service := benchService(17, nil)
	service.UID, service.Spec.Ports = "of-the-service", []corev1.ServicePort{{Port: 80}}
	missed, now := benchPod(corev1.ConditionFalse), clocktesting.NewFakePassiveClock(time.Unix(1_000_000, 0))
	object := endpoints.Plan(endpoints.Input{Service: service, Pods: []*corev1.Pod{missed}}).Create
	cached := fake.NewClientBuilder().WithIndex(&corev1.Pod{}, labelPairIndex, labelPairs).
		WithObjects(service.DeepCopy(), missed, object.DeepCopy()).Build()
	live := fake.NewClientBuilder().WithObjects(service.DeepCopy(), benchPod(corev1.ConditionTrue), object.DeepCopy()).Build()
	differences, err := newDifferences(prometheus.NewRegistry(), "test")
	if err != nil {
		t.Fatal(err)
	}
	api := access{reader: cached, live: live, writer: live, recorder: &events.FakeRecorder{}, clock: now}
	r := newEndpointsReconciler(api, differences, DefaultOptions())
	key := client.ObjectKeyFromObject(service)
	for i, after := range []time.Duration{0, DefaultEndpointsCheckPeriod, secondLook, soon} {
		now.SetTime(now.Now().Add(after))
		result, err := r.Reconcile(t.Context(), ctrl.Request{NamespacedName: key})
		if err != nil {
			t.Fatal(err)
		}
		if repaired := result.RequeueAfter == soon; repaired != (after == secondLook) {
			t.Errorf("reconcile %d asks to be repeated after %s", i, result.RequeueAfter)
		}
	}
	var written corev1.Endpoints
	if err := live.Get(t.Context(), key, &written); err != nil {
		t.Fatal(err)
	}
	if len(written.Subsets) != 1 || len(written.Subsets[0].Addresses) != 1 {
		t.Errorf("the Endpoints list %v, want the ready pod", written.Subsets)
	}
}

func TestChecksKeepTheirPace(t *testing.T) {
	now := clocktesting.NewFakePassiveClock(time.Unix(1_000_000, 0))
	c := newChecks(now, time.Minute, nil)
	const most = int(time.Minute / looksAPeriod / checkPace)
	for i := range 2 * most {
		c.due(simKey("shop", strconv.Itoa(i)))
		now.SetTime(now.Now().Add(time.Millisecond))
	}
	now.SetTime(now.Now().Add(time.Minute))
	due := c.allDue()
	if len(due) != most || due[0] != simKey("shop", "0") || due[most-1] != simKey("shop", strconv.Itoa(most-1)) {
		t.Errorf("%d Services are checked, want the first %d", len(due), most)
	}
}

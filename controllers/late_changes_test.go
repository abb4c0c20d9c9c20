// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"slices"
	"strconv"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

func podAt(name string, version int) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, ResourceVersion: strconv.Itoa(version)}}
}

func requestFor(name string) reconcile.Request {
	return reconcile.Request{NamespacedName: types.NamespacedName{Name: name}}
}

// lateTest makes every pod one of a Service of its name.
func lateTest(t *testing.T) (*lateChanges, priorityqueue.PriorityQueue[reconcile.Request]) {
	t.Helper()
	q := priorityqueue.New[reconcile.Request]("late-changes-of-" + t.Name())
	t.Cleanup(q.ShutDown)
	return &lateChanges{note: func(pod *corev1.Pod) []types.NamespacedName {
		return []types.NamespacedName{requestFor(pod.Name).NamespacedName}
	}}, q
}

// inOrder takes so many requests from a queue.
func inOrder(q priorityqueue.PriorityQueue[reconcile.Request], count int) []string {
	taken := make([]string, count)
	for i := range taken {
		request, _ := q.Get()
		taken[i] = request.Name
	}
	return taken
}

func TestServicesOfPodsThatChangedLastComeFirst(t *testing.T) {
	late, q := lateTest(t)
	for _, name := range []string{"a", "b", "late"} {
		q.AddWithOpts(priorityqueue.AddOpts{Priority: new(handler.LowPriority)}, requestFor(name))
	}
	late.seePod(q, podAt("late", 301))
	late.seePod(q, podAt("b", 100))
	late.seePod(q, podAt("a", 300))
	late.seePublished(&discoveryv1.EndpointSlice{ObjectMeta: metav1.ObjectMeta{ResourceVersion: "300"}})
	late.seePublished(&discoveryv1.EndpointSlice{ObjectMeta: metav1.ObjectMeta{ResourceVersion: "200"}})
	late.enqueue()
	if got, want := inOrder(q, 3), []string{"late", "a", "b"}; !slices.Equal(got, want) {
		t.Errorf("the order is %v, want %v", got, want)
	}

	// From then on it is the events' matter.
	late.seePod(q, podAt("later", 400))
	late.enqueue()
	q.Add(requestFor("now"))
	if got := inOrder(q, 1); got[0] != "now" {
		t.Errorf("%v is enqueued", got)
	}
}

func TestWhatHappensNowGoesBeforeLateChanges(t *testing.T) {
	late, q := lateTest(t)
	late.seePod(q, podAt("late", 2))
	late.enqueue()
	q.Add(requestFor("now"))
	if got, want := inOrder(q, 2), []string{"now", "late"}; !slices.Equal(got, want) {
		t.Errorf("the order is %v, want %v", got, want)
	}
}

func TestOfManyLateChangesTheLastAreRemembered(t *testing.T) {
	late, q := lateTest(t)
	const many = 10 * mostLate
	for i := range many {
		version := i*7919%many + 1 // each once, in no order
		late.seePod(q, podAt(strconv.Itoa(version), version))
	}
	if len(late.pods) >= 2*mostLate {
		t.Errorf("%d pods are remembered", len(late.pods))
	}
	late.enqueue()
	queued := map[string]bool{}
	for _, name := range inOrder(q, q.Len()) {
		queued[name] = true
	}
	for version := many - mostLate + 1; version <= many; version++ {
		if !queued[strconv.Itoa(version)] {
			t.Fatalf("version %d of %d is forgotten", version, many)
		}
	}
}

func TestVersionsThatAreNoNumbersAreNeverLate(t *testing.T) {
	late, q := lateTest(t)
	pod := podAt("web", 1)
	pod.ResourceVersion = "opaque"
	late.seePod(q, pod)
	late.enqueue()
	q.Add(requestFor("now"))
	if got := inOrder(q, 1); got[0] != "now" || q.Len() != 0 {
		t.Errorf("%v is enqueued, and %d more", got, q.Len())
	}
}

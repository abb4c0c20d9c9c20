// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"maps"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"servicenet.dev/servicenet/internal/endpointslice"
)

// noQueue is a queue that forgets.
type noQueue struct{ queue }

func (noQueue) AddAfter(reconcile.Request, time.Duration) {}

// The cost of one pod's event must not depend on how many Services its namespace
// has, nor on what their selectors have in common.
func BenchmarkOnePodEvent(b *testing.B) {
	for name, common := range map[string]map[string]string{
		"": nil, " with a label in common": {"a-team": "a"}, " with two labels in common": {"a-team": "a", "zone": "z"},
	} {
		for _, n := range []int{100, 1_000, 10_000} {
			b.Run(fmt.Sprintf("%d Services%s", n, name), func(b *testing.B) {
				known := newStates(func() int { return 0 })
				for i := range n {
					known.take(benchService(i, common))
				}
				pods := &podWatch{
					matters: endpointslice.PodMatters, note: known.notePod, gatherer: newGatherer(clock.RealClock{}, 0, time.Second),
				}
				handlers := pods.podEvents()
				ready, unready := benchPod(corev1.ConditionTrue), benchPod(corev1.ConditionFalse)
				b.ReportAllocs()
				for b.Loop() {
					handlers.Update(b.Context(), event.TypedUpdateEvent[*corev1.Pod]{ObjectOld: ready, ObjectNew: unready}, noQueue{})
				}
			})
		}
	}
}

func benchService(i int, common map[string]string) *corev1.Service {
	name := fmt.Sprintf("web-%d", i)
	selector := map[string]string{"app": name}
	maps.Copy(selector, common)
	return &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name}, Spec: corev1.ServiceSpec{Selector: selector}}
}

func benchPod(ready corev1.ConditionStatus) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "shop", Name: "web-17-x", Labels: map[string]string{"app": "web-17", "pod-template-hash": "7d8f", "a-team": "a", "zone": "z"},
		},
		Status: corev1.PodStatus{
			PodIPs:     []corev1.PodIP{{IP: "10.0.0.1"}},
			Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: ready}},
		},
	}
}

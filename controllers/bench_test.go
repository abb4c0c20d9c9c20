// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"servicenet.dev/servicenet/internal/endpointslice"
)

// indexedServices is a cache of Services, indexed as that of the controllers.
type indexedServices struct {
	client.Reader // what the handlers do not call is missing
	services      toolscache.Indexer
}

func newIndexedServices(b *testing.B, count int) *indexedServices {
	b.Helper()
	indexed := &indexedServices{services: toolscache.NewIndexer(toolscache.MetaNamespaceKeyFunc, toolscache.Indexers{
		selectorPairIndex: func(object any) ([]string, error) { return selectorPair(simAs[client.Object](object)), nil },
	})}
	for i := range count {
		name := fmt.Sprintf("web-%d", i)
		err := indexed.services.Add(&corev1.Service{
			ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name},
			Spec:       corev1.ServiceSpec{Selector: map[string]string{"app": name}},
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	return indexed
}

func (s *indexedServices) List(_ context.Context, into client.ObjectList, opts ...client.ListOption) error {
	options := (&client.ListOptions{}).ApplyOptions(opts)
	found, err := s.services.ByIndex(selectorPairIndex, pairOf(options.FieldSelector))
	list := simAs[*corev1.ServiceList](into)
	for _, object := range found {
		list.Items = append(list.Items, *simAs[*corev1.Service](object))
	}
	return err
}

func pairOf(selector fields.Selector) string { return selector.Requirements()[0].Value }

// noQueue is a queue that forgets.
type noQueue struct{ queue }

func (noQueue) AddAfter(reconcile.Request, time.Duration) {}

// The cost of one pod's event must not depend on how many Services its namespace
// has.
func BenchmarkOnePodEvent(b *testing.B) {
	for _, n := range []int{100, 1_000, 10_000} {
		b.Run(fmt.Sprintf("%d Services", n), func(b *testing.B) {
			pods := &podWatch{
				reader: newIndexedServices(b, n), matters: endpointslice.PodMatters,
				note:     newStates(func() int { return 0 }).notePod,
				gatherer: newGatherer(clock.RealClock{}, 0, time.Second),
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

func benchPod(ready corev1.ConditionStatus) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "shop", Name: "web-17-x", Labels: map[string]string{"app": "web-17", "pod-template-hash": "7d8f", "team": "a"},
		},
		Status: corev1.PodStatus{
			PodIPs:     []corev1.PodIP{{IP: "10.0.0.1"}},
			Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: ready}},
		},
	}
}

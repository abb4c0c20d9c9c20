// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"servicenet.dev/servicenet/internal/endpoints"
)

func TestDeparturesAreThoseThatWereSeen(t *testing.T) {
	departed, q := newDepartures(), &enqueued{}
	handlers := departed.events()
	web := types.NamespacedName{Namespace: "shop", Name: "web"}
	service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web"}}

	handlers.Create(t.Context(), event.TypedCreateEvent[*corev1.Service]{Object: service}, q)
	handlers.Update(t.Context(), event.TypedUpdateEvent[*corev1.Service]{ObjectOld: service, ObjectNew: service}, q)
	if departed.has(web) {
		t.Error("a Service that came and changed has gone")
	}
	handlers.Delete(t.Context(), event.TypedDeleteEvent[*corev1.Service]{Object: service}, q)
	if !departed.has(web) || departed.has(types.NamespacedName{Namespace: "other", Name: "web"}) {
		t.Error("want the deleted Service to have gone, and no other")
	}
	if diff := cmp.Diff([]string{"shop/web", "shop/web", "shop/web"}, q.take()); diff != "" {
		t.Errorf("enqueued (-want +got):\n%s", diff)
	}
	departed.forget(web)
	if departed.has(web) {
		t.Error("it was not forgotten")
	}
}

// Endpoints without a Service go if the Service was seen to go, or if a controller
// made them. Those of a leader election never had one.
func TestEndpointsOfAServiceThatIsGone(t *testing.T) {
	ofController := map[string]string{endpoints.LabelManagedBy: endpoints.ManagedBy}
	election := map[string]string{"control-plane.alpha.kubernetes.io/leader": "{}"}
	for name, test := range map[string]struct {
		object      *corev1.Endpoints
		departed    bool
		wantDeleted bool
	}{
		"a controller's":            {&corev1.Endpoints{ObjectMeta: metav1.ObjectMeta{Labels: ofController}}, false, true},
		"a controller's, departed":  {&corev1.Endpoints{ObjectMeta: metav1.ObjectMeta{Labels: ofController}}, true, true},
		"made by hand":              {&corev1.Endpoints{}, false, false},
		"made by hand, departed":    {&corev1.Endpoints{}, true, true},
		"leader election":           {&corev1.Endpoints{ObjectMeta: metav1.ObjectMeta{Annotations: election}}, false, false},
		"leader election, departed": {&corev1.Endpoints{ObjectMeta: metav1.ObjectMeta{Annotations: election}}, true, false},
		"there are none":            {nil, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			key := types.NamespacedName{Namespace: "shop", Name: "web"}
			api := fake.NewClientBuilder().Build()
			if test.object != nil {
				test.object.Namespace, test.object.Name, test.object.UID = key.Namespace, key.Name, "uid"
				if err := api.Create(t.Context(), test.object); err != nil {
					t.Fatal(err)
				}
			}
			r := &endpointsReconciler{
				access: access{writer: api}, tracker: newEndpointsTracker(),
				states: newStates(endpoints.NewState), gatherer: newGatherer(clock.RealClock{}, 0, time.Second), checks: newChecks(clock.RealClock{}, time.Hour, nil), departed: newDepartures(),
			}
			if test.departed {
				r.departed.add(key)
			}
			if err := r.remove(t.Context(), key, test.object); err != nil {
				t.Fatal(err)
			}
			var left corev1.Endpoints
			err := api.Get(t.Context(), key, &left)
			if deleted := test.object != nil && apierrors.IsNotFound(err); deleted != test.wantDeleted {
				t.Errorf("deleted: %v, want %v (%v)", deleted, test.wantDeleted, err)
			}
			if r.departed.has(key) {
				t.Error("the departure is remembered, though what somebody makes from now on is for a Service to come")
			}
		})
	}
}

// A second look finds them gone, and nothing is left to remember.
func TestDeparturesAreForgottenWhenTheEndpointsAreGone(t *testing.T) {
	key := types.NamespacedName{Namespace: "shop", Name: "web"}
	object := &corev1.Endpoints{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name, UID: "uid"}}
	api := fake.NewClientBuilder().WithObjects(object).Build()
	if err := api.Get(t.Context(), key, object); err != nil {
		t.Fatal(err)
	}
	r := &endpointsReconciler{
		access: access{writer: api}, tracker: newEndpointsTracker(), states: newStates(endpoints.NewState), gatherer: newGatherer(clock.RealClock{}, 0, time.Second), checks: newChecks(clock.RealClock{}, time.Hour, nil), departed: newDepartures(),
	}
	r.departed.add(key)
	for _, current := range []*corev1.Endpoints{object, nil} {
		if err := r.remove(t.Context(), key, current); err != nil {
			t.Fatal(err)
		}
	}
	if len(r.departed.seen) > 0 {
		t.Errorf("still remembered: %v", r.departed.seen)
	}
}

// Endpoints that changed since they were read may be somebody's: they are looked
// at again.
func TestEndpointsThatChangedAreNotDeleted(t *testing.T) {
	key := types.NamespacedName{Namespace: "shop", Name: "web"}
	object := &corev1.Endpoints{ObjectMeta: metav1.ObjectMeta{
		Namespace: key.Namespace, Name: key.Name, UID: "uid", Labels: map[string]string{endpoints.LabelManagedBy: endpoints.ManagedBy},
	}}
	api := fake.NewClientBuilder().WithObjects(object).Build()
	if err := api.Get(t.Context(), key, object); err != nil {
		t.Fatal(err)
	}
	read := object.DeepCopy()
	object.Annotations = map[string]string{"example.com/note": "mine"}
	if err := api.Update(t.Context(), object); err != nil {
		t.Fatal(err)
	}
	r := &endpointsReconciler{
		access: access{writer: api}, tracker: newEndpointsTracker(), states: newStates(endpoints.NewState), gatherer: newGatherer(clock.RealClock{}, 0, time.Second), checks: newChecks(clock.RealClock{}, time.Hour, nil), departed: newDepartures(),
	}
	if err := r.remove(t.Context(), key, read); !isStale(err) {
		t.Errorf("got %v, want to be told that the cache is behind", err)
	}
	if err := api.Get(t.Context(), client.ObjectKeyFromObject(object), &corev1.Endpoints{}); err != nil {
		t.Errorf("they are gone: %v", err)
	}
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"servicenet.dev/servicenet/internal/endpointslice"
)

// enqueued is a queue that only remembers what was added.
type enqueued struct {
	queue
	keys []string
}

func (q *enqueued) Add(request reconcile.Request) { q.keys = append(q.keys, request.String()) }

func (q *enqueued) AddAfter(request reconcile.Request, _ time.Duration) { q.Add(request) }

// take returns what was added since the last time, in order.
func (q *enqueued) take() []string {
	keys := q.keys
	q.keys = nil
	slices.Sort(keys)
	return keys
}

func zonedNode(name, zone, cpu string) *corev1.Node {
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{corev1.LabelTopologyZone: zone}},
		Status: corev1.NodeStatus{
			Allocatable: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(cpu)},
			Conditions:  []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}},
		},
	}
}

func autoService(name string) *corev1.Service {
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, Annotations: map[string]string{corev1.AnnotationTopologyMode: "Auto"}},
		Spec:       corev1.ServiceSpec{Selector: map[string]string{"app": name}},
	}
}

// hintedSlice has a ready endpoint for each zone it is given, with a hint for it.
func hintedSlice(service string, zones ...string) *discoveryv1.EndpointSlice {
	slice := &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "shop", Name: service + "-slice",
			Labels: map[string]string{discoveryv1.LabelServiceName: service, discoveryv1.LabelManagedBy: endpointslice.ManagedBy},
		},
		AddressType: discoveryv1.AddressTypeIPv4,
	}
	for _, zone := range zones {
		slice.Endpoints = append(slice.Endpoints, discoveryv1.Endpoint{
			Conditions: discoveryv1.EndpointConditions{Ready: new(true)},
			Hints:      &discoveryv1.EndpointHints{ForZones: []discoveryv1.ForZone{{Name: zone}}},
		})
	}
	return slice
}

// topologyClient is a client with the indexes that zone shares ask.
func topologyClient(objects ...client.Object) client.WithWatch {
	return fake.NewClientBuilder().
		WithIndex(&corev1.Service{}, topologyIndex, topology).
		WithIndex(&discoveryv1.EndpointSlice{}, serviceNameIndex, serviceName).
		WithObjects(objects...).Build()
}

// nodeLooks counts the looks at every node, and makes them fail while there is a
// failure.
type nodeLooks struct {
	count   int
	failure error
}

func (l *nodeLooks) through(api client.WithWatch) client.Reader {
	return interceptor.NewClient(api, interceptor.Funcs{
		List: func(ctx context.Context, c client.WithWatch, list client.ObjectList, options ...client.ListOption) error {
			if _, nodes := list.(*corev1.NodeList); nodes {
				l.count++
				if l.failure != nil {
					return l.failure
				}
			}
			return c.List(ctx, list, options...)
		},
	})
}

func TestZoneSharesAreKept(t *testing.T) {
	looks := &nodeLooks{failure: errors.New("no answer")}
	zones := &zoneShares{reader: looks.through(topologyClient(zonedNode("a", "zone-a", "1"), zonedNode("b", "zone-b", "1")))}
	if _, err := zones.get(t.Context()); !errors.Is(err, looks.failure) {
		t.Errorf("got %v, want the reason why there is no answer", err)
	}
	if _, _, err := zones.renew(t.Context()); !errors.Is(err, looks.failure) {
		t.Errorf("got %v, want the reason why there is no answer", err)
	}
	looks.failure, looks.count = nil, 0
	want := endpointslice.SharesOf([]*corev1.Node{zonedNode("a", "zone-a", "1"), zonedNode("b", "zone-b", "1")})
	for range 3 {
		shares, err := zones.get(t.Context())
		if err != nil || !shares.Equal(want) {
			t.Errorf("got %v and %v, want %v", shares, err, want)
		}
	}
	if looks.count != 1 {
		t.Errorf("looked at the nodes %d times, want once", looks.count)
	}
	if shares, changed, err := zones.renew(t.Context()); err != nil || changed || !shares.Equal(want) {
		t.Errorf("a second look gives %v, changed: %v, error: %v", shares, changed, err)
	}
	zones.forget()
	if _, changed, err := zones.renew(t.Context()); err != nil || !changed {
		t.Errorf("what was forgotten has changed: %v, error: %v", changed, err)
	}
}

func TestNodeEventsEnqueueServicesWhoseHintsNoLongerFit(t *testing.T) {
	plain := autoService("plain")
	plain.Annotations = nil
	api := topologyClient(zonedNode("a", "zone-a", "1"), zonedNode("b", "zone-b", "1"),
		autoService("even"), hintedSlice("even", "zone-a", "zone-b"),
		autoService("uneven"), hintedSlice("uneven", "zone-a", "zone-a", "zone-a", "zone-b"),
		plain, hintedSlice("plain", "zone-x"))
	zones := &zoneShares{reader: api}
	if _, err := zones.get(t.Context()); err != nil {
		t.Fatal(err)
	}
	handlers, q := zones.nodeEvents(), &enqueued{}
	update := func(before, after *corev1.Node) {
		if err := api.Status().Update(t.Context(), after); err != nil {
			t.Fatal(err)
		}
		handlers.Update(t.Context(), event.TypedUpdateEvent[*corev1.Node]{ObjectOld: before, ObjectNew: after}, q)
	}
	for i, step := range []struct {
		does func()
		want []string
	}{
		// Nothing has changed since the shares were made: hints that do not fit
		// them are the business of whoever gave them.
		{func() { update(zonedNode("a", "zone-a", "1"), zonedNode("a", "zone-a", "1")) }, nil},
		{func() {
			idle := zonedNode("idle", "zone-c", "1")
			idle.Status.Conditions = nil
			handlers.Create(t.Context(), event.TypedCreateEvent[*corev1.Node]{Object: idle}, q)
		}, nil},
		{func() { update(zonedNode("a", "zone-a", "1"), zonedNode("a", "zone-a", "1000m")) }, nil},
		{func() { update(zonedNode("a", "zone-a", "1"), zonedNode("a", "zone-a", "1100m")) }, []string{"shop/uneven"}},
		{func() { update(zonedNode("a", "zone-a", "1100m"), zonedNode("a", "zone-a", "3")) }, []string{"shop/even"}},
		{func() {
			handlers.Create(t.Context(), event.TypedCreateEvent[*corev1.Node]{Object: zonedNode("c", "zone-c", "1"), IsInInitialList: true}, q)
		}, nil},
		{func() {
			if err := api.Create(t.Context(), zonedNode("c", "zone-c", "1")); err != nil {
				t.Fatal(err)
			}
			handlers.Create(t.Context(), event.TypedCreateEvent[*corev1.Node]{Object: zonedNode("c", "zone-c", "1")}, q)
		}, []string{"shop/even", "shop/uneven"}},
		{func() {
			if err := api.Delete(t.Context(), zonedNode("c", "zone-c", "1")); err != nil {
				t.Fatal(err)
			}
			handlers.Delete(t.Context(), event.TypedDeleteEvent[*corev1.Node]{Object: zonedNode("c", "zone-c", "1")}, q)
		}, []string{"shop/even"}},
	} {
		step.does()
		if diff := cmp.Diff(step.want, q.take()); diff != "" {
			t.Errorf("step %d: enqueued (-want +got):\n%s", i+1, diff)
		}
	}
}

// On a cluster where nobody asks for Auto topology, nodes that come and go cost
// no look at all the others.
func TestWithoutAutoTopologyNoNodeIsLookedAt(t *testing.T) {
	looks := &nodeLooks{}
	zones := &zoneShares{reader: looks.through(topologyClient(zonedNode("a", "zone-a", "1"), zonedNode("b", "zone-b", "1")))}
	if _, err := zones.get(t.Context()); err != nil {
		t.Fatal(err)
	}
	q := &enqueued{}
	zones.nodeEvents().Delete(t.Context(), event.TypedDeleteEvent[*corev1.Node]{Object: zonedNode("c", "zone-c", "1")}, q)
	if looks.count != 1 || len(q.take()) > 0 {
		t.Errorf("looked at the nodes %d times, want only the first", looks.count)
	}
	if _, err := zones.get(t.Context()); err != nil || looks.count != 2 {
		t.Errorf("shares from before the change are given out: %d looks, error %v", looks.count, err)
	}
}

// Shares that could not be renewed are not given out: whoever asks next looks
// again.
func TestNodeEventsOutliveAFailure(t *testing.T) {
	looks := &nodeLooks{}
	api := topologyClient(autoService("web"), hintedSlice("web", "zone-a", "zone-b"), zonedNode("a", "zone-a", "1"), zonedNode("b", "zone-b", "1"))
	zones, q := &zoneShares{reader: looks.through(api)}, &enqueued{}
	if _, err := zones.get(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := api.Delete(t.Context(), zonedNode("b", "zone-b", "1")); err != nil {
		t.Fatal(err)
	}
	looks.failure = errors.New("no answer")
	zones.nodeEvents().Delete(t.Context(), event.TypedDeleteEvent[*corev1.Node]{Object: zonedNode("b", "zone-b", "1")}, q)
	if got := q.take(); len(got) > 0 {
		t.Errorf("enqueued %v without knowing the shares", got)
	}
	looks.failure = nil
	want := endpointslice.SharesOf([]*corev1.Node{zonedNode("a", "zone-a", "1")})
	if shares, err := zones.get(t.Context()); err != nil || !shares.Equal(want) {
		t.Errorf("got %v and %v, want %v", shares, err, want)
	}
}

// A plan that was made from shares which changed meanwhile is made again: whoever
// changed them looked at the hints of before.
func TestHintsFromOutdatedSharesAreMadeAgain(t *testing.T) {
	auto := &corev1.Service{ObjectMeta: metav1.ObjectMeta{
		Namespace: "shop", Name: "web", Annotations: map[string]string{corev1.AnnotationTopologyMode: "Auto"},
	}}
	old := endpointslice.SharesOf(nil)
	for name, test := range map[string]struct {
		service *corev1.Service
		now     endpointslice.ZoneShares
		want    bool
	}{
		"the same shares":             {auto, old, false},
		"other shares":                {auto, endpointslice.ZoneShares{}, true},
		"other shares, not asked for": {&corev1.Service{}, endpointslice.ZoneShares{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := &endpointSliceReconciler{shares: &zoneShares{last: &test.now}}
			err := r.sharesStand(t.Context(), test.service, old)
			if isStale(err) != test.want {
				t.Errorf("got %v, want it to be stale: %v", err, test.want)
			}
		})
	}
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"time"

	discoveryv1 "k8s.io/api/discovery/v1"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"servicenet.dev/servicenet/internal/endpointslice"
)

// sliceEvents enqueues the Service of a slice that somebody else wrote or
// deleted. What this process wrote comes back as an event too, and is not news.
// Slices with another manager are nobody's business here; one that is given to
// another manager is missing from then on, and one that is given to this one is
// to be put in order.
func sliceEvents(managedBy string, own *sliceTracker, delay time.Duration) eventHandlers[*discoveryv1.EndpointSlice] {
	enqueue := func(q queue, slice *discoveryv1.EndpointSlice, isNews func(*discoveryv1.EndpointSlice) bool) {
		service := endpointslice.ServiceOf(slice)
		if service.Name != "" && slice.Labels[discoveryv1.LabelManagedBy] == managedBy && isNews(slice) {
			q.AddAfter(reconcile.Request{NamespacedName: service}, delay)
		}
	}
	left := func(before, after *discoveryv1.EndpointSlice) bool {
		return after.Labels[discoveryv1.LabelManagedBy] != managedBy || endpointslice.ServiceOf(before) != endpointslice.ServiceOf(after)
	}
	return eventHandlers[*discoveryv1.EndpointSlice]{
		CreateFunc: func(_ context.Context, e event.TypedCreateEvent[*discoveryv1.EndpointSlice], q queue) {
			if !e.IsInInitialList {
				enqueue(q, e.Object, own.Seen)
			}
		},
		UpdateFunc: func(_ context.Context, e event.TypedUpdateEvent[*discoveryv1.EndpointSlice], q queue) {
			if e.ObjectOld.ResourceVersion == e.ObjectNew.ResourceVersion {
				return // a resync shows nothing new
			}
			if left(e.ObjectOld, e.ObjectNew) {
				enqueue(q, e.ObjectOld, own.Gone)
			}
			enqueue(q, e.ObjectNew, own.Seen)
		},
		DeleteFunc: func(_ context.Context, e event.TypedDeleteEvent[*discoveryv1.EndpointSlice], q queue) {
			enqueue(q, e.Object, own.Gone)
		},
	}
}

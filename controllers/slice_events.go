// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"time"

	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"servicenet.dev/servicenet/internal/endpointslice"
)

// sliceWatch enqueues the Services of slices.
type sliceWatch struct {
	managedBy string
	own       *sliceTracker
	// note, if not nil, notes a slice that bears a Service's name or has borne it,
	// whoever manages and whoever wrote it.
	note func(service types.NamespacedName, slice string)
	// late, if not nil, takes notice of what is published at start.
	late *lateChanges
	// delay is for how long changes are gathered.
	delay time.Duration
}

// events enqueues the Service of a slice that somebody else wrote or
// deleted. What this process wrote comes back as an event too, and is not news.
// Slices with another manager are nobody's business here; one that is given to
// another manager is missing from then on, and one that is given to this one is
// to be put in order.
func (w *sliceWatch) events() eventHandlers[*discoveryv1.EndpointSlice] {
	return eventHandlers[*discoveryv1.EndpointSlice]{
		CreateFunc: func(_ context.Context, e event.TypedCreateEvent[*discoveryv1.EndpointSlice], q queue) {
			switch {
			case !e.IsInInitialList:
				w.enqueue(q, e.Object, w.own.Seen)
			case w.late != nil:
				w.late.seePublished(e.Object)
			}
		},
		UpdateFunc: func(_ context.Context, e event.TypedUpdateEvent[*discoveryv1.EndpointSlice], q queue) {
			if e.ObjectOld.ResourceVersion == e.ObjectNew.ResourceVersion {
				return // a resync shows nothing new
			}
			if w.left(e.ObjectOld, e.ObjectNew) {
				w.enqueue(q, e.ObjectOld, w.own.Gone)
			}
			w.enqueue(q, e.ObjectNew, w.own.Seen)
		},
		DeleteFunc: func(_ context.Context, e event.TypedDeleteEvent[*discoveryv1.EndpointSlice], q queue) {
			w.enqueue(q, e.Object, w.own.Gone)
		},
	}
}

func (w *sliceWatch) enqueue(q queue, slice *discoveryv1.EndpointSlice, isNews func(*discoveryv1.EndpointSlice) bool) {
	service := endpointslice.ServiceOf(slice)
	if service.Name == "" {
		return
	}
	if w.note != nil {
		w.note(service, slice.Name)
	}
	if slice.Labels[discoveryv1.LabelManagedBy] == w.managedBy && isNews(slice) {
		q.AddAfter(reconcile.Request{NamespacedName: service}, w.delay)
	}
}

func (w *sliceWatch) left(before, after *discoveryv1.EndpointSlice) bool {
	return after.Labels[discoveryv1.LabelManagedBy] != w.managedBy || endpointslice.ServiceOf(before) != endpointslice.ServiceOf(after)
}

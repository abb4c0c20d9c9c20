// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"servicenet.dev/servicenet/internal/endpoints"
)

// endpointsEvents enqueues Endpoints that somebody else wrote or deleted, and at
// start those that may be left over from a Service that was deleted meanwhile.
func endpointsEvents(own *endpointsTracker, late *lateChanges) eventHandlers[*corev1.Endpoints] {
	enqueue := func(q queue, object *corev1.Endpoints, isNews func(*corev1.Endpoints) bool) {
		if !endpoints.LeaderElection(object) && isNews(object) {
			q.Add(reconcile.Request{NamespacedName: client.ObjectKeyFromObject(object)})
		}
	}
	return eventHandlers[*corev1.Endpoints]{
		CreateFunc: func(ctx context.Context, e event.TypedCreateEvent[*corev1.Endpoints], q queue) {
			if e.IsInInitialList {
				late.seePublished(e.Object)
				enqueueAtStart(ctx, e, q)
				return
			}
			enqueue(q, e.Object, own.Seen)
		},
		UpdateFunc: func(_ context.Context, e event.TypedUpdateEvent[*corev1.Endpoints], q queue) {
			if e.ObjectOld.ResourceVersion != e.ObjectNew.ResourceVersion {
				enqueue(q, e.ObjectNew, own.Seen)
			}
		},
		DeleteFunc: func(_ context.Context, e event.TypedDeleteEvent[*corev1.Endpoints], q queue) {
			enqueue(q, e.Object, own.Gone)
		},
	}
}

// events enqueues Services, and remembers which of them go.
func (d *departures) events() eventHandlers[*corev1.Service] {
	handlers := serviceEvents()
	return eventHandlers[*corev1.Service]{
		CreateFunc: handlers.Create,
		UpdateFunc: handlers.Update,
		DeleteFunc: func(ctx context.Context, e event.TypedDeleteEvent[*corev1.Service], q queue) {
			d.add(client.ObjectKeyFromObject(e.Object))
			handlers.Delete(ctx, e, q)
		},
	}
}

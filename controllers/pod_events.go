// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"maps"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"servicenet.dev/servicenet/internal/endpointslice"
)

// podWatch enqueues the Services that pods belong to.
type podWatch struct {
	reader client.Reader
	// matters tells whether a change of a pod can concern a Service that selects
	// it.
	matters func(before, after *corev1.Pod) bool
	// note notes a pod for the Services that select it, and returns them.
	note func(*corev1.Pod) []types.NamespacedName
	// gatherer decides for how long changes wait.
	gatherer *gatherer
	// late finds those that changed while nothing was published.
	late *lateChanges
}

// podEvents enqueues the Services that select a pod, and on an update those that
// selected it before. A pod that comes or goes unlistable concerns none: if it was
// listed once, the update that ended that has enqueued them.
func (w *podWatch) podEvents() eventHandlers[*corev1.Pod] {
	return eventHandlers[*corev1.Pod]{
		CreateFunc: func(_ context.Context, e event.TypedCreateEvent[*corev1.Pod], q queue) {
			switch {
			case e.IsInInitialList:
				w.late.seePod(q, e.Object)
			case endpointslice.Listable(e.Object):
				w.enqueueServicesOf(q, false, e.Object)
			}
		},
		UpdateFunc: func(_ context.Context, e event.TypedUpdateEvent[*corev1.Pod], q queue) {
			if !w.matters(e.ObjectOld, e.ObjectNew) {
				return
			}
			removal := endpointslice.TakesAway(e.ObjectOld, e.ObjectNew)
			if !maps.Equal(e.ObjectOld.Labels, e.ObjectNew.Labels) {
				w.enqueueServicesOf(q, removal, e.ObjectOld)
			}
			w.enqueueServicesOf(q, removal, e.ObjectNew)
		},
		DeleteFunc: func(_ context.Context, e event.TypedDeleteEvent[*corev1.Pod], q queue) {
			if endpointslice.Listable(e.Object) {
				w.enqueueServicesOf(q, true, e.Object)
			}
		},
	}
}

// enqueueServicesOf may enqueue a Service twice; the queue keeps one. removal tells
// whether an endpoint of the pods goes.
func (w *podWatch) enqueueServicesOf(q queue, removal bool, pods ...*corev1.Pod) {
	for _, pod := range pods {
		for _, service := range w.note(pod) {
			q.AddAfter(reconcile.Request{NamespacedName: service}, w.gatherer.changed(service, removal))
		}
	}
}

// nodeEvents enqueues the Services of a node's pods when the node appears, when
// it goes, and when its zone changes.
func (w *podWatch) nodeEvents() eventHandlers[*corev1.Node] {
	return eventHandlers[*corev1.Node]{
		CreateFunc: func(ctx context.Context, e event.TypedCreateEvent[*corev1.Node], q queue) {
			if !e.IsInInitialList {
				w.enqueueServicesOn(ctx, q, false, e.Object)
			}
		},
		UpdateFunc: func(ctx context.Context, e event.TypedUpdateEvent[*corev1.Node], q queue) {
			if endpointslice.NodeMatters(e.ObjectOld, e.ObjectNew) {
				w.enqueueServicesOn(ctx, q, false, e.ObjectNew)
			}
		},
		DeleteFunc: func(ctx context.Context, e event.TypedDeleteEvent[*corev1.Node], q queue) {
			w.enqueueServicesOn(ctx, q, true, e.Object)
		},
	}
}

func (w *podWatch) enqueueServicesOn(ctx context.Context, q queue, removal bool, node *corev1.Node) {
	var pods corev1.PodList
	if err := w.reader.List(ctx, &pods, client.MatchingFields{nodeNameIndex: node.Name}); err != nil {
		log.FromContext(ctx).Error(err, "Could not list the pods of a node", "node", node.Name)
		return
	}
	w.enqueueServicesOf(q, removal, pointers(pods.Items)...)
}

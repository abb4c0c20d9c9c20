// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"servicenet.dev/servicenet/internal/endpointslice"
)

type (
	queue = workqueue.TypedRateLimitingInterface[reconcile.Request]
	// eventHandlers is short for handlers that enqueue Services.
	eventHandlers[T client.Object] = handler.TypedFuncs[T, reconcile.Request]
)

// setup registers the controller: Services directly, everything else by way of
// the Services it concerns. At start, Services alone are enqueued, at low
// priority, so that a change made meanwhile does not wait behind them.
func (r *endpointSliceReconciler) setup(mgr ctrl.Manager, informers cache.Cache, options Options) error {
	return ctrl.NewControllerManagedBy(mgr).
		Named(EndpointSliceName).
		WithOptions(controller.Options{
			MaxConcurrentReconciles: options.ConcurrentServiceEndpointSyncs,
			RateLimiter:             retryLimiter(),
			EnableWarmup:            new(true),
			// A process may hold several managers, as test suites do.
			SkipNameValidation: new(true),
		}).
		WatchesRawSource(source.Kind(informers, &corev1.Service{}, enqueueService(), serviceChanges())).
		WatchesRawSource(source.Kind(informers, &corev1.Pod{}, r.podEvents())).
		WatchesRawSource(source.Kind(informers, &corev1.Node{}, r.nodeEvents())).
		WatchesRawSource(source.Kind(informers, &discoveryv1.EndpointSlice{}, r.sliceEvents())).
		Complete(r)
}

// retryLimiter delays each failing Service by itself. A bucket over all of them,
// as is usual, would let the failures of one hold back another.
func retryLimiter() workqueue.TypedRateLimiter[reconcile.Request] {
	const first, longest = 100 * time.Millisecond, time.Minute
	return workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](first, longest)
}

func enqueueService() handler.TypedEventHandler[*corev1.Service, reconcile.Request] {
	return &handler.TypedEnqueueRequestForObject[*corev1.Service]{}
}

func serviceChanges() predicate.TypedPredicate[*corev1.Service] {
	return predicate.TypedFuncs[*corev1.Service]{
		UpdateFunc: func(e event.TypedUpdateEvent[*corev1.Service]) bool {
			return endpointslice.ServiceMatters(e.ObjectOld, e.ObjectNew)
		},
	}
}

// podEvents enqueues the Services that select a pod, and on an update those that
// selected it before. A pod that comes or goes unlistable concerns none: if it was
// listed once, the update that ended that has enqueued them.
func (r *endpointSliceReconciler) podEvents() eventHandlers[*corev1.Pod] {
	return eventHandlers[*corev1.Pod]{
		CreateFunc: func(ctx context.Context, e event.TypedCreateEvent[*corev1.Pod], q queue) {
			if !e.IsInInitialList && endpointslice.Listable(e.Object) {
				r.enqueueServicesOf(ctx, q, e.Object)
			}
		},
		UpdateFunc: func(ctx context.Context, e event.TypedUpdateEvent[*corev1.Pod], q queue) {
			if endpointslice.PodMatters(e.ObjectOld, e.ObjectNew) {
				r.enqueueServicesOf(ctx, q, e.ObjectOld, e.ObjectNew)
			}
		},
		DeleteFunc: func(ctx context.Context, e event.TypedDeleteEvent[*corev1.Pod], q queue) {
			if endpointslice.Listable(e.Object) {
				r.enqueueServicesOf(ctx, q, e.Object)
			}
		},
	}
}

// enqueueServicesOf may enqueue a Service twice; the queue keeps one.
func (r *endpointSliceReconciler) enqueueServicesOf(ctx context.Context, q queue, pods ...*corev1.Pod) {
	for _, pod := range pods {
		services, err := servicesSelecting(ctx, r.reader, pod.Namespace, pod.Labels)
		if err != nil {
			log.FromContext(ctx).Error(err, "Could not tell which Services a pod belongs to", "pod", client.ObjectKeyFromObject(pod))
			continue
		}
		for _, service := range services {
			q.Add(reconcile.Request{NamespacedName: service})
		}
	}
}

// nodeEvents enqueues the Services of a node's pods when the node appears, when
// it goes, and when its zone changes.
func (r *endpointSliceReconciler) nodeEvents() eventHandlers[*corev1.Node] {
	return eventHandlers[*corev1.Node]{
		CreateFunc: func(ctx context.Context, e event.TypedCreateEvent[*corev1.Node], q queue) {
			if !e.IsInInitialList {
				r.enqueueServicesOn(ctx, q, e.Object)
			}
		},
		UpdateFunc: func(ctx context.Context, e event.TypedUpdateEvent[*corev1.Node], q queue) {
			if endpointslice.NodeMatters(e.ObjectOld, e.ObjectNew) {
				r.enqueueServicesOn(ctx, q, e.ObjectNew)
			}
		},
		DeleteFunc: func(ctx context.Context, e event.TypedDeleteEvent[*corev1.Node], q queue) {
			r.enqueueServicesOn(ctx, q, e.Object)
		},
	}
}

func (r *endpointSliceReconciler) enqueueServicesOn(ctx context.Context, q queue, node *corev1.Node) {
	var pods corev1.PodList
	if err := r.reader.List(ctx, &pods, client.MatchingFields{nodeNameIndex: node.Name}); err != nil {
		log.FromContext(ctx).Error(err, "Could not list the pods of a node", "node", node.Name)
		return
	}
	r.enqueueServicesOf(ctx, q, pointers(pods.Items)...)
}

// sliceEvents enqueues the Service of a slice that somebody else wrote or
// deleted. What this process wrote comes back as an event too, and is not news.
func (r *endpointSliceReconciler) sliceEvents() eventHandlers[*discoveryv1.EndpointSlice] {
	return eventHandlers[*discoveryv1.EndpointSlice]{
		CreateFunc: func(_ context.Context, e event.TypedCreateEvent[*discoveryv1.EndpointSlice], q queue) {
			if !e.IsInInitialList {
				r.enqueueOwner(q, e.Object, r.tracker.Seen)
			}
		},
		UpdateFunc: func(_ context.Context, e event.TypedUpdateEvent[*discoveryv1.EndpointSlice], q queue) {
			if leftService(e.ObjectOld, e.ObjectNew) {
				r.enqueueOwner(q, e.ObjectOld, r.tracker.Gone)
			}
			r.enqueueOwner(q, e.ObjectNew, r.tracker.Seen)
		},
		DeleteFunc: func(_ context.Context, e event.TypedDeleteEvent[*discoveryv1.EndpointSlice], q queue) {
			r.enqueueOwner(q, e.Object, r.tracker.Gone)
		},
	}
}

// leftService tells whether a slice is no longer one of those its Service had.
func leftService(before, after *discoveryv1.EndpointSlice) bool {
	return !managed(after) || endpointslice.ServiceOf(before) != endpointslice.ServiceOf(after)
}

func managed(slice *discoveryv1.EndpointSlice) bool {
	return slice.Labels[discoveryv1.LabelManagedBy] == endpointslice.ManagedBy
}

func (r *endpointSliceReconciler) enqueueOwner(q queue, slice *discoveryv1.EndpointSlice, isNews func(*discoveryv1.EndpointSlice) bool) {
	service := endpointslice.ServiceOf(slice)
	if service.Name != "" && managed(slice) && isNews(slice) {
		q.Add(reconcile.Request{NamespacedName: service})
	}
}

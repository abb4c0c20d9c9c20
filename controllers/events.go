// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"servicenet.dev/servicenet/internal/endpointslice"
)

type (
	queue = workqueue.TypedRateLimitingInterface[reconcile.Request]
	// eventHandlers is short for handlers that enqueue Services.
	eventHandlers[T client.Object] = handler.TypedFuncs[T, reconcile.Request]
)

// newController is what every controller here has in common. queueName is that of
// the stock controller's queue, under which its workqueue metrics are known.
func newController(
	mgr ctrl.Manager, name, queueName string, workers int, informers cache.Cache, watches []watch,
) *ctrl.Builder {
	return newControllerRetrying(retryLimiter(), mgr, name, queueName, workers, informers, watches)
}

// newControllerRetrying is the same for one that waits otherwise before it tries again.
func newControllerRetrying(
	limiter workqueue.TypedRateLimiter[reconcile.Request],
	mgr ctrl.Manager, name, queueName string, workers int, informers cache.Cache, watches []watch,
) *ctrl.Builder {
	logger := mgr.GetLogger().WithValues("controller", name)
	builder := ctrl.NewControllerManagedBy(mgr).
		Named(name).
		WithOptions(controller.Options{
			MaxConcurrentReconciles: workers,
			RateLimiter:             limiter,
			EnableWarmup:            new(true),
			// A process may hold several managers, as test suites do.
			SkipNameValidation: new(true),
			NewQueue: func(_ string, limiter workqueue.TypedRateLimiter[reconcile.Request]) queue {
				return priorityqueue.New(queueName, func(o *priorityqueue.Opts[reconcile.Request]) {
					o.Log, o.RateLimiter = logger, limiter
				})
			},
		})
	for _, watch := range watches {
		builder = builder.WatchesRawSource(watch.from(informers))
	}
	return builder
}

// retryLimiter delays each failing Service by itself. A bucket over all of them,
// as is usual, would let the failures of one hold back another.
func retryLimiter() workqueue.TypedRateLimiter[reconcile.Request] {
	const first, longest = 100 * time.Millisecond, time.Minute
	return workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](first, longest)
}

// serviceEvents enqueues Services: at start, and on a resync, at low priority, so
// that a change made meanwhile does not wait behind them.
func serviceEvents() handler.TypedEventHandler[*corev1.Service, reconcile.Request] {
	return &handler.TypedEnqueueRequestForObject[*corev1.Service]{}
}

// enqueueAtStart enqueues an object of the initial list in the same way.
func enqueueAtStart[T client.Object](ctx context.Context, e event.TypedCreateEvent[T], q queue) {
	(&handler.TypedEnqueueRequestForObject[T]{}).Create(ctx, e, q)
}

// isResync tells whether an update shows an object again that has not changed.
func isResync(before, after client.Object) bool {
	return before.GetResourceVersion() == after.GetResourceVersion()
}

// serviceChanges keeps out updates of Services that cannot change endpoints.
func serviceChanges() predicate.TypedPredicate[*corev1.Service] {
	return predicate.TypedFuncs[*corev1.Service]{
		UpdateFunc: func(e event.TypedUpdateEvent[*corev1.Service]) bool {
			return isResync(e.ObjectOld, e.ObjectNew) || endpointslice.ServiceMatters(e.ObjectOld, e.ObjectNew)
		},
	}
}

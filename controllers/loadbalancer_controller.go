// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"time"

	corev1 "k8s.io/api/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"servicenet.dev/servicenet/internal/ledger"
	"servicenet.dev/servicenet/internal/loadbalancer"
	"servicenet.dev/servicenet/internal/tracker"
)

// +kubebuilder:rbac:groups="",resources=services,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups="",resources=services/status,verbs=patch
// +kubebuilder:rbac:groups="",resources=nodes,verbs=list;watch

// loadBalancerReconciler gives Services of type LoadBalancer what they ask for, and
// takes it back.
type loadBalancerReconciler struct {
	*loadBalancers
}

func setupLoadBalancer(mgr ctrl.Manager, r *replica) error {
	if err := mgr.Add(runnable{run: r.balancers.recorder.run}); err != nil {
		return err
	}
	reconciler := &loadBalancerReconciler{r.balancers}
	return newController(mgr, LoadBalancerName, "service", r.options.ConcurrentServiceSyncs*syncsPerCall,
		r.cluster.GetCache(), []watch{r.balancers.requests}).Complete(reconciler)
}

// from is of watch. What there is to do comes from handlers that the replica registers.
func (q *requests) from(cache.Cache) source.Source { return source.Func(q.start) }

// Reconcile brings one Service up to date.
func (r *loadBalancerReconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	name := request.NamespacedName
	if err := r.releaseDeparted(ctx, name); err != nil {
		return ctrl.Result{}, err
	}
	record := r.record(name)
	if record == nil {
		r.forget(name)
		return ctrl.Result{}, nil
	}
	if r.tracker.Behind(name, r.showing(name.Namespace), r.clock.Now()) {
		return ctrl.Result{RequeueAfter: tracker.MaxWait}, nil
	}
	done := r.begin(record.UID)
	is, again, err := r.sync(ctx, record)
	done()
	if err == nil && !r.stillHas(record.UID, is) {
		r.requests.add(name) // another has changed that meanwhile
	}
	if _, unavailable := errors.AsType[*ledger.UnavailableError](err); err != nil && (is == nil || unavailable || isStale(err)) {
		// It can't try now: whoever waits behind it is not to wait for it.
		r.enqueue(r.leave(name)...)
	}
	result, err := conclude(ctx, err, false, func(err error) {
		r.recorder.Eventf(referenceToRecord(record), nil, corev1.EventTypeWarning, "SyncLoadBalancerFailed", "UpdateLoadBalancer",
			"The load balancer is not up to date, and tried again: %v", err)
	})
	return sooner(result, again), err
}

// sync does what is owed to a Service. It returns what the Service has then, nil if that
// is nothing, and after what time to look at it again without a reason; zero is never.
func (r *loadBalancerReconciler) sync(ctx context.Context, record *serviceRecord) (is *ensured, again time.Duration, err error) {
	has := len(r.store.Tenancies(record.UID)) > 0
	service := record.balanced
	if service == nil {
		r.forget(record.NamespacedName)
		if !has {
			return nil, 0, nil
		}
		// Somebody took our finalizer off, and changed its type.
		return nil, 0, r.releaseAll(ctx, record.Owner, false)
	}
	switch r.terms.Duty(service, has) {
	case loadbalancer.Serve:
		return r.serve(ctx, service)
	case loadbalancer.CleanUp:
		r.forget(record.NamespacedName)
		return nil, 0, r.cleanUp(ctx, service)
	case loadbalancer.Nothing:
		r.forget(record.NamespacedName)
	}
	return nil, 0, nil
}

// serve has a Service get what it asks for, and says so in its status. What it gives up
// for that is given up when nobody can read there any more that it has it.
func (r *loadBalancerReconciler) serve(ctx context.Context, service *corev1.Service) (is *ensured, again time.Duration, err error) {
	r.wanting(service)
	if !loadbalancer.HasFinalizer(service) {
		if service, err = r.putFinalizer(ctx, service); err != nil {
			return nil, 0, err
		}
	}
	if is, err = r.provider.Ensure(ctx, service); err != nil {
		return nil, 0, err
	}
	if wait, later := r.postponed(service, is); later {
		return is, wait, nil
	}
	if err := r.confirmSaid(ctx, service, is); err != nil {
		return is, 0, err
	}
	after, err := r.say(ctx, service, is)
	if err != nil {
		return is, 0, err
	}
	if is.Allocated.True {
		r.satisfied(service)
	}
	if is.settle == nil {
		return is, 0, nil
	}
	if after == service { // nothing was written: what is said is only what the cache shows
		if wait, err := r.confirmRead(ctx, service); wait > 0 || err != nil {
			return is, wait, err
		}
	}
	err = is.settle(ctx)
	return is, 0, err
}

// postponed tells whether a status is not to be written now, and after what time to look
// again without another reason; zero is never.
func (r *loadBalancerReconciler) postponed(service *corev1.Service, is *ensured) (wait time.Duration, later bool) {
	if !is.Allocated.True && r.poolsChange() {
		return 0, true // all are looked at when these are followed
	}
	wait = r.contested(service, is)
	return wait, wait > 0
}

// cleanUp takes everything of ours from a Service, our finalizer last.
func (r *loadBalancerReconciler) cleanUp(ctx context.Context, service *corev1.Service) error {
	if service.DeletionTimestamp == nil || len(service.Finalizers) > 1 {
		var err error
		service, err = r.say(ctx, service, &ensured{Desired: loadbalancer.Desired{Ours: r.provider.Ours(service)}, acted: true})
		if err != nil {
			return err
		}
	}
	if err := r.provider.EnsureDeleted(ctx, service); err != nil {
		return err
	}
	if !loadbalancer.HasFinalizer(service) {
		return nil
	}
	return r.takeFinalizer(ctx, service)
}

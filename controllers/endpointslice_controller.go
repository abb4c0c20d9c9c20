// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"servicenet.dev/servicenet/internal/endpointslice"
)

// +kubebuilder:rbac:groups="",resources=services,verbs=get;list;watch
// +kubebuilder:rbac:groups="",resources=pods;nodes,verbs=list;watch
// +kubebuilder:rbac:groups="",resources=services/finalizers,verbs=update
// +kubebuilder:rbac:groups=discovery.k8s.io,resources=endpointslices,verbs=get;list;watch;create;update;delete
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// endpointSliceReconciler keeps the EndpointSlices of a Service as
// [endpointslice.Plan] says they should be.
type endpointSliceReconciler struct {
	sliceWriter
	metrics     *endpointSliceMetrics
	gatherer    *gatherer
	merger      *merger
	checks      *checks
	states      *endpointSliceStates
	late        *lateChanges
	shares      *zoneShares
	news        *topologyNews
	keepOrphans bool
}

// Reconcile brings the slices of one Service up to date.
func (r *endpointSliceReconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	r.late.enqueue()
	if wait := r.gatherer.begin(request.NamespacedName); wait > 0 {
		return ctrl.Result{RequeueAfter: wait}, nil
	}
	var again time.Duration
	service, err := r.getService(ctx, request.NamespacedName)
	switch {
	case err != nil:
	case service == nil:
		r.forget(request.NamespacedName) // the garbage collector removes the slices
	case !endpointslice.Managed(service):
		err = r.cleanUp(ctx, service)
	default:
		again, err = r.publish(ctx, service)
	}
	r.gatherer.end(request.NamespacedName, err == nil)
	r.metrics.synced(err)
	result, err := conclude(ctx, err, r.tracker.Pending(request.NamespacedName), func(err error) {
		if service != nil {
			r.warn(service, "FailedToUpdateEndpointSlices", "UpdateEndpointSlices", err)
		}
	})
	return sooner(result, again), err
}

// warn makes an event of a failure on the Service.
func (r *endpointSliceReconciler) warn(service *corev1.Service, reason, action string, err error) {
	r.recorder.Eventf(referenceToService(service), nil, corev1.EventTypeWarning, reason, action,
		"Endpoints are not up to date, and tried again: %v", err)
}

func (r *endpointSliceReconciler) forget(service types.NamespacedName) {
	r.tracker.Forget(service)
	r.states.forget(service)
	r.gatherer.forget(service)
	r.merger.forget(service)
	r.checks.forget(service)
	r.news.forget(service)
	r.metrics.forget(service)
}

// publish carries out a plan for a Service with a selector. It returns after what
// time to look at the Service again without a reason; zero is never.
func (r *endpointSliceReconciler) publish(ctx context.Context, service *corev1.Service) (again time.Duration, err error) {
	state, err := r.refresh(ctx, service)
	if err == nil {
		err = r.awaitOwnWrites(ctx, client.ObjectKeyFromObject(service), r.showing(state))
	}
	if err == nil {
		// What the event handlers have settled meanwhile, they have noted before.
		state, err = r.refresh(ctx, service)
	}
	if err != nil {
		return 0, err
	}
	shares, err := r.sharesFor(ctx, service)
	if err != nil {
		return 0, err
	}
	changes := state.Plan(shares, state.Trigger())
	if len(changes.MissingNodes) > 0 {
		log.FromContext(ctx).Info("Leaving out pods on nodes that do not exist", "nodes", changes.MissingNodes)
	}
	if err := r.apply(ctx, &changes); err != nil {
		return 0, err
	}
	if changes.Unfinished {
		return soon, nil
	}
	state.Published()
	r.metrics.published(service, &changes)
	r.news.report(service, changes.ZoneHints)
	if err := r.sharesStand(ctx, service, shares); err != nil {
		return 0, err
	}
	if changes.Empty() {
		if again, err := r.checks.run(ctx, service, r.examine); again > 0 || err != nil {
			return again, err
		}
	}
	return r.merge(ctx, service, state, &changes)
}

// sharesFor returns the zones' shares if a Service needs them.
func (r *endpointSliceReconciler) sharesFor(ctx context.Context, service *corev1.Service) (endpointslice.ZoneShares, error) {
	if !endpointslice.AutoTopology(service) {
		return endpointslice.ZoneShares{}, nil
	}
	return r.shares.get(ctx)
}

// sharesStand makes sure that hints by the zones' shares were not made from
// shares that changed meanwhile: whoever changed them saw the hints of before.
func (r *endpointSliceReconciler) sharesStand(ctx context.Context, service *corev1.Service, shares endpointslice.ZoneShares) error {
	if !endpointslice.AutoTopology(service) {
		return nil
	}
	now, err := r.shares.get(ctx)
	if err != nil {
		return err
	}
	if !now.Equal(shares) {
		return fmt.Errorf("%w: the zones' shares have changed", errStale)
	}
	return nil
}

// cleanUp deletes the slices of a Service that has none any more, and ends the
// rest of what there was for it.
func (r *endpointSliceReconciler) cleanUp(ctx context.Context, service *corev1.Service) error {
	key := client.ObjectKeyFromObject(service)
	r.states.forget(key)
	r.checks.forget(key)
	r.news.forget(key)
	r.metrics.forget(key)
	if r.keepOrphans {
		r.tracker.Forget(key)
		return nil
	}
	if err := r.awaitOwnWrites(ctx, key, r.getSlice); err != nil {
		return err
	}
	slices, err := r.listSlices(ctx, key)
	if err != nil {
		return err
	}
	for _, cached := range endpointslice.Orphans(service, slices) {
		slice := &discoveryv1.EndpointSlice{ObjectMeta: *cached.ObjectMeta.DeepCopy()}
		orphan, err := r.isOrphan(ctx, service, slice)
		if err != nil {
			return err
		}
		if !orphan {
			log.FromContext(ctx).V(1).Info("Keeping an EndpointSlice that somebody has edited", "slice", slice.Name)
			continue
		}
		if err := r.delete(ctx, slice); err != nil {
			return err
		}
	}
	return nil
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"

	"servicenet.dev/servicenet/internal/endpoints"
	"servicenet.dev/servicenet/internal/mirroring"
)

// +kubebuilder:rbac:groups="",resources=services;endpoints,verbs=get;list;watch
// +kubebuilder:rbac:groups="",resources=endpoints/finalizers,verbs=update
// +kubebuilder:rbac:groups=discovery.k8s.io,resources=endpointslices,verbs=get;list;watch;create;update;delete
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// mirroringReconciler keeps the EndpointSlices that mirror Endpoints as
// [mirroring.Plan] says they should be.
type mirroringReconciler struct {
	sliceWriter
	metrics      *mirroringMetrics
	maxEndpoints int
	// cleansUp tells that the Endpoints controller runs beside this one and
	// deletes what Services leave behind.
	cleansUp bool
}

// Reconcile brings the mirrored slices of one Service up to date.
func (r *mirroringReconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	started := r.clock.Now()
	err := r.mirror(ctx, request.NamespacedName)
	r.metrics.duration.Observe(r.clock.Since(started).Seconds())
	return conclude(ctx, err, r.tracker.Pending(request.NamespacedName), func(error) {}) // as in the stock controller, a log line is all
}

func (r *mirroringReconciler) mirror(ctx context.Context, key types.NamespacedName) error {
	if err := r.awaitOwnWrites(ctx, key, r.getSlice); err != nil {
		return err
	}
	input, err := r.gather(ctx, key)
	if err != nil {
		return err
	}
	if err := r.withoutOrphan(ctx, input); err != nil {
		return err
	}
	changes := mirroring.Plan(*input)
	if err := r.apply(ctx, &changes.Changes); err != nil {
		return err
	}
	if !mirroring.Mirrored(input.Endpoints, input.Service) {
		r.metrics.forget(key)
		return nil
	}
	r.metrics.published(key, &changes)
	r.report(input.Endpoints, &changes)
	return nil
}

func (r *mirroringReconciler) gather(ctx context.Context, key types.NamespacedName) (*mirroring.Input, error) {
	service, err := r.getService(ctx, key)
	if err != nil {
		return nil, err
	}
	object, err := r.getEndpoints(ctx, key)
	if err != nil {
		return nil, err
	}
	slices, err := r.listSlices(ctx, key)
	if err != nil {
		return nil, err
	}
	return &mirroring.Input{Endpoints: object, Service: service, Slices: slices, MaxEndpointsPerSubset: r.maxEndpoints}, nil
}

// withoutOrphan takes Endpoints out of the input that were made for a selector
// which the Service has no more: they are about to be deleted, and a mirror of
// them would send traffic to pods that nobody watches for this Service.
func (r *mirroringReconciler) withoutOrphan(ctx context.Context, input *mirroring.Input) error {
	if !r.cleansUp || !mirroring.Mirrored(input.Endpoints, input.Service) || !endpoints.Owned(input.Endpoints) {
		return nil
	}
	object := &corev1.Endpoints{ObjectMeta: metav1.ObjectMeta{Namespace: input.Endpoints.Namespace, Name: input.Endpoints.Name}}
	orphan, err := r.isOrphan(ctx, input.Service, object)
	if gone := object.UID == ""; orphan || gone {
		input.Endpoints = nil
	}
	return err
}

// report makes events of addresses that are not mirrored.
func (r *mirroringReconciler) report(object *corev1.Endpoints, changes *mirroring.Changes) {
	if changes.Empty() {
		return // told when it was written
	}
	if invalid := changes.InvalidAddresses; invalid > 0 {
		r.recorder.Eventf(referenceToEndpoints(object), nil, corev1.EventTypeWarning, "InvalidIPAddress", "MirrorEndpoints",
			"%d addresses are not mirrored to EndpointSlices, since they are no IP addresses", invalid)
	}
	if above := changes.SkippedAddresses - changes.InvalidAddresses; above > 0 {
		r.recorder.Eventf(referenceToEndpoints(object), nil, corev1.EventTypeWarning, "TooManyAddressesToMirror", "MirrorEndpoints",
			"%d addresses are not mirrored to EndpointSlices, since %d of a subset are the most", above, r.maxEndpoints)
	}
}

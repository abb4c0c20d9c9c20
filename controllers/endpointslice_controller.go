// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"servicenet.dev/servicenet/internal/endpointslice"
)

// +kubebuilder:rbac:groups="",resources=services;pods;nodes,verbs=get;list;watch
// +kubebuilder:rbac:groups="",resources=services/finalizers,verbs=update
// +kubebuilder:rbac:groups=discovery.k8s.io,resources=endpointslices,verbs=get;list;watch;create;update;delete
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// endpointSliceReconciler keeps the EndpointSlices of a Service as
// [endpointslice.Plan] says they should be.
type endpointSliceReconciler struct {
	sliceWriter
	metrics      *endpointSliceMetrics
	triggers     *endpointslice.Triggers
	shares       *zoneShares
	news         *topologyNews
	maxEndpoints int
	keepOrphans  bool
}

// Reconcile brings the slices of one Service up to date.
func (r *endpointSliceReconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	service, err := r.getService(ctx, request.NamespacedName)
	switch {
	case err != nil:
	case service == nil:
		r.forget(request.NamespacedName) // the garbage collector removes the slices
	case !endpointslice.Managed(service):
		err = r.cleanUp(ctx, service)
	default:
		err = r.publish(ctx, service)
	}
	r.metrics.synced(err)
	return conclude(ctx, err, r.tracker.Pending(request.NamespacedName), func(err error) {
		if service != nil {
			r.warn(service, "FailedToUpdateEndpointSlices", "UpdateEndpointSlices", err)
		}
	})
}

// warn makes an event of a failure on the Service.
func (r *endpointSliceReconciler) warn(service *corev1.Service, reason, action string, err error) {
	r.recorder.Eventf(referenceToService(service), nil, corev1.EventTypeWarning, reason, action,
		"Endpoints are not up to date, and tried again: %v", err)
}

func (r *endpointSliceReconciler) forget(service types.NamespacedName) {
	r.tracker.Forget(service)
	r.triggers.Forget(service)
	r.news.forget(service)
	r.metrics.forget(service)
}

// publish carries out a plan for a Service with a selector.
func (r *endpointSliceReconciler) publish(ctx context.Context, service *corev1.Service) error {
	input, err := r.gather(ctx, service)
	if err != nil {
		return err
	}
	if r.tracker.Behind(client.ObjectKeyFromObject(service), input.Slices, r.clock.Now()) {
		return fmt.Errorf("%w: own writes are missing", errStale)
	}
	trigger := r.triggers.Next(service, input.Pods, endpointslice.Published(input.Slices))
	input.TriggerTime = trigger.Time
	changes := endpointslice.Plan(*input)
	if len(changes.MissingNodes) > 0 {
		log.FromContext(ctx).Info("Leaving out pods on nodes that do not exist", "nodes", changes.MissingNodes)
	}
	if err := r.apply(ctx, &changes); err != nil {
		return err
	}
	r.triggers.Published(trigger)
	r.metrics.published(service, &changes)
	r.news.report(service, changes.ZoneHints)
	return r.sharesStand(ctx, input)
}

// sharesStand makes sure that hints by the zones' shares were not made from
// shares that changed meanwhile: whoever changed them saw the hints of before.
func (r *endpointSliceReconciler) sharesStand(ctx context.Context, input *endpointslice.Input) error {
	if !endpointslice.AutoTopology(input.Service) {
		return nil
	}
	now, err := r.shares.get(ctx)
	if err != nil {
		return err
	}
	if !now.Equal(input.Shares) {
		return fmt.Errorf("%w: the zones' shares have changed", errStale)
	}
	return nil
}

// cleanUp deletes the slices of a Service that has none any more, and ends the
// rest of what there was for it.
func (r *endpointSliceReconciler) cleanUp(ctx context.Context, service *corev1.Service) error {
	key := client.ObjectKeyFromObject(service)
	r.triggers.Forget(key)
	r.news.forget(key)
	r.metrics.forget(key)
	if r.keepOrphans {
		r.tracker.Forget(key)
		return nil
	}
	slices, err := r.listSlices(ctx, key)
	if err != nil {
		return err
	}
	if r.tracker.Behind(key, slices, r.clock.Now()) {
		return fmt.Errorf("%w: own writes are missing", errStale)
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

// gather reads all that a plan is made from.
func (r *endpointSliceReconciler) gather(ctx context.Context, service *corev1.Service) (*endpointslice.Input, error) {
	pods, err := r.listPods(ctx, service)
	if err != nil {
		r.warn(service, "FailedToListPods", "ListPods", err)
		return nil, err
	}
	slices, err := r.listSlices(ctx, client.ObjectKeyFromObject(service))
	if err != nil {
		r.warn(service, "FailedToListEndpointSlices", "ListEndpointSlices", err)
		return nil, err
	}
	zones, err := r.zones(ctx, pods)
	if err != nil {
		return nil, err
	}
	input := &endpointslice.Input{
		Service: service,
		Pods:    pods,
		Slices:  slices,
		ZoneOf: func(node string) (string, bool) {
			zone, exists := zones[node]
			return zone, exists
		},
		MaxEndpoints: r.maxEndpoints,
	}
	if endpointslice.AutoTopology(service) {
		input.Shares, err = r.shares.get(ctx)
	}
	return input, err
}

// zones returns the zones of the nodes that pods run on; a node that does not
// exist is not in the map.
func (r *endpointSliceReconciler) zones(ctx context.Context, pods []*corev1.Pod) (map[string]string, error) {
	zones := map[string]string{}
	for _, pod := range pods {
		name := pod.Spec.NodeName
		if _, known := zones[name]; known || name == "" {
			continue
		}
		var node corev1.Node
		if err := r.reader.Get(ctx, client.ObjectKey{Name: name}, &node); err != nil {
			if apierrors.IsNotFound(err) {
				continue
			}
			return nil, fmt.Errorf("reading node %s: %w", name, err)
		}
		zones[name] = node.Labels[corev1.LabelTopologyZone]
	}
	return zones, nil
}

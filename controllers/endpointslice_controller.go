// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/cluster"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"servicenet.dev/servicenet/internal/endpointslice"
	"servicenet.dev/servicenet/internal/tracker"
)

// +kubebuilder:rbac:groups="",resources=services;pods;nodes,verbs=get;list;watch
// +kubebuilder:rbac:groups="",resources=services/finalizers,verbs=update
// +kubebuilder:rbac:groups=discovery.k8s.io,resources=endpointslices,verbs=get;list;watch;create;update;delete
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// fieldOwner is under whose name the server records what the controllers write.
const fieldOwner = "servicenet"

// eventSource is the stock controller's, so that alerts on its events go on
// working.
const eventSource = "endpoint-slice-controller"

// endpointSliceReconciler keeps the EndpointSlices of a Service as
// [endpointslice.Plan] says they should be.
type endpointSliceReconciler struct {
	reader       client.Reader // the cache; its objects are shared, do not change them
	live         client.Reader
	writer       client.Writer
	recorder     events.EventRecorder
	tracker      *tracker.Tracker[*discoveryv1.EndpointSlice]
	clock        clock.PassiveClock
	maxEndpoints int
}

func newEndpointSliceReconciler(mgr ctrl.Manager, own cluster.Cluster, options Options) *endpointSliceReconciler {
	return &endpointSliceReconciler{
		reader:       own.GetClient(),
		live:         own.GetAPIReader(),
		writer:       client.WithFieldOwner(own.GetClient(), fieldOwner),
		recorder:     mgr.GetEventRecorder(eventSource),
		tracker:      tracker.New(endpointslice.ServiceOf),
		clock:        clock.RealClock{},
		maxEndpoints: options.MaxEndpointsPerSlice,
	}
}

// Reconcile brings the slices of one Service up to date.
func (r *endpointSliceReconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	service := &corev1.Service{}
	if err := r.reader.Get(ctx, request.NamespacedName, service); err != nil {
		if apierrors.IsNotFound(err) {
			r.tracker.Forget(request.NamespacedName) // the garbage collector removes the slices
			return ctrl.Result{}, nil
		}
		return ctrl.Result{}, fmt.Errorf("reading the Service: %w", err)
	}
	if !endpointslice.Managed(service) {
		return ctrl.Result{}, nil
	}
	input, err := r.gather(ctx, service)
	if err != nil {
		return ctrl.Result{}, err
	}
	if r.tracker.Behind(request.NamespacedName, input.Slices, r.clock.Now()) {
		return waitForCache(ctx, "the cache is behind the last writes")
	}
	changes := endpointslice.Plan(*input)
	if len(changes.MissingNodes) > 0 {
		log.FromContext(ctx).Info("Leaving out pods on nodes that do not exist", "nodes", changes.MissingNodes)
	}
	if err := r.apply(ctx, &changes); err != nil {
		if isStale(err) {
			return waitForCache(ctx, err.Error())
		}
		if ctx.Err() != nil {
			return ctrl.Result{}, nil //nolint:nilerr // the manager stops; the next one goes on from here
		}
		r.recorder.Eventf(referenceTo(service), nil, corev1.EventTypeWarning, "FailedToUpdateEndpointSlices", "UpdateEndpointSlices",
			"Endpoints are not up to date, and tried again: %v", err)
		return ctrl.Result{}, err
	}
	return ctrl.Result{}, nil
}

// waitForCache ends a reconcile that would work with old data. The event that
// brings the new data starts the next one; the delay is for an event that never
// comes.
func waitForCache(ctx context.Context, reason string) (ctrl.Result, error) {
	const safetyNet = time.Second
	log.FromContext(ctx).V(1).Info("Waiting for the cache", "reason", reason)
	return ctrl.Result{RequeueAfter: safetyNet}, nil
}

// gather reads all that a plan is made from.
func (r *endpointSliceReconciler) gather(ctx context.Context, service *corev1.Service) (*endpointslice.Input, error) {
	var pods corev1.PodList
	if err := r.reader.List(ctx, &pods, client.InNamespace(service.Namespace), client.MatchingLabels(service.Spec.Selector)); err != nil {
		return nil, fmt.Errorf("listing the pods the Service selects: %w", err)
	}
	var slices discoveryv1.EndpointSliceList
	ofService := client.MatchingFields{serviceNameIndex: service.Name}
	if err := r.reader.List(ctx, &slices, client.InNamespace(service.Namespace), ofService); err != nil {
		return nil, fmt.Errorf("listing the EndpointSlices of the Service: %w", err)
	}
	zones, err := r.zones(ctx, pods.Items)
	if err != nil {
		return nil, err
	}
	return &endpointslice.Input{
		Service: service,
		Pods:    pointers(pods.Items),
		Slices:  pointers(slices.Items),
		ZoneOf: func(node string) (string, bool) {
			zone, exists := zones[node]
			return zone, exists
		},
		MaxEndpoints: r.maxEndpoints,
	}, nil
}

// zones returns the zones of the nodes that pods run on; a node that does not
// exist is not in the map.
func (r *endpointSliceReconciler) zones(ctx context.Context, pods []corev1.Pod) (map[string]string, error) {
	zones := map[string]string{}
	for i := range pods {
		name := pods[i].Spec.NodeName
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

func pointers[T any](items []T) []*T {
	all := make([]*T, len(items))
	for i := range items {
		all[i] = &items[i]
	}
	return all
}

// referenceTo names a Service in events without asking the host's scheme.
func referenceTo(service *corev1.Service) *corev1.ObjectReference {
	return &corev1.ObjectReference{
		APIVersion: "v1", Kind: "Service",
		Namespace: service.Namespace, Name: service.Name, UID: service.UID,
	}
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cluster"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"servicenet.dev/servicenet/internal/endpoints"
	"servicenet.dev/servicenet/internal/endpointslice"
	"servicenet.dev/servicenet/internal/mirroring"
	"servicenet.dev/servicenet/internal/tracker"
)

// setup adds a controller to a manager. Its events and the queue's metrics bear
// the names of the stock controller.
type setup func(mgr ctrl.Manager, own cluster.Cluster, options Options) error

func setups() map[string]setup {
	return map[string]setup{
		EndpointSliceName:          setupEndpointSlice,
		EndpointsName:              setupEndpoints,
		EndpointSliceMirroringName: setupMirroring,
	}
}

// setupEndpointSlice wires the controller of EndpointSlices: Services directly,
// everything else by way of the Services it concerns. At start, Services alone
// are enqueued.
func setupEndpointSlice(mgr ctrl.Manager, own cluster.Cluster, options Options) error {
	counters, err := newEndpointSliceMetrics(metrics.Registry)
	if err != nil {
		return err
	}
	api := newAccess(mgr, own, "endpoint-slice-controller")
	r := &endpointSliceReconciler{
		sliceWriter:  sliceWriter{access: api, tracker: tracker.New(endpointslice.ServiceOf), metrics: counters.sliceMetrics},
		metrics:      counters,
		triggers:     endpointslice.NewTriggers(),
		shares:       &zoneShares{reader: api.reader},
		news:         newTopologyNews(api.recorder),
		maxEndpoints: options.MaxEndpointsPerSlice,
		keepOrphans:  options.KeepOrphanedEndpoints,
	}
	delay := options.EndpointSliceUpdatesBatchPeriod
	pods := &podWatch{reader: api.reader, matters: endpointslice.PodMatters, delay: delay}
	informers := own.GetCache()
	return newController(mgr, EndpointSliceName, "endpoint_slice", options.ConcurrentServiceEndpointSyncs).
		WatchesRawSource(source.Kind(informers, &corev1.Service{}, serviceEvents(), serviceChanges())).
		WatchesRawSource(source.Kind(informers, &corev1.Pod{}, pods.podEvents())).
		WatchesRawSource(source.Kind(informers, &corev1.Node{}, pods.nodeEvents())).
		WatchesRawSource(source.Kind(informers, &corev1.Node{}, r.shares.nodeEvents())).
		WatchesRawSource(source.Kind(informers, &discoveryv1.EndpointSlice{}, sliceEvents(endpointslice.ManagedBy, r.tracker, delay))).
		Complete(r)
}

// setupEndpoints wires the controller of Endpoints.
func setupEndpoints(mgr ctrl.Manager, own cluster.Cluster, options Options) error {
	r := &endpointsReconciler{
		access:      newAccess(mgr, own, "endpoint-controller"),
		tracker:     newEndpointsTracker(),
		triggers:    endpointslice.NewTriggers(),
		departed:    newDepartures(),
		keepOrphans: options.KeepOrphanedEndpoints,
	}
	pods := &podWatch{reader: r.reader, matters: endpoints.PodMatters, delay: options.EndpointUpdatesBatchPeriod}
	informers := own.GetCache()
	return newController(mgr, EndpointsName, "endpoint", options.ConcurrentEndpointSyncs).
		WatchesRawSource(source.Kind(informers, &corev1.Service{}, r.departed.events(), serviceChanges())).
		WatchesRawSource(source.Kind(informers, &corev1.Pod{}, pods.podEvents())).
		WatchesRawSource(source.Kind(informers, &corev1.Endpoints{}, endpointsEvents(r.tracker))).
		Complete(r)
}

// setupMirroring wires the controller of mirrored slices. At start, Endpoints and
// Services are enqueued: one of the two may have gone while its slices are left.
func setupMirroring(mgr ctrl.Manager, own cluster.Cluster, options Options) error {
	counters, err := newMirroringMetrics(metrics.Registry)
	if err != nil {
		return err
	}
	r := &mirroringReconciler{
		sliceWriter: sliceWriter{
			access:  newAccess(mgr, own, "endpoint-slice-mirroring-controller"),
			tracker: tracker.New(endpointslice.ServiceOf), metrics: counters.sliceMetrics,
		},
		metrics:      counters,
		maxEndpoints: options.MirroringMaxEndpointsPerSubset,
		cleansUp:     options.runs(EndpointsName) && !options.KeepOrphanedEndpoints,
	}
	delay := options.MirroringEndpointSliceUpdatesBatchPeriod
	informers := own.GetCache()
	return newController(mgr, EndpointSliceMirroringName, "endpoint_slice_mirroring", options.MirroringConcurrentServiceEndpointSyncs).
		WatchesRawSource(source.Kind(informers, &corev1.Endpoints{}, endpointsChanges(), mirroredChanges())).
		WatchesRawSource(source.Kind(informers, &corev1.Service{}, serviceEvents(), selectorChanges())).
		WatchesRawSource(source.Kind(informers, &discoveryv1.EndpointSlice{}, sliceEvents(mirroring.ManagedBy, r.tracker, delay))).
		Complete(r)
}

func endpointsChanges() handler.TypedEventHandler[*corev1.Endpoints, ctrl.Request] {
	return &handler.TypedEnqueueRequestForObject[*corev1.Endpoints]{}
}

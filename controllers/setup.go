// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cluster"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"servicenet.dev/servicenet/internal/endpoints"
	"servicenet.dev/servicenet/internal/endpointslice"
	"servicenet.dev/servicenet/internal/mirroring"
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

func setupEndpointSlice(mgr ctrl.Manager, own cluster.Cluster, options Options) error {
	counters, err := newEndpointSliceMetrics(metrics.Registry)
	if err != nil {
		return err
	}
	differences, err := newDifferences(metrics.Registry, EndpointSliceName)
	if err != nil {
		return err
	}
	r := newEndpointSliceReconciler(newAccess(mgr, own, "endpoint-slice-controller"), counters, differences, options)
	if r.gatherer.took, err = newPublishing(metrics.Registry, EndpointSliceName); err != nil {
		return err
	}
	return newController(mgr, EndpointSliceName, "endpoint_slice", options.ConcurrentServiceEndpointSyncs,
		own.GetCache(), r.watches(options)).Complete(sparing(options, r))
}

func newEndpointSliceReconciler(
	api access, counters *endpointSliceMetrics, differences prometheus.Counter, options Options,
) *endpointSliceReconciler {
	known := newStates(func() *endpointslice.State { return endpointslice.NewState(options.MaxEndpointsPerSlice) })
	return &endpointSliceReconciler{
		sliceWriter: newSliceWriter(api, counters.sliceMetrics),
		metrics:     counters,
		gatherer:    newGatherer(api.clock, options.EndpointSliceUpdatesBatchPeriod, options.MaxUpdatesGatherPeriod),
		merger:      newMerger(options.SliceMergeRate),
		checks:      newChecks(api.clock, options.EndpointsCheckPeriod, differences),
		states:      known,
		late:        &lateChanges{note: known.notePod},
		shares:      &zoneShares{reader: api.reader},
		news:        newTopologyNews(api.recorder),
		keepOrphans: options.KeepOrphanedEndpoints,
	}
}

// watches are Services directly, and everything else by way of the Services it
// concerns. At start, Services alone are enqueued.
func (r *endpointSliceReconciler) watches(options Options) []watch {
	pods := &podWatch{reader: r.reader, matters: endpointslice.PodMatters, note: r.states.notePod, gatherer: r.gatherer, late: r.late}
	slices := &sliceWatch{managedBy: endpointslice.ManagedBy, own: r.tracker, note: r.states.noteSlice, late: r.late,
		delay: options.EndpointSliceUpdatesBatchPeriod}
	return []watch{
		watching(&corev1.Service{}, r.gatherer.promptly(r.states.introduce, serviceEvents()), serviceChanges()),
		watching(&corev1.Pod{}, pods.podEvents()),
		watching(&corev1.Node{}, pods.nodeEvents()),
		watching(&corev1.Node{}, r.shares.nodeEvents()),
		watching(&discoveryv1.EndpointSlice{}, slices.events()),
		r.checks,
	}
}

func setupEndpoints(mgr ctrl.Manager, own cluster.Cluster, options Options) error {
	differences, err := newDifferences(metrics.Registry, EndpointsName)
	if err != nil {
		return err
	}
	r := newEndpointsReconciler(newAccess(mgr, own, "endpoint-controller"), differences, options)
	if r.gatherer.took, err = newPublishing(metrics.Registry, EndpointsName); err != nil {
		return err
	}
	return newController(mgr, EndpointsName, "endpoint", options.ConcurrentEndpointSyncs,
		own.GetCache(), r.watches()).Complete(sparing(options, r))
}

func newEndpointsReconciler(api access, differences prometheus.Counter, options Options) *endpointsReconciler {
	known := newStates(endpoints.NewState)
	return &endpointsReconciler{
		access:      api,
		tracker:     newEndpointsTracker(),
		gatherer:    newGatherer(api.clock, options.EndpointUpdatesBatchPeriod, options.MaxUpdatesGatherPeriod),
		checks:      newChecks(api.clock, options.EndpointsCheckPeriod, differences),
		states:      known,
		late:        &lateChanges{note: known.notePod},
		departed:    newDepartures(),
		keepOrphans: options.KeepOrphanedEndpoints,
	}
}

func (r *endpointsReconciler) watches() []watch {
	pods := &podWatch{reader: r.reader, matters: endpoints.PodMatters, note: r.states.notePod, gatherer: r.gatherer, late: r.late}
	return []watch{
		watching(&corev1.Service{}, r.gatherer.promptly(r.states.introduce, r.departed.events()), serviceChanges()),
		watching(&corev1.Pod{}, pods.podEvents()),
		watching(&corev1.Endpoints{}, endpointsEvents(r.tracker, r.late)),
		r.checks,
	}
}

func setupMirroring(mgr ctrl.Manager, own cluster.Cluster, options Options) error {
	counters, err := newMirroringMetrics(metrics.Registry)
	if err != nil {
		return err
	}
	r := newMirroringReconciler(newAccess(mgr, own, "endpoint-slice-mirroring-controller"), counters, options)
	return newController(mgr, EndpointSliceMirroringName, "endpoint_slice_mirroring", options.MirroringConcurrentServiceEndpointSyncs,
		own.GetCache(), r.watches(options)).Complete(sparing(options, r))
}

func newMirroringReconciler(api access, counters *mirroringMetrics, options Options) *mirroringReconciler {
	return &mirroringReconciler{
		sliceWriter:  newSliceWriter(api, counters.sliceMetrics),
		metrics:      counters,
		maxEndpoints: options.MirroringMaxEndpointsPerSubset,
		cleansUp:     options.runs(EndpointsName) && !options.KeepOrphanedEndpoints,
	}
}

// watches enqueue Endpoints and Services at start: one of the two may have gone
// while its slices are left.
func (r *mirroringReconciler) watches(options Options) []watch {
	slices := &sliceWatch{managedBy: mirroring.ManagedBy, own: r.tracker, delay: options.MirroringEndpointSliceUpdatesBatchPeriod}
	return []watch{
		watching(&corev1.Endpoints{}, endpointsChanges(), mirroredChanges()),
		watching(&corev1.Service{}, serviceEvents(), selectorChanges()),
		watching(&discoveryv1.EndpointSlice{}, slices.events()),
	}
}

func endpointsChanges() handler.TypedEventHandler[*corev1.Endpoints, ctrl.Request] {
	return &handler.TypedEnqueueRequestForObject[*corev1.Endpoints]{}
}

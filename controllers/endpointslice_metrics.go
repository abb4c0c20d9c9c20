// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"servicenet.dev/servicenet/internal/endpointslice"
)

// endpointSliceMetrics are those of the EndpointSlice controller alone.
type endpointSliceMetrics struct {
	*sliceMetrics
	syncs         *prometheus.CounterVec
	changed       *prometheus.HistogramVec
	distributions *prometheus.GaugeVec

	mu     sync.Mutex
	counts map[types.NamespacedName]string // the traffic distribution a Service is counted under
}

func newEndpointSliceMetrics(registry prometheus.Registerer) (*endpointSliceMetrics, error) {
	r := &registrar{registry: registry, subsystem: "endpoint_slice_controller"}
	m := &endpointSliceMetrics{
		sliceMetrics: newSliceMetrics(r),
		syncs:        r.counter("syncs", "Syncs of Services, by how they ended: success, stale or error", "result"),
		changed: register(r, prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Subsystem: r.subsystem, Name: "endpointslices_changed_per_sync", Help: "EndpointSlices changed in each sync",
		}, []string{"topology", "traffic_distribution"})),
		distributions: register(r, prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Subsystem: r.subsystem, Name: "services_count_by_traffic_distribution",
			Help: "Services that set a traffic distribution, by its value",
		}, []string{"traffic_distribution"})),
		counts: map[types.NamespacedName]string{},
	}
	return m, r.failed()
}

// synced counts a reconcile by how it ended.
func (m *endpointSliceMetrics) synced(err error) {
	result := "success"
	switch {
	case isStale(err):
		result = "stale"
	case err != nil:
		result = "error"
	}
	m.syncs.WithLabelValues(result).Inc()
}

// published counts a plan that was carried out for a Service.
func (m *endpointSliceMetrics) published(service *corev1.Service, changes *endpointslice.Changes) {
	key := types.NamespacedName{Namespace: service.Namespace, Name: service.Name}
	m.planned(key, changes.Stats)
	topology, distribution := "Disabled", ptr.Deref(service.Spec.TrafficDistribution, "")
	if endpointslice.AutoTopology(service) {
		topology, distribution = "Auto", ""
	}
	writes := len(changes.Create) + len(changes.Update) + len(changes.Delete)
	m.changed.WithLabelValues(topology, distribution).Observe(float64(writes))
	m.countDistribution(key, distribution)
}

// forget takes a Service out of the gauges.
func (m *endpointSliceMetrics) forget(service types.NamespacedName) {
	m.sliceMetrics.forget(service)
	m.countDistribution(service, "")
}

func (m *endpointSliceMetrics) countDistribution(service types.NamespacedName, now string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	before := m.counts[service]
	if before == now {
		return
	}
	if before != "" {
		m.distributions.WithLabelValues(before).Dec()
		delete(m.counts, service)
	}
	if now != "" {
		m.distributions.WithLabelValues(now).Inc()
		m.counts[service] = now
	}
}

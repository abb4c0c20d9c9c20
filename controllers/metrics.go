// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"errors"
	"fmt"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/types"

	"servicenet.dev/servicenet/internal/endpointslice"
)

// sliceMetrics are what the two controllers that write EndpointSlices have in
// common, under the names and with the meaning of the stock controllers'. The
// gauges count every address family of a Service.
type sliceMetrics struct {
	added, removed       prometheus.Histogram
	desired, have, ideal prometheus.Gauge
	changes              *prometheus.CounterVec

	mu     sync.Mutex
	counts map[types.NamespacedName]endpointslice.Stats
}

// registrar registers collectors, or takes those of the same name that an
// earlier manager of this process has registered, as happens in test suites.
type registrar struct {
	registry  prometheus.Registerer
	subsystem string
	err       error
}

func register[T prometheus.Collector](r *registrar, collector T) T {
	err := r.registry.Register(collector)
	if already, registered := errors.AsType[prometheus.AlreadyRegisteredError](err); registered {
		if existing, same := already.ExistingCollector.(T); same {
			return existing
		}
	}
	r.err = errors.Join(r.err, err)
	return collector
}

func (r *registrar) gauge(name, help string) prometheus.Gauge {
	return register(r, prometheus.NewGauge(prometheus.GaugeOpts{Subsystem: r.subsystem, Name: name, Help: help}))
}

func (r *registrar) counter(name, help, label string) *prometheus.CounterVec {
	return register(r, prometheus.NewCounterVec(prometheus.CounterOpts{Subsystem: r.subsystem, Name: name, Help: help}, []string{label}))
}

// perSync is a histogram of numbers of things in one reconcile.
func (r *registrar) perSync(name, help string) prometheus.Histogram {
	return register(r, prometheus.NewHistogram(prometheus.HistogramOpts{
		Subsystem: r.subsystem, Name: name, Help: help, Buckets: prometheus.ExponentialBuckets(2, 2, 15),
	}))
}

// failed returns what went wrong so far.
func (r *registrar) failed() error {
	if r.err == nil {
		return nil
	}
	return fmt.Errorf("registering the metrics %s_*: %w", r.subsystem, r.err)
}

// newPublishing returns what observes how long a controller takes to publish changes.
func newPublishing(registry prometheus.Registerer, controller string) (prometheus.Observer, error) {
	r := &registrar{registry: registry, subsystem: "servicenet_endpoints"}
	took := register(r, prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Subsystem: r.subsystem, Name: "publish_duration_seconds",
		Help:    "Time from when a change of a pod is seen until the endpoints of a Service show it, gathering included",
		Buckets: prometheus.ExponentialBuckets(0.005, 2, 16),
	}, []string{"controller"}))
	return took.WithLabelValues(controller), r.failed()
}

func newSliceMetrics(r *registrar) *sliceMetrics {
	return &sliceMetrics{
		added:   r.perSync("endpoints_added_per_sync", "Endpoints added in each sync"),
		removed: r.perSync("endpoints_removed_per_sync", "Endpoints removed in each sync"),
		desired: r.gauge("endpoints_desired", "Endpoints that should be listed"),
		have:    r.gauge("num_endpoint_slices", "EndpointSlices there are"),
		ideal:   r.gauge("desired_endpoint_slices", "EndpointSlices there would be if they were packed as tightly as possible"),
		changes: r.counter("changes", "Changes of EndpointSlices", "operation"),
		counts:  map[types.NamespacedName]endpointslice.Stats{},
	}
}

// changed counts a write.
func (m *sliceMetrics) changed(operation string) { m.changes.WithLabelValues(operation).Inc() }

// planned counts a plan that was carried out.
func (m *sliceMetrics) planned(service types.NamespacedName, stats endpointslice.Stats) {
	m.added.Observe(float64(stats.Added))
	m.removed.Observe(float64(stats.Removed))
	m.mu.Lock()
	defer m.mu.Unlock()
	m.gaugeLocked(m.counts[service], stats)
	m.counts[service] = stats
}

// forget takes a Service that has no endpoints here any more out of the gauges.
func (m *sliceMetrics) forget(service types.NamespacedName) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.gaugeLocked(m.counts[service], endpointslice.Stats{})
	delete(m.counts, service)
}

// reset makes the gauges those of a controller that does nothing.
func (m *sliceMetrics) reset() {
	for _, gauge := range []prometheus.Gauge{m.desired, m.have, m.ideal} {
		gauge.Set(0)
	}
}

func (m *sliceMetrics) gaugeLocked(before, now endpointslice.Stats) {
	m.desired.Add(float64(now.Desired - before.Desired))
	m.have.Add(float64(now.Slices - before.Slices))
	m.ideal.Add(float64(now.IdealSlices - before.IdealSlices))
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/ledger"
)

// Metrics counts what a Store does. It is a prometheus.Collector.
type Metrics struct {
	takes    *prometheus.CounterVec
	latency  *prometheus.HistogramVec
	loans    *prometheus.GaugeVec
	inFlight *prometheus.GaugeVec
	swaps    *prometheus.CounterVec
	batches  prometheus.Histogram
	reclaims prometheus.Counter
}

// NewMetrics returns metrics that count from zero.
func NewMetrics() *Metrics {
	const namespace, subsystem = "servicenet", "ledger"
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Subsystem: subsystem, Name: name, Help: help}, labels)
	}
	gauge := func(name, help string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(
			prometheus.GaugeOpts{Namespace: namespace, Subsystem: subsystem, Name: name, Help: help}, []string{"family"})
	}
	m := &Metrics{
		takes: counter("takes_total",
			"Numbers asked for, by how (automatic, explicit, retained) and outcome (given, taken, full, unavailable).",
			"family", "kind", "outcome"),
		latency: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: namespace, Subsystem: subsystem, Name: "take_duration_seconds",
			Help:    "How long it took to answer for a number.",
			Buckets: prometheus.ExponentialBuckets(10e-6, 4, 11),
		}, []string{"family", "kind"}),
		loans:    gauge("loans", "Numbers this replica has on loan, given ones included."),
		inFlight: gauge("in_flight", "Numbers given to Services that were not seen yet."),
		swaps: counter("swaps_total",
			"Writes of blocks, by outcome (done, conflict, fault).", "family", "outcome"),
		batches: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: namespace, Subsystem: subsystem, Name: "swap_changes",
			Help: "Changes that shared one write of a block.", Buckets: prometheus.ExponentialBuckets(1, 2, 11),
		}),
		reclaims: prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: namespace, Subsystem: subsystem, Name: "reclaimed_total",
			Help: "Numbers taken back from replicas that are gone.",
		}),
	}
	m.begin()
	return m
}

// begin has all that is counted by outcome begin with zero: a count that begins with one
// is no increase to who watches it.
func (m *Metrics) begin() {
	for _, family := range []servicenetv1alpha1.NumberFamily{
		servicenetv1alpha1.ClusterIPv4, servicenetv1alpha1.ClusterIPv6, servicenetv1alpha1.NodePort,
		servicenetv1alpha1.LoadBalancerIPv4, servicenetv1alpha1.LoadBalancerIPv6,
	} {
		for _, outcome := range []string{"done", "conflict", "fault"} {
			m.swaps.WithLabelValues(string(family), outcome)
		}
		for _, kind := range []string{"automatic", "explicit", "retained"} {
			for _, outcome := range []string{"given", "taken", "full", "unavailable"} {
				m.takes.WithLabelValues(string(family), kind, outcome)
			}
		}
	}
}

func (m *Metrics) all() []prometheus.Collector {
	return []prometheus.Collector{m.takes, m.latency, m.loans, m.inFlight, m.swaps, m.batches, m.reclaims}
}

// Describe is of prometheus.Collector.
func (m *Metrics) Describe(descriptions chan<- *prometheus.Desc) {
	for _, c := range m.all() {
		c.Describe(descriptions)
	}
}

// Collect is of prometheus.Collector.
func (m *Metrics) Collect(metrics chan<- prometheus.Metric) {
	for _, c := range m.all() {
		c.Collect(metrics)
	}
}

func (m *Metrics) took(family servicenetv1alpha1.NumberFamily, kind string, begun time.Time, err error) {
	m.takes.WithLabelValues(string(family), kind, outcome(err)).Inc()
	m.latency.WithLabelValues(string(family), kind).Observe(time.Since(begun).Seconds())
}

func outcome(err error) string {
	taken, sharing, full := (*ledger.TakenError)(nil), (*ledger.SharingError)(nil), (*ledger.FullError)(nil)
	switch {
	case err == nil:
		return "given"
	case errors.As(err, &taken), errors.As(err, &sharing):
		return "taken"
	case errors.As(err, &full), errors.Is(err, ledger.ErrNoRoom):
		return "full"
	default:
		return "unavailable"
	}
}

func (m *Metrics) lent(family servicenetv1alpha1.NumberFamily, change float64) {
	m.loans.WithLabelValues(string(family)).Add(change)
}

func (m *Metrics) given(family servicenetv1alpha1.NumberFamily, change float64) {
	m.inFlight.WithLabelValues(string(family)).Add(change)
}

func (m *Metrics) swapped(family servicenetv1alpha1.NumberFamily, outcome string) {
	m.swaps.WithLabelValues(string(family), outcome).Inc()
}

func (m *Metrics) batched(changes int) { m.batches.Observe(float64(changes)) }

func (m *Metrics) reclaimed(count int) { m.reclaims.Add(float64(count)) }

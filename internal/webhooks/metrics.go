// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	admissionv1 "k8s.io/api/admission/v1"
)

// outcome is what was answered.
type outcome string

const (
	// allowed requests were left as they are, patched ones given numbers.
	allowed outcome = "allowed"
	patched outcome = "patched"
	// refused requests are at fault.
	refused outcome = "refused"
	// postponed ones are to be sent again.
	postponed outcome = "postponed"
	// malformedRequest is what no API server sends.
	malformedRequest outcome = "malformed"
	// failed is a fault of the webhook.
	failed outcome = "failed"
)

// Metrics counts answers. It is a prometheus.Collector.
type Metrics struct {
	requests *prometheus.CounterVec
	latency  *prometheus.HistogramVec
}

// NewMetrics returns metrics that count from zero.
func NewMetrics() *Metrics {
	const namespace, subsystem = "servicenet", "webhook"
	return &Metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: namespace, Subsystem: subsystem, Name: "requests_total",
			Help: "Requests answered, by webhook, operation and outcome (allowed, patched, refused, postponed, malformed, failed).",
		}, []string{"webhook", "operation", "outcome"}),
		latency: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: namespace, Subsystem: subsystem, Name: "request_duration_seconds",
			Help:    "How long it took to answer a request, by webhook and operation.",
			Buckets: prometheus.ExponentialBuckets(100e-6, 3, 11),
		}, []string{"webhook", "operation"}),
	}
}

// Describe is of prometheus.Collector.
func (m *Metrics) Describe(descriptions chan<- *prometheus.Desc) {
	m.requests.Describe(descriptions)
	m.latency.Describe(descriptions)
}

// Collect is of prometheus.Collector.
func (m *Metrics) Collect(metrics chan<- prometheus.Metric) {
	m.requests.Collect(metrics)
	m.latency.Collect(metrics)
}

func (m *Metrics) answered(hook string, operation admissionv1.Operation, result outcome, took time.Duration) {
	name := "other" // whoever sends anything must not fill the memory
	switch operation {
	case admissionv1.Create, admissionv1.Update, admissionv1.Delete, admissionv1.Connect:
		name = string(operation)
	}
	for _, fault := range []outcome{postponed, failed} {
		m.requests.WithLabelValues(hook, name, string(fault)) // a count that begins with one is no increase to who watches it
	}
	m.requests.WithLabelValues(hook, name, string(result)).Inc()
	m.latency.WithLabelValues(hook, name).Observe(took.Seconds())
}

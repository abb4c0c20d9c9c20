// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"errors"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/types"
)

// cloudMetrics are those of the controller of a cloud provider's load balancers. Those
// of changes of nodes bear the names that they have in the service controller of
// k8s.io/cloud-provider.
type cloudMetrics struct {
	nodeErrors              prometheus.Counter
	nodeLatency, hostUpdate prometheus.Histogram

	overdue    *prometheus.CounterVec
	unanswered prometheus.Gauge
}

func newCloudMetrics(registry prometheus.Registerer) (*cloudMetrics, error) {
	upstream := &registrar{registry: registry, subsystem: "service_controller"}
	seconds := func(name, help string) prometheus.Histogram {
		return register(upstream, prometheus.NewHistogram(prometheus.HistogramOpts{
			Subsystem: upstream.subsystem, Name: name, Help: help, Buckets: prometheus.ExponentialBuckets(1, 2, 15),
		}))
	}
	own := &registrar{registry: registry, subsystem: "servicenet_cloud"}
	m := &cloudMetrics{
		nodeErrors: register(upstream, prometheus.NewCounter(prometheus.CounterOpts{
			Subsystem: upstream.subsystem, Name: "nodesync_error_total", Help: "Load balancers that could not be led to other nodes",
		})),
		nodeLatency: seconds("nodesync_latency_seconds", "Time from when the nodes change until all load balancers were told, or failed"),
		hostUpdate:  seconds("update_loadbalancer_host_latency_seconds", "Time that it takes to lead one load balancer to other nodes"),
		overdue:     own.counter("overdue_calls_total", "Calls of the provider that took too long", "call"),
		unanswered:  own.gauge("unanswered_calls", "Calls of the provider that took too long and have not returned"),
	}
	return m, errors.Join(upstream.failed(), own.failed())
}

// nodePass is the time in which all load balancers are told of a change of the nodes.
type nodePass struct {
	mu    sync.Mutex
	begun time.Time
	left  map[types.NamespacedName]bool
}

// begin notes a change, of which Services are to be told. One that comes while others
// are still told of the last one makes it last longer.
func (p *nodePass) begin(now time.Time, names []types.NamespacedName) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.left) == 0 {
		p.begun, p.left = now, map[types.NamespacedName]bool{}
	}
	for _, name := range names {
		p.left[name] = true
	}
}

// ended notes that a Service was told, or could not be. It returns how long it took to
// tell all, if this was the last one.
func (p *nodePass) ended(now time.Time, name types.NamespacedName) (took time.Duration, all bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.left[name] {
		return 0, false
	}
	delete(p.left, name)
	return now.Sub(p.begun), len(p.left) == 0
}

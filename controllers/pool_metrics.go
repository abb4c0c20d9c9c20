// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"math/big"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
)

// poolMetrics are how pools stand. It is a prometheus.Collector, which shows all pools of
// one moment.
type poolMetrics struct {
	numbers *prometheus.Desc

	mu     sync.Mutex
	counts map[poolCount]float64
}

// poolCount is what a number of the metric is about.
type poolCount struct{ kind, pool, family, state string }

func newPoolMetrics(registry prometheus.Registerer) (*poolMetrics, error) {
	r := &registrar{registry: registry, subsystem: "servicenet_pool"}
	m := register(r, &poolMetrics{numbers: prometheus.NewDesc(prometheus.BuildFQName("", r.subsystem, "numbers"),
		"Numbers of pools, by what they are: capacity, used, held or free; the leader knows. "+
			"Pools of nodes are not among them: their addresses are shared",
		[]string{"kind", "pool", "family", "state"}, nil)})
	return m, r.failed()
}

// Describe is of prometheus.Collector.
func (m *poolMetrics) Describe(descriptions chan<- *prometheus.Desc) { descriptions <- m.numbers }

// Collect is of prometheus.Collector.
func (m *poolMetrics) Collect(metrics chan<- prometheus.Metric) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for of, count := range m.counts {
		metrics <- prometheus.MustNewConstMetric(m.numbers, prometheus.GaugeValue, count, of.kind, of.pool, of.family, of.state)
	}
}

// show replaces what is shown by how pools stand now.
func (m *poolMetrics) show(states []poolState) {
	counts := map[poolCount]float64{}
	for _, state := range states {
		state.count(counts)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.counts = counts
}

// count adds the numbers of a pool.
func (s *poolState) count(to map[poolCount]float64) {
	add := func(family, state string, count float64) {
		to[poolCount{s.kind, s.object.GetName(), family, state}] = count
	}
	addresses := func(families []servicenetv1alpha1.AddressUsage) {
		for _, of := range families {
			add(of.Family, "capacity", inFloat(of.Capacity))
			add(of.Family, "used", inFloat(of.Used))
			add(of.Family, "held", inFloat(of.Held))
			add(of.Family, "free", inFloat(of.Free))
		}
	}
	switch status := s.after.(type) {
	case *servicenetv1alpha1.ClusterIPPoolStatus:
		addresses(status.Families)
	case *servicenetv1alpha1.LoadBalancerPoolStatus:
		if of, known := s.object.(*servicenetv1alpha1.LoadBalancerPool); known && of.Spec.NodeSelector == nil {
			addresses(status.Families)
		}
	case *servicenetv1alpha1.NodePortPoolStatus:
		add("", "capacity", float64(*status.Capacity))
		add("", "used", float64(*status.Used))
		add("", "held", float64(*status.Held))
		add("", "free", float64(*status.Free))
	}
}

// inFloat returns a number of addresses, of which there may be more than 64 bits count.
func inFloat(text string) float64 {
	number, ok := new(big.Float).SetString(text)
	if !ok {
		return 0
	}
	count, _ := number.Float64()
	return count
}

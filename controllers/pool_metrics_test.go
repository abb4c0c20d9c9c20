// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
)

func newTestPoolMetrics(t *testing.T) (*poolMetrics, *prometheus.Registry) {
	t.Helper()
	registry := prometheus.NewRegistry()
	m, err := newPoolMetrics(registry)
	if err != nil {
		t.Fatal(err)
	}
	return m, registry
}

func TestMetricsShowPoolsAsTheirStatusDoes(t *testing.T) {
	m, registry := newTestPoolMetrics(t)
	named := metav1.ObjectMeta{Name: "shop"}
	usage := []servicenetv1alpha1.AddressUsage{{Family: "IPv6", Capacity: "18446744073709551616", Used: "3", Held: "2", Free: "5"}}
	ofNodes := &servicenetv1alpha1.LoadBalancerPool{ObjectMeta: named}
	ofNodes.Name, ofNodes.Spec.NodeSelector = "nodes", &metav1.LabelSelector{}
	m.show([]poolState{
		{object: &servicenetv1alpha1.ClusterIPPool{ObjectMeta: named}, kind: "ClusterIPPool",
			after: &servicenetv1alpha1.ClusterIPPoolStatus{Families: usage}},
		{object: &servicenetv1alpha1.NodePortPool{ObjectMeta: named}, kind: "NodePortPool",
			after: &servicenetv1alpha1.NodePortPoolStatus{Capacity: new(int32(9)), Used: new(int32(4)), Held: new(int32(3)), Free: new(int32(2))}},
		{object: &servicenetv1alpha1.LoadBalancerPool{ObjectMeta: named}, kind: "LoadBalancerPool",
			after: &servicenetv1alpha1.LoadBalancerPoolStatus{Families: usage}},
		{object: ofNodes, kind: "LoadBalancerPool", after: &servicenetv1alpha1.LoadBalancerPoolStatus{Families: usage}},
	})
	const prefix = "servicenet_pool_numbers{family="
	want := map[string]float64{
		prefix + "IPv6,kind=ClusterIPPool,pool=shop,state=capacity":    18446744073709551616,
		prefix + "IPv6,kind=ClusterIPPool,pool=shop,state=used":        3,
		prefix + "IPv6,kind=ClusterIPPool,pool=shop,state=held":        2,
		prefix + "IPv6,kind=ClusterIPPool,pool=shop,state=free":        5,
		prefix + ",kind=NodePortPool,pool=shop,state=capacity":         9,
		prefix + ",kind=NodePortPool,pool=shop,state=used":             4,
		prefix + ",kind=NodePortPool,pool=shop,state=held":             3,
		prefix + ",kind=NodePortPool,pool=shop,state=free":             2,
		prefix + "IPv6,kind=LoadBalancerPool,pool=shop,state=capacity": 18446744073709551616,
		prefix + "IPv6,kind=LoadBalancerPool,pool=shop,state=used":     3,
		prefix + "IPv6,kind=LoadBalancerPool,pool=shop,state=held":     2,
		prefix + "IPv6,kind=LoadBalancerPool,pool=shop,state=free":     5,
	}
	got := map[string]float64{}
	for name, count := range samples(t, registry) {
		got[name[:len(name)-1]] = count
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("samples (-want +got):\n%s", diff)
	}

	m.show(nil)
	if got := samples(t, registry); len(got) > 0 {
		t.Errorf("pools that are gone are shown: %v", got)
	}
}

// Only the leader knows how pools stand. What it knew is not to be shown beside what the
// next one knows.
func TestMetricsOfPoolsAreThoseOfTheLeader(t *testing.T) {
	inScene(t, func(s *numbersScene) {
		m, registry := newTestPoolMetrics(t)
		s.pool("a", "10.96.1.0/24")
		s.serve("web", "10.96.1.7")
		status := &poolStatus{
			poolUsage: newPoolUsage(s.replica), statuses: s.api, clock: s.repairs.clock, heard: s.news.status, metrics: m,
		}
		s.until(func(ctx context.Context) error { return status.run(ctx) }, func() {
			s.passes(statusPeriod)
			wantSamples(t, registry, map[string]float64{"servicenet_pool_numbers{family=IPv4,kind=ClusterIPPool,pool=a,state=used}": 1})
		})
		if got := samples(t, registry); len(got) > 0 {
			t.Errorf("it shows pools and does not lead: %v", got)
		}
	})
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"net/http"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	corev1 "k8s.io/api/core/v1"

	"servicenet.dev/servicenet/hack/controlplane"
)

// metrics are what a manager serves at /metrics, by name.
type metrics map[string]*dto.MetricFamily

func readMetrics(ctx context.Context, g Gomega, of *controlplane.Manager) metrics {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, of.MetricsURL+"/metrics", http.NoBody)
	g.Expect(err).NotTo(HaveOccurred())
	response, err := http.DefaultClient.Do(request)
	g.Expect(err).NotTo(HaveOccurred())
	defer func() { _ = response.Body.Close() }()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(response.Body)
	g.Expect(err).NotTo(HaveOccurred())
	return families
}

// sum adds up the counters or gauges of a name, or counts what its histograms have
// observed, over all labels.
func (m metrics) sum(name string) float64 {
	total := 0.0
	for _, metric := range m[name].GetMetric() {
		total += metric.GetCounter().GetValue() + metric.GetGauge().GetValue() + float64(metric.GetHistogram().GetSampleCount())
	}
	return total
}

// awaitIdle waits until a manager has looked at every Service at least once
// since it started and has nothing left to do.
func awaitIdle(ctx context.Context, who *controlplane.Manager) {
	GinkgoHelper()
	var services corev1.ServiceList
	Expect(api.List(ctx, &services)).To(Succeed())
	Eventually(func(g Gomega, ctx context.Context) {
		now := readMetrics(ctx, g, who)
		g.Expect(now.sum("controller_runtime_reconcile_total")).To(BeNumerically(">=", len(services.Items)))
		g.Expect(now.sum("workqueue_depth")).To(BeZero())
		g.Expect(now.sum("controller_runtime_active_workers")).To(BeZero())
	}).WithContext(ctx).Should(Succeed())
}

// leads tells whether a manager is the leader.
func leads(who *controlplane.Manager) func(Gomega, context.Context) bool {
	return func(g Gomega, ctx context.Context) bool {
		return readMetrics(ctx, g, who).sum("leader_election_master_status") == 1
	}
}

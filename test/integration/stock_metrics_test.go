// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"maps"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	dto "github.com/prometheus/client_model/go"
	corev1 "k8s.io/api/core/v1"
)

// Prefixes of the metrics of the stock controllers.
const (
	ofSlices  = "endpoint_slice_controller_"
	ofMirrors = "endpoint_slice_mirroring_controller_"
)

var _ = Describe("The metrics of the stock controllers", Serial, func() {
	It("are all there", func(ctx SpecContext) {
		in := newSpace(ctx)
		in.expose(ctx, "web")
		in.awaitMirroring(ctx)
		awaitIdle(ctx, manager)
		now := readMetrics(ctx, Default, manager)
		for _, name := range []string{
			"endpoints_added_per_sync", "endpoints_removed_per_sync", "endpoints_desired", "num_endpoint_slices",
			"desired_endpoint_slices", "changes",
		} {
			Expect(now).To(And(HaveKey(ofSlices+name), HaveKey(ofMirrors+name)))
		}
		Expect(now).To(And(HaveKey(ofSlices+"endpointslices_changed_per_sync"), HaveKey(ofSlices+"syncs")))
		for _, name := range []string{"endpoints_updated_per_sync", "addresses_skipped_per_sync", "endpoints_sync_duration"} {
			Expect(now.sum(ofMirrors+name)).To(BeNumerically(">", 0), name)
		}
		for _, queue := range []string{"endpoint_slice", "endpoint", "endpoint_slice_mirroring"} {
			Expect(now.with("workqueue_adds_total", "name", queue)).To(BeNumerically(">", 0), queue)
		}
	})

	It("count a scene, and nothing of it when it is gone", func(ctx SpecContext) {
		in := newSpace(ctx)
		in.runPods(ctx, "web", 2)
		before := restingGauges(ctx)

		both := in.newService("both", "web")
		both.Spec.IPFamilyPolicy = new(corev1.IPFamilyPolicyRequireDualStack)
		both.Spec.TrafficDistribution = new(corev1.ServiceTrafficDistributionPreferClose)
		Expect(api.Create(ctx, both)).To(Succeed())
		in.expose(ctx, "web")
		in.exposeOutsiders(ctx, "db")
		in.makeEndpoints(ctx, "db", subset(1, "192.0.2.1", "2001:db8::1"), subset(2, "192.0.2.2"))
		Eventually(gaugesSince(before)).WithContext(ctx).Should(Equal(map[string]float64{
			ofSlices + "endpoints_desired":                      6, // 2 in each of both families, and 2
			ofSlices + "num_endpoint_slices":                    3,
			ofSlices + "desired_endpoint_slices":                3,
			ofSlices + "services_count_by_traffic_distribution": 1,
			ofMirrors + "endpoints_desired":                     3,
			ofMirrors + "num_endpoint_slices":                   3,
			ofMirrors + "desired_endpoint_slices":               3,
		}))
		for _, name := range []string{"services_count_by_traffic_distribution", "endpointslices_changed_per_sync"} {
			Expect(readMetrics(ctx, Default, manager).with(ofSlices+name, "traffic_distribution", "PreferClose")).To(BeNumerically(">=", 1))
		}

		By("deleting the Services")
		for _, name := range []string{"both", "web", "db"} {
			in.delete(ctx, &corev1.Service{}, name)
			in.expectGone(ctx, name)
		}
		Eventually(gaugesSince(before)).WithContext(ctx).Should(BeEmpty())
	})

	It("count writes and syncs by what they were", func(ctx SpecContext) {
		in := newSpace(ctx)
		in.runPods(ctx, "web", 1)
		restingVersions(ctx)
		count := func(name, label, value string) func(Gomega, context.Context) float64 {
			was := readMetrics(ctx, Default, manager).with(name, label, value)
			return func(g Gomega, ctx context.Context) float64 {
				return readMetrics(ctx, g, manager).with(name, label, value) - was
			}
		}
		created := count(ofSlices+"changes", "operation", "create")
		updated := count(ofSlices+"changes", "operation", "update")
		deleted := count(ofSlices+"changes", "operation", "delete")
		succeeded := count(ofSlices+"syncs", "result", "success")
		mirrorCreated := count(ofMirrors+"changes", "operation", "create")
		mirrorDeleted := count(ofMirrors+"changes", "operation", "delete")

		in.expose(ctx, "web")
		in.expectNoFaults(ctx, "web", 1)
		in.setReady(ctx, "web-0", false)
		Eventually(in.conditions("web")).WithContext(ctx).Should(HaveKeyWithValue("web-0", "none"))
		in.patch(ctx, &corev1.Service{}, "web", loseSelector)
		Eventually(deleted).WithContext(ctx).Should(BeEquivalentTo(1))
		Expect(created(Default, ctx)).To(BeEquivalentTo(1))
		Expect(updated(Default, ctx)).To(BeEquivalentTo(1))
		Expect(succeeded(Default, ctx)).To(BeNumerically(">=", 3))

		in.exposeOutsiders(ctx, "db")
		in.makeEndpoints(ctx, "db", subset(1, "192.0.2.1"))
		Eventually(mirrorCreated).WithContext(ctx).Should(BeEquivalentTo(1))
		in.patch(ctx, &corev1.Endpoints{}, "db", `{"subsets":null}`)
		Eventually(mirrorDeleted).WithContext(ctx).Should(BeEquivalentTo(1))
	})
})

// with is sum for those that bear a label.
func (m metrics) with(name, label, value string) float64 {
	of := metrics{name: &dto.MetricFamily{}}
	for _, metric := range m[name].GetMetric() {
		for _, pair := range metric.GetLabel() {
			if pair.GetName() == label && pair.GetValue() == value {
				of[name].Metric = append(of[name].Metric, metric)
			}
		}
	}
	return of.sum(name)
}

// mergesBegin is when slices that earlier specs left sparse are being merged at the
// latest, after their last write.
const mergesBegin = 3 * time.Second

// restingGauges are the gauges of the shared manager that the stock controllers have
// too, once it does nothing more about what other specs left.
func restingGauges(ctx context.Context) map[string]float64 {
	GinkgoHelper()
	var last map[string]float64
	Eventually(func(g Gomega, ctx context.Context) {
		before := last
		last = readStockGauges(ctx, g)
		g.Expect(last).To(Equal(before), "something still changes")
	}).WithContext(ctx).WithPolling(mergesBegin).Should(Succeed())
	return last
}

func readStockGauges(ctx context.Context, g Gomega) map[string]float64 {
	now := readMetrics(ctx, g, manager)
	gauges := map[string]float64{ofSlices + "services_count_by_traffic_distribution": now.sum(ofSlices + "services_count_by_traffic_distribution")}
	for _, prefix := range []string{ofSlices, ofMirrors} {
		for _, name := range []string{"endpoints_desired", "num_endpoint_slices", "desired_endpoint_slices"} {
			gauges[prefix+name] = now.sum(prefix + name)
		}
	}
	return gauges
}

// gaugesSince returns a function that tells by how much each of them has grown,
// without those that have not, for Eventually.
func gaugesSince(before map[string]float64) func(Gomega, context.Context) map[string]float64 {
	return func(g Gomega, ctx context.Context) map[string]float64 {
		grown := readStockGauges(ctx, g)
		for name := range grown {
			grown[name] -= before[name]
		}
		maps.DeleteFunc(grown, func(_ string, by float64) bool { return by == 0 })
		return grown
	}
}

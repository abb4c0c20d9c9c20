// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"servicenet.dev/servicenet/internal/endpointslice"
	"servicenet.dev/servicenet/internal/mirroring"
)

// samples returns the values in a registry by name and labels. A histogram has
// its sum, and its count under the name with "_count".
func samples(t *testing.T, registry prometheus.Gatherer) map[string]float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]float64{}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			var labels []string
			for _, label := range metric.GetLabel() {
				labels = append(labels, label.GetName()+"="+label.GetValue())
			}
			suffix := ""
			if len(labels) > 0 {
				suffix = "{" + strings.Join(labels, ",") + "}"
			}
			if histogram := metric.GetHistogram(); histogram != nil {
				found[family.GetName()+suffix] = histogram.GetSampleSum()
				found[family.GetName()+"_count"+suffix] = float64(histogram.GetSampleCount())
				continue
			}
			found[family.GetName()+suffix] = metric.GetGauge().GetValue() + metric.GetCounter().GetValue()
		}
	}
	return found
}

// wantSamples compares some of the samples in a registry.
func wantSamples(t *testing.T, registry prometheus.Gatherer, want map[string]float64) {
	t.Helper()
	got := samples(t, registry)
	for name := range got {
		if _, asked := want[name]; !asked {
			delete(got, name)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("samples (-want +got):\n%s", diff)
	}
}

func newTestMetrics(t *testing.T, registry prometheus.Registerer) *endpointSliceMetrics {
	t.Helper()
	m, err := newEndpointSliceMetrics(registry)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func withDistribution(name, distribution string) *corev1.Service {
	service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name}}
	if distribution != "" {
		service.Spec.TrafficDistribution = new(distribution)
	}
	return service
}

func TestGaugesFollowThePlans(t *testing.T) {
	const prefix = "endpoint_slice_controller_"
	registry := prometheus.NewRegistry()
	m := newTestMetrics(t, registry)
	web, db := types.NamespacedName{Namespace: "shop", Name: "web"}, types.NamespacedName{Namespace: "shop", Name: "db"}
	for i, step := range []struct {
		does                 func()
		desired, have, ideal float64
	}{
		{func() { m.planned(web, endpointslice.Stats{Desired: 250, Slices: 4, IdealSlices: 3}) }, 250, 4, 3},
		{func() { m.planned(db, endpointslice.Stats{Desired: 10, Slices: 2, IdealSlices: 2}) }, 260, 6, 5},
		{func() { m.planned(web, endpointslice.Stats{Desired: 250, Slices: 4, IdealSlices: 3}) }, 260, 6, 5},
		{func() { m.planned(web, endpointslice.Stats{Desired: 20, Slices: 3, IdealSlices: 1}) }, 30, 5, 3},
		{func() { m.forget(db) }, 20, 3, 1},
		{func() { m.forget(db) }, 20, 3, 1},
		{func() { m.planned(db, endpointslice.Stats{Desired: 1, Slices: 1, IdealSlices: 1}) }, 21, 4, 2},
		{func() { m.forget(web); m.forget(db) }, 0, 0, 0},
	} {
		step.does()
		t.Run(fmt.Sprint("step ", i+1), func(t *testing.T) {
			wantSamples(t, registry, map[string]float64{
				prefix + "endpoints_desired": step.desired, prefix + "num_endpoint_slices": step.have,
				prefix + "desired_endpoint_slices": step.ideal,
			})
		})
	}
}

// A dual-stack Service has endpoints in two families, and all of them count.
func TestGaugesCountBothFamilies(t *testing.T) {
	registry := prometheus.NewRegistry()
	m := newTestMetrics(t, registry)
	service := withDistribution("web", "")
	service.Spec.Selector = map[string]string{"app": "web"}
	service.Spec.IPFamilies = []corev1.IPFamily{corev1.IPv4Protocol, corev1.IPv6Protocol}
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web-0"},
		Spec:       corev1.PodSpec{NodeName: "node"},
		Status:     corev1.PodStatus{PodIPs: []corev1.PodIP{{IP: "10.0.0.1"}, {IP: "fd00::1"}}},
	}
	changes := endpointslice.Plan(endpointslice.Input{
		Service: service, Pods: []*corev1.Pod{pod},
		ZoneOf: func(string) (string, bool) { return "", true },
	})
	m.published(service, &changes)
	wantSamples(t, registry, map[string]float64{
		"endpoint_slice_controller_endpoints_desired":                2,
		"endpoint_slice_controller_num_endpoint_slices":              2,
		"endpoint_slice_controller_desired_endpoint_slices":          2,
		"endpoint_slice_controller_endpoints_added_per_sync":         2,
		"endpoint_slice_controller_endpoints_added_per_sync_count":   1,
		"endpoint_slice_controller_endpoints_removed_per_sync":       0,
		"endpoint_slice_controller_endpoints_removed_per_sync_count": 1,
	})
}

// The names and labels are those of the stock controller: dashboards know them.
func TestEndpointSliceMetricsHaveTheStockNames(t *testing.T) {
	registry := prometheus.NewRegistry()
	m := newTestMetrics(t, registry)
	m.published(withDistribution("web", "PreferSameZone"), &endpointslice.Changes{})
	m.sliceMetrics.changed("create")
	m.synced(nil)
	want := []string{
		`endpoint_slice_controller_changes{operation=create}`,
		`endpoint_slice_controller_desired_endpoint_slices`,
		`endpoint_slice_controller_endpoints_added_per_sync`,
		`endpoint_slice_controller_endpoints_added_per_sync_count`,
		`endpoint_slice_controller_endpoints_desired`,
		`endpoint_slice_controller_endpoints_removed_per_sync`,
		`endpoint_slice_controller_endpoints_removed_per_sync_count`,
		`endpoint_slice_controller_endpointslices_changed_per_sync_count{topology=Disabled,traffic_distribution=PreferSameZone}`,
		`endpoint_slice_controller_endpointslices_changed_per_sync{topology=Disabled,traffic_distribution=PreferSameZone}`,
		`endpoint_slice_controller_num_endpoint_slices`,
		`endpoint_slice_controller_services_count_by_traffic_distribution{traffic_distribution=PreferSameZone}`,
		`endpoint_slice_controller_syncs{result=success}`,
	}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(samples(t, registry)))); diff != "" {
		t.Errorf("metrics (-want +got):\n%s", diff)
	}
}

func TestWritesAreCountedByTopology(t *testing.T) {
	auto := withDistribution("web", "PreferSameZone")
	auto.Annotations = map[string]string{corev1.AnnotationTopologyMode: "Auto"}
	for name, test := range map[string]struct {
		service *corev1.Service
		labels  string
	}{
		"neither":           {withDistribution("web", ""), "{topology=Disabled,traffic_distribution=}"},
		"distribution":      {withDistribution("web", "PreferSameNode"), "{topology=Disabled,traffic_distribution=PreferSameNode}"},
		"Auto beats it too": {auto, "{topology=Auto,traffic_distribution=}"},
	} {
		t.Run(name, func(t *testing.T) {
			registry := prometheus.NewRegistry()
			m := newTestMetrics(t, registry)
			writes := make([]*discoveryv1.EndpointSlice, 4)
			m.published(test.service, &endpointslice.Changes{Create: writes[:1], Update: writes[:2], Delete: writes[:4]})
			m.published(test.service, &endpointslice.Changes{})
			const metric = "endpoint_slice_controller_endpointslices_changed_per_sync"
			wantSamples(t, registry, map[string]float64{metric + test.labels: 7, metric + "_count" + test.labels: 2})
		})
	}
}

func TestServicesAreCountedByTrafficDistribution(t *testing.T) {
	const metric = "endpoint_slice_controller_services_count_by_traffic_distribution"
	const zone, node = metric + "{traffic_distribution=PreferSameZone}", metric + "{traffic_distribution=PreferSameNode}"
	registry := prometheus.NewRegistry()
	m := newTestMetrics(t, registry)
	publish := func(name, distribution string, options ...func(*corev1.Service)) {
		service := withDistribution(name, distribution)
		for _, option := range options {
			option(service)
		}
		m.published(service, &endpointslice.Changes{})
	}
	auto := func(s *corev1.Service) { s.Annotations = map[string]string{corev1.AnnotationTopologyMode: "Auto"} }
	for i, step := range []struct {
		does func()
		want map[string]float64
	}{
		{func() { publish("web", "") }, map[string]float64{}},
		{func() { publish("web", "PreferSameZone") }, map[string]float64{zone: 1}},
		{func() { publish("web", "PreferSameZone") }, map[string]float64{zone: 1}},
		{func() { publish("db", "PreferSameZone") }, map[string]float64{zone: 2}},
		{func() { publish("db", "PreferSameNode") }, map[string]float64{zone: 1, node: 1}},
		{func() { publish("db", "PreferSameNode", auto) }, map[string]float64{zone: 1, node: 0}},
		{func() { publish("db", "PreferSameNode") }, map[string]float64{zone: 1, node: 1}},
		{func() { publish("web", "") }, map[string]float64{zone: 0, node: 1}},
		{func() { m.forget(client.ObjectKey{Namespace: "shop", Name: "db"}) }, map[string]float64{zone: 0, node: 0}},
		{func() { m.forget(client.ObjectKey{Namespace: "shop", Name: "db"}) }, map[string]float64{zone: 0, node: 0}},
	} {
		step.does()
		t.Run(fmt.Sprint("step ", i+1), func(t *testing.T) { wantSamples(t, registry, step.want) })
	}
}

func TestSyncsAreCountedByHowTheyEnd(t *testing.T) {
	registry := prometheus.NewRegistry()
	m := newTestMetrics(t, registry)
	for _, err := range []error{nil, nil, nil, errStale, fmt.Errorf("%w: and more", errStale), errors.New("another")} {
		m.synced(err)
	}
	wantSamples(t, registry, map[string]float64{
		"endpoint_slice_controller_syncs{result=success}": 3,
		"endpoint_slice_controller_syncs{result=stale}":   2,
		"endpoint_slice_controller_syncs{result=error}":   1,
	})
}

// A test suite may start several managers in a process. Their metrics add up.
func TestTwoManagersShareTheirMetrics(t *testing.T) {
	registry := prometheus.NewRegistry()
	first, second := newTestMetrics(t, registry), newTestMetrics(t, registry)
	first.published(withDistribution("web", "PreferSameZone"), &endpointslice.Changes{Stats: endpointslice.Stats{Desired: 3, Slices: 1}})
	second.published(withDistribution("web", "PreferSameZone"), &endpointslice.Changes{Stats: endpointslice.Stats{Desired: 5, Slices: 1}})
	first.sliceMetrics.changed("update")
	second.sliceMetrics.changed("update")
	const distributions = "endpoint_slice_controller_services_count_by_traffic_distribution{traffic_distribution=PreferSameZone}"
	wantSamples(t, registry, map[string]float64{
		"endpoint_slice_controller_endpoints_desired":         8,
		"endpoint_slice_controller_changes{operation=update}": 2,
		distributions: 2,
	})
	first.forget(types.NamespacedName{Namespace: "shop", Name: "web"})
	wantSamples(t, registry, map[string]float64{"endpoint_slice_controller_endpoints_desired": 5, distributions: 1})

	if _, err := newMirroringMetrics(registry); err != nil {
		t.Errorf("the mirroring controller's metrics beside them: %v", err)
	}
	if _, err := newMirroringMetrics(registry); err != nil {
		t.Errorf("and twice: %v", err)
	}
}

func TestMetricsOfAnotherShapeAreReported(t *testing.T) {
	for _, name := range []string{"endpoint_slice_controller_endpoints_desired", "endpoint_slice_controller_syncs"} {
		registry := prometheus.NewRegistry()
		registry.MustRegister(prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: "something else"}))
		if _, err := newEndpointSliceMetrics(registry); err == nil || !strings.Contains(err.Error(), "endpoint_slice_controller_*") {
			t.Errorf("%s is taken: the error is %v, want one that says which metrics", name, err)
		}
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(prometheus.NewSummary(prometheus.SummaryOpts{
		Name: "endpoint_slice_controller_endpoints_desired", Help: "Endpoints that should be listed",
	}))
	if _, err := newEndpointSliceMetrics(registry); err == nil {
		t.Error("a summary was taken for a gauge")
	}
}

func TestMirroringMetrics(t *testing.T) {
	registry := prometheus.NewRegistry()
	m, err := newMirroringMetrics(registry)
	if err != nil {
		t.Fatal(err)
	}
	key := types.NamespacedName{Namespace: "shop", Name: "web"}
	m.published(key, &mirroring.Changes{
		Changes: endpointslice.Changes{Stats: endpointslice.Stats{Added: 2, Removed: 3, Desired: 4, Slices: 5, IdealSlices: 6}},
		Updated: 7, SkippedAddresses: 8,
	})
	m.duration.Observe(0.5)
	const prefix = "endpoint_slice_mirroring_controller_"
	want := map[string]float64{
		prefix + "endpoints_added_per_sync": 2, prefix + "endpoints_added_per_sync_count": 1,
		prefix + "endpoints_removed_per_sync": 3, prefix + "endpoints_removed_per_sync_count": 1,
		prefix + "endpoints_desired": 4, prefix + "num_endpoint_slices": 5, prefix + "desired_endpoint_slices": 6,
		prefix + "endpoints_updated_per_sync": 7, prefix + "endpoints_updated_per_sync_count": 1,
		prefix + "addresses_skipped_per_sync": 8, prefix + "addresses_skipped_per_sync_count": 1,
		prefix + "endpoints_sync_duration": 0.5, prefix + "endpoints_sync_duration_count": 1,
	}
	if diff := cmp.Diff(want, samples(t, registry)); diff != "" {
		t.Errorf("samples (-want +got):\n%s", diff)
	}
	m.forget(key)
	wantSamples(t, registry, map[string]float64{
		prefix + "endpoints_desired": 0, prefix + "num_endpoint_slices": 0, prefix + "desired_endpoint_slices": 0,
	})
}

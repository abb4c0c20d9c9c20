// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/types"

	"servicenet.dev/servicenet/internal/mirroring"
)

// mirroringMetrics are those of the mirroring controller.
type mirroringMetrics struct {
	*sliceMetrics
	updated, skipped, duration prometheus.Histogram
}

func newMirroringMetrics(registry prometheus.Registerer) (*mirroringMetrics, error) {
	r := &registrar{registry: registry, subsystem: "endpoint_slice_mirroring_controller"}
	m := &mirroringMetrics{
		sliceMetrics: newSliceMetrics(r),
		updated:      r.perSync("endpoints_updated_per_sync", "Endpoints updated in each sync"),
		skipped:      r.perSync("addresses_skipped_per_sync", "Addresses not mirrored in each sync: no IP addresses, or too many"),
		duration: register(r, prometheus.NewHistogram(prometheus.HistogramOpts{
			Subsystem: r.subsystem, Name: "endpoints_sync_duration", Help: "Duration of a sync in seconds",
			Buckets: prometheus.ExponentialBuckets(0.001, 2, 15),
		})),
	}
	return m, r.failed()
}

// published counts a plan that was carried out.
func (m *mirroringMetrics) published(service types.NamespacedName, changes *mirroring.Changes) {
	m.planned(service, changes.Stats)
	m.updated.Observe(float64(changes.Updated))
	m.skipped.Observe(float64(changes.SkippedAddresses))
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package takeover

import (
	"context"
	"fmt"
	"net/http"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// metrics are what a program serves at /metrics, by name.
type metrics map[string]*dto.MetricFamily

func readMetrics(ctx context.Context, through *http.Client, root string) (metrics, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, root+"/metrics", http.NoBody)
	if err != nil {
		return nil, err
	}
	response, err := through.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("metrics of %s: %s", root, response.Status)
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	return parser.TextToMetricFamilies(response.Body)
}

// sum adds up the counters or gauges of a name, over all labels.
func (m metrics) sum(name string) float64 {
	total := 0.0
	for _, metric := range m[name].GetMetric() {
		total += metric.GetCounter().GetValue() + metric.GetGauge().GetValue()
	}
	return total
}

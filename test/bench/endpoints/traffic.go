// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"net/http"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"servicenet.dev/servicenet/test/bench/endpoints/report"
)

// request says what was asked of the API server and how it answered.
type request struct {
	resource, verb, outcome string
}

// Outcomes of a write.
const (
	succeeded  = "ok"
	conflicted = "conflict"
	refused    = "refused"
)

// traffic counts the writes that an API server has answered.
type traffic map[request]float64

// readTraffic asks an API server for its counters.
func readTraffic(ctx context.Context, through *http.Client, server string) (traffic, error) {
	query, err := http.NewRequestWithContext(ctx, http.MethodGet, server+"/metrics", http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("metrics of the API server: %w", err)
	}
	response, err := through.Do(query)
	if err != nil {
		return nil, fmt.Errorf("metrics of the API server: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("metrics of the API server: %s", response.Status)
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(response.Body)
	if err != nil {
		return nil, fmt.Errorf("metrics of the API server: %w", err)
	}
	return countWrites(families["apiserver_request_total"].GetMetric()), nil
}

func countWrites(metrics []*dto.Metric) traffic {
	counts := traffic{}
	for _, metric := range metrics {
		labels := map[string]string{}
		for _, label := range metric.GetLabel() {
			labels[label.GetName()] = label.GetValue()
		}
		verb, isWrite := writeVerb(labels["verb"])
		if isWrite && labels["dry_run"] == "" {
			counts[request{labels["resource"], verb, outcome(labels["code"])}] += metric.GetCounter().GetValue()
		}
	}
	return counts
}

// writeVerb groups the verbs of the API server that write.
func writeVerb(verb string) (group string, isWrite bool) {
	switch verb {
	case "POST":
		return "create", true
	case "PUT", "PATCH", "APPLY":
		return "update", true
	case "DELETE", "DELETECOLLECTION":
		return "delete", true
	default:
		return "", false
	}
}

func outcome(code string) string {
	switch {
	case code == "409":
		return conflicted
	case len(code) == 3 && code[0] == '2':
		return succeeded
	default:
		return refused
	}
}

// since returns what came after an earlier count.
func (t traffic) since(earlier traffic) traffic {
	difference := traffic{}
	for key, value := range t {
		difference[key] = value - earlier[key]
	}
	return difference
}

// sum adds up the counts of a resource, over all verbs if none is named.
func (t traffic) sum(resource, outcome string, verbs ...string) float64 {
	if len(verbs) == 0 {
		verbs = []string{"create", "update", "delete"}
	}
	total := 0.0
	for _, verb := range verbs {
		total += t[request{resource, verb, outcome}]
	}
	return total
}

// What the endpoint controllers write. The API server itself renews a Lease.
const (
	endpointSlices = "endpointslices"
	endpointsV1    = "endpoints"
	events         = "events"
	leases         = "leases"
)

// fill adds the writes to the figures of a run.
func (t traffic) fill(figures map[report.Figure]float64) {
	figures[report.SliceCreates] = t.sum(endpointSlices, succeeded, "create")
	figures[report.SliceUpdates] = t.sum(endpointSlices, succeeded, "update")
	figures[report.SliceDeletes] = t.sum(endpointSlices, succeeded, "delete")
	figures[report.SliceWrites] = t.sum(endpointSlices, succeeded)
	figures[report.EndpointsWrites] = t.sum(endpointsV1, succeeded)
	figures[report.EventWrites] = t.sum(events, succeeded)
	figures[report.LeaseWrites] = t.sum(leases, succeeded)
	figures[report.Writes] = t.sum(endpointSlices, succeeded) + t.sum(endpointsV1, succeeded) + t.sum(events, succeeded)
	for _, resource := range []string{endpointSlices, endpointsV1, events, leases} {
		figures[report.Conflicts] += t.sum(resource, conflicted)
		figures[report.Errors] += t.sum(resource, refused)
	}
}

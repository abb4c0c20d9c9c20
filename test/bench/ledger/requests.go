// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// requests counts what the API server was asked about blocks, and about the
// objects of addresses.
type requests struct {
	creates, updates, deletes, conflicts int
	blockReads, addressReads             int
}

// writes counts those that failed, too: they cost as much.
func (r requests) writes() int { return r.creates + r.updates + r.deletes }

func (r requests) since(before requests) requests {
	return requests{
		creates: r.creates - before.creates, updates: r.updates - before.updates, deletes: r.deletes - before.deletes,
		conflicts: r.conflicts - before.conflicts, blockReads: r.blockReads - before.blockReads,
		addressReads: r.addressReads - before.addressReads,
	}
}

// requests reads the API server's own counters.
func (w *world) requests(ctx context.Context) (requests, error) {
	stream, err := w.discover.RESTClient().Get().AbsPath("/metrics").Stream(ctx)
	if err != nil {
		return requests{}, fmt.Errorf("metrics of the API server: %w", err)
	}
	defer func() { _ = stream.Close() }()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(stream)
	if err != nil {
		return requests{}, fmt.Errorf("metrics of the API server: %w", err)
	}
	var r requests
	for _, metric := range families["apiserver_request_total"].GetMetric() {
		add(&r, metric)
	}
	return r, nil
}

// add adds what a counter of the API server says.
func add(r *requests, metric *dto.Metric) {
	labels := map[string]string{}
	for _, pair := range metric.GetLabel() {
		labels[pair.GetName()] = pair.GetValue()
	}
	count := int(metric.GetCounter().GetValue())
	switch labels["resource"] + " " + labels["verb"] {
	case "ipaddresses GET":
		r.addressReads += count
	case "allocationblocks GET":
		r.blockReads += count
	case "allocationblocks POST":
		r.creates += count
	case "allocationblocks PUT":
		r.updates += count
	case "allocationblocks DELETE":
		r.deletes += count
	}
	if labels["resource"] == "allocationblocks" && labels["code"] == "409" {
		r.conflicts += count
	}
}

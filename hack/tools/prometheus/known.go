// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// known is what exists.
type known struct {
	// families are metrics, by name.
	families map[string]*dto.MetricFamily
	// open are labels that may have other values than are known.
	open []string
}

func newKnown(open []string) *known {
	return &known{families: map[string]*dto.MetricFamily{}, open: open}
}

// read adds those of a file. What several files have adds up.
func (k *known) read(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	found, err := parser.TextToMetricFamilies(file)
	if err != nil {
		return err
	}
	for name, family := range found {
		if k.families[name] == nil {
			k.families[name] = family
		} else {
			k.families[name].Metric = append(k.families[name].Metric, family.GetMetric()...)
		}
	}
	return nil
}

// series are the labels of each series of a name, such as queries know it: histograms and
// summaries have several. They are nil if there is no such name.
func (k *known) series(name string) []map[string]string {
	if family := k.families[name]; family != nil && family.GetType() != dto.MetricType_HISTOGRAM {
		return labelsOf(family, "")
	}
	for suffix, more := range map[string]string{"_bucket": "le", "_sum": "", "_count": ""} {
		base, cut := strings.CutSuffix(name, suffix)
		family := k.families[base]
		if !cut || family == nil {
			continue
		}
		isHistogram := family.GetType() == dto.MetricType_HISTOGRAM
		if isHistogram || family.GetType() == dto.MetricType_SUMMARY && more == "" {
			return labelsOf(family, more)
		}
	}
	return nil
}

// labelsOf returns the labels of a family's series, each with one more, if that is named.
func labelsOf(family *dto.MetricFamily, more string) []map[string]string {
	all := make([]map[string]string, 0, len(family.GetMetric()))
	for _, metric := range family.GetMetric() {
		labels := map[string]string{}
		for _, pair := range metric.GetLabel() {
			labels[pair.GetName()] = pair.GetValue()
		}
		if more != "" {
			labels[more] = "+Inf"
		}
		all = append(all, labels)
	}
	return all
}

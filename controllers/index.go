// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"servicenet.dev/servicenet/internal/endpointslice"
)

// Indexes of the cache. Each finds the objects of one question without a walk
// over the namespace.
const (
	labelPairIndex   = "label-pair"     // Pods, by each of their labels
	nodeNameIndex    = "spec.nodeName"  // Pods, by their node
	serviceNameIndex = "label-of-owner" // EndpointSlices, by the Service their label names
	topologyIndex    = "topology"       // Services, by the topology they ask for in an annotation
)

// autoTopology is the only value of topologyIndex.
const autoTopology = "auto"

func topology(object client.Object) []string {
	if service, ok := object.(*corev1.Service); ok && endpointslice.Managed(service) && endpointslice.AutoTopology(service) {
		return []string{autoTopology}
	}
	return nil
}

// index is one of them, with the controllers that ask its question.
type index struct {
	kind  client.Object
	name  string
	keys  client.IndexerFunc
	users []string
}

func indexes() []index {
	return []index{
		{&corev1.Service{}, topologyIndex, topology, []string{EndpointSliceName}},
		{&corev1.Pod{}, labelPairIndex, labelPairs, []string{EndpointSliceName, EndpointsName}},
		{&corev1.Pod{}, nodeNameIndex, nodeName, []string{EndpointSliceName}},
		{&discoveryv1.EndpointSlice{}, serviceNameIndex, serviceName, []string{EndpointSliceName, EndpointSliceMirroringName}},
	}
}

// addIndexes adds those that the selected controllers need: an index starts the
// watch of its kind.
func addIndexes(ctx context.Context, indexer client.FieldIndexer, selection []string) error {
	for _, index := range indexes() {
		if !slices.ContainsFunc(index.users, func(name string) bool { return selected(name, selection) }) {
			continue
		}
		if err := indexer.IndexField(ctx, index.kind, index.name, index.keys); err != nil {
			return fmt.Errorf("adding the index %q of %T: %w", index.name, index.kind, err)
		}
	}
	return nil
}

func pairsOf(set map[string]string) []string {
	pairs := make([]string, 0, len(set))
	for key, value := range set {
		pairs = append(pairs, labelPair(key, value))
	}
	return pairs
}

func labelPairs(object client.Object) []string { return pairsOf(object.GetLabels()) }

func labelPair(key, value string) string { return key + "=" + value }

func nodeName(object client.Object) []string {
	if pod, ok := object.(*corev1.Pod); ok && pod.Spec.NodeName != "" {
		return []string{pod.Spec.NodeName}
	}
	return nil
}

func serviceName(object client.Object) []string {
	if name := object.GetLabels()[discoveryv1.LabelServiceName]; name != "" {
		return []string{name}
	}
	return nil
}

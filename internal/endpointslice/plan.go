// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpointslice

import (
	"cmp"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
)

// Limits of the number of endpoints in one slice. The upper one is the API's.
const (
	DefaultMaxEndpoints = 100
	MaxMaxEndpoints     = 1000
)

// Input is all that a plan is made from. Nothing in it is changed.
type Input struct {
	Service *corev1.Service
	// Pods are those of the Service's namespace that its selector matches.
	Pods []*corev1.Pod
	// Slices are all slices labelled with the Service's name, whoever manages
	// them.
	Slices []*discoveryv1.EndpointSlice
	// ZoneOf returns the zone of a node, empty when it has none, and whether
	// there is such a node.
	ZoneOf func(node string) (zone string, exists bool)
	// MaxEndpoints is how many endpoints a slice holds at most. Zero means
	// DefaultMaxEndpoints.
	MaxEndpoints int
}

// Plan returns the writes that make the slices of a Service list exactly its
// endpoints. Equal input gives an equal plan, and a plan carried out in full
// leaves nothing to do.
func Plan(in Input) Changes {
	if !Managed(in.Service) {
		return Changes{}
	}
	families := AddressTypes(in.Service)
	labels := sliceLabels(in.Service)
	usable, obsolete := sortSlices(&in, families)
	pods, missingNodes := locate(&in)

	var edits []*edit
	for _, family := range families {
		p := packer{family: family, labels: labels, limit: cmp.Or(in.MaxEndpoints, DefaultMaxEndpoints)}
		edits = append(edits, p.packFamily(usable[family], desire(in.Service, pods, family))...)
	}
	w := writer{service: in.Service, labels: labels, names: NewNamer(in.Service, in.Slices)}
	changes := w.changes(edits, obsolete)
	changes.MissingNodes = missingNodes
	return changes
}

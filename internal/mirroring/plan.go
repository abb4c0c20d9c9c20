// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package mirroring

import (
	"cmp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"servicenet.dev/servicenet/internal/endpointslice"
)

// ManagedBy is the value of the endpointslice.kubernetes.io/managed-by label on
// every mirrored slice. It is the stock controller's, because it names a role
// and not a program.
const ManagedBy = "endpointslicemirroring-controller.k8s.io"

// Limits of the number of addresses mirrored of one subset. The upper one is
// the API's for a slice.
const (
	DefaultMaxEndpointsPerSubset = 1000
	MaxMaxEndpointsPerSubset     = 1000
)

// Input is all that a plan is made from. Nothing in it is changed.
type Input struct {
	// Endpoints is the object to mirror, nil when there is none.
	Endpoints *corev1.Endpoints
	// Service is the one of the same name, nil when there is none.
	Service *corev1.Service
	// Slices are all slices labelled with the name, whoever manages them.
	Slices []*discoveryv1.EndpointSlice
	// MaxEndpointsPerSubset is how many addresses of a subset are mirrored at
	// most, both families together. Zero means DefaultMaxEndpointsPerSubset.
	MaxEndpointsPerSubset int
}

// Changes are the writes of a plan, and what events and metrics tell of it.
type Changes struct {
	// Changes hold the writes and what is counted for any kind of slice; Removed
	// includes all that slices list which are deleted or get other ports.
	endpointslice.Changes
	// Updated counts endpoints that stay in their slice and change there.
	Updated int
	// InvalidAddresses counts addresses that are no IP.
	InvalidAddresses int
	// SkippedAddresses counts all addresses that are not mirrored: the invalid
	// ones, and those beyond the limit.
	SkippedAddresses int
}

// Plan returns the writes that make the mirrored slices list exactly what the
// Endpoints do. Equal input gives an equal plan, and a plan carried out in full
// leaves nothing to do.
func Plan(in Input) Changes {
	existing := mirroredSlices(in.Slices)
	if !Mirrored(in.Endpoints, in.Service) {
		return Changes{Changes: endpointslice.Changes{
			Delete: existing,
			Stats:  endpointslice.Stats{Removed: countEndpoints(existing)},
		}}
	}
	want := desire(in.Endpoints, cmp.Or(in.MaxEndpointsPerSubset, DefaultMaxEndpointsPerSubset))
	wanted := metadataOf(in.Endpoints)
	edits, counted := match(want.sorted(), existing, &wanted)

	w := writer{endpoints: in.Endpoints, metadata: &wanted, names: endpointslice.NewNamer(in.Endpoints, in.Slices)}
	changes := Changes{
		Changes:          w.changes(edits),
		Updated:          counted.updated,
		InvalidAddresses: want.invalid,
		SkippedAddresses: want.skipped,
	}
	changes.Stats = endpointslice.Stats{
		Added:       counted.added,
		Removed:     counted.removed,
		Desired:     want.count(),
		Slices:      len(existing) + len(changes.Create) - len(changes.Delete),
		IdealSlices: len(want.groups), // none holds more than fits into a slice
	}
	return changes
}

// mirroredSlices returns the slices of this controller that are not on their
// way out, by name, so that of two with the same ports every replica keeps the
// same one.
func mirroredSlices(all []*discoveryv1.EndpointSlice) []*discoveryv1.EndpointSlice {
	var mirrored []*discoveryv1.EndpointSlice
	for _, slice := range all {
		if slice.Labels[discoveryv1.LabelManagedBy] == ManagedBy && slice.DeletionTimestamp == nil {
			mirrored = append(mirrored, slice)
		}
	}
	slices.SortFunc(mirrored, func(a, b *discoveryv1.EndpointSlice) int { return strings.Compare(a.Name, b.Name) })
	return mirrored
}

func countEndpoints(all []*discoveryv1.EndpointSlice) int {
	count := 0
	for _, slice := range all {
		count += len(slice.Endpoints)
	}
	return count
}

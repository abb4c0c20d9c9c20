// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpointslice

import (
	"cmp"
	"time"

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
	// Shares says how much of the cluster's CPU each zone has. Only a Service
	// with [AutoTopology] needs it.
	Shares ZoneShares
	// TriggerTime is when the change happened that the plan publishes, as
	// [Triggers] has it. Zero means that it is not known.
	TriggerTime time.Time
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

	auto := AutoTopology(in.Service)
	var edits []*edit
	var zoneHints []ZoneHints
	var stats Stats
	for _, family := range families {
		p := packer{family: family, labels: labels, limit: cmp.Or(in.MaxEndpoints, DefaultMaxEndpoints), keepHints: auto}
		packed := p.packFamily(usable[family], desire(in.Service, pods, family))
		if auto {
			zoneHints = append(zoneHints, hintZones(family, packed, in.Shares))
		}
		edits = append(edits, packed...)
		stats = stats.plus(p.stats)
	}
	w := writer{
		service: in.Service, labels: labels, names: NewNamer(in.Service, in.Slices),
		triggerTime: in.TriggerTime,
	}
	changes := w.changes(edits, obsolete)
	changes.ZoneHints, changes.Stats = zoneHints, stats
	changes.MissingNodes = missingNodes
	return changes
}

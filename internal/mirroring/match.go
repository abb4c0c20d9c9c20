// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package mirroring

import (
	discoveryv1 "k8s.io/api/discovery/v1"

	"servicenet.dev/servicenet/internal/endpointslice"
)

// edit is what becomes of one slice.
type edit struct {
	current   *discoveryv1.EndpointSlice // nil for a slice still to be created
	want      *group                     // nil for a slice to be deleted
	endpoints []discoveryv1.Endpoint     // what it will list
	touched   bool                       // differs from current
}

// counts are numbers of endpoints.
type counts struct {
	added, updated, removed int
}

// match finds the slice of each group. A slice with the group's ports is kept,
// the first of several. A group without one takes over a slice that nobody
// needs any more, so that an edit of a port is one write, in place, and what
// others put on the slice (finalizers) survives. What is left of the slices is
// deleted.
func match(groups []*group, existing []*discoveryv1.EndpointSlice, wanted *metadata) ([]*edit, counts) {
	byKey := make(map[groupKey]*discoveryv1.EndpointSlice, len(existing))
	for _, slice := range existing {
		if key := keyOf(slice); byKey[key] == nil {
			byKey[key] = slice
		}
	}
	var edits []*edit
	var total counts
	var homeless []*group
	used := make(map[*discoveryv1.EndpointSlice]bool, len(existing))
	for _, g := range groups {
		slice := byKey[g.groupKey]
		if slice == nil {
			homeless = append(homeless, g)
			total.added += len(g.order)
			continue
		}
		used[slice] = true
		endpoints, differences := g.merge(slice.Endpoints)
		total.added += differences.added
		total.updated += differences.updated
		total.removed += differences.removed
		edits = append(edits, &edit{
			current: slice, want: g, endpoints: endpoints,
			touched: differences != counts{} || !wanted.on(slice),
		})
	}
	var spare []*discoveryv1.EndpointSlice
	for _, slice := range existing {
		if !used[slice] {
			spare = append(spare, slice)
		}
	}
	total.removed += countEndpoints(spare)
	return append(edits, recycle(homeless, spare)...), total
}

func keyOf(slice *discoveryv1.EndpointSlice) groupKey {
	return groupKey{family: slice.AddressType, ports: endpointslice.KeyOfPorts(slice.Ports)}
}

// merge brings the endpoints of a slice up to date: those still wanted keep
// their order, since another order alone is worth no write, and new ones follow.
func (g *group) merge(current []discoveryv1.Endpoint) ([]discoveryv1.Endpoint, counts) {
	var differences counts
	merged := make([]discoveryv1.Endpoint, 0, len(g.order))
	listed := make(map[endpointslice.EndpointKey]bool, len(g.order))
	for i := range current {
		id := endpointslice.Identify(&current[i])
		endpoint, wanted := g.byID[id]
		if !wanted || listed[id] {
			differences.removed++
			continue
		}
		listed[id] = true
		if !endpointslice.SameContent(&endpoint, &current[i]) {
			differences.updated++
		}
		merged = append(merged, endpoint)
	}
	for _, id := range g.order {
		if !listed[id] {
			differences.added++
			merged = append(merged, g.byID[id])
		}
	}
	return merged, differences
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package mirroring

import (
	discoveryv1 "k8s.io/api/discovery/v1"

	"servicenet.dev/servicenet/internal/endpointslice"
)

// recycle gives groups without a slice those that are to spare, and returns the
// edits of both. A slice that lists one of the group's endpoints comes first:
// an endpoint that stays in its slice need not move.
func recycle(homeless []*group, spare []*discoveryv1.EndpointSlice) []*edit {
	pool := newSpares(spare)
	heirs := make(map[*group]*discoveryv1.EndpointSlice, len(homeless))
	for _, g := range homeless {
		heirs[g] = pool.takeHolder(g)
	}
	edits := make([]*edit, 0, len(homeless)+len(spare))
	for _, g := range homeless {
		slice := heirs[g]
		if slice == nil {
			slice = pool.takeAny(g.family)
		}
		e := &edit{current: slice, want: g, touched: true}
		var listed []discoveryv1.Endpoint
		if slice != nil {
			listed = slice.Endpoints
		}
		e.endpoints, _ = g.merge(listed)
		edits = append(edits, e)
	}
	for _, slice := range spare {
		if !pool.taken[slice] {
			edits = append(edits, &edit{current: slice, touched: true})
		}
	}
	return edits
}

// spares holds the slices to spare.
type spares struct {
	byFamily map[discoveryv1.AddressType][]*discoveryv1.EndpointSlice
	holders  map[listedIn]*discoveryv1.EndpointSlice // one that lists an endpoint
	taken    map[*discoveryv1.EndpointSlice]bool
}

// listedIn names an endpoint in the slices of a family.
type listedIn struct {
	family discoveryv1.AddressType
	id     endpointslice.EndpointKey
}

func newSpares(spare []*discoveryv1.EndpointSlice) *spares {
	s := &spares{
		byFamily: map[discoveryv1.AddressType][]*discoveryv1.EndpointSlice{},
		holders:  map[listedIn]*discoveryv1.EndpointSlice{},
		taken:    map[*discoveryv1.EndpointSlice]bool{},
	}
	for _, slice := range spare {
		s.byFamily[slice.AddressType] = append(s.byFamily[slice.AddressType], slice)
		for i := range slice.Endpoints {
			s.holders[listedIn{slice.AddressType, endpointslice.Identify(&slice.Endpoints[i])}] = slice
		}
	}
	return s
}

// takeHolder takes a slice that lists one of the group's endpoints, if any.
func (s *spares) takeHolder(g *group) *discoveryv1.EndpointSlice {
	for _, id := range g.order {
		slice := s.holders[listedIn{g.family, id}]
		if slice != nil && !s.taken[slice] {
			s.taken[slice] = true
			return slice
		}
	}
	return nil
}

// takeAny takes a slice of the family, if any is left.
func (s *spares) takeAny(family discoveryv1.AddressType) *discoveryv1.EndpointSlice {
	for len(s.byFamily[family]) > 0 {
		slice := s.byFamily[family][0]
		s.byFamily[family] = s.byFamily[family][1:]
		if !s.taken[slice] {
			s.taken[slice] = true
			return slice
		}
	}
	return nil
}

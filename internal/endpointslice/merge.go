// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpointslice

import (
	"slices"
	"strings"
	"time"
)

// Sparse slices, as a scale-down leaves them, are merged when a Service is at rest:
// the emptiest are moved into the fullest, each slice filled is written once, and
// each that is emptied is deleted after that. Until then its endpoints are listed
// twice and alike.
const (
	// spareRoom is what part of the slices is left free when slices are merged, one
	// in so many, so that the next few pods find room and merging is not undone.
	spareRoom = 10
	// sparse is at how many slices above what could hold the endpoints they are
	// merged, one in so many.
	sparse = 3
)

// Sparse tells whether there are so many slices that it may be worth merging them.
func (s Stats) Sparse() bool { return s.Slices*sparse > s.IdealSlices*(sparse+1) }

// Merge returns the writes that merge sparse slices, empty if there is nothing to
// gain, or a plan has something to do first. It empties so many slices at most. A
// Service with [AutoTopology] is left alone, since its hints would have to be
// divided anew.
func (s *State) Merge(most int) Changes {
	if AutoTopology(s.service) || s.service.DeletionTimestamp != nil || len(s.obsolete) > 0 {
		return Changes{}
	}
	var edits []*edit
	var stats Stats
	for _, addressType := range s.families {
		f, _ := familyOf(addressType)
		p := packer{State: s, shelf: s.shelves[f]}
		if len(p.shelf.homeless) > 0 || len(p.shelf.open) > 0 {
			return Changes{}
		}
		merged := p.merge(most - len(edits))
		p.describe(merged)
		p.count(p.shelf.usable, merged)
		stats = stats.plus(p.stats)
		edits = append(edits, merged...)
	}
	w := writer{service: s.service, labels: s.labels, triggerTime: time.Time{}}
	changes := w.changes(edits, nil)
	changes.Stats = stats
	return changes
}

// merge merges slices of every set of ports.
func (p *packer) merge(most int) []*edit {
	var edits []*edit
	for _, set := range slices.SortedFunc(p.sets(), func(a, b *portSet) int { return strings.Compare(string(a.key), string(b.key)) }) {
		emptied := min(p.surplus(&set.groups[p.shelf.family]), most)
		if emptied > 0 {
			edits = append(edits, p.mergeGroup(set, emptied)...)
			most -= emptied
		}
	}
	return edits
}

// sets goes through all sets of ports.
func (p *packer) sets() func(yield func(*portSet) bool) {
	return func(yield func(*portSet) bool) {
		for _, set := range p.portSets {
			if !yield(set) {
				return
			}
		}
	}
}

// surplus is how many slices of a group should be emptied. One slice more than are
// needed is left alone among many, since it costs less than to merge again and
// again.
func (p *packer) surplus(g *group) int {
	have, filled := len(g.settled), p.limit-p.limit/spareRoom
	enough := (g.wanted + filled - 1) / filled
	if stats := (Stats{Slices: have, IdealSlices: (g.wanted + p.limit - 1) / p.limit}); !stats.Sparse() {
		return 0
	}
	return max(have-enough, 0)
}

// mergeGroup moves what the emptiest slices list into the fullest that have room.
func (p *packer) mergeGroup(set *portSet, emptied int) []*edit {
	settled := set.groups[p.shelf.family].settled
	stay, leave := settled[:len(settled)-emptied], settled[len(settled)-emptied:]
	var edits []*edit
	var moving []*member
	for _, h := range leave {
		moving = append(moving, p.listed(h)...)
		edits = append(edits, &edit{
			current: h.slice, family: p.shelf.addressType, touched: true, removed: true,
			leaving: p.leave(nil, h.slice.Endpoints, p.shelf.family),
		})
	}
	for _, h := range stay {
		if len(moving) == 0 {
			break
		}
		members := p.listed(h)
		e := &edit{current: h.slice, family: p.shelf.addressType, ports: set.ports, members: members, kept: len(members)}
		if moving = p.fill(e, moving); e.touched {
			edits = append(edits, e)
		}
	}
	return edits
}

// listed returns the members that a settled slice lists.
func (s *State) listed(h *held) []*member {
	members := make([]*member, len(h.slice.Endpoints))
	for i := range members {
		members[i] = s.members[h.slice.Endpoints[i].TargetRef.Name]
	}
	return members
}

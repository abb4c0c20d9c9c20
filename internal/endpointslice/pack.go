// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpointslice

import (
	"maps"
	"slices"

	discoveryv1 "k8s.io/api/discovery/v1"
)

// edit is what becomes of one slice.
type edit struct {
	current   *discoveryv1.EndpointSlice // nil for a slice still to be created
	family    discoveryv1.AddressType
	ports     []discoveryv1.EndpointPort
	endpoints []discoveryv1.Endpoint
	touched   bool // differs from current, so it is written in any case
	removed   bool // has nothing left to list
}

// room is how many endpoints a slice can still take.
func (e *edit) room(limit int) int { return max(0, limit-len(e.endpoints)) }

// packer packs the endpoints of one address family into slices, group by group.
type packer struct {
	family discoveryv1.AddressType
	labels map[string]string
	limit  int // endpoints a slice
	// keepHints is for hints that depend on other endpoints: they are decided
	// once all slices are packed, and until then stay as they are.
	keepHints bool
	stats     Stats
}

// packFamily packs every port set. A family without any endpoint keeps one empty
// slice, the placeholder: it says "none" where no slice would say "not known
// yet".
func (p *packer) packFamily(existing byPorts, want desired) []*edit {
	edits := p.rehome(existing, want)
	for _, key := range want.keys() {
		edits = append(edits, p.pack(existing[key], want[key])...)
	}
	if len(want) == 0 {
		edits = p.placeholder(edits)
	}
	p.count(edits, want)
	return edits
}

// count adds to the statistics what a packed family amounts to.
func (p *packer) count(edits []*edit, want desired) {
	for _, e := range edits {
		if !e.removed {
			p.stats.Slices++
		}
	}
	for _, key := range want.keys() {
		p.stats.Desired += len(want[key].order)
		p.stats.IdealSlices += (len(want[key].order) + p.limit - 1) / p.limit
	}
	if len(want) == 0 {
		p.stats.IdealSlices++
	}
}

// rehome gives slices whose ports nobody has any more to the port set that
// their endpoints have now, so that after an edit of a target port each slice is
// written once and in place, and no endpoint is unlisted in between. What has
// no successor is returned as removed.
func (p *packer) rehome(existing byPorts, want desired) []*edit {
	var removed []*edit
	for _, key := range existing.keys() {
		if want[key] != nil {
			continue
		}
		for _, slice := range existing[key] {
			if heir, found := want.holderOf(slice.Endpoints); found {
				existing[heir] = append(existing[heir], slice)
				continue
			}
			p.stats.Removed += len(slice.Endpoints)
			removed = append(removed, &edit{current: slice, family: p.family, touched: true, removed: true})
		}
	}
	return removed
}

// placeholder spares from removal one slice that is a placeholder already, or
// adds a new one.
func (p *packer) placeholder(removed []*edit) []*edit {
	for _, e := range removed {
		if len(e.current.Ports) == 0 && len(e.current.Endpoints) == 0 {
			e.removed = false
			e.touched = !maps.Equal(e.current.Labels, p.labels)
			return removed
		}
	}
	return append(removed, &edit{family: p.family})
}

// pack fits one port set's endpoints into its slices and as few others as it
// can, changing as few slices as it can: every slice written reaches every node.
func (p *packer) pack(existing []*discoveryv1.EndpointSlice, want *endpointSet) []*edit {
	edits := make([]*edit, 0, len(existing))
	for _, slice := range existing {
		edits = append(edits, p.keep(slice, want))
	}
	rest := want.rest()
	p.stats.Added += len(rest)
	return p.place(edits, want.ports, rest)
}

// keep leaves the endpoints of a slice that are still wanted where they are,
// brings them up to date, and drops the others. What lies beyond the limit
// stays in the set, to be placed elsewhere. A slice that keeps none goes, unless
// a new one takes its name.
func (p *packer) keep(slice *discoveryv1.EndpointSlice, want *endpointSet) *edit {
	kept := &edit{
		current: slice,
		family:  p.family,
		ports:   want.ports,
		touched: !maps.Equal(slice.Labels, p.labels) || KeyOfPorts(slice.Ports) != KeyOfPorts(want.ports),
	}
	kept.endpoints = make([]discoveryv1.Endpoint, 0, len(slice.Endpoints))
	for i := range slice.Endpoints {
		if kept.room(p.limit) == 0 {
			kept.touched = true
			break
		}
		endpoint, wanted := want.take(Identify(&slice.Endpoints[i]))
		if !wanted {
			p.stats.Removed++
			kept.touched = true
			continue
		}
		if p.keepHints {
			endpoint.Hints = slice.Endpoints[i].Hints
		}
		kept.touched = kept.touched || !SameContent(&endpoint, &slice.Endpoints[i])
		kept.endpoints = append(kept.endpoints, endpoint)
	}
	if len(kept.endpoints) == 0 {
		kept.touched, kept.removed = true, true
	}
	return kept
}

// place finds slices for endpoints that lie in none: first those that are
// written anyway, fullest first, then one untouched slice that takes all that
// remains, then new slices. The remainder is never spread over several
// untouched slices, since each would be one more write.
func (p *packer) place(edits []*edit, ports []discoveryv1.EndpointPort, rest []discoveryv1.Endpoint) []*edit {
	for _, target := range fillable(edits) {
		rest = p.fill(target, rest)
	}
	for len(rest) > 0 {
		target := p.bestFit(edits, len(rest))
		if target == nil {
			target = &edit{family: p.family, ports: ports}
			edits = append(edits, target)
		}
		rest = p.fill(target, rest)
	}
	return edits
}

// fillable returns the slices that are written anyway and stay, fullest first.
func fillable(edits []*edit) []*edit {
	var open []*edit
	for _, e := range edits {
		if e.touched && !e.removed {
			open = append(open, e)
		}
	}
	slices.SortStableFunc(open, func(a, b *edit) int { return len(b.endpoints) - len(a.endpoints) })
	return open
}

// bestFit returns the untouched slice that takes n endpoints and is then the
// fullest, or nil when a new slice is due.
func (p *packer) bestFit(edits []*edit, n int) *edit {
	var best *edit
	for _, e := range edits {
		if e.touched || e.room(p.limit) < n {
			continue
		}
		if best == nil || len(e.endpoints) > len(best.endpoints) {
			best = e
		}
	}
	return best
}

// fill moves as many endpoints into a slice as it takes and returns the others.
func (p *packer) fill(target *edit, rest []discoveryv1.Endpoint) []discoveryv1.Endpoint {
	n := min(len(rest), target.room(p.limit))
	if n == 0 {
		return rest
	}
	target.endpoints = append(target.endpoints, rest[:n]...)
	target.touched = true
	return rest[n:]
}

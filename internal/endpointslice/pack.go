// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpointslice

import (
	"maps"
	"slices"
	"strings"

	discoveryv1 "k8s.io/api/discovery/v1"
)

// edit is what becomes of one slice.
type edit struct {
	current *discoveryv1.EndpointSlice // nil for a slice still to be created
	family  discoveryv1.AddressType
	ports   []discoveryv1.EndpointPort
	members []*member // to list, in order
	// kept is how many of the members current lists too, leaving what it lists
	// besides that stays listed elsewhere.
	kept      int
	leaving   []leaving
	endpoints []discoveryv1.Endpoint // of the members; made when all slices are packed
	hints     []*discoveryv1.EndpointHints
	touched   bool // differs from current, so it is written in any case
	removed   bool // has nothing left to list
}

// leaving is what a slice lists of a member that is to be listed in another one.
type leaving struct {
	member   *member
	endpoint *discoveryv1.Endpoint
}

// room is how many endpoints a slice can still take.
func (e *edit) room(limit int) int { return max(0, limit-len(e.members)) }

// packer packs the endpoints of one address family into slices, group by group.
type packer struct {
	*State
	shelf *shelf
	// keepHints is for hints that depend on other endpoints: they are decided
	// once all slices are packed, and until then stay as they are. Then edits are
	// made of all slices, settled or not.
	keepHints bool
	stats     Stats
}

// packFamily packs every port set. A family without any endpoint keeps one empty
// slice, the placeholder: it says "none" where no slice would say "not known
// yet".
func (p *packer) packFamily() []*edit {
	if p.keepHints {
		p.openAll(p.shelf)
	}
	p.openCopies(p.shelf)
	before := p.shelf.usable
	open, homeless := p.openByPorts(), p.homelessByPorts()
	edits := p.rehome(open)
	for _, key := range slices.Sorted(keysOf(open, homeless)) {
		if set := p.portSets[key]; p.hasMembers(set) {
			edits = append(edits, p.pack(set, open[key], homeless[key])...)
		}
	}
	if p.shelf.wanted == 0 {
		edits = p.placeholder(edits)
	}
	p.count(before, edits)
	return edits
}

// openByPorts returns the open slices by their ports, ordered by name: of two
// copies of an endpoint every replica keeps the same one.
func (p *packer) openByPorts() map[PortsKey][]*held {
	open := map[PortsKey][]*held{}
	for h := range p.shelf.open {
		open[h.ports] = append(open[h.ports], h)
	}
	for _, list := range open {
		slices.SortFunc(list, func(a, b *held) int { return strings.Compare(a.slice.Name, b.slice.Name) })
	}
	return open
}

// homelessByPorts returns the homeless members by their ports.
func (p *packer) homelessByPorts() map[PortsKey][]*member {
	homeless := map[PortsKey][]*member{}
	for _, m := range p.shelf.homeless {
		m.taken = false
		homeless[m.ports.key] = append(homeless[m.ports.key], m)
	}
	return homeless
}

// keysOf returns the port sets that have an open slice or a homeless member.
func keysOf(open map[PortsKey][]*held, homeless map[PortsKey][]*member) func(yield func(PortsKey) bool) {
	keys := make(map[PortsKey]bool, len(open)+len(homeless))
	for key := range open {
		keys[key] = true
	}
	for key := range homeless {
		keys[key] = true
	}
	return maps.Keys(keys)
}

// hasMembers tells whether members are to be listed under a set of ports; nil is
// a set that no pod has.
func (p *packer) hasMembers(set *portSet) bool {
	return set != nil && set.groups[p.shelf.family].wanted > 0
}

// count adds to the statistics what a packed family amounts to, which had so many
// slices before.
func (p *packer) count(before int, edits []*edit) {
	p.stats.Slices += before
	for _, e := range edits {
		switch {
		case e.current == nil:
			p.stats.Slices++
		case e.removed:
			p.stats.Slices--
		}
	}
	p.stats.Desired += p.shelf.wanted
	for _, set := range p.portSets {
		p.stats.IdealSlices += (set.groups[p.shelf.family].wanted + p.limit - 1) / p.limit
	}
	if p.shelf.wanted == 0 {
		p.stats.IdealSlices++
	}
}

// rehome gives slices whose ports nobody has any more to the port set that
// their endpoints have now, so that after an edit of a target port each slice is
// written once and in place, and no endpoint is unlisted in between. What has
// no successor is returned as removed.
func (p *packer) rehome(open map[PortsKey][]*held) []*edit {
	var removed []*edit
	for _, key := range slices.Sorted(maps.Keys(open)) {
		if p.hasMembers(p.portSets[key]) {
			continue
		}
		for _, h := range open[key] {
			if heir := p.holderOf(h); heir != nil {
				open[heir.key] = append(open[heir.key], h)
				continue
			}
			p.stats.Removed += len(h.slice.Endpoints)
			e := &edit{current: h.slice, family: p.shelf.addressType, touched: true, removed: true}
			e.leaving = p.leave(nil, h.slice.Endpoints, p.shelf.family)
			removed = append(removed, e)
		}
	}
	return removed
}

// holderOf returns the port set that the first of a slice's endpoints has that is
// still wanted.
func (p *packer) holderOf(h *held) *portSet {
	for i := range h.slice.Endpoints {
		if m := p.memberAt(&h.slice.Endpoints[i], p.shelf.family); m != nil {
			return m.ports
		}
	}
	return nil
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
	return append(removed, &edit{family: p.shelf.addressType})
}

// pack fits one port set's endpoints into its slices and as few others as it
// can, changing as few slices as it can: every slice written reaches every node.
// Of the settled slices it looks at those alone that it fills.
func (p *packer) pack(set *portSet, open []*held, homeless []*member) []*edit {
	edits := make([]*edit, 0, len(open))
	for _, h := range open {
		e := p.keep(h, set)
		if e.touched || p.keepHints {
			edits = append(edits, e)
		} else {
			p.settle(h, set, e.members)
		}
	}
	rest := slices.DeleteFunc(homeless, func(m *member) bool { return m.taken })
	slices.SortFunc(rest, func(a, b *member) int { return strings.Compare(a.name, b.name) })
	p.stats.Added += len(rest)
	return p.place(edits, set, rest)
}

// keep leaves the endpoints of a slice that are still wanted where they are,
// brings them up to date, and drops the others. What lies beyond the limit
// stays homeless, to be placed elsewhere. A slice that keeps none goes, unless
// a new one takes its name.
func (p *packer) keep(h *held, set *portSet) *edit {
	e := &edit{
		current: h.slice,
		family:  p.shelf.addressType,
		ports:   set.ports,
		members: make([]*member, 0, len(h.slice.Endpoints)),
	}
	e.touched = h.ports != set.key || !maps.Equal(h.slice.Labels, p.labels)
	for i := range h.slice.Endpoints {
		if e.room(p.limit) == 0 {
			e.touched = true
			e.leaving = p.leave(e.leaving, h.slice.Endpoints[i:], p.shelf.family)
			break
		}
		endpoint := &h.slice.Endpoints[i]
		m := p.memberAt(endpoint, p.shelf.family)
		if m == nil || m.ports != set || m.taken {
			p.stats.Removed++
			e.touched = true
			e.leaving = p.leave(e.leaving, h.slice.Endpoints[i:i+1], p.shelf.family)
			continue
		}
		m.taken = true
		e.touched = e.touched || !p.says(endpoint, m)
		e.members = append(e.members, m)
		if p.keepHints {
			e.hints = append(e.hints, endpoint.Hints)
		}
	}
	e.kept = len(e.members)
	if e.kept == 0 {
		e.touched, e.removed = true, true
	}
	return e
}

// leave adds what a slice lists no more to what leaves it for another one: the
// endpoints of pods that stay listed, be it under another address.
func (s *State) leave(before []leaving, endpoints []discoveryv1.Endpoint, f family) []leaving {
	for i := range endpoints {
		ref := endpoints[i].TargetRef
		if ref == nil || ref.Namespace != s.service.Namespace {
			continue
		}
		if m := s.members[ref.Name]; m != nil && m.wanted(f) {
			before = append(before, leaving{member: m, endpoint: &endpoints[i]})
		}
	}
	return before
}

// says tells whether an endpoint of a slice says of a member what it should.
func (p *packer) says(endpoint *discoveryv1.Endpoint, m *member) bool {
	want := m.endpoint(p.service, p.shelf.family, &p.compared)
	if p.keepHints {
		want.Hints = endpoint.Hints
	}
	return SameContent(&want, endpoint)
}

// place finds slices for members that lie in none: first those that are
// written anyway, fullest first, then one untouched slice that takes all that
// remains, then new slices. The remainder is not spread over several untouched
// slices, since each would be one more write, unless there are too many already.
func (p *packer) place(edits []*edit, set *portSet, rest []*member) []*edit {
	for _, target := range fillable(edits) {
		rest = p.fill(target, rest)
	}
	for len(rest) > 0 {
		target := p.bestFit(edits, set, len(rest))
		if target == nil {
			target = p.emptiest(edits, set)
		}
		if target == nil {
			target = &edit{family: p.shelf.addressType, ports: set.ports}
		}
		if !slices.Contains(edits, target) {
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
	slices.SortStableFunc(open, func(a, b *edit) int { return len(b.members) - len(a.members) })
	return open
}

// bestFit returns the untouched slice that takes n endpoints and is then the
// fullest, or nil when a new slice is due.
func (p *packer) bestFit(edits []*edit, set *portSet, n int) *edit {
	if !p.keepHints {
		h := set.groups[p.shelf.family].fullest(p.limit - n)
		if h == nil {
			return nil
		}
		members := p.open(h)
		return &edit{current: h.slice, family: p.shelf.addressType, ports: set.ports, members: members, kept: len(members)}
	}
	var best *edit
	for _, e := range edits {
		if e.touched || e.room(p.limit) < n {
			continue
		}
		if best == nil || len(e.members) > len(best.members) {
			best = e
		}
	}
	return best
}

// emptiest returns the untouched slice with the most room, beside those that are
// written, where one slice more would make them sparse. So a Service that goes up and
// down, too fast to be merged in between, does not collect more and more slices.
func (p *packer) emptiest(edits []*edit, set *portSet) *edit {
	g := &set.groups[p.shelf.family]
	more := Stats{Slices: len(g.settled) + 1, IdealSlices: (g.wanted + p.limit - 1) / p.limit}
	for _, e := range edits {
		if !e.removed {
			more.Slices++
		}
	}
	if p.keepHints || len(g.settled) == 0 || !more.Sparse() {
		return nil
	}
	h := g.settled[len(g.settled)-1]
	if len(h.slice.Endpoints) >= p.limit {
		return nil
	}
	members := p.open(h)
	return &edit{current: h.slice, family: p.shelf.addressType, ports: set.ports, members: members, kept: len(members)}
}

// fill moves as many members into a slice as it takes and returns the others.
func (p *packer) fill(target *edit, rest []*member) []*member {
	n := min(len(rest), target.room(p.limit))
	if n == 0 {
		return rest
	}
	target.members = append(target.members, rest[:n]...)
	target.touched = true
	return rest[n:]
}

// describe makes the endpoints of the slices that are written, and of all where
// that is not decided yet.
func (p *packer) describe(edits []*edit) {
	for _, e := range edits {
		if e.removed || !e.touched && !p.keepHints {
			continue
		}
		e.endpoints = endpoints(p.service, e.members, p.shelf.family)
		for i, hints := range e.hints {
			e.endpoints[i].Hints = hints
		}
	}
}

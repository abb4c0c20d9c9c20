// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpointslice

import (
	"slices"
	"strings"

	discoveryv1 "k8s.io/api/discovery/v1"
)

// An endpoint that moves to another slice is listed in both for a moment, and one
// may have a copy left by a process that died. Who reads slices takes either copy, so
// they must not disagree: no plan changes an endpoint that is listed elsewhere too,
// or moves and changes it at once. Where it would, other writes come first: copies
// go, or the endpoint is changed where it is. Another plan does the rest.

// place is where consumers find an endpoint: the same in all copies.
type place struct {
	family discoveryv1.AddressType
	EndpointKey
}

// listing is what a slice lists of a member until that slice is written, by an edit
// or, if that is nil, by the deletion of the slice.
type listing struct {
	until    *edit
	endpoint *discoveryv1.Endpoint
}

// disputed returns the endpoints, as they are to be, of which some slice would say
// something else for a while. Edits that are left are deletions, those that are
// swapped create a slice and delete the current one.
func disputed(written, swapped, left []*edit) map[place]*discoveryv1.Endpoint {
	before := listedElsewhere(written, swapped, left)
	if len(before) == 0 {
		return nil
	}
	found := map[place]*discoveryv1.Endpoint{}
	for _, e := range slices.Concat(written, swapped) {
		for i, m := range e.members {
			now := &e.endpoints[i]
			for _, was := range before[target{family: e.family, member: m}] {
				if was.until != e && Identify(was.endpoint) == Identify(now) && !SameContent(was.endpoint, now) {
					found[place{e.family, Identify(now)}] = now
				}
			}
		}
	}
	return found
}

func listedElsewhere(written, swapped, left []*edit) map[target][]listing {
	before := map[target][]listing{}
	note := func(e, until *edit, all []leaving) {
		for _, l := range all {
			t := target{family: e.family, member: l.member}
			before[t] = append(before[t], listing{until: until, endpoint: l.endpoint})
		}
	}
	for _, e := range slices.Concat(written, left) {
		note(e, e, e.leaving)
	}
	for _, e := range swapped {
		note(e, nil, e.leaving)
		note(e, nil, e.staying())
	}
	return before
}

// staying returns what the slice lists already of those it keeps.
func (e *edit) staying() []leaving {
	kept := make([]leaving, 0, e.kept)
	for i := range e.current.Endpoints {
		endpoint := &e.current.Endpoints[i]
		if n := len(kept); n < e.kept && endpoint.TargetRef != nil && endpoint.TargetRef.Name == e.members[n].name {
			kept = append(kept, leaving{member: e.members[n], endpoint: endpoint})
		}
	}
	return kept
}

// settle returns the writes that come before all others for the sake of disputed
// endpoints: an endpoint with copies keeps the first by the slice's name, as it is,
// and one without is changed where it is.
func (w *writer) settle(disputed map[place]*discoveryv1.Endpoint, edits []*edit) Changes {
	edits = slices.DeleteFunc(edits, func(e *edit) bool { return e.current == nil })
	slices.SortFunc(edits, func(a, b *edit) int { return strings.Compare(a.current.Name, b.current.Name) })
	copies, kept := map[place]int{}, map[place]bool{}
	for _, e := range edits {
		for i := range e.current.Endpoints {
			copies[e.placeOf(i)]++
		}
	}
	changes := Changes{Unfinished: true}
	for _, e := range edits {
		slice, differs := w.touch(e.current), false
		for i := range e.current.Endpoints {
			at, endpoint := e.placeOf(i), &e.current.Endpoints[i]
			if now := disputed[at]; now != nil && copies[at] == 1 {
				endpoint, differs = now, true
			} else if now != nil && kept[at] {
				differs = true
				continue
			}
			kept[at] = true
			slice.Endpoints = append(slice.Endpoints, *endpoint.DeepCopy())
		}
		changes.add(e.current, slice, differs)
	}
	changes.Waves = []int{len(changes.Update)}
	return changes
}

// add takes in what becomes of a slice, if it differs: one without endpoints goes.
func (c *Changes) add(current, slice *discoveryv1.EndpointSlice, differs bool) {
	switch {
	case differs && len(slice.Endpoints) > 0:
		c.Update = append(c.Update, slice)
	case differs:
		c.Delete = append(c.Delete, current)
	}
}

func (e *edit) placeOf(i int) place { return place{e.family, Identify(&e.current.Endpoints[i])} }

// touch returns a slice without its endpoints, to be written with others.
func (w *writer) touch(current *discoveryv1.EndpointSlice) *discoveryv1.EndpointSlice {
	meta := current.ObjectMeta.DeepCopy()
	meta.Annotations = StampTrigger(meta.Annotations, w.triggerTime)
	return &discoveryv1.EndpointSlice{ObjectMeta: *meta, AddressType: current.AddressType, Ports: clonePorts(current.Ports)}
}

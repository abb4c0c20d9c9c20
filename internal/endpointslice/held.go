// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpointslice

import (
	"cmp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// held is a slice as it was shown last.
type held struct {
	slice   *discoveryv1.EndpointSlice
	ports   PortsKey
	shelf   *shelf // nil for a slice that the Service does not go on with
	settled bool
}

// shelf holds what a Service has of one address family.
type shelf struct {
	family      family
	addressType discoveryv1.AddressType
	wanted      int // members to list
	usable      int // slices to go on with
	// homeless are the members to list that no settled slice lists, in no order.
	// Each knows its place among them. A map would stay as large as it ever was,
	// and take as long to go through.
	homeless []*member
	// open are the slices that are not settled.
	open map[*held]struct{}
}

// add makes a member homeless that is not.
func (s *shelf) add(m *member) {
	s.homeless = append(s.homeless, m)
	m.homelessAt[s.family] = len(s.homeless)
}

// remove ends that, if it is.
func (s *shelf) remove(m *member) {
	at := m.homelessAt[s.family]
	if at == 0 {
		return
	}
	last := s.homeless[len(s.homeless)-1]
	s.homeless[at-1], last.homelessAt[s.family] = last, at
	s.homeless[len(s.homeless)-1] = nil
	s.homeless = s.homeless[:len(s.homeless)-1]
	m.homelessAt[s.family] = 0
}

// portSet is a set of ports that members of the Service are reached on.
type portSet struct {
	key     PortsKey
	ports   []discoveryv1.EndpointPort
	members int
	groups  [familyCount]group
}

// group holds what there is of one set of ports in one family.
type group struct {
	wanted int
	// settled slices, the fullest first, and of equally full ones by name.
	settled []*held
}

func fullestFirst(a, b *held) int {
	return cmp.Or(cmp.Compare(len(b.slice.Endpoints), len(a.slice.Endpoints)), strings.Compare(a.slice.Name, b.slice.Name))
}

func (g *group) add(h *held) {
	at, _ := slices.BinarySearchFunc(g.settled, h, fullestFirst)
	g.settled = slices.Insert(g.settled, at, h)
}

func (g *group) remove(h *held) {
	if at, found := slices.BinarySearchFunc(g.settled, h, fullestFirst); found {
		g.settled = slices.Delete(g.settled, at, at+1)
	}
}

// fullest returns the fullest slice that holds at most so many endpoints, nil if
// there is none.
func (g *group) fullest(most int) *held {
	at, _ := slices.BinarySearchFunc(g.settled, most, func(h *held, most int) int {
		if len(h.slice.Endpoints) > most {
			return -1
		}
		return 1
	})
	if at == len(g.settled) {
		return nil
	}
	return g.settled[at]
}

// portsOf returns the set of the ports on which a pod is reached. It has one more
// member then, until it is released.
func (s *State) portsOf(pod *corev1.Pod) *portSet {
	set := s.anyPorts
	if set == nil {
		ports := resolvePorts(s.service, pod)
		key := KeyOfPorts(ports)
		if set = s.portSets[key]; set == nil {
			set = &portSet{key: key, ports: ports}
			s.portSets[key] = set
		}
		if !slices.ContainsFunc(s.service.Spec.Ports, namesItsTarget) {
			s.anyPorts = set
		}
	}
	set.members++
	return set
}

func namesItsTarget(port corev1.ServicePort) bool { return port.TargetPort.Type == intstr.String }

func (s *State) release(set *portSet) {
	set.members--
	if set.members == 0 && set != s.anyPorts {
		delete(s.portSets, set.key)
	}
}

// SetSlice shows a slice that bears the Service's name and is new or has changed,
// whoever manages it.
func (s *State) SetSlice(slice *discoveryv1.EndpointSlice) {
	if current := s.slices[slice.Name]; current != nil && sameVersion(current.slice, slice) {
		return
	}
	s.RemoveSlice(slice.Name)
	h := &held{slice: slice}
	s.slices[slice.Name] = h
	if !managed(slice) || slice.DeletionTimestamp != nil {
		return
	}
	f, known := familyOf(slice.AddressType)
	if !known || s.shelves[f] == nil || !ownedBy(slice, s.service) {
		if s.obsolete == nil {
			s.obsolete = map[string]*held{}
		}
		s.obsolete[slice.Name] = h
		return
	}
	h.shelf, h.ports = s.shelves[f], KeyOfPorts(slice.Ports)
	h.shelf.usable++
	h.shelf.open[h] = struct{}{}
}

// RemoveSlice shows that there is no slice of that name which bears the Service's.
func (s *State) RemoveSlice(name string) {
	h := s.slices[name]
	if h == nil {
		return
	}
	if h.shelf != nil {
		s.open(h)
		delete(h.shelf.open, h)
		h.shelf.usable--
	}
	delete(s.slices, name)
	delete(s.obsolete, name)
}

// memberAt returns the member that an endpoint of a slice stands for, nil if there
// is none that should be listed so.
func (s *State) memberAt(endpoint *discoveryv1.Endpoint, f family) *member {
	ref := endpoint.TargetRef
	if ref == nil || ref.Namespace != s.service.Namespace {
		return nil
	}
	if m := s.members[ref.Name]; m != nil && m.is(endpoint, f) {
		return m
	}
	return nil
}

// settle marks an open slice as one that lists just these members, and is alone in
// that.
func (s *State) settle(h *held, set *portSet, members []*member) {
	h.settled = true
	delete(h.shelf.open, h)
	set.groups[h.shelf.family].add(h)
	for _, m := range members {
		m.homes[h.shelf.family] = h
		h.shelf.remove(m)
	}
}

// open takes back that a slice is settled, and returns its members. One that is
// open already has none.
func (s *State) open(h *held) []*member {
	if !h.settled {
		return nil
	}
	h.settled = false
	h.shelf.open[h] = struct{}{}
	members := s.listed(h)
	for _, m := range members {
		m.homes[h.shelf.family] = nil
		h.shelf.add(m)
	}
	members[0].ports.groups[h.shelf.family].remove(h)
	return members
}

// openAll opens every slice of a family.
func (s *State) openAll(of *shelf) {
	for _, h := range s.slices {
		if h.shelf == of {
			s.open(h)
		}
	}
}

// openCopies opens the settled slices that list what an open one lists too: of
// several copies the first by name stays, whichever was settled before.
func (s *State) openCopies(of *shelf) {
	waiting := make([]*held, 0, len(of.open))
	for h := range of.open {
		waiting = append(waiting, h)
	}
	for len(waiting) > 0 {
		h := waiting[len(waiting)-1]
		waiting = waiting[:len(waiting)-1]
		for i := range h.slice.Endpoints {
			m := s.memberAt(&h.slice.Endpoints[i], of.family)
			if m != nil && m.homes[of.family] != nil {
				waiting = append(waiting, m.homes[of.family])
				s.open(m.homes[of.family])
			}
		}
	}
}

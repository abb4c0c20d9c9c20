// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpointslice

import (
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Compare tells the first difference between the state and one that is made of the
// given objects, empty if there is none. What it names was not shown, or was lost.
func (s *State) Compare(service *corev1.Service, pods []*corev1.Pod, all []*discoveryv1.EndpointSlice, zoneOf ZoneOf) string {
	if s.Outdated(service) {
		return "Service " + service.Name
	}
	fresh := NewState(s.limit)
	fresh.Reset(service, pods, all, zoneOf)
	for _, name := range namesOf(s.members, fresh.members) {
		if !s.members[name].equal(fresh.members[name]) {
			return "Pod " + VersionOf(name, pods)
		}
	}
	for _, name := range namesOf(s.slices, fresh.slices) {
		is, should := s.slices[name], fresh.slices[name]
		if is == nil || should == nil || !sameVersion(is.slice, should.slice) {
			return "EndpointSlice " + VersionOf(name, all)
		}
	}
	return s.unsettled()
}

// VersionOf says of which version of an object is the talk, if it is among some: the
// same difference twice is about the same version.
func VersionOf[T metav1.Object](name string, objects []T) string {
	for _, object := range objects {
		if object.GetName() == name {
			return fmt.Sprintf("%s in version %s", name, object.GetResourceVersion())
		}
	}
	return name + ", which is gone"
}

// namesOf returns the names that either of two maps has, in order.
func namesOf[T any](a, b map[string]T) []string {
	names := slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b))
	slices.Sort(names)
	return slices.Compact(names)
}

// equal compares members of two states.
func (m *member) equal(other *member) bool {
	if m == nil || other == nil {
		return m == other
	}
	return m.sameButPorts(other) && m.ports.key == other.ports.key
}

// unsettled finds a slice that counts as settled and is not in order.
func (s *State) unsettled() string {
	for _, name := range slices.Sorted(maps.Keys(s.slices)) {
		h := s.slices[name]
		if !h.settled {
			continue
		}
		p := packer{State: s, shelf: h.shelf}
		for i := range h.slice.Endpoints {
			endpoint := &h.slice.Endpoints[i]
			m := s.memberAt(endpoint, h.shelf.family)
			if m == nil || m.homes[h.shelf.family] != h || m.ports.key != h.ports || !p.says(endpoint, m) {
				return fmt.Sprintf("EndpointSlice %s, in its endpoint %d", name, i)
			}
		}
	}
	return ""
}

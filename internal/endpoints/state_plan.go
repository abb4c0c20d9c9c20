// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoints

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"servicenet.dev/servicenet/internal/endpointslice"
)

// Plan returns what [Plan] would for all that the state has been shown and the
// given object.
func (s *State) Plan(current *corev1.Endpoints, trigger time.Time) Changes {
	if !s.uniform() {
		return planFor(s.service, s.subsets(), current, trigger)
	}
	leftOut := max(s.ready.length+s.notReady.length-MaxAddresses, 0)
	if s.agrees(current, leftOut) {
		return Changes{LeftOut: leftOut}
	}
	want := wanted{labels: labelsOf(s.service), content: s.firstAddresses()}
	if leftOut > 0 {
		want.cut = want.content
	}
	saysAll := want.isFoundIn(current)
	if saysAll {
		s.agree(current, leftOut)
	}
	return want.changes(s.service, current, saysAll, leftOut, trigger)
}

// isFoundIn tells whether an object, nil if there is none, says all that it should.
// One that is in the order in which objects are written here is not put in order.
func (w *wanted) isFoundIn(current *corev1.Endpoints) bool {
	switch {
	case current == nil:
		return false
	case len(current.Subsets) == 1 && canonical(&current.Subsets[0]):
		return w.metadataIsIn(current) && slices.EqualFunc(current.Subsets, w.content, sameSubset)
	default:
		return w.isIn(current)
	}
}

// uniform tells whether all that is to be listed makes one subset: the same ports
// for all. No address is there twice, since the pod's UID is part of it.
func (s *State) uniform() bool {
	if len(s.portSets) > 1 {
		return false
	}
	for _, set := range s.portSets {
		keys := portKeys(set.ports)
		slices.SortFunc(keys, portKey.compare)
		if len(slices.Compact(keys)) < len(set.ports) || len(keys) > 1 && slices.Contains(keys, portKey{}) {
			return false
		}
	}
	return true
}

// firstAddresses returns the one subset there is, with as many addresses as may be
// listed: ready ones before others.
func (s *State) firstAddresses() []corev1.EndpointSubset {
	if s.ready.length+s.notReady.length == 0 {
		return nil
	}
	var subset corev1.EndpointSubset
	subset.Addresses = s.addresses(s.ready.first(MaxAddresses))
	subset.NotReadyAddresses = s.addresses(s.notReady.first(MaxAddresses - len(subset.Addresses)))
	for _, set := range s.portSets {
		keys := portKeys(set.ports)
		slices.SortFunc(keys, portKey.compare)
		for _, key := range keys {
			if !key.none() {
				subset.Ports = append(subset.Ports, key.port())
			}
		}
	}
	return []corev1.EndpointSubset{subset}
}

// addresses describes members as the API does.
func (s *State) addresses(members []*member) []corev1.EndpointAddress {
	if len(members) == 0 {
		return nil
	}
	all := make([]corev1.EndpointAddress, len(members))
	targets := make([]corev1.ObjectReference, len(members))
	for i, m := range members {
		targets[i] = corev1.ObjectReference{Kind: "Pod", Namespace: s.service.Namespace, Name: m.name, UID: m.address.target}
		all[i] = corev1.EndpointAddress{IP: m.address.ip, Hostname: m.address.hostname, TargetRef: &targets[i]}
		if m.address.node != "" {
			all[i].NodeName = &m.address.node
		}
	}
	return all
}

// subsets returns a subset for each member that is listed, as desire does for pods.
func (s *State) subsets() []corev1.EndpointSubset {
	var subsets []corev1.EndpointSubset
	for _, m := range slices.SortedFunc(maps.Values(s.members), byName) {
		if m.ports == nil {
			continue
		}
		subset := corev1.EndpointSubset{Ports: m.ports.ports}
		if m.ready {
			subset.Addresses = s.addresses([]*member{m})
		} else {
			subset.NotReadyAddresses = s.addresses([]*member{m})
		}
		subsets = append(subsets, subset)
	}
	return subsets
}

func byName(a, b *member) int { return strings.Compare(a.name, b.name) }

// canonical tells whether regroup would return a subset as it is, which costs less
// to see than to do.
func canonical(subset *corev1.EndpointSubset) bool {
	keys := portKeys(subset.Ports)
	if len(keys) > 1 && slices.Contains(keys, portKey{}) || !slices.IsSortedFunc(keys, portKey.compare) ||
		len(slices.Compact(keys)) < len(subset.Ports) {
		return false
	}
	if !ascending(subset.Addresses) || !ascending(subset.NotReadyAddresses) {
		return false
	}
	for i, j := 0, 0; i < len(subset.Addresses) && j < len(subset.NotReadyAddresses); {
		switch order := keyOf(&subset.Addresses[i]).compare(keyOf(&subset.NotReadyAddresses[j])); {
		case order == 0:
			return false
		case order < 0:
			i++
		default:
			j++
		}
	}
	return true
}

func ascending(addresses []corev1.EndpointAddress) bool {
	for i := 1; i < len(addresses); i++ {
		if keyOf(&addresses[i-1]).compare(keyOf(&addresses[i])) >= 0 {
			return false
		}
	}
	return true
}

// portsKey is equal for equal lists of ports, and for no others.
func portsKey(ports []corev1.EndpointPort) string {
	var key strings.Builder
	for i := range ports {
		port := &ports[i]
		fmt.Fprintf(&key, "%s/%d/%s", port.Name, port.Port, port.Protocol)
		if port.AppProtocol != nil {
			fmt.Fprintf(&key, "/%q", *port.AppProtocol)
		}
		key.WriteByte(';')
	}
	return cmp.Or(key.String(), "none")
}

// Compare tells the first difference between the state and one that is made of the
// given objects, empty if there is none.
func (s *State) Compare(service *corev1.Service, pods []*corev1.Pod) string {
	if s.Outdated(service) {
		return "Service " + service.Name
	}
	fresh := NewState()
	fresh.Reset(service, pods)
	if diff := firstDifference(s.members, fresh.members); diff != "" {
		return "Pod " + endpointslice.VersionOf(diff, pods)
	}
	if !slices.EqualFunc(s.ready.all(), fresh.ready.all(), sameName) ||
		!slices.EqualFunc(s.notReady.all(), fresh.notReady.all(), sameName) {
		return "the order of the addresses"
	}
	return ""
}

func sameName(a, b *member) bool { return a.name == b.name }

func firstDifference(a, b map[string]*member) string {
	for name, m := range a {
		other := b[name]
		if other == nil || m.ready != other.ready || m.address != other.address || (m.ports == nil) != (other.ports == nil) ||
			m.ports != nil && m.ports.key != other.ports.key {
			return name
		}
	}
	for name := range b {
		if a[name] == nil {
			return name
		}
	}
	return ""
}

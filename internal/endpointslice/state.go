// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpointslice

import (
	"cmp"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// State is all that plans for one Service are made from, kept from one plan to the
// next, so that a plan costs what has changed since and not what there is.
//
// It knows which slices are settled: they list nothing but what they should list,
// and nobody else lists it. A plan leaves a settled slice alone, unless it takes
// endpoints in. What changes a pod opens the slices that list it; what changes a
// slice opens it, and the others that list the same pods. A plan looks at the
// slices that are open and at the pods that are homeless, listed in no settled
// slice, and settles those slices that it finds in order.
//
// A State believes what it is shown and nothing else: a slice that is to be
// written stays open until it is shown as it was written. So a failed write, a
// second writer or a restart needs no care. It is not safe for concurrent use.
type State struct {
	limit    int
	service  *corev1.Service // nil until Reset
	families []discoveryv1.AddressType
	labels   map[string]string // of every slice

	members  map[string]*member // by the pod's name
	portSets map[PortsKey]*portSet
	anyPorts *portSet       // of every pod, if the Service names no target port
	missing  map[string]int // members left out, by the node that does not exist
	triggers Triggers
	slices   map[string]*held // by name, whoever manages them
	obsolete map[string]*held
	shelves  [familyCount]*shelf // nil for a family that the Service does not have
	compared pointees            // of an endpoint that is compared
}

// ZoneOf returns the zone of a node, empty when it has none, and whether there is
// such a node.
type ZoneOf func(node string) (zone string, exists bool)

// NewState returns a state to be filled by [State.Reset]. maxEndpoints is how many
// endpoints a slice holds at most; zero means DefaultMaxEndpoints.
func NewState(maxEndpoints int) *State {
	return &State{limit: cmp.Or(maxEndpoints, DefaultMaxEndpoints)}
}

// Outdated tells whether the state is of another Service, or of another version of
// the Service that makes a difference, and has to be reset.
func (s *State) Outdated(service *corev1.Service) bool {
	if s.service == nil || s.service.UID != service.UID {
		return true
	}
	return s.service.ResourceVersion != service.ResourceVersion && ServiceMatters(s.service, service)
}

// Invalidate makes the state outdated, since something could not be shown to it.
func (s *State) Invalidate() { s.service = nil }

// Reset shows the state everything anew: a Service that is [Managed], the pods that
// its selector matches, and all slices that bear its name. It remembers what has been published.
func (s *State) Reset(service *corev1.Service, pods []*corev1.Pod, all []*discoveryv1.EndpointSlice, zoneOf ZoneOf) {
	before := s.members
	*s = State{
		limit:    s.limit,
		service:  service,
		families: AddressTypes(service),
		labels:   sliceLabels(service),
		members:  make(map[string]*member, len(pods)),
		portSets: map[PortsKey]*portSet{},
		triggers: s.triggers.WithoutPods(),
		slices:   make(map[string]*held, len(all)),
	}
	for _, addressType := range s.families {
		if f, known := familyOf(addressType); known && s.shelves[f] == nil {
			s.shelves[f] = &shelf{family: f, addressType: addressType, open: map[*held]struct{}{}}
		}
	}
	for _, pod := range pods {
		if Listable(pod) {
			s.setPod(pod, before[pod.Name], zoneOf)
		}
	}
	for _, slice := range all {
		s.SetSlice(slice)
	}
}

// SetPod shows a pod that is new or has changed, or whose node has.
func (s *State) SetPod(pod *corev1.Pod, zoneOf ZoneOf) {
	if !Listable(pod) || !Selects(s.service, pod) {
		s.RemovePod(pod.Name)
		return
	}
	s.setPod(pod, s.members[pod.Name], zoneOf)
}

// setPod knows what was remembered of the pod before, if anything.
func (s *State) setPod(pod *corev1.Pod, before *member, zoneOf ZoneOf) {
	now := s.describe(pod, zoneOf)
	if before != nil {
		now.Follow(&before.Readiness)
	}
	current := s.members[pod.Name]
	if current != nil && current.sameEndpoints(now) {
		s.triggers.Drop(&current.Readiness)
		current.Readiness = now.Readiness
		s.triggers.Add(&current.Readiness)
		s.release(now.ports)
		return
	}
	if current != nil {
		s.evict(current)
	}
	s.admit(now)
}

// RemovePod shows that there is no pod of that name which the Service selects.
func (s *State) RemovePod(name string) {
	if m := s.members[name]; m != nil {
		s.evict(m)
	}
}

// Selects tells whether a Service's selector matches a pod.
func Selects(service *corev1.Service, pod *corev1.Pod) bool {
	for key, value := range service.Spec.Selector {
		if got, found := pod.Labels[key]; !found || got != value {
			return false
		}
	}
	return pod.Namespace == service.Namespace
}

// describe reduces a pod to what the Service's slices say of it. It holds its set
// of ports.
func (s *State) describe(pod *corev1.Pod, zoneOf ZoneOf) *member {
	zone, exists := zoneOf(pod.Spec.NodeName)
	m := &member{
		Readiness:   ReadinessOf(pod),
		name:        pod.Name,
		node:        pod.Spec.NodeName,
		zone:        zone,
		nodeMissing: !exists && !s.service.Spec.PublishNotReadyAddresses,
		hostname:    Hostname(s.service, pod),
		terminating: pod.DeletionTimestamp != nil,
		ports:       s.portsOf(pod),
	}
	for f, shelf := range s.shelves {
		if shelf != nil {
			m.addresses[f] = Addresses(pod, shelf.addressType)
		}
	}
	return m
}

// admit takes a member in.
func (s *State) admit(m *member) {
	s.members[m.name] = m
	s.triggers.Add(&m.Readiness)
	if m.nodeMissing {
		if s.missing == nil {
			s.missing = map[string]int{}
		}
		s.missing[m.node]++
	}
	for f, shelf := range s.shelves {
		if shelf != nil && m.wanted(shelf.family) {
			shelf.wanted++
			shelf.add(m)
			m.ports.groups[f].wanted++
		}
	}
}

// evict takes a member out, and opens the slices that list it.
func (s *State) evict(m *member) {
	for f, shelf := range s.shelves {
		if shelf == nil || !m.wanted(shelf.family) {
			continue
		}
		if home := m.homes[f]; home != nil {
			s.open(home)
		}
		shelf.wanted--
		shelf.remove(m)
		m.ports.groups[f].wanted--
	}
	if m.nodeMissing {
		s.missing[m.node]--
		if s.missing[m.node] == 0 {
			delete(s.missing, m.node)
		}
	}
	s.triggers.Drop(&m.Readiness)
	s.release(m.ports)
	delete(s.members, m.name)
}

// Trigger returns when the earliest change happened that has not been published.
func (s *State) Trigger() time.Time {
	if s.triggers.Known() {
		return s.triggers.Next(s.service, nil)
	}
	all := make([]*discoveryv1.EndpointSlice, 0, len(s.slices))
	for _, h := range s.slices {
		all = append(all, h.slice)
	}
	return s.triggers.Next(s.service, Published(all))
}

// Published records that a plan was carried out.
func (s *State) Published() { s.triggers.Published(s.service) }

// Slice returns the slice of a name as it was shown last, nil if there is none.
func (s *State) Slice(name string) *discoveryv1.EndpointSlice {
	if h := s.slices[name]; h != nil {
		return h.slice
	}
	return nil
}

func sameVersion(a, b metav1.Object) bool {
	return a.GetUID() == b.GetUID() && a.GetResourceVersion() == b.GetResourceVersion()
}

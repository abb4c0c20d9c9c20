// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoints

import (
	"time"

	corev1 "k8s.io/api/core/v1"

	"servicenet.dev/servicenet/internal/endpointslice"
)

// State is all that plans for the Endpoints of one Service are made from, kept from
// one plan to the next.
//
// A write of Endpoints holds all addresses, so a plan costs what the object lists,
// up to MaxAddresses, but not what the Service has beyond them: as long as all pods
// have the same ports, which is the rule, their addresses are kept in order, and
// the first of them are what is listed. Where ports differ, a plan is made from
// scratch. It is not safe for concurrent use.
type State struct {
	service  *corev1.Service    // nil until Reset
	members  map[string]*member // by the pod's name
	portSets map[string]*portSet
	triggers endpointslice.Triggers

	// The addresses that are to be listed, in the order in which they are stored.
	ready, notReady ordered
	agreed          *agreement // nil when a plan has to compare
}

// member is a pod that belongs to a Service, reduced to what Endpoints say of it.
type member struct {
	endpointslice.Readiness
	name    string
	ready   bool
	address address
	ports   *portSet // nil for a pod that is not listed
}

// address is what is listed of a pod, without the pointers of the API's type.
type address struct {
	addressKey
	hostname, node string
}

// portSet is a list of ports that members are reached on.
type portSet struct {
	key     string
	ports   []corev1.EndpointPort
	members int
}

// NewState returns a state to be filled by [State.Reset].
func NewState() *State { return &State{} }

// Outdated tells whether the state is of another Service, or of another version of
// the Service that makes a difference, and has to be reset.
func (s *State) Outdated(service *corev1.Service) bool {
	if s.service == nil || s.service.UID != service.UID {
		return true
	}
	return s.service.ResourceVersion != service.ResourceVersion && endpointslice.ServiceMatters(s.service, service)
}

// Invalidate makes the state outdated, since something could not be shown to it.
func (s *State) Invalidate() { s.service = nil }

// Reset shows the state everything anew: a Service that is [Managed], and the pods
// that its selector matches. It remembers what has been published.
func (s *State) Reset(service *corev1.Service, pods []*corev1.Pod) {
	before := s.members
	*s = State{
		service: service, members: make(map[string]*member, len(pods)), portSets: map[string]*portSet{},
		triggers: s.triggers.WithoutPods(),
	}
	var ready, notReady []*member
	for _, pod := range pods {
		if !endpointslice.Listable(pod) {
			continue
		}
		switch m := s.admit(pod, before[pod.Name]); {
		case m.ports == nil:
		case m.ready:
			ready = append(ready, m)
		default:
			notReady = append(notReady, m)
		}
	}
	s.ready, s.notReady = newOrdered(ready), newOrdered(notReady)
}

// SetPod shows a pod that is new or has changed.
func (s *State) SetPod(pod *corev1.Pod) {
	before := s.members[pod.Name]
	s.RemovePod(pod.Name)
	if !endpointslice.Listable(pod) || !endpointslice.Selects(s.service, pod) {
		return
	}
	if m := s.admit(pod, before); m.ports != nil {
		s.touch(m)
		s.listOf(m).insert(m)
	}
}

// admit takes a pod in, of which something may be remembered, and leaves it to the
// caller to list it.
func (s *State) admit(pod *corev1.Pod, before *member) *member {
	m := s.describe(pod)
	if before != nil {
		m.Follow(&before.Readiness)
	}
	s.members[m.name] = m
	s.triggers.Add(&m.Readiness)
	return m
}

// RemovePod shows that there is no pod of that name which the Service selects.
func (s *State) RemovePod(name string) {
	m := s.members[name]
	if m == nil {
		return
	}
	delete(s.members, name)
	s.triggers.Drop(&m.Readiness)
	if m.ports == nil {
		return
	}
	s.touch(m)
	s.listOf(m).remove(m)
	m.ports.members--
	if m.ports.members == 0 {
		delete(s.portSets, m.ports.key)
	}
}

func (s *State) listOf(m *member) *ordered {
	if m.ready {
		return &s.ready
	}
	return &s.notReady
}

func (s *State) describe(pod *corev1.Pod) *member {
	m := &member{Readiness: endpointslice.ReadinessOf(pod), name: pod.Name}
	subsets := desire(s.service, []*corev1.Pod{pod})
	if len(subsets) == 0 {
		return m
	}
	subset := &subsets[0]
	list := subset.Addresses
	m.ready = len(list) > 0
	if !m.ready {
		list = subset.NotReadyAddresses
	}
	m.address = address{addressKey: addressKey{ip: list[0].IP, target: pod.UID}, hostname: list[0].Hostname, node: pod.Spec.NodeName}
	m.ports = s.portSet(subset.Ports)
	return m
}

// portSet returns the set of some ports, which has one more member then.
func (s *State) portSet(ports []corev1.EndpointPort) *portSet {
	key := portsKey(ports)
	set := s.portSets[key]
	if set == nil {
		set = &portSet{key: key, ports: ports}
		s.portSets[key] = set
	}
	set.members++
	return set
}

// Trigger returns when the earliest change happened that has not been published.
// current is the object there is, nil if there is none.
func (s *State) Trigger(current *corev1.Endpoints) time.Time {
	if s.triggers.Known() {
		return s.triggers.Next(s.service, nil)
	}
	return s.triggers.Next(s.service, Published(current))
}

// Published records that a plan was carried out.
func (s *State) Published() { s.triggers.Published(s.service) }

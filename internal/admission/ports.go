// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"fmt"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apimachinery/pkg/util/validation/field"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/ledger"
	"servicenet.dev/servicenet/internal/pool"
)

// portPlan is the node ports of a Service while they are planned.
type portPlan struct {
	*Plan
	spec, old *corev1.ServiceSpec
	// numbers are the node ports of spec.ports, with those that the API server takes
	// over from the stored Service; 0 for none.
	numbers []int32
	// had are the node ports that the stored Service has.
	had sets.Set[int32]
	// named are those that are new, and named or reserved.
	named  sets.Set[int32]
	needs  []portNeed
	faults field.ErrorList
}

type portNeed struct {
	pool.PortNeed
	index int
}

// decidePorts plans the node ports and the port for health checks.
func (p *Plan) decidePorts() field.ErrorList {
	s := &portPlan{Plan: p, spec: &p.request.Service.Spec, old: p.request.old(), had: sets.Set[int32]{}, named: sets.Set[int32]{}}
	for i := range s.old.Ports {
		if number := s.old.Ports[i].NodePort; number != 0 {
			s.had.Insert(number)
		}
	}
	s.numbers = s.fill()
	if p.request.madeUp() {
		return nil
	}
	switch {
	case !opensPorts(s.spec):
		s.forbid()
	case p.request.Old == nil:
		s.create()
	default:
		s.update()
	}
	s.healthCheck()
	s.choose()
	s.free()
	return s.faults
}

// opensPorts tells whether a Service has node ports.
func opensPorts(spec *corev1.ServiceSpec) bool {
	return spec.Type == corev1.ServiceTypeNodePort || spec.Type == corev1.ServiceTypeLoadBalancer
}

// allocatesPorts tells whether a Service gets node ports that it does not name.
func allocatesPorts(spec *corev1.ServiceSpec) bool {
	switch spec.Type {
	case corev1.ServiceTypeNodePort:
		return true
	case corev1.ServiceTypeLoadBalancer:
		return spec.AllocateLoadBalancerNodePorts == nil || *spec.AllocateLoadBalancerNodePorts
	default:
		return false
	}
}

// checksHealth tells whether a Service has a port for health checks.
func checksHealth(spec *corev1.ServiceSpec) bool {
	return spec.Type == corev1.ServiceTypeLoadBalancer && spec.ExternalTrafficPolicy == corev1.ServiceExternalTrafficPolicyLocal
}

// fill returns the node ports of the ports. One that is left out is taken over from
// the stored Service's port of the same name, unless that number is used in both.
func (s *portPlan) fill() []int32 {
	numbers := make([]int32, len(s.spec.Ports))
	stays := sets.Set[int32]{}
	for i := range s.spec.Ports {
		numbers[i] = s.spec.Ports[i].NodePort
		if s.had.Has(numbers[i]) {
			stays.Insert(numbers[i])
		}
	}
	if !allocatesPorts(s.spec) || !allocatesPorts(s.old) {
		return numbers
	}
	byName := map[string]int32{}
	for i := range s.old.Ports {
		byName[s.old.Ports[i].Name] = s.old.Ports[i].NodePort
	}
	for i := range numbers {
		if before := byName[s.spec.Ports[i].Name]; numbers[i] == 0 && !stays.Has(before) {
			numbers[i] = before
		}
	}
	return numbers
}

// forbid refuses node ports of a Service that has none. Those that it had under
// another type go by themselves, unless one is added.
func (s *portPlan) forbid() {
	wiped := opensPorts(s.old)
	stored := sets.Set[int32]{}
	if s.request.Old != nil && s.spec.Type == corev1.ServiceTypeExternalName {
		// The API server lets an ExternalName have them, so that some may be stored.
		for i := range s.request.Old.Spec.Ports {
			stored.Insert(s.request.Old.Spec.Ports[i].NodePort)
		}
	}
	for _, number := range s.numbers {
		wiped = wiped && (number == 0 || s.had.Has(number))
	}
	for i, number := range s.numbers {
		if number != 0 && !wiped && !stored.Has(number) {
			s.refuse(field.Forbidden(pathPort(i), fmt.Sprintf("a Service of type %s has no node ports", s.spec.Type)))
		}
	}
}

// create plans the ports of a new Service. Ports of the same number, for different
// protocols, share a node port, and no others.
func (s *portPlan) create() {
	byPort := map[int32]int32{}
	twice := s.refuseTwice()
	for i, number := range s.numbers {
		if twice.Has(i) || number == 0 && !allocatesPorts(s.spec) {
			continue
		}
		port := s.spec.Ports[i].Port
		shared, seen := byPort[port]
		switch {
		case !seen:
			naming := s.naming(i)
			byPort[port] = 0
			if naming < 0 {
				s.need(i)
				continue
			}
			byPort[port] = s.numbers[naming]
			if !twice.Has(naming) {
				s.name(naming)
			}
		case number != 0 && number != shared:
			s.name(i)
		}
	}
}

// naming returns the index of the port whose number a new Service's port gets: the
// first one of those that share it, from itself on, which names one.
func (s *portPlan) naming(i int) int {
	for j := i; j < len(s.numbers); j++ {
		if s.spec.Ports[j].Port == s.spec.Ports[i].Port && s.numbers[j] != 0 {
			return j
		}
	}
	return -1
}

// update plans the ports of a Service that exists.
func (s *portPlan) update() {
	twice := s.refuseTwice()
	for i, number := range s.numbers {
		switch {
		case twice.Has(i) || s.had.Has(number) || s.named.Has(number):
		case number != 0:
			s.name(i)
		case allocatesPorts(s.spec):
			s.need(i)
		}
	}
}

// refuseTwice refuses node ports that are named twice for a protocol, and returns
// the second ones.
func (s *portPlan) refuseTwice() sets.Set[int] {
	type use struct {
		protocol corev1.Protocol
		number   int32
	}
	seen, twice := sets.Set[use]{}, sets.Set[int]{}
	for i, number := range s.numbers {
		u := use{s.spec.Ports[i].Protocol, number}
		if number != 0 && seen.Has(u) {
			s.refuse(field.Duplicate(pathPort(i), number))
			twice.Insert(i)
		}
		seen.Insert(u)
	}
	return twice
}

// name plans to take a number that a port names.
func (s *portPlan) name(i int) {
	number := s.numbers[i]
	switch {
	case s.named.Has(number):
		s.refuse(field.Invalid(pathPort(i), number, "another port has it, and only ports with the same port number share one"))
		return
	case checksHealth(s.old) && s.old.HealthCheckNodePort == number:
		s.refuse(field.Invalid(pathPort(i), number, "it is the healthCheckNodePort of this Service"))
		return
	}
	s.named.Insert(number)
	s.needs = append(s.needs, portNeed{
		PortNeed: pool.PortNeed{Path: pathPort(i), Name: s.spec.Ports[i].Name, Port: pool.Port(number)}, index: i,
	})
}

// need plans to choose a number for a port.
func (s *portPlan) need(i int) {
	name := s.spec.Ports[i].Name
	s.needs = append(s.needs, portNeed{
		PortNeed: pool.PortNeed{Path: pathPort(i), Name: name, Retained: s.request.Retained.Ports[name]}, index: i,
	})
}

// healthCheck plans the port for health checks. It stays as long as one is needed.
func (s *portPlan) healthCheck() {
	path, number := pathSpec().Child("healthCheckNodePort"), s.spec.HealthCheckNodePort
	needed, needs := checksHealth(s.old), checksHealth(s.spec)
	same := number == 0 || needed && number == s.old.HealthCheckNodePort
	switch {
	case same && (needed || !needs):
	case !needs:
		s.refuse(field.Invalid(path, number, "only a LoadBalancer with externalTrafficPolicy Local has one"))
	case needed:
		s.refuse(field.Forbidden(path, "must not change"))
	case number != 0 && (s.named.Has(number) || s.had.Has(number)):
		s.refuse(field.Invalid(path, number, "it is a node port of this Service"))
	default:
		need := pool.PortNeed{Path: path, HealthCheck: true, Port: pool.Port(number)}
		need.Retained = s.request.Retained.Ports[pool.HealthCheck]
		s.needs = append(s.needs, portNeed{PortNeed: need, index: noPort})
		s.named.Insert(number) // 0 is no port
	}
}

// choose finds where the ports are to be taken from.
func (s *portPlan) choose() {
	needs := make([]pool.PortNeed, len(s.needs))
	slots := sets.Set[string]{}
	for i := range s.needs {
		s.needs[i].Retained = s.unused(s.needs[i].Retained)
		needs[i] = s.needs[i].PortNeed
	}
	choices, faults := s.cluster.NodePorts.Choose(s.request.who(), needs)
	s.faults = append(s.faults, faults...)
	for i := range choices {
		take := s.takePort(&choices[i], s.needs[i].index)
		if slots.Has(take.Slot) { // of a name that several ports have: the server refuses them later
			take.Slot += fmt.Sprintf("/%d", i)
		}
		slots.Insert(take.Slot)
		s.Takes = append(s.Takes, take)
	}
}

func (s *portPlan) takePort(choice *pool.PortChoice, index int) Take {
	take := Take{
		Path: choice.Path, Family: servicenetv1alpha1.NodePort, Slot: choice.Name, Named: choice.Port != 0, index: index,
		candidates: convert(choice.Candidates, func(n pool.Port) ledger.Place { return ledger.Port(int(n)) }),
	}
	if choice.HealthCheck {
		take.Slot = pool.HealthCheck
	}
	for c := range choice.Candidates {
		if c.Source != pool.Reserved {
			break
		}
		if s.clashes(c.Number, index) {
			s.refuse(field.Forbidden(choice.Path, fmt.Sprintf("%v, which is reserved for it, is that of another port", c.Number)))
		}
		s.named.Insert(int32(c.Number))
		take.reserved = true
	}
	return take
}

// uses tells whether the Service has a number already, or names it.
func (s *portPlan) uses(number pool.Port) bool {
	return s.named.Has(int32(number)) || s.had.Has(int32(number)) || checksHealth(s.old) && s.old.HealthCheckNodePort == int32(number)
}

// clashes tells whether a port can't get a number because the Service has it for
// something else. One that another port gives up it can.
func (s *portPlan) clashes(number pool.Port, index int) bool {
	givenUp := s.had.Has(int32(number)) && !slices.Contains(s.numbers, int32(number))
	return s.uses(number) && (index == noPort || !givenUp)
}

// unused returns the retained ports that the Service does not have or name.
func (s *portPlan) unused(retained []pool.Port) []pool.Port {
	return slices.DeleteFunc(slices.Clone(retained), s.uses)
}

// free notes which ports the Service gives up.
func (s *portPlan) free() {
	stays := sets.Set[int32]{}
	if opensPorts(s.spec) {
		stays = s.named.Union(sets.New(s.numbers...))
	}
	for _, number := range slices.Sorted(slices.Values(s.had.Difference(stays).UnsortedList())) {
		s.Frees = appendPort(s.Frees, number)
	}
	if checksHealth(s.old) && !checksHealth(s.spec) {
		s.Frees = appendPort(s.Frees, s.old.HealthCheckNodePort)
	}
}

func (s *portPlan) refuse(fault *field.Error) { s.faults = append(s.faults, fault) }

func pathPort(i int) *field.Path { return pathSpec().Child("ports").Index(i).Child("nodePort") }

// appendPort appends the place of a port, if it is one.
func appendPort(places []ledger.Place, number int32) []ledger.Place {
	if number < 1 || number > 65535 {
		return places
	}
	return append(places, ledger.Port(int(number)))
}

// appendAddresses appends the places of addresses. "None" is none.
func appendAddresses(places []ledger.Place, texts []string) []ledger.Place {
	for _, text := range texts {
		address, err := netip.ParseAddr(text)
		if err != nil || address.Zone() != "" {
			continue
		}
		family := servicenetv1alpha1.ClusterIPv6
		if address = address.Unmap(); address.Is4() {
			family = servicenetv1alpha1.ClusterIPv4
		}
		places = append(places, ledger.Address(family, address))
	}
	return places
}

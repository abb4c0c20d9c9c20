// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package pool

import (
	"cmp"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// DecidePorts returns the node ports that a Service needs and does not have, as the
// API server finds them out, or what it has against the Service. The old one is nil
// when the Service is created. Ports that are named come first, so that no other is
// chosen by chance that is named further on.
//
// In one thing it is stricter than the server: ports of an ExternalName, which the
// server stores and nobody allocated, are needed once the Service has another type.
func DecidePorts(service, old *corev1.Service) ([]PortNeed, field.ErrorList) {
	d := &portDecision{
		ports:     service.Spec.Ports,
		allocates: allocatesPorts(service),
		used:      map[int32]bool{},
		slots:     map[string]bool{},
	}
	if old != nil {
		d.readOld(old)
	}
	switch {
	case !hasPorts(service):
	case old == nil:
		d.create()
	default:
		d.update(old)
	}
	if needsHealthCheck(service) && (old == nil || !needsHealthCheck(old)) {
		d.needHealthCheck(service.Spec.HealthCheckNodePort)
	}
	if len(d.faults) > 0 {
		return nil, d.faults
	}
	slices.SortStableFunc(d.needs, func(a, b PortNeed) int { return cmp.Compare(min(b.Port, 1), min(a.Port, 1)) })
	return d.needs, nil
}

// hasPorts tells whether Services of a type have node ports.
func hasPorts(service *corev1.Service) bool {
	return service.Spec.Type == corev1.ServiceTypeNodePort || service.Spec.Type == corev1.ServiceTypeLoadBalancer
}

// allocatesPorts tells whether a Service gets node ports that it does not name.
func allocatesPorts(service *corev1.Service) bool {
	allocate := service.Spec.AllocateLoadBalancerNodePorts
	return service.Spec.Type == corev1.ServiceTypeNodePort ||
		service.Spec.Type == corev1.ServiceTypeLoadBalancer && (allocate == nil || *allocate)
}

// needsHealthCheck tells whether a Service has a port for health checks.
func needsHealthCheck(service *corev1.Service) bool {
	return service.Spec.Type == corev1.ServiceTypeLoadBalancer &&
		service.Spec.ExternalTrafficPolicy == corev1.ServiceExternalTrafficPolicyLocal
}

// portDecision is the ports of a Service while they are being decided on.
type portDecision struct {
	ports     []corev1.ServicePort
	allocates bool
	// had are the node ports that the Service has, without that for health checks.
	had []int32
	// used are the numbers that the Service has or needs.
	used map[int32]bool
	// slots are those of the needs.
	slots  map[string]bool
	needs  []PortNeed
	faults field.ErrorList
}

func (d *portDecision) readOld(old *corev1.Service) {
	if hasPorts(old) {
		for i := range old.Spec.Ports {
			if number := old.Spec.Ports[i].NodePort; number != 0 {
				d.had = append(d.had, number)
				d.used[number] = true
			}
		}
	}
	if needsHealthCheck(old) {
		d.used[old.Spec.HealthCheckNodePort] = true
	}
}

// create decides for a new Service. Entries with the same port, for different
// protocols, share a node port, unless they name different ones.
func (d *portDecision) create() {
	shared := map[int32]int32{}
	for i := range d.ports {
		port := &d.ports[i]
		if port.NodePort == 0 && !d.allocates {
			continue
		}
		number, known := shared[port.Port]
		switch {
		case !known:
			named := d.naming(i)
			shared[port.Port] = d.ports[named].NodePort
			d.need(named, d.ports[named].NodePort)
		case port.NodePort != 0 && port.NodePort != number:
			d.need(i, port.NodePort)
		}
	}
}

// naming returns the first entry that names a node port for the port of an entry,
// or that entry itself.
func (d *portDecision) naming(i int) int {
	named := slices.IndexFunc(d.ports, func(p corev1.ServicePort) bool {
		return p.Port == d.ports[i].Port && p.NodePort != 0
	})
	return max(i, named)
}

// update decides for a Service that exists. Each entry has its own node port; the
// same one for different protocols has to be named.
func (d *portDecision) update(old *corev1.Service) {
	numbers := d.fill(old)
	type use struct {
		protocol corev1.Protocol
		number   int32
	}
	uses, asked := map[use]bool{}, map[int32]bool{}
	for i, number := range numbers {
		this := use{d.ports[i].Protocol, number}
		switch {
		case number == 0 && !d.allocates:
		case number == 0:
			d.need(i, 0)
		case uses[this]:
			d.refuse(pathPort(i), number)
		case !slices.Contains(d.had, number) && !asked[number]:
			d.need(i, number)
			asked[number] = true
		}
		uses[this] = true
	}
}

// fill returns the node ports of the entries. If the Service gets ports that it does
// not name, and did before, the server fills in what was left out from the entry that
// had the same name, unless another names that port now.
func (d *portDecision) fill(old *corev1.Service) []int32 {
	numbers := make([]int32, len(d.ports))
	taken, byName := map[int32]bool{}, map[string]int32{}
	for i := range d.ports {
		numbers[i] = d.ports[i].NodePort
		taken[numbers[i]] = true
	}
	if !d.allocates || !allocatesPorts(old) {
		return numbers
	}
	for i := range old.Spec.Ports {
		byName[old.Spec.Ports[i].Name] = old.Spec.Ports[i].NodePort
	}
	for i := range numbers {
		if was := byName[d.ports[i].Name]; numbers[i] == 0 && !taken[was] {
			numbers[i] = was
		}
	}
	return numbers
}

// need adds a need of an entry: the port that it names, or any for 0.
func (d *portDecision) need(i int, number int32) {
	if number != 0 && d.used[number] {
		d.refuse(pathPort(i), number)
		return
	}
	d.used[number] = true
	name := d.ports[i].Name
	slot := "port/" + name
	if d.slots[slot] {
		// Names are not what they should be. That is told later, by the server.
		slot = fmt.Sprintf("port/%s/%d", name, i)
	}
	d.slots[slot] = true
	d.needs = append(d.needs, PortNeed{Path: pathPort(i), Index: i, Slot: slot, Name: name, Port: Port(number)})
}

func (d *portDecision) needHealthCheck(number int32) {
	path := pathSpec().Child("healthCheckNodePort")
	if number != 0 && d.used[number] {
		d.refuse(path, number)
		return
	}
	d.needs = append(d.needs, PortNeed{Path: path, Index: -1, Slot: HealthCheck, HealthCheck: true, Port: Port(number)})
}

func (d *portDecision) refuse(path *field.Path, number int32) {
	d.faults = append(d.faults, field.Invalid(path, number, "is that of another port of this Service already"))
}

func pathPort(i int) *field.Path { return pathSpec().Child("ports").Index(i).Child("nodePort") }

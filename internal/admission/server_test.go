// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/sets"

	"servicenet.dev/servicenet/internal/pool"
)

// server is the API server's own allocator, as far as it matters what it takes by
// itself: it comes after the webhooks, and should find nothing left to choose.
type server struct {
	taken sets.Set[int32]
	// chose counts what it had to choose.
	chose int
}

// admit lets the server complete a Service, or refuse it. An old one must be one
// that the server completed.
func (v *server) admit(cluster pool.Cluster, service, old *corev1.Service) (*corev1.Service, error) {
	done := service.DeepCopy()
	families, faults := pool.Decide(cluster, service, old)
	if len(faults) > 0 {
		return nil, faults.ToAggregate()
	}
	before := &corev1.Service{}
	before.Spec.Type = externalName
	if old != nil && old.Spec.Type != externalName {
		before = old
	}
	v.addresses(done, before, &families)
	v.taken = sets.Set[int32]{}
	for _, place := range numbers(before) {
		if place.Block.IsPorts() {
			v.taken.Insert(int32(place.Block.Port(place.Number))) //nolint:gosec // a port
		}
	}
	var err error
	switch {
	case done.Spec.Type != nodePort && done.Spec.Type != loadBalancer:
		for i := range done.Spec.Ports {
			done.Spec.Ports[i].NodePort = 0
		}
	case old == nil:
		err = v.create(done)
	default:
		err = v.update(done, before)
	}
	if err != nil {
		return nil, err
	}
	return done, v.health(done, before)
}

// addresses completes the addresses and families.
func (v *server) addresses(done, before *corev1.Service, families *pool.Families) {
	ips := before.Spec.ClusterIPs
	if before.Spec.Type == externalName {
		ips = done.Spec.ClusterIPs
		if len(ips) == 0 && done.Spec.ClusterIP != "" {
			ips = []string{done.Spec.ClusterIP}
		}
	}
	if headless := len(ips) > 0 && ips[0] == "None"; !headless {
		ips = ips[:min(len(ips), len(families.Families))]
	}
	for _, need := range families.Needs {
		if !need.Address.IsValid() {
			v.chose++
		}
		if need.Index >= len(ips) {
			ips = append(slices.Clip(ips), need.Address.String())
		}
	}
	done.Spec.ClusterIPs, done.Spec.IPFamilies, done.Spec.IPFamilyPolicy = ips, families.Families, families.Policy
	done.Spec.ClusterIP = ""
	if len(ips) > 0 {
		done.Spec.ClusterIP = ips[0]
	}
}

func (v *server) take(number int32) error {
	if number < 30000 || number > 32767 || v.taken.Has(number) {
		return fmt.Errorf("%d can't be had", number)
	}
	v.taken.Insert(number)
	return nil
}

// create gives a new Service its ports: those of one number share.
func (v *server) create(s *corev1.Service) error {
	shared := map[int32]int32{}
	for i := range s.Spec.Ports {
		p := &s.Spec.Ports[i]
		if p.NodePort == 0 && !gives(s) {
			continue
		}
		number, known := shared[p.Port]
		for j := i; !known && number == 0 && j < len(s.Spec.Ports); j++ {
			if s.Spec.Ports[j].Port == p.Port {
				number = s.Spec.Ports[j].NodePort
			}
		}
		switch {
		case known && (p.NodePort == 0 || p.NodePort == number):
			p.NodePort = number
			continue
		case known:
			number = p.NodePort
		case number == 0:
			v.chose++
			continue
		default:
			shared[p.Port] = number
		}
		p.NodePort = number
		if err := v.take(number); err != nil {
			return err
		}
	}
	return nil
}

// update gives a Service that exists its new ports.
func (v *server) update(s, old *corev1.Service) error {
	had, stays, byName := sets.Set[int32]{}, sets.Set[int32]{}, map[string]int32{}
	for _, p := range old.Spec.Ports {
		had.Insert(p.NodePort)
		byName[p.Name] = p.NodePort
	}
	for _, p := range s.Spec.Ports {
		if had.Has(p.NodePort) && p.NodePort != 0 {
			stays.Insert(p.NodePort)
		}
	}
	type use struct {
		corev1.Protocol
		number int32
	}
	used, fresh := sets.Set[use]{}, sets.Set[int32]{}
	for i := range s.Spec.Ports {
		p := &s.Spec.Ports[i]
		if p.NodePort == 0 && gives(s) && gives(old) && !stays.Has(byName[p.Name]) {
			p.NodePort = byName[p.Name]
		}
		switch {
		case p.NodePort == 0 && gives(s):
			v.chose++
			continue
		case p.NodePort == 0:
			continue
		case !had.Has(p.NodePort) && !fresh.Has(p.NodePort):
			if err := v.take(p.NodePort); err != nil {
				return err
			}
			fresh.Insert(p.NodePort)
		}
		if used.Has(use{p.Protocol, p.NodePort}) {
			return fmt.Errorf("%d is there twice", p.NodePort)
		}
		used.Insert(use{p.Protocol, p.NodePort})
	}
	return nil
}

// gives tells whether a Service is given ports that it does not name.
func gives(s *corev1.Service) bool {
	allocate := s.Spec.AllocateLoadBalancerNodePorts
	return s.Spec.Type == nodePort || s.Spec.Type == loadBalancer && (allocate == nil || *allocate)
}

// health gives a Service its port for health checks.
func (v *server) health(s, old *corev1.Service) error {
	local := func(s *corev1.Service) bool {
		return s.Spec.Type == loadBalancer && s.Spec.ExternalTrafficPolicy == corev1.ServiceExternalTrafficPolicyLocal
	}
	switch {
	case !local(s):
		s.Spec.HealthCheckNodePort = 0
	case local(old):
		s.Spec.HealthCheckNodePort = old.Spec.HealthCheckNodePort
	case s.Spec.HealthCheckNodePort == 0:
		v.chose++
	default:
		return v.take(s.Spec.HealthCheckNodePort)
	}
	return nil
}

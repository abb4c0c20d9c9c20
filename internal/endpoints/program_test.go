// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoints

import (
	"fmt"
	"math/rand/v2"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// program is what a fuzzer varies: bytes that are read as choices, and zeros
// after its end.
type program struct{ bytes []byte }

// addRandom gives a fuzzer programs to start from, and plain test runs some to
// check.
func addRandom(f *testing.F, count int) {
	f.Helper()
	random := rand.NewChaCha8([32]byte{})
	for i := range count {
		bytes := make([]byte, i%200)
		_, _ = random.Read(bytes) // never fails
		f.Add(bytes)
	}
}

func (p *program) choose(options int) int {
	if len(p.bytes) == 0 {
		return 0
	}
	choice := int(p.bytes[0]) % options
	p.bytes = p.bytes[1:]
	return choice
}

func (p *program) chance(of int) bool { return p.choose(of) == 1 }

func choice[T any](p *program, options ...T) T { return options[p.choose(len(options))] }

func (p *program) service() *corev1.Service {
	service := makeService(
		withFamilies(choice(p,
			[]corev1.IPFamily{corev1.IPv4Protocol},
			[]corev1.IPFamily{corev1.IPv6Protocol, corev1.IPv4Protocol},
			nil)...),
		withClusterIP(choice(p, "10.96.0.10", "None", "", "fd00::10")),
		withPorts([]corev1.ServicePort{
			choice(p, numbered("http", 8080), named("http", "web")),
			choice(p, named("b", "admin"), numbered("b", 8080)),
			named("c", "web"),
		}[:p.choose(4)]...))
	service.Spec.PublishNotReadyAddresses = p.chance(3)
	for i := range service.Spec.Ports {
		service.Spec.Ports[i].AppProtocol = choice(p, nil, new("http"))
	}
	service.Labels = choice(p, nil, map[string]string{"team": "a"}, map[string]string{LabelManagedBy: "me", corev1.IsHeadlessService: "x"})
	if p.chance(20) {
		service.Spec.Selector = nil
	}
	return service
}

// pods returns some kinds of pods; many times over if there are to be more than
// an object may list.
func (p *program) pods() []*corev1.Pod {
	copies := choice(p, 1, 1, 1, 1, 1, 300)
	var pods []*corev1.Pod
	for range p.choose(7) {
		kind := p.pod()
		for range copies {
			pods = append(pods, withIdentity(kind.DeepCopy(), len(pods)))
		}
	}
	return pods
}

func (p *program) pod() *corev1.Pod {
	pod := makePod(0, onNode(choice(p, "node-a", "node-b", "")))
	for _, option := range []podOption{
		unready, terminating, withPhase(corev1.PodFailed), withIPs(), withIPs("10.9.9.9"),
		withHostname("h", "web"), declaring("web", 8080), declaring("web", 81), declaring("admin", 9000),
	} {
		if p.chance(4) {
			option(pod)
		}
	}
	if p.chance(3) && len(pod.Status.PodIPs) == 1 {
		pod.Status.PodIPs = append([]corev1.PodIP{{IP: "v6"}}, pod.Status.PodIPs...)
	}
	return pod
}

// withIdentity makes a pod of a kind the i-th; 10.9.9.9 is an address that pods
// share.
func withIdentity(pod *corev1.Pod, i int) *corev1.Pod {
	pod.Name = fmt.Sprintf("web-%d", i)
	pod.UID = types.UID(pod.Name)
	for j, ip := range pod.Status.PodIPs {
		switch ip.IP {
		case "10.0.0.1":
			pod.Status.PodIPs[j].IP = fmt.Sprintf("10.1.%d.%d", i/200, i%200)
		case "v6":
			pod.Status.PodIPs[j].IP = fmt.Sprintf("fd00::%x", i+1)
		}
	}
	return pod
}

// current returns what an object may be before: absent, of other pods, edited by
// hand, or anything at all.
func (p *program) current(service *corev1.Service, pods []*corev1.Pod) *corev1.Endpoints {
	blank := &corev1.Endpoints{ObjectMeta: metav1.ObjectMeta{Namespace: service.Namespace, Name: service.Name, ResourceVersion: "7"}}
	switch p.choose(4) {
	case 1:
		if created := Plan(Input{Service: service, Pods: pods[:len(pods)/2]}).Create; created != nil {
			blank.Subsets, blank.Labels = created.Subsets, created.Labels
		}
		return blank
	case 2:
		if created := Plan(Input{Service: service, Pods: pods}).Create; created != nil {
			blank.Subsets, blank.Labels = created.Subsets, created.Labels
		}
		blank.Annotations = map[string]string{"note": "x", corev1.EndpointsOverCapacity: "warning"}
		p.edit(blank)
		return blank
	case 3:
		blank.Subsets = p.subsets()
		return blank
	default:
		return nil
	}
}

func (p *program) edit(object *corev1.Endpoints) {
	for len(object.Subsets) > 0 && p.chance(2) {
		subset := &object.Subsets[p.choose(len(object.Subsets))]
		switch p.choose(5) {
		case 0:
			subset.Addresses, subset.NotReadyAddresses = subset.NotReadyAddresses, subset.Addresses
		case 1:
			object.Subsets = append(object.Subsets, *subset.DeepCopy())
		case 2:
			subset.Addresses = append(subset.Addresses, subset.NotReadyAddresses...)
		case 3:
			subset.Ports = nil
		case 4:
			subset.Addresses = append(subset.Addresses, p.address())
		}
	}
}

func (p *program) subsets() []corev1.EndpointSubset {
	var subsets []corev1.EndpointSubset
	for range p.choose(5) {
		var subset corev1.EndpointSubset
		for range p.choose(4) {
			subset.Addresses = append(subset.Addresses, p.address())
		}
		for range p.choose(4) {
			subset.NotReadyAddresses = append(subset.NotReadyAddresses, p.address())
		}
		for range p.choose(3) {
			added := port(choice(p, "http", "b"), choice[int32](p, 80, 8080))
			added.AppProtocol = choice(p, nil, new("http"))
			subset.Ports = append(subset.Ports, added)
		}
		subsets = append(subsets, subset)
	}
	return subsets
}

// address returns one of a few; all of one IP and target are equal, as those of
// a pod are.
func (p *program) address() corev1.EndpointAddress {
	ip := choice(p, "10.0.0.1", "10.0.0.10", "10.0.0.9", "fd00::1")
	if p.chance(2) {
		return at(ip)
	}
	address := at(ip, choice(p, "a", "b"))
	address.NodeName = new("node-of-" + address.TargetRef.Name)
	return address
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package mirroring

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

const (
	testNamespace = "shop"
	ipv4          = discoveryv1.AddressTypeIPv4
	ipv6          = discoveryv1.AddressTypeIPv6
)

// makeService returns a Service that leaves its endpoints to others.
func makeService(options ...func(*corev1.Service)) *corev1.Service {
	service := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: testNamespace, Name: "web", UID: "service-uid"},
		Spec: corev1.ServiceSpec{
			Type:  corev1.ServiceTypeClusterIP,
			Ports: []corev1.ServicePort{{Name: "http", Port: 80, Protocol: corev1.ProtocolTCP}},
		},
	}
	for _, option := range options {
		option(service)
	}
	return service
}

func withSelector(s *corev1.Service) { s.Spec.Selector = map[string]string{"app": "web"} }

type endpointsOption func(*corev1.Endpoints)

// makeEndpoints returns the Endpoints of makeService, with the given subsets.
func makeEndpoints(options ...endpointsOption) *corev1.Endpoints {
	endpoints := &corev1.Endpoints{
		ObjectMeta: metav1.ObjectMeta{Namespace: testNamespace, Name: "web", UID: "endpoints-uid"},
	}
	for _, option := range options {
		option(endpoints)
	}
	return endpoints
}

// withSubset adds a subset. A number stands for the address of that host, see
// hosts; a negative one is not ready.
func withSubset(ports []corev1.EndpointPort, numbers ...int) endpointsOption {
	return func(e *corev1.Endpoints) {
		subset := corev1.EndpointSubset{Ports: ports}
		for _, number := range numbers {
			if number < 0 {
				subset.NotReadyAddresses = append(subset.NotReadyAddresses, address(-number))
			} else {
				subset.Addresses = append(subset.Addresses, address(number))
			}
		}
		e.Subsets = append(e.Subsets, subset)
	}
}

func withAddresses(ports []corev1.EndpointPort, addresses ...corev1.EndpointAddress) endpointsOption {
	return func(e *corev1.Endpoints) {
		e.Subsets = append(e.Subsets, corev1.EndpointSubset{Ports: ports, Addresses: addresses})
	}
}

func withLabels(labels map[string]string) endpointsOption {
	return func(e *corev1.Endpoints) { e.Labels = labels }
}

func withAnnotations(annotations map[string]string) endpointsOption {
	return func(e *corev1.Endpoints) { e.Annotations = annotations }
}

func withUID(uid types.UID) endpointsOption {
	return func(e *corev1.Endpoints) { e.UID = uid }
}

func deleting(e *corev1.Endpoints) { e.DeletionTimestamp = &metav1.Time{} }

// firstIPv6 is the number of the first host with an IPv6 address.
const firstIPv6 = 1000

// address returns the plain address of a host.
func address(number int) corev1.EndpointAddress {
	if number >= firstIPv6 {
		return corev1.EndpointAddress{IP: fmt.Sprintf("fd00::%x", number)}
	}
	return corev1.EndpointAddress{IP: fmt.Sprintf("10.0.%d.%d", number/250, number%250+1)}
}

func hosts(from, to int) []int {
	var numbers []int
	for number := from; number < to; number++ {
		numbers = append(numbers, number)
	}
	return numbers
}

// tcp returns ports named after their numbers.
func tcp(numbers ...int32) []corev1.EndpointPort {
	var ports []corev1.EndpointPort
	for _, number := range numbers {
		ports = append(ports, corev1.EndpointPort{
			Name: fmt.Sprintf("p%d", number), Port: number, Protocol: corev1.ProtocolTCP,
		})
	}
	return ports
}

func makeInput(endpoints *corev1.Endpoints, slices ...*discoveryv1.EndpointSlice) Input {
	return Input{Endpoints: endpoints, Service: makeService(), Slices: slices}
}

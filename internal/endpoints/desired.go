// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoints

import (
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	netutils "k8s.io/utils/net"

	"servicenet.dev/servicenet/internal/endpointslice"
)

// desire returns a subset for each pod to list. A pod on an unknown node stays:
// no field here depends on its node.
func desire(service *corev1.Service, pods []*corev1.Pod) []corev1.EndpointSubset {
	subsets := make([]corev1.EndpointSubset, 0, len(pods))
	for _, pod := range pods {
		if !listed(service, pod) {
			continue
		}
		ports := resolvePorts(service, pod)
		if len(ports) == 0 && !portless(service) {
			continue
		}
		addresses := endpointslice.Addresses(pod, family(service, pod))
		if len(addresses) == 0 {
			continue
		}
		subset := corev1.EndpointSubset{Ports: ports}
		address := []corev1.EndpointAddress{addressOf(service, pod, addresses[0])}
		if service.Spec.PublishNotReadyAddresses || endpointslice.Ready(pod) {
			subset.Addresses = address
		} else {
			subset.NotReadyAddresses = address
		}
		subsets = append(subsets, subset)
	}
	return subsets
}

// listed tells whether a pod may be in the object at all. There is no condition
// to say that it is terminating, so such a pod goes unless the user asked for
// every address there is.
func listed(service *corev1.Service, pod *corev1.Pod) bool {
	return endpointslice.Listable(pod) && (pod.DeletionTimestamp == nil || service.Spec.PublishNotReadyAddresses)
}

// portless tells whether a Service lists addresses without ports, as only a
// headless one may.
func portless(service *corev1.Service) bool {
	return len(service.Spec.Ports) == 0 && service.Spec.ClusterIP == corev1.ClusterIPNone
}

// family returns the one address family that the object lists, the first of the
// Service. A headless Service that names no family comes from an API server that
// predates dual-stack: there each pod counts with its first address.
func family(service *corev1.Service, pod *corev1.Pod) discoveryv1.AddressType {
	if len(service.Spec.IPFamilies) > 0 || !endpointslice.Headless(service) {
		return endpointslice.AddressTypes(service)[0]
	}
	if netutils.IsIPv6String(pod.Status.PodIPs[0].IP) {
		return discoveryv1.AddressTypeIPv6
	}
	return discoveryv1.AddressTypeIPv4
}

// resolvePorts returns the ports a Service reaches on one pod. A named target
// port that the pod does not declare is left out, and a pod with none of them
// is not listed, other than in EndpointSlices.
func resolvePorts(service *corev1.Service, pod *corev1.Pod) []corev1.EndpointPort {
	ports := make([]corev1.EndpointPort, 0, len(service.Spec.Ports))
	for i := range service.Spec.Ports {
		port := &service.Spec.Ports[i]
		number, found := endpointslice.TargetPort(port, pod)
		if !found {
			continue
		}
		ports = append(ports, corev1.EndpointPort{
			Name:        port.Name,
			Port:        number,
			Protocol:    port.Protocol,
			AppProtocol: port.AppProtocol,
		})
	}
	return ports
}

// addressOf describes a pod. The node name is absent and not empty when the pod
// has none, because the API server refuses an empty one, and with it the object.
func addressOf(service *corev1.Service, pod *corev1.Pod, ip string) corev1.EndpointAddress {
	address := corev1.EndpointAddress{
		IP:       ip,
		Hostname: endpointslice.Hostname(service, pod),
		TargetRef: &corev1.ObjectReference{
			Kind:      "Pod",
			Namespace: pod.Namespace,
			Name:      pod.Name,
			UID:       pod.UID,
		},
	}
	if pod.Spec.NodeName != "" {
		address.NodeName = new(pod.Spec.NodeName)
	}
	return address
}

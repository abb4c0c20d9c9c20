// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpointslice

import (
	"net"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	netutils "k8s.io/utils/net"
	"k8s.io/utils/ptr"
)

// Listable tells whether a pod that a Service selects can be one of its
// endpoints: it has an address and its containers may still run. A terminating
// pod stays listed, with its condition saying so (KEP-1672); one that failed or
// succeeded will never serve again.
func Listable(pod *corev1.Pod) bool {
	return len(pod.Status.PodIPs) > 0 && !terminal(pod)
}

func terminal(pod *corev1.Pod) bool {
	return pod.Status.Phase == corev1.PodFailed || pod.Status.Phase == corev1.PodSucceeded
}

// Ready tells whether a pod reports that it is ready to serve.
func Ready(pod *corev1.Pod) bool {
	for i := range pod.Status.Conditions {
		if pod.Status.Conditions[i].Type == corev1.PodReady {
			return pod.Status.Conditions[i].Status == corev1.ConditionTrue
		}
	}
	return false
}

// Hostname returns the name under which DNS serves a pod of a Service, or
// nothing: the pod asks for it by naming the Service as its subdomain.
func Hostname(service *corev1.Service, pod *corev1.Pod) string {
	if pod.Spec.Subdomain != service.Name {
		return ""
	}
	return pod.Spec.Hostname
}

// Addresses returns the pod's addresses of one family in their canonical form,
// so that one address has one spelling whatever the pod's runtime reported.
func Addresses(pod *corev1.Pod, family discoveryv1.AddressType) []string {
	var found []string
	for _, podIP := range pod.Status.PodIPs {
		ip := netutils.ParseIPSloppy(podIP.IP)
		if ip == nil || netutils.IsIPv6(ip) != (family == discoveryv1.AddressTypeIPv6) {
			continue
		}
		found = append(found, spelled(ip, podIP.IP))
	}
	return found
}

// spelled returns an address in its canonical form, and the given text where that
// is it already: so it needs no memory of its own.
func spelled(ip net.IP, text string) string {
	if canonical := ip.String(); canonical != text {
		return canonical
	}
	return text
}

// hints returns where traffic for a ready endpoint should come from when the
// Service asks for close endpoints in spec.trafficDistribution (KEP-4444,
// KEP-3015): its own zone, and for PreferSameNode its own node as well. Those of a
// Service with [AutoTopology] depend on the other endpoints, and come later.
func hints(service *corev1.Service, endpoint *discoveryv1.Endpoint, at *pointees) *discoveryv1.EndpointHints {
	if !at.ready || AutoTopology(service) {
		return nil
	}
	switch ptr.Deref(service.Spec.TrafficDistribution, "") {
	case corev1.ServiceTrafficDistributionPreferSameNode:
		if endpoint.NodeName != nil {
			at.forNode[0].Name = at.node
			at.hints.ForNodes = at.forNode[:]
		}
		fallthrough
	case corev1.ServiceTrafficDistributionPreferClose, corev1.ServiceTrafficDistributionPreferSameZone:
		if endpoint.Zone != nil {
			at.forZone[0].Name = at.zone
			at.hints.ForZones = at.forZone[:]
		}
	}
	if at.hints.ForZones == nil && at.hints.ForNodes == nil {
		return nil
	}
	return &at.hints
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpointslice

import (
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

// endpointFor describes a pod as an endpoint of a Service in one address family.
// The zone is that of the pod's node, empty when it is not known. The endpoint
// has no address when the pod has none in that family.
func endpointFor(service *corev1.Service, pod *corev1.Pod, zone string, family discoveryv1.AddressType) discoveryv1.Endpoint {
	endpoint := discoveryv1.Endpoint{
		Addresses:  Addresses(pod, family),
		Conditions: conditions(service, pod),
		TargetRef: &corev1.ObjectReference{
			Kind:      "Pod",
			Namespace: pod.Namespace,
			Name:      pod.Name,
			UID:       pod.UID,
		},
	}
	if hostname := Hostname(service, pod); hostname != "" {
		endpoint.Hostname = new(hostname)
	}
	if pod.Spec.NodeName != "" {
		endpoint.NodeName = new(pod.Spec.NodeName)
	}
	if zone != "" {
		endpoint.Zone = new(zone)
	}
	if !AutoTopology(service) { // its hints depend on the other endpoints
		endpoint.Hints = hints(service, &endpoint)
	}
	return endpoint
}

// Hostname returns the name under which DNS serves a pod of a Service, or
// nothing: the pod asks for it by naming the Service as its subdomain.
func Hostname(service *corev1.Service, pod *corev1.Pod) string {
	if pod.Spec.Subdomain != service.Name {
		return ""
	}
	return pod.Spec.Hostname
}

// conditions always sets all three, since a consumer reads an absent one as
// "unknown" and each of them in its own way.
func conditions(service *corev1.Service, pod *corev1.Pod) discoveryv1.EndpointConditions {
	serving := Ready(pod)
	terminating := pod.DeletionTimestamp != nil
	return discoveryv1.EndpointConditions{
		Ready:       new(service.Spec.PublishNotReadyAddresses || (serving && !terminating)),
		Serving:     new(serving),
		Terminating: new(terminating),
	}
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
		found = append(found, ip.String())
	}
	return found
}

// hints returns where traffic for a ready endpoint should come from when the
// Service asks for close endpoints in spec.trafficDistribution (KEP-4444,
// KEP-3015): its own zone, and for PreferSameNode its own node as well.
func hints(service *corev1.Service, endpoint *discoveryv1.Endpoint) *discoveryv1.EndpointHints {
	if !*endpoint.Conditions.Ready {
		return nil
	}
	var zones []discoveryv1.ForZone
	var nodes []discoveryv1.ForNode
	switch ptr.Deref(service.Spec.TrafficDistribution, "") {
	case corev1.ServiceTrafficDistributionPreferSameNode:
		if endpoint.NodeName != nil {
			nodes = []discoveryv1.ForNode{{Name: *endpoint.NodeName}}
		}
		fallthrough
	case corev1.ServiceTrafficDistributionPreferClose, corev1.ServiceTrafficDistributionPreferSameZone:
		if endpoint.Zone != nil {
			zones = []discoveryv1.ForZone{{Name: *endpoint.Zone}}
		}
	}
	if zones == nil && nodes == nil {
		return nil
	}
	return &discoveryv1.EndpointHints{ForZones: zones, ForNodes: nodes}
}

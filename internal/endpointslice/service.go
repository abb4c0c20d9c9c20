// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpointslice

import (
	"maps"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	netutils "k8s.io/utils/net"
)

// ManagedBy is the value of the endpointslice.kubernetes.io/managed-by label on
// every slice of this controller. It is the stock controller's, because it names
// a role and not a program: whoever holds the role continues the same slices.
const ManagedBy = "endpointslice-controller.k8s.io"

// Managed tells whether the controller keeps slices for a Service. A Service
// without a selector has its slices made by hand, and one of type ExternalName
// has no endpoints at all; both are left alone.
func Managed(service *corev1.Service) bool {
	return len(service.Spec.Selector) > 0 && service.Spec.Type != corev1.ServiceTypeExternalName
}

// AddressTypes returns the address families a Service publishes, one set of
// slices each, in the order of spec.ipFamilies. A Service that names no family
// comes from an API server that predates dual-stack: its cluster IP tells the
// family, and a headless one may have either.
func AddressTypes(service *corev1.Service) []discoveryv1.AddressType {
	var types []discoveryv1.AddressType
	for _, family := range service.Spec.IPFamilies {
		switch family {
		case corev1.IPv4Protocol:
			types = append(types, discoveryv1.AddressTypeIPv4)
		case corev1.IPv6Protocol:
			types = append(types, discoveryv1.AddressTypeIPv6)
		case corev1.IPFamilyUnknown:
		}
	}
	switch {
	case len(types) > 0:
		return types
	case Headless(service):
		return []discoveryv1.AddressType{discoveryv1.AddressTypeIPv4, discoveryv1.AddressTypeIPv6}
	case netutils.IsIPv6String(service.Spec.ClusterIP):
		return []discoveryv1.AddressType{discoveryv1.AddressTypeIPv6}
	default:
		return []discoveryv1.AddressType{discoveryv1.AddressTypeIPv4}
	}
}

// Headless tells whether a Service has no virtual IP, which kube-proxy and DNS
// read from a label on its slices.
func Headless(service *corev1.Service) bool {
	return service.Spec.ClusterIP == "" || service.Spec.ClusterIP == corev1.ClusterIPNone
}

// sliceLabels returns the labels of every slice of a Service: the Service's own,
// and over them the three that only the controller sets.
func sliceLabels(service *corev1.Service) map[string]string {
	labels := make(map[string]string, len(service.Labels)+3)
	maps.Copy(labels, service.Labels)
	delete(labels, corev1.IsHeadlessService)
	if Headless(service) {
		labels[corev1.IsHeadlessService] = ""
	}
	labels[discoveryv1.LabelServiceName] = service.Name
	labels[discoveryv1.LabelManagedBy] = ManagedBy
	return labels
}

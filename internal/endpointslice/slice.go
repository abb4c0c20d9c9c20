// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpointslice

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// ServiceOf returns the Service that a slice's label names.
func ServiceOf(slice *discoveryv1.EndpointSlice) types.NamespacedName {
	return types.NamespacedName{Namespace: slice.Namespace, Name: slice.Labels[discoveryv1.LabelServiceName]}
}

// managed tells whether the controller keeps a slice.
func managed(slice *discoveryv1.EndpointSlice) bool {
	return slice.Labels[discoveryv1.LabelManagedBy] == ManagedBy
}

// sortedByName fixes the order in which slices are looked at, so that of two
// copies of an endpoint every replica keeps the same one.
func sortedByName(all []*discoveryv1.EndpointSlice) []*discoveryv1.EndpointSlice {
	sorted := slices.Clone(all)
	slices.SortFunc(sorted, func(a, b *discoveryv1.EndpointSlice) int { return strings.Compare(a.Name, b.Name) })
	return sorted
}

func ownedBy(slice *discoveryv1.EndpointSlice, service *corev1.Service) bool {
	return slices.ContainsFunc(slice.OwnerReferences, func(owner metav1.OwnerReference) bool {
		return owner.UID == service.UID && owner.Kind == "Service" && owner.APIVersion == "v1"
	})
}

func ownerReference(service *corev1.Service) metav1.OwnerReference {
	return *metav1.NewControllerRef(service, corev1.SchemeGroupVersion.WithKind("Service"))
}

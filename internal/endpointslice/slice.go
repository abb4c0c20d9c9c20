// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpointslice

import (
	"maps"
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

// sortSlices orders what a Service has into the slices to continue, by family
// and port set, and those to delete: of a family the Service dropped, or owned
// by an earlier Service of the same name. Slices with another manager and slices
// on their way out are left alone.
func sortSlices(
	in *Input, families []discoveryv1.AddressType,
) (usable map[discoveryv1.AddressType]byPorts, obsolete []*discoveryv1.EndpointSlice) {
	usable = make(map[discoveryv1.AddressType]byPorts, len(families))
	for _, family := range families {
		usable[family] = byPorts{}
	}
	for _, slice := range sortedByName(in.Slices) {
		if !managed(slice) || slice.DeletionTimestamp != nil {
			continue
		}
		groups, wanted := usable[slice.AddressType]
		if !wanted || !ownedBy(slice, in.Service) {
			obsolete = append(obsolete, slice)
			continue
		}
		key := KeyOfPorts(slice.Ports)
		groups[key] = append(groups[key], slice)
	}
	return usable, obsolete
}

// byPorts holds the slices of one family by the ports they list.
type byPorts map[PortsKey][]*discoveryv1.EndpointSlice

func (b byPorts) keys() []PortsKey { return slices.Sorted(maps.Keys(b)) }

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

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoints

import (
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
)

// isIn tells whether an object says what is wanted, in whatever order. An entry
// that contradicts or repeats another has to go, even where the rest is right.
// Annotations and labels of others: the former do not count, the latter are not
// wanted, since the labels are the Service's.
func (w *wanted) isIn(current *corev1.Endpoints) bool {
	if !w.metadataIsIn(current) {
		return false
	}
	content, exact := regroup(current.Subsets)
	return exact && slices.EqualFunc(content, w.content, sameSubset)
}

func (w *wanted) metadataIsIn(current *corev1.Endpoints) bool {
	return maps.Equal(current.Labels, w.labels) && current.Annotations[corev1.EndpointsOverCapacity] == w.capacity()
}

func sameSubset(a, b corev1.EndpointSubset) bool {
	return slices.Equal(portKeys(a.Ports), portKeys(b.Ports)) &&
		slices.EqualFunc(a.Addresses, b.Addresses, sameListed) &&
		slices.EqualFunc(a.NotReadyAddresses, b.NotReadyAddresses, sameListed)
}

func sameListed(a, b corev1.EndpointAddress) bool { return sameAddress(&a, &b) }

// sameAddress compares all of two addresses but their target's resourceVersion,
// which old controllers wrote and which changes with every heartbeat of a pod.
func sameAddress(a, b *corev1.EndpointAddress) bool {
	return a.IP == b.IP && a.Hostname == b.Hostname && ptr.Equal(a.NodeName, b.NodeName) && sameTarget(a.TargetRef, b.TargetRef)
}

func sameTarget(a, b *corev1.ObjectReference) bool {
	if a == nil || b == nil {
		return a == b
	}
	left, right := *a, *b
	left.ResourceVersion, right.ResourceVersion = "", ""
	return left == right
}

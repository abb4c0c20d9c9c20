// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpointslice

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// FieldManager is under whose name the API server records what this program
// writes.
const FieldManager = "servicenet"

// stockFieldManager is that of the stock controllers.
const stockFieldManager = "kube-controller-manager"

// Orphans returns the slices that were made for a Service while it had a selector,
// and that nobody keeps up to date since it has none or became an ExternalName.
func Orphans(service *corev1.Service, all []*discoveryv1.EndpointSlice) []*discoveryv1.EndpointSlice {
	var orphans []*discoveryv1.EndpointSlice
	if Managed(service) {
		return orphans
	}
	for _, slice := range sortedByName(all) {
		if managed(slice) && slice.DeletionTimestamp == nil && ownedBy(slice, service) {
			orphans = append(orphans, slice)
		}
	}
	return orphans
}

// WrittenByControllers tells whether nobody but endpoint controllers, ours or the
// stock ones, owns a field of an object. One that a user has edited since is the
// user's. Without a record of ownership nothing is known, and the answer is no.
func WrittenByControllers(object metav1.Object) bool {
	entries := object.GetManagedFields()
	return len(entries) > 0 && !slices.ContainsFunc(entries, func(entry metav1.ManagedFieldsEntry) bool {
		return entry.Manager != FieldManager && entry.Manager != stockFieldManager
	})
}

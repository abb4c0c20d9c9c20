// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoints

import (
	corev1 "k8s.io/api/core/v1"

	"servicenet.dev/servicenet/internal/endpointslice"
)

// PodMatters tells whether a change of a pod can change the Endpoints object of
// a Service that selects it, before or after. What an address says is part of
// what an EndpointSlice says, so the same changes matter.
func PodMatters(before, after *corev1.Pod) bool { return endpointslice.PodMatters(before, after) }

// StripEndpoints drops an object's field ownership and returns it. All else is
// written back on an update; the server keeps the ownership it has.
func StripEndpoints(endpoints *corev1.Endpoints) *corev1.Endpoints {
	endpoints.ManagedFields = nil
	return endpoints
}

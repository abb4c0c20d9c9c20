// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoints

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"servicenet.dev/servicenet/internal/endpointslice"
)

// Published tells which pods an object lists as they are, for
// [endpointslice.Triggers.Next]. It is nil when there is no object that this
// controller, or one in its role, has written.
func Published(current *corev1.Endpoints) func(*endpointslice.Readiness) bool {
	if current == nil || !Owned(current) {
		return nil
	}
	return endpointslice.ListedAs(readyByPod(current))
}

func readyByPod(object *corev1.Endpoints) map[types.UID]bool {
	listed := map[types.UID]bool{}
	for i := range object.Subsets {
		subset := &object.Subsets[i]
		note(listed, subset.Addresses, true)
		note(listed, subset.NotReadyAddresses, false)
	}
	return listed
}

func note(listed map[types.UID]bool, addresses []corev1.EndpointAddress, ready bool) {
	for i := range addresses {
		if addresses[i].TargetRef != nil {
			listed[addresses[i].TargetRef.UID] = ready
		}
	}
}

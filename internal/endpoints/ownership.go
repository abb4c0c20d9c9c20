// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoints

import (
	corev1 "k8s.io/api/core/v1"

	"servicenet.dev/servicenet/internal/endpointslice"
)

// LabelManagedBy names, on an Endpoints object, the controller that keeps it.
const LabelManagedBy = "endpoints.kubernetes.io/managed-by"

// ManagedBy is the value of that label on every object of this controller. It is
// the stock controller's, because it names a role and not a program.
const ManagedBy = "endpoint-controller"

// leaderAnnotation is where older clients keep a leader election, on an
// Endpoints object that has no Service.
const leaderAnnotation = "control-plane.alpha.kubernetes.io/leader"

// Managed tells whether the controller keeps an Endpoints object for a Service.
// It does so for those it keeps EndpointSlices for.
func Managed(service *corev1.Service) bool { return endpointslice.Managed(service) }

// Owned tells whether an object was written by this controller or one in its
// role. Only such an object may be deleted when it has no Service: any other was
// made by hand.
func Owned(endpoints *corev1.Endpoints) bool { return endpoints.Labels[LabelManagedBy] == ManagedBy }

// LeaderElection tells whether an object serves to elect a leader and lists no
// endpoints.
func LeaderElection(endpoints *corev1.Endpoints) bool {
	_, found := endpoints.Annotations[leaderAnnotation]
	return found
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package mirroring

import (
	"maps"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"

	"servicenet.dev/servicenet/internal/endpoints"
)

// Mirrored tells whether slices are to be kept for an Endpoints object: there is
// a Service of its name, that Service leaves its endpoints to others, and the
// object itself does not ask to be left out. Either may be nil. Where the answer
// is no, slices mirrored earlier are deleted.
func Mirrored(object *corev1.Endpoints, service *corev1.Service) bool {
	return object != nil && mirrorable(object) && service != nil && !selects(service)
}

func mirrorable(object *corev1.Endpoints) bool {
	return object.Labels[discoveryv1.LabelSkipMirror] != "true" && !endpoints.LeaderElection(object)
}

func selects(service *corev1.Service) bool { return len(service.Spec.Selector) > 0 }

// Matters tells whether a change of an Endpoints object can change its mirrored
// slices. The renewal of a leader's lock, a new trigger time and what kubectl last
// applied cannot.
func Matters(before, after *corev1.Endpoints) bool {
	if !mirrorable(before) || !mirrorable(after) {
		return mirrorable(before) != mirrorable(after)
	}
	return before.UID != after.UID ||
		(before.DeletionTimestamp == nil) != (after.DeletionTimestamp == nil) ||
		!maps.Equal(before.Labels, after.Labels) ||
		!maps.Equal(mirroredAnnotations(before), mirroredAnnotations(after)) ||
		!apiequality.Semantic.DeepEqual(before.Subsets, after.Subsets)
}

// ServiceMatters tells whether a change of a Service can change the slices
// mirrored for the Endpoints of its name.
func ServiceMatters(before, after *corev1.Service) bool { return selects(before) != selects(after) }

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package mirroring

import (
	"maps"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// metadata is what every mirrored slice of an Endpoints object carries.
type metadata struct {
	labels, annotations map[string]string
	owner               metav1.OwnerReference
}

func metadataOf(endpoints *corev1.Endpoints) metadata {
	return metadata{
		labels:      mirroredLabels(endpoints),
		annotations: mirroredAnnotations(endpoints),
		owner:       *metav1.NewControllerRef(endpoints, corev1.SchemeGroupVersion.WithKind("Endpoints")),
	}
}

// mirroredLabels returns the labels of the Endpoints, and over them the two that
// only the controller sets.
func mirroredLabels(endpoints *corev1.Endpoints) map[string]string {
	labels := make(map[string]string, len(endpoints.Labels)+2)
	maps.Copy(labels, endpoints.Labels)
	labels[discoveryv1.LabelServiceName] = endpoints.Name
	labels[discoveryv1.LabelManagedBy] = ManagedBy
	return labels
}

// mirroredAnnotations returns the annotations of the Endpoints without the two
// that speak of that object itself: when a change of it was triggered, and how
// kubectl last applied it.
func mirroredAnnotations(endpoints *corev1.Endpoints) map[string]string {
	annotations := make(map[string]string, len(endpoints.Annotations))
	maps.Copy(annotations, endpoints.Annotations)
	delete(annotations, corev1.EndpointsLastChangeTriggerTime)
	delete(annotations, corev1.LastAppliedConfigAnnotation)
	return annotations
}

// on tells whether a slice carries the metadata. Annotations must be equal, so
// one that somebody else added is a difference: the stock controller would
// remove it too.
func (m *metadata) on(slice *discoveryv1.EndpointSlice) bool {
	return maps.Equal(m.labels, slice.Labels) &&
		maps.Equal(m.annotations, slice.Annotations) &&
		apiequality.Semantic.DeepEqual(m.owners(slice.OwnerReferences), slice.OwnerReferences)
}

// owners returns the owners a slice should have: the Endpoints, and of those it
// has now all that do not claim the same place. Another controller does, since
// there can be one only, and so do Endpoints of another name, or of this name
// before they were made anew: the slice would be deleted with them.
func (m *metadata) owners(current []metav1.OwnerReference) []metav1.OwnerReference {
	var owners []metav1.OwnerReference
	owned := false
	for i := range current {
		owner := &current[i]
		switch {
		case owner.UID == m.owner.UID:
			if !owned {
				owners = append(owners, *m.owner.DeepCopy())
			}
			owned = true
		case owner.Kind == m.owner.Kind || (owner.Controller != nil && *owner.Controller):
		default:
			owners = append(owners, *owner)
		}
	}
	if !owned {
		owners = append(owners, *m.owner.DeepCopy())
	}
	return owners
}

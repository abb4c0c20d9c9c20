// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package mirroring

import (
	"maps"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"servicenet.dev/servicenet/internal/endpointslice"
)

func (e *edit) isUpdate() bool { return e.current != nil && e.want != nil && e.touched }

// writer turns edits into changes.
type writer struct {
	endpoints *corev1.Endpoints
	metadata  *metadata
	names     *endpointslice.Namer
}

func (w *writer) changes(edits []*edit) endpointslice.Changes {
	updated, swapped := inOrder(edits)
	if w.endpoints.DeletionTimestamp != nil {
		updated, swapped = append(updated, swapped...), nil
	}
	var changes endpointslice.Changes
	for _, e := range edits {
		switch {
		case e.want == nil:
			changes.Delete = append(changes.Delete, e.current)
		case e.current == nil && w.endpoints.DeletionTimestamp == nil:
			// While the Endpoints are being deleted, the garbage collector
			// removes their slices: a new one would only race with it.
			changes.Create = append(changes.Create, w.create(e))
		}
	}
	for _, e := range swapped {
		changes.Create = append(changes.Create, w.create(e))
		changes.Delete = append(changes.Delete, e.current)
	}
	for _, e := range updated {
		changes.Update = append(changes.Update, w.update(e))
	}
	return changes
}

func (w *writer) create(e *edit) *discoveryv1.EndpointSlice {
	return w.slice(e, &metav1.ObjectMeta{
		Name:         w.names.Next(e.want.family),
		GenerateName: endpointslice.GenerateName(w.endpoints),
		Namespace:    w.endpoints.Namespace,
	})
}

// update keeps of the slice's metadata what is not the Endpoints' to say:
// identity, resourceVersion, finalizers, other owners.
func (w *writer) update(e *edit) *discoveryv1.EndpointSlice {
	return w.slice(e, e.current.ObjectMeta.DeepCopy())
}

// slice copies what several slices share: a client decodes the server's answer
// into the object it sends.
func (w *writer) slice(e *edit, meta *metav1.ObjectMeta) *discoveryv1.EndpointSlice {
	meta.Labels = maps.Clone(w.metadata.labels)
	meta.Annotations = maps.Clone(w.metadata.annotations)
	meta.OwnerReferences = w.metadata.owners(meta.OwnerReferences)
	slice := &discoveryv1.EndpointSlice{
		ObjectMeta:  *meta,
		AddressType: e.want.family,
		Endpoints:   e.endpoints,
	}
	for i := range e.want.portList {
		slice.Ports = append(slice.Ports, *e.want.portList[i].DeepCopy())
	}
	return slice
}

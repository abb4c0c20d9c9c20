// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	discoveryv1 "k8s.io/api/discovery/v1"

	"servicenet.dev/servicenet/internal/endpointslice"
	"servicenet.dev/servicenet/internal/mirroring"
)

// simTampered is an annotation on every slice that somebody laid hands on.
const simTampered = "tampered"

// tamper does to one slice what users and other controllers may do.
func (w *simWorld) tamper() {
	all := simAll[*discoveryv1.EndpointSlice](w.api.simStore)
	if len(all) == 0 {
		return
	}
	slice := pick(w, all...).DeepCopy()
	switch w.random.IntN(8) {
	case 0, 1:
		w.remove(slice)
	case 2:
		w.remove(slice)
		w.duplicate(slice, slice.Name)
	case 3:
		w.duplicate(slice, slice.Name+"-copy")
	default:
		w.edit(slice)
	}
}

// duplicate makes another slice of one, of the same manager or of another.
func (w *simWorld) duplicate(slice *discoveryv1.EndpointSlice, name string) {
	if w.api.objects[simSlices][simKey(slice.Namespace, name)] != nil {
		return // a name that is taken, or a slice that a finalizer keeps
	}
	twin := slice.DeepCopy()
	twin.Name, twin.UID, twin.ResourceVersion, twin.DeletionTimestamp, twin.Finalizers = name, "", "", nil, nil
	twin.Labels[discoveryv1.LabelManagedBy] = pick(w, twin.Labels[discoveryv1.LabelManagedBy], "somebody-else")
	twin.Annotations = map[string]string{simTampered: "yes"}
	w.create(twin)
}

func (w *simWorld) edit(slice *discoveryv1.EndpointSlice) {
	slice.Annotations = map[string]string{simTampered: "yes"}
	switch w.random.IntN(10) {
	case 0:
		slice.Labels[discoveryv1.LabelManagedBy] = pick(w, endpointslice.ManagedBy, mirroring.ManagedBy, "somebody-else")
	case 1:
		slice.Labels[discoveryv1.LabelServiceName] = pick(w, "web", "api", "nobody")
	case 2:
		delete(slice.Labels, discoveryv1.LabelServiceName)
	case 3:
		slice.Labels["extra"] = "yes"
	case 4:
		slice.OwnerReferences = nil
	case 5:
		slice.Ports = nil
	case 6:
		slice.Endpoints = slice.Endpoints[:len(slice.Endpoints)/2]
	case 7:
		for i := range slice.Endpoints {
			slice.Endpoints[i].Conditions.Ready = nil
		}
	case 8:
		slice.Endpoints = append(slice.Endpoints, discoveryv1.Endpoint{Addresses: []string{"10.9.9.9"}})
	case 9:
		slice.Finalizers = pick(w, []string{"example.com/wait"}, nil)
	}
	w.update(slice)
}

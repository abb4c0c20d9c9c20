// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// simKind names a kind of object in the simulation.
type simKind string

const (
	simServices simKind = "Service"
	simPods     simKind = "Pod"
	simNodes    simKind = "Node"
	simSlices   simKind = "EndpointSlice"

	simEndpoints simKind = "Endpoints"
)

// simKinds returns all kinds in a fixed order: a sequence is the same each time
// it is replayed.
func simKinds() []simKind { return []simKind{simServices, simPods, simNodes, simSlices, simEndpoints} }

// simKindOf returns the kind of an object or a list.
func simKindOf(object runtime.Object) simKind {
	switch object.(type) {
	case *corev1.Service, *corev1.ServiceList:
		return simServices
	case *corev1.Pod, *corev1.PodList:
		return simPods
	case *corev1.Node, *corev1.NodeList:
		return simNodes
	case *discoveryv1.EndpointSlice, *discoveryv1.EndpointSliceList:
		return simSlices
	case *corev1.Endpoints, *corev1.EndpointsList:
		return simEndpoints
	default:
		panic(fmt.Sprintf("the simulation does not know %T", object))
	}
}

func (k simKind) resource() schema.GroupResource { return schema.GroupResource{Resource: string(k)} }

// simStore holds objects and answers reads. What it holds is never changed, only
// replaced.
type simStore struct {
	objects map[simKind]map[client.ObjectKey]client.Object
	indexes map[string]client.IndexerFunc
}

func newSimStore() *simStore {
	s := &simStore{objects: map[simKind]map[client.ObjectKey]client.Object{}, indexes: map[string]client.IndexerFunc{}}
	for _, kind := range simKinds() {
		s.objects[kind] = map[client.ObjectKey]client.Object{}
	}
	return s
}

// IndexField takes the indexes that the real cache is given.
func (s *simStore) IndexField(_ context.Context, _ client.Object, field string, keys client.IndexerFunc) error {
	s.indexes[field] = keys
	return nil
}

// sorted returns all objects of a kind, ordered by namespace and name.
func (s *simStore) sorted(kind simKind) []client.Object {
	return slices.SortedFunc(maps.Values(s.objects[kind]), func(a, b client.Object) int {
		if order := strings.Compare(a.GetNamespace(), b.GetNamespace()); order != 0 {
			return order
		}
		return strings.Compare(a.GetName(), b.GetName())
	})
}

// simAll returns all objects of a type in the same order.
func simAll[T client.Object](s *simStore) []T {
	var none T
	sorted := s.sorted(simKindOf(none))
	all := make([]T, len(sorted))
	for i, object := range sorted {
		all[i] = simAs[T](object)
	}
	return all
}

// simFind returns one object, and false if there is none.
func simFind[T client.Object](s *simStore, key client.ObjectKey) (found T, exists bool) {
	object, exists := s.objects[simKindOf(found)][key]
	if exists {
		found = simAs[T](object)
	}
	return found, exists
}

// Get shares what it returns with the store, as a cache without deep copies does.
func (s *simStore) Get(_ context.Context, key client.ObjectKey, into client.Object, _ ...client.GetOption) error {
	kind := simKindOf(into)
	found := s.objects[kind][key]
	if found == nil {
		return apierrors.NewNotFound(kind.resource(), key.Name)
	}
	simAssign(into, found)
	return nil
}

// List shares what it returns with the store.
func (s *simStore) List(_ context.Context, into client.ObjectList, opts ...client.ListOption) error {
	options := (&client.ListOptions{}).ApplyOptions(opts)
	var found []client.Object
	for _, object := range s.sorted(simKindOf(into)) {
		if s.matches(object, options) {
			found = append(found, object)
		}
	}
	switch list := into.(type) {
	case *corev1.ServiceList:
		list.Items = simValues[*corev1.Service](found)
	case *corev1.PodList:
		list.Items = simValues[*corev1.Pod](found)
	case *corev1.NodeList:
		list.Items = simValues[*corev1.Node](found)
	case *discoveryv1.EndpointSliceList:
		list.Items = simValues[*discoveryv1.EndpointSlice](found)
	}
	return nil
}

func (s *simStore) matches(object client.Object, options *client.ListOptions) bool {
	if options.Namespace != "" && options.Namespace != object.GetNamespace() {
		return false
	}
	if options.LabelSelector != nil && !options.LabelSelector.Matches(labels.Set(object.GetLabels())) {
		return false
	}
	if options.FieldSelector == nil {
		return true
	}
	for _, wanted := range options.FieldSelector.Requirements() {
		if !slices.Contains(s.indexes[wanted.Field](object), wanted.Value) {
			return false
		}
	}
	return true
}

// simValues turns objects into the items of a list.
func simValues[P interface{ *T }, T any](objects []client.Object) []T {
	values := make([]T, len(objects))
	for i, object := range objects {
		values[i] = *simAs[P](object)
	}
	return values
}

// simAssign overwrites an object with another of its kind.
func simAssign(to, from client.Object) {
	switch to := to.(type) {
	case *corev1.Service:
		*to = *simAs[*corev1.Service](from)
	case *corev1.Pod:
		*to = *simAs[*corev1.Pod](from)
	case *corev1.Node:
		*to = *simAs[*corev1.Node](from)
	case *discoveryv1.EndpointSlice:
		*to = *simAs[*discoveryv1.EndpointSlice](from)
	case *corev1.Endpoints:
		*to = *simAs[*corev1.Endpoints](from)
	}
}

// simKey is short for the key of an object.
func simKey(namespace, name string) client.ObjectKey {
	return client.ObjectKey{Namespace: namespace, Name: name}
}

func simCopy[T client.Object](object T) T { return simAs[T](object.DeepCopyObject()) }

// simAs is a type assertion whose failure says more.
func simAs[T any](value any) T {
	typed, ok := value.(T)
	if !ok {
		panic(fmt.Sprintf("%T is not %T", value, typed))
	}
	return typed
}

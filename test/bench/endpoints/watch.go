// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/tools/cache"
)

// watch feeds the tracker with the events of slices and Endpoints, until the
// context ends. It returns when the tracker knows what there is.
func (w *world) watch(ctx context.Context) error {
	factory := informers.NewSharedInformerFactoryWithOptions(w.clients, 0, informers.WithNamespace(namespace))
	ofSlices, err := factory.Discovery().V1().EndpointSlices().Informer().AddEventHandler(handler(
		func(slice *discoveryv1.EndpointSlice) { w.slice(slice.Name, slice) },
		func(slice *discoveryv1.EndpointSlice) { w.slice(slice.Name, nil) }))
	if err != nil {
		return err
	}
	ofEndpoints, err := factory.Core().V1().Endpoints().Informer().AddEventHandler(handler(
		func(object *corev1.Endpoints) { w.endpoints(object.Name, object) },
		func(object *corev1.Endpoints) { w.endpoints(object.Name, nil) }))
	if err != nil {
		return err
	}
	factory.StartWithContext(ctx)
	if !cache.WaitForCacheSync(ctx.Done(), ofSlices.HasSynced, ofEndpoints.HasSynced) {
		return errors.Join(errors.New("watching slices and Endpoints"), context.Cause(ctx))
	}
	return nil
}

// handler calls one function for every object that there is and for every new
// state of it, another for every object that goes.
func handler[T any](is, goes func(T)) cache.ResourceEventHandlerFuncs {
	return cache.ResourceEventHandlerFuncs{
		AddFunc: func(object any) { typed(object, is) },
		UpdateFunc: func(_, object any) {
			typed(object, is)
		},
		DeleteFunc: func(object any) {
			if tombstone, missed := object.(cache.DeletedFinalStateUnknown); missed {
				object = tombstone.Obj
			}
			typed(object, goes)
		},
	}
}

func typed[T any](object any, call func(T)) {
	if its, ok := object.(T); ok {
		call(its)
	}
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// difference tells where the state of a Service is not what the cache holds, empty
// if it is. While changes are on their way to the event handlers, it may be found
// behind without being wrong.
func (r *endpointSliceReconciler) difference(ctx context.Context, service *corev1.Service) (string, error) {
	state, err := r.refresh(ctx, service)
	if err != nil {
		return "", err
	}
	pods, err := r.listPods(ctx, service)
	if err != nil {
		return "", err
	}
	slices, err := r.listSlices(ctx, client.ObjectKeyFromObject(service))
	if err != nil {
		return "", err
	}
	nodes := newNodeZones(ctx, r.reader)
	return state.Compare(service, pods, slices, nodes.zoneOf), nodes.err
}

// difference tells the same of the Endpoints of a Service.
func (r *endpointsReconciler) difference(ctx context.Context, service *corev1.Service) (string, error) {
	state, err := r.refresh(ctx, service)
	if err != nil {
		return "", err
	}
	pods, err := r.listPods(ctx, service)
	if err != nil {
		return "", err
	}
	return state.Compare(service, pods), nil
}

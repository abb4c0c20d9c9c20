// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"servicenet.dev/servicenet/internal/endpointslice"
)

type endpointSliceStates = states[*endpointslice.State]

// refresh shows the state of a Service what has changed since the last time, or
// everything when that is due.
func (r *endpointSliceReconciler) refresh(ctx context.Context, service *corev1.Service) (*endpointslice.State, error) {
	key := client.ObjectKeyFromObject(service)
	state, noted := r.states.take(service)
	nodes := newNodeZones(ctx, r.reader)
	var err error
	if state.Outdated(service) {
		err = r.resetState(ctx, service, state, nodes)
	} else {
		err = r.updateState(ctx, key, state, noted, nodes)
	}
	if err == nil {
		err = nodes.err
	}
	if err != nil {
		state.Invalidate() // what was noted has been taken
	}
	return state, err
}

func (r *endpointSliceReconciler) resetState(
	ctx context.Context, service *corev1.Service, state *endpointslice.State, nodes *nodeZones,
) error {
	key, value := r.states.labelOf(service)
	pods, err := r.listPods(ctx, service, key, value)
	if err != nil {
		r.warn(service, "FailedToListPods", "ListPods", err)
		return err
	}
	slices, err := r.listSlices(ctx, client.ObjectKeyFromObject(service))
	if err != nil {
		r.warn(service, "FailedToListEndpointSlices", "ListEndpointSlices", err)
		return err
	}
	state.Reset(service, pods, slices, nodes.zoneOf)
	return nil
}

func (r *endpointSliceReconciler) updateState(
	ctx context.Context, service client.ObjectKey, state *endpointslice.State, noted changedNames, nodes *nodeZones,
) error {
	for name := range noted.pods {
		pod, err := r.getPod(ctx, client.ObjectKey{Namespace: service.Namespace, Name: name})
		switch {
		case err != nil:
			return err
		case pod == nil:
			state.RemovePod(name)
		default:
			state.SetPod(pod, nodes.zoneOf)
		}
	}
	show := r.showing(state)
	for name := range noted.slices {
		if _, err := show(ctx, service, name); err != nil {
			return err
		}
	}
	return nil
}

// showing returns a look at a slice that is shown to a state too.
func (r *endpointSliceReconciler) showing(state *endpointslice.State) lookAtSlice {
	return func(ctx context.Context, service client.ObjectKey, name string) (*discoveryv1.EndpointSlice, error) {
		slice, err := r.getSlice(ctx, service, name)
		switch {
		case err != nil:
		case slice == nil:
			state.RemoveSlice(name)
		default:
			state.SetSlice(slice)
		}
		return slice, err
	}
}

// nodeZones finds the zones of nodes in the cache, each once.
type nodeZones struct {
	ctx    context.Context //nolint:containedctx // it lives as long as the call that it serves
	reader client.Reader
	known  map[string]zoneOfNode
	err    error
}

func newNodeZones(ctx context.Context, reader client.Reader) *nodeZones {
	return &nodeZones{ctx: ctx, reader: reader, known: map[string]zoneOfNode{}}
}

type zoneOfNode struct {
	zone   string
	exists bool
}

// zoneOf is an [endpointslice.ZoneOf]. Where it fails it notes the error.
func (z *nodeZones) zoneOf(node string) (string, bool) {
	found, known := z.known[node]
	if !known && node != "" {
		found = z.look(node)
		z.known[node] = found
	}
	return found.zone, found.exists
}

func (z *nodeZones) look(name string) zoneOfNode {
	var node corev1.Node
	switch err := z.reader.Get(z.ctx, client.ObjectKey{Name: name}, &node); {
	case err == nil:
		return zoneOfNode{zone: node.Labels[corev1.LabelTopologyZone], exists: true}
	case !apierrors.IsNotFound(err):
		z.err = fmt.Errorf("reading node %s: %w", name, err)
	}
	return zoneOfNode{}
}

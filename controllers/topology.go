// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"servicenet.dev/servicenet/internal/endpointslice"
)

// zoneShares keeps the zones' shares of the cluster's CPU, which take a look at
// every node, for the Services that want hints by them.
type zoneShares struct {
	reader client.Reader

	mu   sync.Mutex
	last *endpointslice.ZoneShares // nil until somebody asks
}

// get returns the shares as they were when a node last changed them.
func (z *zoneShares) get(ctx context.Context) (endpointslice.ZoneShares, error) {
	z.mu.Lock()
	defer z.mu.Unlock()
	if z.last == nil {
		if _, err := z.lookLocked(ctx); err != nil {
			return endpointslice.ZoneShares{}, err
		}
	}
	return *z.last, nil
}

// renew looks at the nodes again and tells whether that changed the shares.
func (z *zoneShares) renew(ctx context.Context) (shares endpointslice.ZoneShares, changed bool, err error) {
	z.mu.Lock()
	defer z.mu.Unlock()
	changed, err = z.lookLocked(ctx)
	if err != nil {
		return endpointslice.ZoneShares{}, false, err
	}
	return *z.last, changed, nil
}

func (z *zoneShares) lookLocked(ctx context.Context) (changed bool, err error) {
	var nodes corev1.NodeList
	if err := z.reader.List(ctx, &nodes); err != nil {
		return false, fmt.Errorf("listing the nodes: %w", err)
	}
	now := endpointslice.SharesOf(pointers(nodes.Items))
	changed = z.last == nil || !z.last.Equal(now)
	z.last = &now
	return changed, nil
}

// forget makes the next one who asks look again.
func (z *zoneShares) forget() {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.last = nil
}

// nodeEvents enqueues the Services with Auto topology whose hints no longer fit
// when a node changes the zones' shares.
func (z *zoneShares) nodeEvents() eventHandlers[*corev1.Node] {
	return eventHandlers[*corev1.Node]{
		CreateFunc: func(ctx context.Context, e event.TypedCreateEvent[*corev1.Node], q queue) {
			if !e.IsInInitialList {
				z.nodeChanged(ctx, q, nil, e.Object)
			}
		},
		UpdateFunc: func(ctx context.Context, e event.TypedUpdateEvent[*corev1.Node], q queue) {
			z.nodeChanged(ctx, q, e.ObjectOld, e.ObjectNew)
		},
		DeleteFunc: func(ctx context.Context, e event.TypedDeleteEvent[*corev1.Node], q queue) {
			z.nodeChanged(ctx, q, e.Object, nil)
		},
	}
}

func (z *zoneShares) nodeChanged(ctx context.Context, q queue, before, after *corev1.Node) {
	if !endpointslice.SharesMatter(before, after) {
		return
	}
	outdated, err := z.outdatedServices(ctx)
	if err != nil {
		z.forget() // so that the next look counts as a change, and makes up for this one
		log.FromContext(ctx).Error(err, "Could not tell which Services need other zone hints")
		return
	}
	for _, service := range outdated {
		q.Add(reconcile.Request{NamespacedName: service})
	}
}

func (z *zoneShares) outdatedServices(ctx context.Context) ([]client.ObjectKey, error) {
	var services corev1.ServiceList
	if err := z.reader.List(ctx, &services, client.MatchingFields{topologyIndex: autoTopology}); err != nil {
		return nil, fmt.Errorf("listing the Services with Auto topology: %w", err)
	}
	if len(services.Items) == 0 {
		z.forget() // nobody needs a look at every node
		return nil, nil
	}
	shares, changed, err := z.renew(ctx)
	if err != nil || !changed {
		return nil, err
	}
	var outdated []client.ObjectKey
	for i := range services.Items {
		key := client.ObjectKeyFromObject(&services.Items[i])
		slices, err := listSlices(ctx, z.reader, key)
		if err != nil {
			return nil, err
		}
		if endpointslice.HintsOutdated(slices, shares) {
			outdated = append(outdated, key)
		}
	}
	return outdated, nil
}

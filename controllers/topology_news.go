// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"maps"
	"slices"
	"sync"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"

	"servicenet.dev/servicenet/internal/endpointslice"
)

// topologyNews tells users when zone hints by Auto topology come and go, and why
// there are none: once, and not with every plan.
type topologyNews struct {
	recorder events.EventRecorder

	mu   sync.Mutex
	told map[types.NamespacedName]map[discoveryv1.AddressType]string // the cause of none; empty for hints
}

func newTopologyNews(recorder events.EventRecorder) *topologyNews {
	return &topologyNews{recorder: recorder, told: map[types.NamespacedName]map[discoveryv1.AddressType]string{}}
}

// report makes events of what became of a Service's hints, if that is new. A
// Service without Auto topology has none to report.
func (n *topologyNews) report(service *corev1.Service, hints []endpointslice.ZoneHints) {
	key := types.NamespacedName{Namespace: service.Namespace, Name: service.Name}
	n.mu.Lock()
	defer n.mu.Unlock()
	before := n.told[key]
	if len(hints) == 0 {
		for _, family := range slices.Sorted(maps.Keys(before)) {
			if before[family] == "" {
				n.disabled(service, endpointslice.ZoneHints{
					Family: family, Cause: "NotAskedFor", Reason: "the Service does not ask for them any more",
				})
			}
		}
		delete(n.told, key)
		return
	}
	now := make(map[discoveryv1.AddressType]string, len(hints))
	for _, outcome := range hints {
		now[outcome.Family] = outcome.Cause
		cause, known := before[outcome.Family]
		switch {
		case known && cause == outcome.Cause, !known && outcome.Given && outcome.Before:
		case outcome.Given:
			n.event(service, &outcome, corev1.EventTypeNormal, "TopologyAwareHintsEnabled",
				fmt.Sprintf("Endpoints have zone hints, addressType: %s", outcome.Family))
		default:
			n.disabled(service, outcome)
		}
	}
	n.told[key] = now
}

func (n *topologyNews) disabled(service *corev1.Service, outcome endpointslice.ZoneHints) {
	n.event(service, &outcome, corev1.EventTypeWarning, "TopologyAwareHintsDisabled",
		fmt.Sprintf("Endpoints have no zone hints: %s, addressType: %s", outcome.Reason, outcome.Family))
}

// event names the family and the cause in the action too: of events that differ
// in their note alone, the recorder keeps the first.
func (n *topologyNews) event(service *corev1.Service, outcome *endpointslice.ZoneHints, eventType, reason, note string) {
	action := "AssignZoneHints" + string(outcome.Family) + outcome.Cause
	n.recorder.Eventf(referenceToService(service), nil, eventType, reason, action, "%s", note)
}

// forget drops what was told of a Service that is gone.
func (n *topologyNews) forget(service types.NamespacedName) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.told, service)
}

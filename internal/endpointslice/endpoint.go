// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpointslice

import (
	"slices"
	"strings"

	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/utils/ptr"
)

// EndpointKey is what makes an endpoint the same one over time. A difference in
// anything else (pod UID, node, zone, conditions) is a change in place.
type EndpointKey struct {
	addresses, hostname, namespace, name string
}

// Identify returns the identity of an endpoint.
func Identify(endpoint *discoveryv1.Endpoint) EndpointKey {
	key := EndpointKey{
		addresses: joinAddresses(endpoint.Addresses),
		hostname:  ptr.Deref(endpoint.Hostname, ""),
	}
	if endpoint.TargetRef != nil {
		key.namespace, key.name = endpoint.TargetRef.Namespace, endpoint.TargetRef.Name
	}
	return key
}

// joinAddresses spares the copy in the common case of a single address.
func joinAddresses(addresses []string) string {
	if len(addresses) == 1 {
		return addresses[0]
	}
	return strings.Join(addresses, ",")
}

// SameContent compares two endpoints of one identity. The target's
// resourceVersion does not count: slices do not carry it, and a pod's changes
// with every heartbeat.
func SameContent(a, b *discoveryv1.Endpoint) bool {
	return ptr.Equal(a.Conditions.Ready, b.Conditions.Ready) &&
		ptr.Equal(a.Conditions.Serving, b.Conditions.Serving) &&
		ptr.Equal(a.Conditions.Terminating, b.Conditions.Terminating) &&
		ptr.Equal(a.NodeName, b.NodeName) &&
		ptr.Equal(a.Zone, b.Zone) &&
		sameTarget(a, b) && sameHints(a.Hints, b.Hints)
}

func sameHints(a, b *discoveryv1.EndpointHints) bool {
	if a == nil || b == nil {
		return a == b
	}
	return slices.Equal(a.ForZones, b.ForZones) && slices.Equal(a.ForNodes, b.ForNodes)
}

func sameTarget(a, b *discoveryv1.Endpoint) bool {
	if a.TargetRef == nil || b.TargetRef == nil {
		return a.TargetRef == b.TargetRef
	}
	left, right := *a.TargetRef, *b.TargetRef
	left.ResourceVersion, right.ResourceVersion = "", ""
	return left == right
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpointslice

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
)

// family is the place of an address family in lists that have one for each.
type family int

const (
	familyIPv4 family = iota
	familyIPv6
	familyCount
)

func familyOf(addressType discoveryv1.AddressType) (f family, known bool) {
	switch addressType {
	case discoveryv1.AddressTypeIPv4:
		return familyIPv4, true
	case discoveryv1.AddressTypeIPv6:
		return familyIPv6, true
	default:
		return 0, false
	}
}

// member is a pod that belongs to a Service, reduced to what its endpoints say. Its
// strings are those of the pod in the cache.
type member struct {
	Readiness
	name, node, zone, hostname string
	terminating                bool
	// nodeMissing tells that there is no such node, and that the pod is left out
	// for that: its address may already belong to another pod. With
	// publishNotReadyAddresses it stays, because then the user asked for every
	// address there is.
	nodeMissing bool
	addresses   [familyCount][]string
	ports       *portSet

	// homes are the settled slices that list the pod.
	homes [familyCount]*held
	// homelessAt is the place among the homeless, counted from one; zero is none.
	homelessAt [familyCount]int
	// taken tells that the plan being made has found a slice for the pod.
	taken bool
}

// wanted tells whether slices of a family should list the pod.
func (m *member) wanted(f family) bool { return len(m.addresses[f]) > 0 && !m.nodeMissing }

// sameEndpoints tells whether two members have the same endpoints.
func (m *member) sameEndpoints(other *member) bool {
	return m.ports == other.ports && m.sameButPorts(other)
}

func (m *member) sameButPorts(other *member) bool {
	return m.uid == other.uid && m.serving == other.serving && m.terminating == other.terminating &&
		m.node == other.node && m.zone == other.zone && m.nodeMissing == other.nodeMissing &&
		m.hostname == other.hostname &&
		slices.Equal(m.addresses[familyIPv4], other.addresses[familyIPv4]) &&
		slices.Equal(m.addresses[familyIPv6], other.addresses[familyIPv6])
}

// is tells whether an endpoint of a slice is the pod's, whatever it says of it
// besides.
func (m *member) is(endpoint *discoveryv1.Endpoint, f family) bool {
	hostname := ""
	if endpoint.Hostname != nil {
		hostname = *endpoint.Hostname
	}
	return m.wanted(f) && m.hostname == hostname && slices.Equal(m.addresses[f], endpoint.Addresses)
}

// pointees are what the pointers of one endpoint point to: together they cost one
// allocation, or none where an endpoint is only made to be compared.
type pointees struct {
	ready, serving, terminating bool
	hostname, node, zone        string
	address                     [1]string
	target                      corev1.ObjectReference
	hints                       discoveryv1.EndpointHints
	forZone                     [1]discoveryv1.ForZone
	forNode                     [1]discoveryv1.ForNode
}

// endpoint describes a member of a Service in one address family. Nothing of it is
// shared with another endpoint.
func (m *member) endpoint(service *corev1.Service, f family, at *pointees) discoveryv1.Endpoint {
	*at = pointees{
		// All three are always set, since a consumer reads an absent condition as
		// "unknown" and each of them in its own way.
		ready:       service.Spec.PublishNotReadyAddresses || (m.serving && !m.terminating),
		serving:     m.serving,
		terminating: m.terminating,
		hostname:    m.hostname,
		node:        m.node,
		zone:        m.zone,
		target:      corev1.ObjectReference{Kind: "Pod", Namespace: service.Namespace, Name: m.name, UID: m.uid},
	}
	endpoint := discoveryv1.Endpoint{
		Addresses:  append(at.address[:0], m.addresses[f]...),
		Conditions: discoveryv1.EndpointConditions{Ready: &at.ready, Serving: &at.serving, Terminating: &at.terminating},
		TargetRef:  &at.target,
	}
	if m.hostname != "" {
		endpoint.Hostname = &at.hostname
	}
	if m.node != "" {
		endpoint.NodeName = &at.node
	}
	if m.zone != "" {
		endpoint.Zone = &at.zone
	}
	endpoint.Hints = hints(service, &endpoint, at)
	return endpoint
}

// endpoints describes several members.
func endpoints(service *corev1.Service, members []*member, f family) []discoveryv1.Endpoint {
	described := make([]discoveryv1.Endpoint, len(members))
	at := make([]pointees, len(members))
	for i, m := range members {
		described[i] = m.endpoint(service, f, &at[i])
	}
	return described
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpointslice

import (
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
)

// desired is what the slices of one address family should list: the endpoints
// by the ports they are reached on.
type desired map[PortsKey]*endpointSet

// keys returns the port sets in a fixed order, so that equal input gives an
// equal plan.
func (d desired) keys() []PortsKey { return slices.Sorted(maps.Keys(d)) }

func (d desired) add(ports []discoveryv1.EndpointPort, endpoint discoveryv1.Endpoint) {
	key := KeyOfPorts(ports)
	set := d[key]
	if set == nil {
		set = &endpointSet{ports: ports, byKey: map[EndpointKey]discoveryv1.Endpoint{}}
		d[key] = set
	}
	set.add(endpoint)
}

// holderOf returns the port set that holds the first of the given endpoints
// that is still wanted.
func (d desired) holderOf(endpoints []discoveryv1.Endpoint) (PortsKey, bool) {
	keys := d.keys()
	for i := range endpoints {
		id := Identify(&endpoints[i])
		for _, key := range keys {
			if _, found := d[key].byKey[id]; found {
				return key, true
			}
		}
	}
	return noPorts, false
}

// located is a pod that belongs in the slices, with what its node adds.
type located struct {
	pod  *corev1.Pod
	zone string
}

// locate picks the pods to list, ordered by name, and the names of the nodes
// that are missing. A pod whose node does not exist is left out: its address
// may already belong to another pod. With publishNotReadyAddresses it stays,
// because then the user asked for every address there is.
func locate(in *Input) (pods []located, missingNodes []string) {
	for _, pod := range in.Pods {
		if !Listable(pod) {
			continue
		}
		zone, exists := in.ZoneOf(pod.Spec.NodeName)
		if !exists && !in.Service.Spec.PublishNotReadyAddresses {
			missingNodes = append(missingNodes, pod.Spec.NodeName)
			continue
		}
		pods = append(pods, located{pod: pod, zone: zone})
	}
	slices.SortFunc(pods, func(a, b located) int { return strings.Compare(a.pod.Name, b.pod.Name) })
	slices.Sort(missingNodes)
	return pods, slices.Compact(missingNodes)
}

func desire(service *corev1.Service, pods []located, family discoveryv1.AddressType) desired {
	want := desired{}
	for _, at := range pods {
		endpoint := endpointFor(service, at.pod, at.zone, family)
		if len(endpoint.Addresses) > 0 {
			want.add(resolvePorts(service, at.pod), endpoint)
		}
	}
	return want
}

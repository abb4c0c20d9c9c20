// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package mirroring

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"servicenet.dev/servicenet/internal/endpoints"
	"servicenet.dev/servicenet/internal/endpointslice"
)

// repack puts subsets into canonical form, with one exception that the stock
// controller makes: a port with an application protocol is never the same as one
// of another subset. It compares ports as Go values, in which that field is a
// pointer. Slices written by either suit the other only if both do.
func repack(subsets []corev1.EndpointSubset) []corev1.EndpointSubset {
	const mark = "\x00" // in no protocol's name
	marked := slices.Clone(subsets)
	for i := range marked {
		marked[i].Ports = slices.Clone(marked[i].Ports)
		for j := range marked[i].Ports {
			if port := &marked[i].Ports[j]; port.AppProtocol != nil {
				port.AppProtocol = new(*port.AppProtocol + mark + strconv.Itoa(i))
			}
		}
	}
	repacked := endpoints.Canonical(marked)
	for i := range repacked {
		for j := range repacked[i].Ports {
			if port := &repacked[i].Ports[j]; port.AppProtocol != nil {
				protocol, _, _ := strings.Cut(*port.AppProtocol, mark)
				port.AppProtocol = &protocol
			}
		}
	}
	return repacked
}

// portSet is a list of ports that a slice can have, and its identity.
type portSet struct {
	key  endpointslice.PortsKey
	list []discoveryv1.EndpointPort
}

// portSets returns the ports of a subset as slices list them, at least one set.
// There are several where ports of one name, or without a name, share their
// addresses: Endpoints admit that, in several subsets, and slices do not. The
// stock controller joins them, is refused, and mirrors nothing.
func portSets(ports []corev1.EndpointPort) []portSet {
	byKey := make(map[endpointslice.PortsKey]discoveryv1.EndpointPort, len(ports))
	for i := range ports {
		port := slicePort(&ports[i])
		byKey[endpointslice.KeyOfPorts([]discoveryv1.EndpointPort{port})] = port
	}
	sets := []portSet{{}}
	seen := map[string]int{} // by name
	for _, key := range slices.Sorted(maps.Keys(byKey)) {
		port := byKey[key]
		at := seen[*port.Name]
		seen[*port.Name]++
		if at == len(sets) {
			sets = append(sets, portSet{})
		}
		sets[at].list = append(sets[at].list, port)
	}
	for i := range sets {
		sets[i].key = endpointslice.KeyOfPorts(sets[i].list)
	}
	return sets
}

// slicePort returns a port that points to the fields of the given one.
func slicePort(port *corev1.EndpointPort) discoveryv1.EndpointPort {
	return discoveryv1.EndpointPort{Name: &port.Name, Port: &port.Port, Protocol: &port.Protocol, AppProtocol: port.AppProtocol}
}

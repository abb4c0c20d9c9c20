// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"net/netip"
	"strconv"
	"strings"

	"servicenet.dev/servicenet/hack/controlplane"
)

// maxNodes is how many nodes the address plan has room for.
const maxNodes = 200

// What the machine and its nodes call one another's ends.
const (
	bridgeName = "snet0"
	uplinkName = "eth0" // of a node
	cgroupName = "servicenet"
)

// Ranges of the documentation of the package, IPv4 first.
const (
	podRanges  = "10.198.0.0/16,fd00:10:198::/48"
	dnsAddress = "10.96.0.10"
)

// machineAddress returns the address of a participant of the bridge: 1 is this
// machine, the node with the number n is n+1.
func machineAddress(participant int, isIPv4 bool) netip.Prefix {
	last := byte(participant) //nolint:gosec // 1 to maxNodes+1
	if isIPv4 {
		return netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 197, 0, last}), 24)
	}
	return netip.PrefixFrom(netip.AddrFrom16([16]byte{0: 0xfd, 3: 0x10, 4: 0x01, 5: 0x97, 15: last}), 64)
}

// hostAddress is the address of this machine on the bridge.
func hostAddress() netip.Addr { return machineAddress(1, true).Addr() }

// nodeAddress is the address of a node on the bridge.
func nodeAddress(number int, isIPv4 bool) netip.Addr { return machineAddress(number+1, isIPv4).Addr() }

// podRange is where the pods of a node get their addresses.
func podRange(number int, isIPv4 bool) netip.Prefix {
	n := byte(number) //nolint:gosec // 1 to maxNodes
	if isIPv4 {
		return netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 198, n, 0}), 24)
	}
	return netip.PrefixFrom(netip.AddrFrom16([16]byte{0: 0xfd, 3: 0x10, 4: 0x01, 5: 0x98, 7: n}), 64)
}

// route is a destination and the next hop.
type route struct{ to, via string }

// podRoutes lead to the pods of all nodes but one (0: of all).
func podRoutes(nodes, except int) []route {
	var routes []route
	for number := 1; number <= nodes; number++ {
		for _, isIPv4 := range []bool{true, false} {
			if number != except {
				routes = append(routes, route{podRange(number, isIPv4).String(), nodeAddress(number, isIPv4).String()})
			}
		}
	}
	return routes
}

// serviceRoutes lead this machine to Services: the first node's kube-proxy takes
// them from there.
func serviceRoutes() []route {
	ranges := controlplane.DefaultServiceClusterIPRange
	var routes []route
	for text := range strings.SplitSeq(ranges, ",") {
		isIPv4 := netip.MustParsePrefix(text).Addr().Is4()
		routes = append(routes, route{text, nodeAddress(1, isIPv4).String()})
	}
	return routes
}

// zone of a node, so that there are several where there are several nodes.
func zone(number int) string { return "zone-" + strconv.Itoa(number) }

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package badinput

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// portCases are about which node ports a Service may have.
func portCases() []Case {
	return []Case{
		{
			Name: "a port that is in use", Service: Make("free", "web", nodePort, HTTP(30080)),
			Given: []*corev1.Service{Make("depot", "holder", nodePort, HTTP(30080))},
			Want:  because(invalid, portField, `"30080": is used by a Service; leave it out to get a free one`),
			Stock: same(invalid, portField),
		}, {
			Name: "a port outside of the cluster's range", Service: Make("free", "web", nodePort, HTTP(80)),
			Want:  because(invalid, portField, "is not in the node port range of the cluster: 30000-32767"),
			Stock: same(invalid, portField),
		}, {
			Name: "a port that is none", Service: Make("free", "web", nodePort, HTTP(-1)),
			Want:  because(invalid, portField, "is not in the node port range of the cluster: 30000-32767"),
			Stock: same(invalid, portField),
		}, {
			Name: "a port of an exclusive pool of others", Service: Make("free", "web", nodePort, HTTP(30600)),
			Want: because(invalid, portField, "belongs to a pool that does not serve this Service"), Stock: accepted(),
		}, {
			Name: "a port outside of its pools", Service: Make("shop", "web", nodePort, HTTP(30080)),
			Want:  because(invalid, portField, "is in no pool that serves this Service (shop): they have 30500-30509"),
			Stock: accepted(),
		}, {
			Name: "a port that is reserved", Service: Make("shop", "web", nodePort, HTTP(30503)),
			Want: because(invalid, portField, "is reserved for another Service"), Stock: accepted(),
		}, {
			Name:    "a port that is reserved for another port of the Service",
			Service: Make("shop", "dns", nodePort, Port("dns", 53, udp, 0), HTTP(30503)),
			Want:    because(forbidden, portField, "30503, which is reserved for it, is that of another port"),
			Stock:   accepted(),
		}, {
			Name: "an exhausted pool of ports", Service: Make("full", "web", nodePort),
			Given: []*corev1.Service{Make("free", "holder", nodePort, HTTP(30808))},
			Want:  because(forbidden, portField, "no node port is free in the pool full (30808)"), Stock: accepted(),
		}, {
			Name:    "more ports than the limit",
			Service: Make("small", "web", nodePort, HTTP(0), Port("https", 443, tcp, 0)),
			Want:    because(forbidden, "spec.ports[1].nodePort", "all 1 numbers that it may have of the pool small (30700-30709)"),
			Stock:   accepted(),
		},
	}
}

// strangeCases are about node ports where there are none, and several faults at once.
func strangeCases() []Case {
	return []Case{
		{
			Name: "a node port of a ClusterIP", Service: Make("free", "web", clusterIP, HTTP(30080)),
			Want:  because(forbidden, portField, "a Service of type ClusterIP has no node ports"),
			Stock: same(forbidden, portField),
		}, {
			Name: "a node port of an ExternalName", Service: Make("free", "web", externalName, HTTP(30080)),
			Want: because(forbidden, portField, "a Service of type ExternalName has no node ports"), Stock: accepted(),
		}, {
			Name: "all that is wrong at once",
			Service: Make("free", "web", loadBalancer, IPs("10.97.0.1"), HTTP(80), Port("https", 443, tcp, 443), Local(1),
				External("nowhere"), Sources("anywhere")),
			Want: []metav1.StatusCause{
				{Type: invalid, Field: ipsField, Message: "is not in the ServiceCIDRs"},
				{Type: invalid, Field: portField, Message: "is not in the node port range"},
				{Type: invalid, Field: "spec.ports[1].nodePort", Message: "is not in the node port range"},
				{Type: invalid, Field: healthField, Message: "is not in the node port range"},
				{Type: invalid, Field: "spec.externalIPs[0]", Message: "must be an address"},
				{Type: invalid, Field: "spec.LoadBalancerSourceRanges[0]", Message: "must be a valid CIDR value"},
			},
			Stock: same(invalid, ipsField),
		}, {
			Name:    "several numbers that are in use",
			Service: Make("free", "web", nodePort, IPs("10.96.9.1"), HTTP(30080), Port("https", 443, tcp, 0)),
			Given:   []*corev1.Service{Make("depot", "holder", nodePort, IPs("10.96.9.1"), HTTP(30080))},
			Want: []metav1.StatusCause{
				{Type: invalid, Field: ipsField, Message: "is used by a Service"},
				{Type: invalid, Field: portField, Message: "is used by a Service"},
			},
			Stock: same(invalid, ipsField),
		},
	}
}

// sharingCases are about ports that name the same number.
func sharingCases() []Case {
	second := "spec.ports[1].nodePort"
	stored := Make("free", "web", nodePort, IPs("10.96.9.1"), HTTP(30080))
	return []Case{
		{
			Name:    "a port twice for one protocol",
			Service: Make("free", "web", nodePort, HTTP(30080), Port("https", 443, tcp, 30080)),
			Want:    because(duplicate, second, "30080"), Stock: same(invalid, second),
		}, {
			Name:    "a port for two numbers of ports",
			Service: Make("free", "web", nodePort, HTTP(30080), Port("dns", 53, udp, 30080)),
			Want:    because(invalid, second, "only ports with the same port number share one"),
			Stock:   same(invalid, second),
		}, {
			Name: "a port twice for one protocol, in a change", Old: stored,
			Service: Make("free", "web", nodePort, IPs("10.96.9.1"), HTTP(30080), Port("https", 443, tcp, 30080)),
			Want:    because(duplicate, second, "30080"), Stock: broken(),
		},
	}
}

// healthCases are about the port for health checks.
func healthCases() []Case {
	stored := Make("free", "web", loadBalancer, IPs("10.96.9.1"), HTTP(30080), Local(30081))
	return []Case{
		{
			Name: "a health check port that is in use", Service: Make("free", "web", loadBalancer, Local(30080)),
			Given: []*corev1.Service{Make("depot", "holder", nodePort, HTTP(30080))},
			Want:  because(invalid, healthField, `"30080": is used by a Service; leave it out to get a free one`),
			Stock: broken(),
		}, {
			Name: "a health check port outside of the range", Service: Make("free", "web", loadBalancer, Local(80)),
			Want:  because(invalid, healthField, "is not in the node port range of the cluster: 30000-32767"),
			Stock: broken(),
		}, {
			Name:    "a health check port that is a node port",
			Service: Make("free", "web", loadBalancer, HTTP(30080), Local(30080)),
			Want:    because(invalid, healthField, "it is a node port of this Service"), Stock: broken(),
		}, {
			Name: "a health check port without need", Service: Make("free", "web", loadBalancer, Health(30080)),
			Want:  because(invalid, healthField, "only a LoadBalancer with externalTrafficPolicy Local has one"),
			Stock: same(invalid, healthField),
		}, {
			Name: "another health check port", Old: stored,
			Service: Make("free", "web", loadBalancer, IPs("10.96.9.1"), HTTP(30080), Local(30082)),
			Want:    because(forbidden, healthField, "must not change"), Stock: same(forbidden, healthField),
		}, {
			Name: "a node port that is the health check port", Old: stored,
			Service: Make("free", "web", loadBalancer, IPs("10.96.9.1"), HTTP(30080), Port("https", 443, tcp, 30081), Local(30081)),
			Want:    because(invalid, "spec.ports[1].nodePort", "it is the healthCheckNodePort of this Service"),
			Stock:   same(invalid, "spec.ports[1].nodePort"),
		},
	}
}

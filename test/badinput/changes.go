// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package badinput

import corev1 "k8s.io/api/core/v1"

// changeCases are about what must not change.
func changeCases() []Case {
	stored := Make("free", "web", clusterIP, IPs("10.96.9.1"), Families(v4), Policy(single))
	dual := Make("free", "web", clusterIP, IPs("10.96.9.1", "fd00::9"), Families(v4, v6), Policy(require))
	return []Case{
		{
			Name: "another address", Old: stored,
			Service: Make("free", "web", clusterIP, IPs("10.96.9.2"), Families(v4), Policy(single)),
			Want:    because(invalid, ipsField+"[0]", "must not change"), Stock: same(invalid, ipsField+"[0]"),
		}, {
			Name: "another family", Old: stored, Service: Make("free", "web", clusterIP, Families(v6), Policy(single)),
			Want: because(invalid, ipsField+"[0]", "must be of family IPv6"), Stock: same(invalid, ipsField+"[0]"),
		}, {
			Name: "headless from now on", Old: stored,
			Service: Make("free", "web", clusterIP, IPs("None"), Families(v4), Policy(single)),
			Want:    because(invalid, ipsField+"[0]", "must not change"), Stock: same(invalid, ipsField+"[0]"),
		}, {
			Name: "a second address that is in use", Old: stored,
			Service: Make("free", "web", clusterIP, IPs("10.96.9.1", "fd00::9"), Families(v4, v6), Policy(require)),
			Given:   []*corev1.Service{Make("depot", "holder", clusterIP, IPs("fd00::9"), Families(v6))},
			Want:    because(invalid, ipsField, `"fd00::9": is used by a Service`), Stock: same(invalid, ipsField),
		}, {
			Name: "one address less without SingleStack", Old: dual,
			Service: Make("free", "web", clusterIP, IPs("10.96.9.1"), Families(v4, v6), Policy(require)),
			Want:    because(invalid, policyField, "giving up the second address needs SingleStack"),
			Stock:   same(invalid, policyField),
		}, {
			Name: "an ExternalName with another address", Old: stored,
			Service: Make("free", "web", externalName, IPs("10.96.9.2")),
			Want:    because(forbidden, ipsField, "an ExternalName has none"), Stock: same(forbidden, ipsField),
		}, {
			Name: "a ClusterIP with a new node port", Old: Make("free", "web", nodePort, IPs("10.96.9.1"), HTTP(30080)),
			Service: Make("free", "web", clusterIP, IPs("10.96.9.1"), HTTP(30081)),
			Want:    because(forbidden, portField, "a Service of type ClusterIP has no node ports"),
			Stock:   same(forbidden, portField),
		}, {
			Name: "an ExternalName with a new node port", Old: Make("free", "web", nodePort, IPs("10.96.9.1"), HTTP(30080)),
			Service: Make("free", "web", externalName, HTTP(30081)),
			Want:    because(forbidden, portField, "a Service of type ExternalName has no node ports"),
			Stock:   accepted(),
		},
	}
}

// otherCases are about fields that name no numbers of pools.
func otherCases() []Case {
	const sources = "spec.LoadBalancerSourceRanges"
	const annotation = "metadata.annotations[service.beta.kubernetes.io/load-balancer-source-ranges]"
	key := corev1.AnnotationLoadBalancerSourceRangesKey
	return []Case{
		{
			Name: "an external IP where none is allowed", NoExternalIPs: true,
			Service: Make("free", "web", clusterIP, External("192.0.2.1")),
			Want:    because(forbidden, "spec.externalIPs[0]", "external IPs are not allowed in this cluster"),
			Stock:   accepted(),
		}, {
			Name:    "an external IP that is none",
			Service: Make("free", "web", clusterIP, External("192.0.2.1", "192.0.2")),
			Want:    because(invalid, "spec.externalIPs[1]", "must be an address"),
			Stock:   same(invalid, "spec.externalIPs[1]"),
		}, {
			Name:    "a source range that is none",
			Service: Make("free", "web", loadBalancer, Sources("10.0.0.0/8", "10.0.0.0")),
			Want:    because(invalid, sources+"[1]", "must be a valid CIDR value"), Stock: same(invalid, sources+"[1]"),
		}, {
			Name: "source ranges of a NodePort", Service: Make("free", "web", nodePort, Sources("10.0.0.0/8")),
			Want: because(forbidden, sources, "only a Service of type LoadBalancer"), Stock: same(forbidden, sources),
		}, {
			Name:    "a source range in the annotation that is none",
			Service: Make("free", "web", loadBalancer, Annotated(key, "10.0.0.0/8, x")),
			Want:    because(invalid, annotation, "must be a valid CIDR value"), Stock: same(invalid, annotation),
		}, {
			Name:    "source ranges in the annotation of a ClusterIP",
			Service: Make("free", "web", clusterIP, Annotated(key, "10.0.0.0/8")),
			Want:    because(forbidden, annotation, "only a Service of type LoadBalancer"),
			Stock:   same(forbidden, annotation),
		},
	}
}

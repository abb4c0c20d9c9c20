// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package badinput

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// addressCases are about which addresses a Service may have.
func addressCases() []Case {
	stock := same(invalid, ipsField)
	return []Case{
		{
			Name: "an address that is in use", Service: Make("free", "web", clusterIP, Singular("10.96.9.1")),
			Given: []*corev1.Service{Make("depot", "holder", clusterIP, IPs("10.96.9.1"))},
			Want:  because(invalid, ipsField, `"10.96.9.1": is used by a Service; leave it out to get a free one`),
			Stock: stock,
		}, {
			Name: "an address outside of the cluster", Service: Make("free", "web", clusterIP, Singular("10.97.0.1")),
			Want:  because(invalid, ipsField, "is not in the ServiceCIDRs of the cluster that are ready: 10.96.0.1-10.96.255.254"),
			Stock: stock,
		}, {
			Name: "a network address", Service: Make("free", "web", clusterIP, Singular("10.96.0.0")),
			Want: because(invalid, ipsField, "is the network or the broadcast address"), Stock: stock,
		}, {
			Name: "a broadcast address", Service: Make("free", "web", clusterIP, Singular("10.96.255.255")),
			Want: because(invalid, ipsField, "is the network or the broadcast address"), Stock: stock,
		}, {
			Name:    "an address of an exclusive pool of others",
			Service: Make("free", "web", clusterIP, Singular("10.96.6.1")),
			Want:    because(invalid, ipsField, "belongs to a pool that does not serve this Service"), Stock: accepted(),
		}, {
			Name: "an address outside of its pools", Service: Make("shop", "web", clusterIP, Singular("10.96.9.1")),
			Want: because(invalid, ipsField, "is in no pool that serves this Service (shop): they have"), Stock: accepted(),
		}, {
			Name: "an address that its pool excludes", Service: Make("shop", "web", clusterIP, Singular("10.96.5.9")),
			Want: because(invalid, ipsField, "is excluded, nobody can have it"), Stock: accepted(),
		}, {
			Name: "an address that is reserved", Service: Make("shop", "web", clusterIP, Singular("10.96.5.53")),
			Want: because(invalid, ipsField, "is reserved for another Service"), Stock: accepted(),
		}, {
			Name: "a reserved address that is in use", Service: Make("shop", "dns", clusterIP),
			Given: []*corev1.Service{Make("depot", "holder", clusterIP, IPs("10.96.5.53"))},
			Want:  because(forbidden, ipsField, "10.96.5.53, which is reserved for this Service, is used by a Service"),
			Stock: accepted(),
		}, {
			Name: "an exhausted pool", Service: Make("full", "web", clusterIP),
			Given: []*corev1.Service{Make("free", "holder", clusterIP, IPs("10.96.8.8"))},
			Want:  because(forbidden, ipsField, "no IPv4 address is free in the pool full (10.96.8.8)"),
			Stock: accepted(),
		}, {
			Name: "a limit that is reached", Service: Make("small", "web", clusterIP),
			Given: []*corev1.Service{Make("small", "holder", clusterIP, IPs("10.96.7.1"))},
			Want:  because(forbidden, ipsField, "the namespace has all 1 numbers that it may have of the pool small (10.96.7.0/29)"),
			Stock: accepted(),
		}, {
			Name:    "a limit that is reached, naming an address",
			Service: Make("small", "web", clusterIP, Singular("10.96.7.2")),
			Given:   []*corev1.Service{Make("small", "holder", clusterIP, IPs("10.96.7.1"))},
			Want:    because(forbidden, ipsField, "the namespace has all 1 numbers that it may have of the pool of this one"),
			Stock:   accepted(),
		},
	}
}

// writingCases are about how addresses are written.
func writingCases() []Case {
	stock := same(invalid, ipsField)
	return []Case{
		{
			Name: "what is no address", Service: Make("free", "web", clusterIP, Singular("10.96.0")),
			Want: because(invalid, ipsField+"[0]", "must be an address"), Stock: same(invalid, ipsField+"[0]"),
		}, {
			Name: "an address with leading zeros", Service: Make("free", "web", clusterIP, Singular("10.96.09.1")),
			Want: because(invalid, ipsField+"[0]", "must be an address"), Stock: same(invalid, ipsField+"[0]"),
		}, {
			Name:    "clusterIP other than clusterIPs",
			Service: Make("free", "web", clusterIP, Plural("10.96.9.1"), Singular("10.96.9.2")),
			Want:    because(invalid, ipsField, "the first one must be that of clusterIP"), Stock: stock,
		}, {
			Name: "clusterIPs without clusterIP", Service: Make("free", "web", clusterIP, Plural("10.96.9.1")),
			Want: because(invalid, ipsField, "must be empty when clusterIP is"), Stock: stock,
		}, {
			Name: "None and an address", Service: Make("free", "web", clusterIP, IPs("None", "10.96.9.1")),
			Want: because(invalid, ipsField, "None must be the only value"), Stock: stock,
		}, {
			Name: "a headless NodePort", Service: Make("free", "web", nodePort, IPs("None")),
			Want: because(invalid, ipsField+"[0]", "cannot be headless"), Stock: same(invalid, ipsField+"[0]"),
		}, {
			Name: "an ExternalName with an address", Service: Make("free", "web", externalName, Singular("10.96.9.1")),
			Want: because(forbidden, ipsField, "an ExternalName has none"), Stock: same(forbidden, ipsField),
		},
	}
}

// familyCases are about families of addresses.
func familyCases() []Case {
	two := Policy(prefer)
	return []Case{
		{
			Name:    "two addresses of a family",
			Service: Make("free", "web", clusterIP, two, IPs("10.96.9.1", "10.96.9.2")),
			Want:    because(invalid, ipsField, "one address of each family at most"), Stock: same(invalid, ipsField),
		}, {
			Name:    "an address of another family",
			Service: Make("free", "web", clusterIP, Families(v6), Singular("10.96.9.1")),
			Want:    because(invalid, ipsField+"[0]", "must be of family IPv6"), Stock: same(invalid, ipsField+"[0]"),
		}, {
			Name: "an unknown family", Service: Make("free", "web", clusterIP, Families("IPv5")),
			Want:  because(notSupported, "spec.ipFamilies[0]", `"IPv5"`),
			Stock: same(notSupported, "spec.ipFamilies[0]"),
		}, {
			Name: "a family twice", Service: Make("free", "web", clusterIP, two, Families(v4, v4)),
			Want: because(duplicate, "spec.ipFamilies[1]", ""), Stock: same(duplicate, "spec.ipFamilies[1]"),
		}, {
			Name: "a family that the cluster does not have", SingleStack: true,
			Service: Make("free", "web", clusterIP, Families(v6)),
			Want:    because(invalid, "spec.ipFamilies[0]", "is not configured on this cluster"),
			Stock:   same(invalid, "spec.ipFamilies[0]"),
		}, {
			Name: "an address that the cluster does not have", SingleStack: true,
			Service: Make("free", "web", clusterIP, Singular("fd00::9")),
			Want:    because(invalid, ipsField+"[0]", "is not configured on this cluster"),
			Stock:   same(invalid, ipsField+"[0]"),
		}, {
			Name: "an unknown policy", Service: Make("free", "web", clusterIP, Policy("Both")),
			Want: because(notSupported, policyField, `"Both"`), Stock: same(notSupported, policyField),
		}, {
			Name:    "two families for a SingleStack",
			Service: Make("free", "web", clusterIP, Policy(single), Families(v4, v6)),
			Want:    because(invalid, policyField, "several families need"), Stock: same(invalid, policyField),
		}, {
			Name: "two families where there is one", SingleStack: true,
			Service: Make("free", "web", clusterIP, Policy(require)),
			Want:    because(invalid, policyField, "the cluster has one family only"), Stock: same(invalid, policyField),
		}, {
			Name:    "one of two addresses outside of its pools",
			Service: Make("shop", "web", clusterIP, two, IPs("10.96.5.1", "fd00::9")),
			Want:    because(invalid, ipsField, `"fd00::9": is in no pool that serves this Service (shop): they have`),
			Stock:   accepted(),
		}, {
			Name:    "two addresses outside of the cluster",
			Service: Make("free", "web", clusterIP, two, IPs("10.97.0.1", "fd01::9")),
			Want: []metav1.StatusCause{
				{Type: invalid, Field: ipsField, Message: `"10.97.0.1": is not in the ServiceCIDRs`},
				{Type: invalid, Field: ipsField, Message: `"fd01::9": is not in the ServiceCIDRs`},
			},
			Stock: same(invalid, ipsField),
		},
	}
}

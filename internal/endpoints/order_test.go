// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoints

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

type canonicalCase struct {
	in   []corev1.EndpointSubset
	want []string
}

// canonicalCases are layouts that RepackSubsets of Kubernetes 1.36.3 gives.
func canonicalCases() map[string]canonicalCase {
	a, b, c := at("10.0.0.1", "a"), at("10.0.0.2", "b"), at("10.0.0.3", "c")
	http, dns, admin := port("http", 80), corev1.EndpointPort{Name: "dns", Port: 53, Protocol: corev1.ProtocolUDP}, port("admin", 9000)
	h2c := corev1.EndpointPort{Name: "h2c", Port: 80, Protocol: corev1.ProtocolTCP, AppProtocol: new("kubernetes.io/h2c")}
	onNode := at("10.0.0.2", "b")
	onNode.NodeName, onNode.Hostname = new("node-a"), "b"
	unnamed := at("10.0.0.1")
	unnamed.TargetRef = &corev1.ObjectReference{Kind: "External", Name: "x"}
	return map[string]canonicalCase{
		"nothing": {nil, nil},
		"addresses by the text of the IP": {
			[]corev1.EndpointSubset{{Addresses: addresses(at("10.0.0.9"), at("10.0.0.10"), at("fd00::1"), at("9.0.0.1")), Ports: ports(http)}},
			[]string{"http:80 at 10.0.0.10 10.0.0.9 9.0.0.1 fd00::1"},
		},
		"one IP by target, none first": {
			[]corev1.EndpointSubset{{Addresses: addresses(at("10.0.0.1", "b"), at("10.0.0.1", "a"), at("10.0.0.1")), Ports: ports(http)}},
			[]string{"http:80 at 10.0.0.1 10.0.0.1/a 10.0.0.1/b"},
		},
		"a target without a UID is none": {
			[]corev1.EndpointSubset{{Addresses: addresses(unnamed, at("10.0.0.1", "a"), at("10.0.0.1")), Ports: ports(http)}},
			[]string{"http:80 at 10.0.0.1/x 10.0.0.1/a"},
		},
		"an address listed twice": {
			[]corev1.EndpointSubset{{Addresses: addresses(a, b, a), Ports: ports(http)}, {Addresses: addresses(b), Ports: ports(http)}},
			[]string{"http:80 at 10.0.0.1/a 10.0.0.2/b"},
		},
		"not ready prevails": {
			[]corev1.EndpointSubset{{NotReadyAddresses: addresses(a), Addresses: addresses(a, b), Ports: ports(http)}},
			[]string{"http:80 at 10.0.0.2/b, not ready 10.0.0.1/a"},
		},
		"not ready prevails over a later ready": {
			[]corev1.EndpointSubset{{NotReadyAddresses: addresses(a), Ports: ports(http)}, {Addresses: addresses(a), Ports: ports(http)}},
			[]string{"http:80 at, not ready 10.0.0.1/a"},
		},
		"not ready on one port only": {
			[]corev1.EndpointSubset{{NotReadyAddresses: addresses(a), Ports: ports(http)}, {Addresses: addresses(a), Ports: ports(dns)}},
			[]string{"http:80 at, not ready 10.0.0.1/a", "dns:53 at 10.0.0.1/a"},
		},
		"ports of the same addresses": {
			[]corev1.EndpointSubset{{Addresses: addresses(a, b), Ports: ports(http)}, {Addresses: addresses(b, a), Ports: ports(dns)}},
			[]string{"http:80 dns:53 at 10.0.0.1/a 10.0.0.2/b"},
		},
		"ports by hash": {
			[]corev1.EndpointSubset{{Addresses: addresses(a), Ports: ports(http, dns, admin, h2c)}},
			[]string{"admin:9000 http:80 h2c:80 dns:53 at 10.0.0.1/a"},
		},
		"subsets by hash": {
			[]corev1.EndpointSubset{
				{Addresses: addresses(a), Ports: ports(http)},
				{Addresses: addresses(onNode), NotReadyAddresses: addresses(c), Ports: ports(dns, h2c)},
				{NotReadyAddresses: addresses(c), Ports: ports(admin)},
			},
			[]string{
				"http:80 at 10.0.0.1/a",
				"h2c:80 dns:53 at 10.0.0.2/b, not ready 10.0.0.3/c",
				"admin:9000 at, not ready 10.0.0.3/c",
			},
		},
		"parts of one subset": {
			[]corev1.EndpointSubset{{Addresses: addresses(a, b), Ports: ports(http, dns)}, {Addresses: addresses(c), Ports: ports(http)}},
			[]string{
				"dns:53 at 10.0.0.1/a 10.0.0.2/b",
				"http:80 at 10.0.0.1/a 10.0.0.2/b 10.0.0.3/c",
			},
		},
		"no ports": {
			[]corev1.EndpointSubset{{Addresses: addresses(b, a)}, {NotReadyAddresses: addresses(c)}},
			[]string{"at 10.0.0.1/a 10.0.0.2/b, not ready 10.0.0.3/c"},
		},
		"no ports, and the same addresses with some": {
			[]corev1.EndpointSubset{{Addresses: addresses(a)}, {Addresses: addresses(a), Ports: ports(http)}},
			[]string{"http:80 at 10.0.0.1/a"},
		},
		"no ports, and other addresses with some": {
			[]corev1.EndpointSubset{{Addresses: addresses(a, b)}, {Addresses: addresses(a), Ports: ports(http)}},
			[]string{
				"at 10.0.0.1/a 10.0.0.2/b",
				"http:80 at 10.0.0.1/a",
			},
		},
		"no addresses": {
			[]corev1.EndpointSubset{{Ports: ports(http)}, {Addresses: addresses(a), Ports: ports(dns)}},
			[]string{"dns:53 at 10.0.0.1/a"},
		},
	}
}

func TestCanonicalIsTheStockLayout(t *testing.T) {
	for name, test := range canonicalCases() {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, sketch(Canonical(test.in))); diff != "" {
				t.Errorf("subsets (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCanonicalComparesApplicationProtocolsByValue(t *testing.T) {
	subset := func(ip string, appProtocol *string) corev1.EndpointSubset {
		return corev1.EndpointSubset{
			Addresses: addresses(at(ip)),
			Ports:     ports(corev1.EndpointPort{Name: "p", Port: 80, Protocol: corev1.ProtocolTCP, AppProtocol: appProtocol}),
		}
	}
	got := Canonical([]corev1.EndpointSubset{
		subset("10.0.0.1", new("http")), subset("10.0.0.2", new("http")), subset("10.0.0.3", nil), subset("10.0.0.4", new("")),
	})
	if len(got) != 3 {
		t.Errorf("got %d subsets, want one for http, one for none and one for the empty one:\n%v", len(got), sketch(got))
	}
}

func TestCanonicalTakesAnImpossiblePortForNone(t *testing.T) {
	got := Canonical([]corev1.EndpointSubset{{Addresses: addresses(at("10.0.0.1")), Ports: ports(port("http", 0))}})
	if diff := cmp.Diff([]string{"at 10.0.0.1"}, sketch(got)); diff != "" {
		t.Errorf("subsets (-want +got):\n%s", diff)
	}
}

func TestCanonicalLeavesItsArgumentAlone(t *testing.T) {
	for name, test := range canonicalCases() {
		before := (&corev1.Endpoints{Subsets: test.in}).DeepCopy().Subsets
		got := Canonical(test.in)
		for i := range got {
			for j := range got[i].Addresses {
				got[i].Addresses[j].IP = "changed"
			}
			for j := range got[i].Ports {
				got[i].Ports[j].Port = 1
			}
		}
		if diff := cmp.Diff(before, test.in); diff != "" {
			t.Errorf("%s (-before +after):\n%s", name, diff)
		}
	}
}

// An address keeps the fields of the first entry that names it, on every port.
func TestCanonicalTakesTheFirstOfTwoCopies(t *testing.T) {
	first, second := at("10.0.0.1", "a"), at("10.0.0.1", "a")
	first.Hostname, second.Hostname = "first", "second"
	got := Canonical([]corev1.EndpointSubset{
		{Addresses: addresses(first), Ports: ports(port("http", 80))},
		{Addresses: addresses(second), Ports: ports(port("dns", 53))},
	})
	if len(got) != 1 || got[0].Addresses[0].Hostname != "first" || got[0].Addresses[0].TargetRef.UID != types.UID("a") {
		t.Errorf("got %+v", got)
	}
}

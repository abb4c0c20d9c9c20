// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package pool

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
)

// spec returns a Service as words describe it: a type, "selector", addresses (the
// first one is clusterIP too, "ip=" is that alone, "ips=" clusterIPs), 4 and 6 for
// families, a policy by its first letter.
func spec(words string) *corev1.Service {
	s := &corev1.Service{}
	s.Spec.Type = corev1.ServiceTypeClusterIP
	for word := range strings.FieldsSeq(words) {
		switch {
		case word == "selector":
			s.Spec.Selector = map[string]string{"app": "web"}
		case word == "NodePort" || word == "LoadBalancer" || word == "ExternalName":
			s.Spec.Type = corev1.ServiceType(word)
		case word == "single":
			s.Spec.IPFamilyPolicy = new(corev1.IPFamilyPolicySingleStack)
		case word == "prefer":
			s.Spec.IPFamilyPolicy = new(corev1.IPFamilyPolicyPreferDualStack)
		case word == "require":
			s.Spec.IPFamilyPolicy = new(corev1.IPFamilyPolicyRequireDualStack)
		case word == "odd":
			s.Spec.IPFamilyPolicy = new(corev1.IPFamilyPolicy("Odd"))
		case word == "4" || word == "6" || word == "5":
			s.Spec.IPFamilies = append(s.Spec.IPFamilies, corev1.IPFamily("IPv"+word))
		case strings.HasPrefix(word, "ip="):
			s.Spec.ClusterIP = strings.TrimPrefix(word, "ip=")
		case strings.HasPrefix(word, "ips="):
			s.Spec.ClusterIPs = strings.Split(strings.TrimPrefix(word, "ips="), ",")
		default:
			s.Spec.ClusterIPs = append(s.Spec.ClusterIPs, word)
			s.Spec.ClusterIP = s.Spec.ClusterIPs[0]
		}
	}
	return s
}

// decided describes families: policy, families, and what is needed.
func decided(families Families, faults []string) string {
	if len(faults) > 0 {
		return strings.Join(faults, ", ")
	}
	policy := "none"
	if families.Policy != nil {
		policy = map[corev1.IPFamilyPolicy]string{
			corev1.IPFamilyPolicySingleStack:      "single",
			corev1.IPFamilyPolicyPreferDualStack:  "prefer",
			corev1.IPFamilyPolicyRequireDualStack: "require",
		}[*families.Policy]
	}
	words := []string{policy}
	for _, family := range families.Families {
		words = append(words, strings.TrimPrefix(string(family), "IPv"))
	}
	for _, need := range families.Needs {
		which := "any"
		if need.Address.IsValid() {
			which = need.Address.String()
		}
		words = append(words, fmt.Sprintf("[%d]=%s", need.Index, which))
		if need.Family != families.Families[need.Index] {
			words = append(words, "of another family")
		}
	}
	return strings.Join(words, " ")
}

// TestFamilies has the rows that matter; test/integration asks API servers for all
// combinations.
func TestFamilies(t *testing.T) {
	dual4, dual6 := Cluster{corev1.IPv4Protocol, true}, Cluster{corev1.IPv6Protocol, true}
	only4, only6 := Cluster{corev1.IPv4Protocol, false}, Cluster{corev1.IPv6Protocol, false}
	const (
		ips    = "FieldValueInvalid spec.clusterIPs"
		ip0    = "FieldValueInvalid spec.clusterIPs[0]"
		ip1    = "FieldValueInvalid spec.clusterIPs[1]"
		policy = "FieldValueInvalid spec.ipFamilyPolicy"
		family = "FieldValueInvalid spec.ipFamilies[0]"
	)
	tests := []struct {
		name     string
		cluster  Cluster
		old, new string
		want     string
	}{
		// Created, with addresses.
		{"nothing said", dual4, "", "", "single 4 [0]=any"},
		{"nothing said, IPv6 first", dual6, "", "", "single 6 [0]=any"},
		{"nothing said, one family", only6, "", "", "single 6 [0]=any"},
		{"single", dual4, "", "single", "single 4 [0]=any"},
		{"single, the other family", dual4, "", "single 6", "single 6 [0]=any"},
		{"prefer", dual4, "", "prefer", "prefer 4 6 [0]=any [1]=any"},
		{"prefer, IPv6 first", dual6, "", "prefer", "prefer 6 4 [0]=any [1]=any"},
		{"prefer, one family", only4, "", "prefer", "prefer 4 [0]=any"},
		{"prefer, in an order", dual4, "", "prefer 6 4", "prefer 6 4 [0]=any [1]=any"},
		{"prefer, starting with the second", dual4, "", "prefer 6", "prefer 6 4 [0]=any [1]=any"},
		{"require", dual4, "", "require", "require 4 6 [0]=any [1]=any"},
		{"require, IPv6 first", dual6, "", "require 6", "require 6 4 [0]=any [1]=any"},
		{"require, one family", only4, "", "require", policy},
		{"require what one family lacks", only4, "", "require 6", "FieldValueInvalid spec.ipFamilies[0], " + policy},
		{"a family alone", dual4, "", "6", "single 6 [0]=any"},
		{"a family that is not there", only4, "", "6", family},
		{"two families without a policy", dual4, "", "4 6", policy},
		{"two families, single", dual4, "", "single 4 6", policy},
		{"two families, prefer, one there", only4, "", "prefer 4 6", "FieldValueInvalid spec.ipFamilies[1]"},
		{"an address", dual4, "", "10.96.0.9", "single 4 [0]=10.96.0.9"},
		{"an address, mirrored", dual4, "", "ip=10.96.0.9", "single 4 [0]=10.96.0.9"},
		{"an address of the other family", dual4, "", "fd00::9", "single 6 [0]=fd00::9"},
		{"an address of a family not there", only4, "", "fd00::9", ip0},
		{"an address, prefer", dual4, "", "prefer fd00::9", "prefer 6 4 [0]=fd00::9 [1]=any"},
		{"two addresses", dual4, "", "prefer fd00::9 10.96.0.9", "prefer 6 4 [0]=fd00::9 [1]=10.96.0.9"},
		{"two addresses without a policy", dual4, "", "fd00::9 10.96.0.9", policy},
		{"two addresses, one family there", only4, "", "prefer 10.96.0.9 fd00::9", ip1},
		{"two addresses, one family said, one there", only4, "", "prefer 4 10.96.0.9 fd00::9", ip1},
		{"two addresses, one family said", dual4, "", "prefer 6 fd00::9 10.96.0.9", "prefer 6 4 [0]=fd00::9 [1]=10.96.0.9"},
		{"two of one family", dual4, "", "prefer 10.96.0.9 10.96.0.8", ips},
		{"three addresses", dual4, "", "prefer 10.96.0.9 fd00::9 10.96.0.8", ips},
		{"an address of another family than said", dual4, "", "6 10.96.0.9", ip0},
		{"the second of another family than said", dual4, "", "prefer 4 6 10.96.0.9 10.96.0.8", ips + ", " + ip1},
		{"clusterIPs alone", dual4, "", "ips=10.96.0.9", ips},
		{"clusterIPs that begin otherwise", dual4, "", "ip=10.96.0.9 ips=10.96.0.8", ips},
		{"no address", dual4, "", "web", ip0},
		{"leading zeros", dual4, "", "010.96.0.9", ip0},
		{"IPv4 as IPv6", dual4, "", "::ffff:10.96.0.9", ip0},
		{"a zone", dual4, "", "fe80::1%eth0", ip0},
		{"an odd family", dual4, "", "5", "FieldValueNotSupported spec.ipFamilies[0]"},
		{"an odd family for an address", dual4, "", "5 10.96.0.9", "FieldValueNotSupported spec.ipFamilies[0]"},
		{"a family twice", dual4, "", "prefer 4 4", "FieldValueDuplicate spec.ipFamilies[1]"},
		{"an odd policy", dual4, "", "odd", "FieldValueNotSupported spec.ipFamilyPolicy"},
		{"all types alike", dual4, "", "LoadBalancer prefer", "prefer 4 6 [0]=any [1]=any"},

		// Created, without.
		{"headless", dual4, "", "selector None", "single 4"},
		{"headless, prefer", dual4, "", "selector None prefer", "prefer 4 6"},
		{"headless, require, one family", only4, "", "selector None require", policy},
		{"headless, a family not there", only4, "", "selector None 6", family},
		{"headless without selector", dual4, "", "None", "require 4 6"},
		{"headless without selector, one family", only6, "", "None", "require 6 4"},
		{"headless without selector, single", only4, "", "None single", "single 4"},
		{"headless without selector, a family", only4, "", "None 6", "require 6 4"},
		{"headless without selector, single, a family not there", only4, "", "None single 6", "single 6"},
		{"None and an address", dual4, "", "None 10.96.0.9", ips},
		{"an address and None", dual4, "", "10.96.0.9 None", ip1},
		{"headless NodePort", dual4, "", "NodePort selector None", ip0},
		{"headless LoadBalancer", dual4, "", "LoadBalancer selector None", ip0},
		{"ExternalName", dual4, "", "ExternalName", "none"},
		{"ExternalName with everything", dual4, "", "ExternalName 10.96.0.9 4 single",
			"FieldValueForbidden spec.clusterIPs, FieldValueForbidden spec.ipFamilies, FieldValueForbidden spec.ipFamilyPolicy"},
		{"ExternalName, headless", dual4, "", "ExternalName ip=None", "FieldValueForbidden spec.clusterIPs"},

		// Changed.
		{"nothing changed", dual4, "single 4 10.96.0.9", "single 4 10.96.0.9", "single 4"},
		{"everything left out", dual4, "single 4 10.96.0.9", "", "single 4"},
		{"everything left out of two", dual4, "require 4 6 10.96.0.9 fd00::9", "", "require 4 6"},
		{"everything left out, preferring two", dual4, "prefer 4 6 10.96.0.9 fd00::9", "", "prefer 4 6"},
		{"a second one", dual4, "single 4 10.96.0.9", "prefer 4 10.96.0.9", "prefer 4 6 [1]=any"},
		{"a second one, all else left out", dual4, "single 6 fd00::9", "require", "require 6 4 [1]=any"},
		{"a second one, named", dual4, "single 4 10.96.0.9", "require 10.96.0.9 fd00::9", "require 4 6 [1]=fd00::9"},
		{"a second one, without a policy", dual4, "single 4 10.96.0.9", "4 6 10.96.0.9", policy},
		{"a second one, one family", only4, "single 4 10.96.0.9", "require 4 10.96.0.9", policy},
		{"preferring two, one family", only4, "single 4 10.96.0.9", "prefer 4 10.96.0.9", "prefer 4"},
		{"preferring two, unchanged, now there are", dual4, "prefer 4 10.96.0.9", "prefer 4 10.96.0.9", "prefer 4"},
		{"preferring two, unchanged, now there is one", only4, "prefer 4 6 10.96.0.9 fd00::9", "prefer 4 6 10.96.0.9 fd00::9", "prefer 4 6"},
		{"preferring two, changed in kind", dual4, "prefer 4 10.96.0.9", "NodePort prefer 4 10.96.0.9", "prefer 4 6 [1]=any"},
		{"preferring, then requiring", dual4, "prefer 4 10.96.0.9", "require 4 10.96.0.9", "require 4 6 [1]=any"},
		{"requiring, then preferring", dual4, "require 4 6 10.96.0.9 fd00::9", "prefer 4 6 10.96.0.9 fd00::9", "prefer 4 6"},
		{"only the policy to single", dual4, "require 4 6 10.96.0.9 fd00::9", "single 4 6 10.96.0.9 fd00::9", "single 4"},
		{"single, with the first", dual4, "require 4 6 10.96.0.9 fd00::9", "single 4 10.96.0.9", "single 4"},
		{"the second address gone", dual4, "require 4 6 10.96.0.9 fd00::9", "require 4 6 10.96.0.9", policy},
		{"the second family gone", dual4, "prefer 4 6 10.96.0.9 fd00::9", "prefer 4 10.96.0.9 fd00::9", policy},
		{"another address", dual4, "single 4 10.96.0.9", "single 4 10.96.0.8", ip0},
		{"another address, singular only", dual4, "single 4 10.96.0.9", "single 4 ip=10.96.0.8", ip0},
		{"another second address", dual4, "require 4 6 10.96.0.9 fd00::9", "require 4 6 10.96.0.9 fd00::8", ip1},
		{"another family", dual4, "single 4 10.96.0.9", "single 6", ip0},
		{"families the other way round", dual4, "require 4 6 10.96.0.9 fd00::9", "require 6 4", ip0 + ", " + ip1},
		{"single and both the other way round", dual4, "require 4 6 10.96.0.9 fd00::9", "single 6 fd00::9", ip0 + ", " + family},
		{"headless now", dual4, "single 4 10.96.0.9", "selector single 4 ip=None", ip0},
		{"headless no more", dual4, "selector single 4 None", "selector single 4 10.96.0.9", ip0},
		{"headless, another family", dual4, "selector single 4 None", "selector single 6 None", "single 6"},
		{"headless, two families", dual4, "selector single 4 None", "selector prefer None", "prefer 4 6"},
		{"headless, a NodePort now", dual4, "selector single 4 None", "NodePort selector single 4 None", ip0},
		{"an old way to write, kept", dual4, "single 4 010.96.0.9", "single 4 010.96.0.9", "single 4"},
		{"a very old Service", dual4, "ip=10.96.0.9", "", "single 4"},
		{"a very old IPv6 Service, two now", dual4, "ip=fd00::9", "require", "require 6 4 [1]=any"},
		{"a very old headless Service", dual4, "selector ip=None", "selector", "single 4"},
		{"a very old headless Service without selector", only4, "ip=None", "", "require 4 6"},
		{"a very old headless Service, two to one", dual4, "selector ip=None", "selector single 4 6 None", policy},
		{"a very old headless Service without selector, two to one", dual4, "ip=None", "single 4 6 None", "single 4"},
		{"to ExternalName", dual4, "single 4 10.96.0.9", "ExternalName single 4 10.96.0.9", "none"},
		{"to ExternalName, all left out", dual4, "single 4 10.96.0.9", "ExternalName", "none"},
		{"to ExternalName, clusterIP kept", dual4, "single 4 10.96.0.9", "ExternalName ip=10.96.0.9", "none"},
		{"to ExternalName, clusterIP cleared", dual4, "single 4 10.96.0.9", "ExternalName ips=10.96.0.9", "none"},
		{"to ExternalName with another", dual4, "single 4 10.96.0.9", "ExternalName 10.96.0.8", "FieldValueForbidden spec.clusterIPs"},
		{"to ExternalName with a second address", dual4, "single 4 10.96.0.9", "ExternalName ip=10.96.0.9 ips=10.96.0.9,fd00::9", "FieldValueForbidden spec.clusterIPs"},
		{"to ExternalName with another clusterIP", dual4, "single 4 10.96.0.9", "ExternalName ip=10.96.0.8", "FieldValueForbidden spec.clusterIPs"},
		{"to ExternalName with another family", dual4, "single 4 10.96.0.9", "ExternalName prefer 6",
			"FieldValueForbidden spec.ipFamilies, FieldValueForbidden spec.ipFamilyPolicy"},
		{"from ExternalName", dual4, "ExternalName", "prefer", "prefer 4 6 [0]=any [1]=any"},
		{"from ExternalName, named", dual4, "ExternalName", "ip=10.96.0.9", "single 4 [0]=10.96.0.9"},
		{"from ExternalName to headless", dual4, "ExternalName", "selector None", "single 4"},
		{"ExternalName with an address that is not its own", dual4, "ExternalName ip=10.96.0.9", "ip=10.96.0.9", "single 4 [0]=10.96.0.9"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var old *corev1.Service
			if test.old != "" {
				old = spec(test.old)
			}
			service := spec(test.new)
			before := service.DeepCopy()
			families, list := Decide(test.cluster, service, old)
			var faults []string
			for _, fault := range list {
				faults = append(faults, string(fault.Type)+" "+fault.Field)
			}
			slices.Sort(faults)
			if got := decided(families, slices.Compact(faults)); got != test.want {
				t.Errorf("got  %s\nwant %s\n%v", got, test.want, list.ToAggregate())
			}
			if diff := cmp.Diff(before, service); diff != "" {
				t.Errorf("the Service was changed: %s", diff)
			}
		})
	}
}

// Whatever a Service and the one before look like, also what no server would have
// stored, there is an answer that makes sense.
func TestEveryServiceHasAnAnswer(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	words := []string{
		"selector", "NodePort", "ExternalName", "single", "prefer", "require", "odd", "4", "6", "5", "ip=None", "ip=10.96.0.9", "ip=x",
		"ips=None", "ips=", "ips=10.96.0.9", "ips=fd00::9,10.96.0.9", "ips=,,", "10.96.0.9", "fd00::9", "None", "010.96.0.9",
	}
	random := func() *corev1.Service {
		var chosen []string
		for range rng.IntN(6) {
			chosen = append(chosen, words[rng.IntN(len(words))])
		}
		return spec(strings.Join(chosen, " "))
	}
	for range 50000 {
		cluster := Cluster{Primary: []corev1.IPFamily{corev1.IPv4Protocol, corev1.IPv6Protocol}[rng.IntN(2)], DualStack: rng.IntN(2) == 0}
		service, old := random(), random()
		if rng.IntN(3) == 0 {
			old = nil
		}
		families, faults := Decide(cluster, service, old)
		if len(faults) > 0 && (families.Policy != nil || len(families.Families)+len(families.Needs) > 0) {
			t.Fatalf("%+v after %+v: %v, and faults %v", service.Spec, old, families, faults)
		}
		for _, need := range families.Needs {
			if need.Index >= len(families.Families) || families.Families[need.Index] != need.Family ||
				need.Address.IsValid() && familyOf(need.Address) != need.Family {
				t.Fatalf("%+v after %+v: %+v", service.Spec, old, families)
			}
		}
	}
}

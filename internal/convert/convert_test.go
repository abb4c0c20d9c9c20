// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package convert

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
)

// objects reads documents of YAML.
func objects(t *testing.T, documents ...string) []unstructured.Unstructured {
	t.Helper()
	var all []unstructured.Unstructured
	for _, document := range documents {
		object := unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(document), &object.Object); err != nil {
			t.Fatalf("%s: %v", document, err)
		}
		all = append(all, object)
	}
	return all
}

func metalPool(name, spec string) string {
	return fmt.Sprintf("{apiVersion: metallb.io/v1beta1, kind: IPAddressPool, metadata: {name: %s}, spec: {%s}}", name, spec)
}

// service is one of type LoadBalancer that has some addresses; more is its metadata.
func service(name, more, spec string, addresses ...string) string {
	var ingress []string
	for _, address := range addresses {
		ingress = append(ingress, fmt.Sprintf("{ip: %q}", address))
	}
	return fmt.Sprintf("{apiVersion: v1, kind: Service, metadata: {namespace: %s, name: web%s}, "+
		"spec: {type: LoadBalancer, ports: [{port: 80}]%s}, status: {loadBalancer: {ingress: [%s]}}}",
		name, more, spec, strings.Join(ingress, ", "))
}

// lost returns what is not as it was.
func lost(r *Result) []string {
	var found []string
	for _, note := range r.Notes {
		if note.Lost {
			found = append(found, note.String())
		}
	}
	return found
}

func TestMetalLBsLowestPriorityGoesFirst(t *testing.T) {
	const some = "addresses: [192.0.%d.0/24]"
	r := From(MetalLB, objects(t,
		metalPool("plain", fmt.Sprintf(some, 1)),
		metalPool("none", fmt.Sprintf(some, 2)+", serviceAllocation: {priority: 0}"),
		metalPool("ninth", fmt.Sprintf(some, 3)+", serviceAllocation: {priority: 9, namespaces: [a]}"),
		metalPool("second", fmt.Sprintf(some, 4)+", serviceAllocation: {priority: 2}"),
		metalPool("also", fmt.Sprintf(some, 5)+", serviceAllocation: {priority: 2}"),
	))
	got := map[string]int32{}
	for _, pool := range r.Pools {
		got[pool.Name] = pool.Spec.Priority
	}
	want := map[string]int32{"plain": 0, "none": 10, "ninth": 20, "second": 30, "also": 30}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("priorities (-want +got):\n%s", diff)
	}
	if len(r.Notes) > 0 {
		t.Errorf("got %v", r.Notes)
	}
}

func TestAnnotationsOfServicesAreTranslated(t *testing.T) {
	const pools = "addresses: [192.0.2.0/24]"
	for name, test := range map[string]struct {
		metadata, spec string
		want           map[string]string
		lost           string
	}{
		"none": {"", "", nil, ""},
		"all of MetalLB": {
			", annotations: {metallb.io/address-pool: one, metallb.io/loadBalancerIPs: 192.0.2.1, metallb.io/allow-shared-ip: k}", "",
			map[string]string{
				servicenetv1alpha1.LoadBalancerPoolKey: "one", servicenetv1alpha1.LoadBalancerIPsAnnotation: "192.0.2.1",
				servicenetv1alpha1.SharingKeyAnnotation: "k",
			}, "",
		},
		"those of before": {
			", annotations: {metallb.universe.tf/address-pool: one, metallb.universe.tf/allow-shared-ip: k}", "",
			map[string]string{servicenetv1alpha1.LoadBalancerPoolKey: "one", servicenetv1alpha1.SharingKeyAnnotation: "k"}, "",
		},
		"the new one goes before, empty as it is": {
			`, annotations: {metallb.io/allow-shared-ip: "", metallb.universe.tf/allow-shared-ip: k}`, "", nil, "",
		},
		"what it has already": {
			", annotations: {metallb.io/allow-shared-ip: k, servicenet.dev/sharing-key: k}", "", nil, "",
		},
		"a pool that is not there": {", annotations: {metallb.io/address-pool: two}", "", nil, "asks for the pool two"},
		"another address than it has": {
			", annotations: {metallb.io/loadBalancerIPs: 192.0.2.9}", "",
			map[string]string{servicenetv1alpha1.LoadBalancerIPsAnnotation: "192.0.2.9"}, "loses the one for the other",
		},
		"an address that is none": {
			", annotations: {metallb.io/loadBalancerIPs: here}", "",
			map[string]string{servicenetv1alpha1.LoadBalancerIPsAnnotation: "here"}, "is not understood",
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := From(MetalLB, objects(t, metalPool("one", pools), service("a", test.metadata, test.spec, "192.0.2.1")))
			var got map[string]string
			if len(r.Edits) > 0 {
				got = r.Edits[0].Annotations
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("annotations (-want +got):\n%s", diff)
			}
			notes := strings.Join(lost(r), "\n")
			if (test.lost == "") != (notes == "") || !strings.Contains(notes, test.lost) {
				t.Errorf("lost %q, want %q", notes, test.lost)
			}
		})
	}
}

func TestServicesThatShareAnAddressAreToldOfIfTheyMayNot(t *testing.T) {
	key := func(k, tool string) string { return ", annotations: {" + tool + "allow-shared-ip: " + k + "}" }
	const other = ", ports: [{port: 81}]"
	for name, test := range map[string]struct {
		first, second, spec string
		namespace           string
		want                bool
	}{
		"the same key, different ports":   {key("k", "metallb.io/"), key("k", "metallb.universe.tf/"), other, "a", false},
		"the same key, in two namespaces": {key("k", "metallb.io/"), key("k", "metallb.io/"), other, "b", false},
		"no key":                          {"", "", other, "b", true},
		"no key, in one namespace":        {"", "", other, "a", true},
		"different keys":                  {key("k", "metallb.io/"), key("l", "metallb.io/"), other, "b", true},
		"the same port":                   {key("k", "metallb.io/"), key("k", "metallb.io/"), "", "b", true},
		"the same key, one of them Local": {key("k", "metallb.io/"), key("k", "metallb.io/"), other + ", externalTrafficPolicy: Local", "b", true},
	} {
		t.Run(name, func(t *testing.T) {
			second := strings.Replace(service(test.namespace, test.second, "", "192.0.2.1"), "name: web", "name: second", 1)
			if test.spec != "" {
				second = strings.Replace(second, ", ports: [{port: 80}]", test.spec, 1)
			}
			r := From(MetalLB, objects(t, metalPool("one", "addresses: [192.0.2.0/24]"), service("a", test.first, "", "192.0.2.1"), second))
			if got := slices.ContainsFunc(lost(r), func(s string) bool { return strings.Contains(s, "which is older") }); got != test.want {
				t.Errorf("told of: %v, want %v: %v", got, test.want, r.Notes)
			}
			across := len(r.Edits) > 0 && r.Edits[0].Annotations[servicenetv1alpha1.SharingCrossNamespaceAnnotation] == "true"
			if wantAcross := test.namespace != "a" && strings.Contains(test.first, "k}") && strings.Contains(test.second, "k}"); across != wantAcross {
				t.Errorf("shares with other namespaces: %v, want %v", across, wantAcross)
			}
		})
	}
}

func TestWhatPoolsOfMetalLBCannotBeIsTold(t *testing.T) {
	many := make([]string, mostAddresses+1)
	for i := range many {
		many[i] = fmt.Sprintf("10.%d.0.0/24", i)
	}
	for name, test := range map[string]struct {
		spec string
		want string
		gone bool // no pool is written
	}{
		"malformed addresses":                 {"addresses: [192.0.2.0/24, nonsense]", `"nonsense" is neither`, false},
		"no addresses":                        {"addresses: []", "it has no addresses", true},
		"more addresses than one of ours has": {"addresses: [" + strings.Join(many, ", ") + "]", "at most 64", true},
		"too much to exclude":                 {"addresses: [10.0.0.0/8], avoidBuggyIPs: true", "are not excluded", false},
		"namespaces that nobody knows":        {"addresses: [192.0.2.0/24], serviceAllocation: {namespaces: [x], namespaceSelectors: [{matchLabels: {a: b}}]}", "pool.servicenet.dev/one", false},
		"something that is no pool":           {"addresses: 7", "can't be read", true},
		"selectors that nobody understands":   {"addresses: [192.0.2.0/24], serviceAllocation: {serviceSelectors: [{matchExpressions: [{key: a, operator: Like}]}]}", "is left out", true},
	} {
		t.Run(name, func(t *testing.T) {
			r := From(MetalLB, objects(t, metalPool("one", test.spec)))
			if notes := strings.Join(lost(r), "\n"); !strings.Contains(notes, test.want) {
				t.Errorf("lost %q, want %q", notes, test.want)
			}
			if gone := len(r.Pools) == 0; gone != test.gone {
				t.Errorf("no pool: %v, want %v", gone, test.gone)
			}
		})
	}
}

func TestOfTwoPoolsOfANameOneIsConverted(t *testing.T) {
	pool := metalPool("one", "addresses: [192.0.2.0/24]")
	r := From(MetalLB, objects(t, pool, strings.Replace(pool, "IPAddressPool", "AddressPool", 1)))
	if len(r.Pools) != 1 || !r.Lost() {
		t.Errorf("got %d pools, %v", len(r.Pools), r.Notes)
	}
}

func TestServicesThatNeedNoHelpAreNotSpokenOf(t *testing.T) {
	r := From(MetalLB, objects(t, metalPool("one", "addresses: [192.0.2.0/24]"),
		service("a", "", "", "192.0.2.1"), service("b", "", ""),
		service("c", "", ", loadBalancerClass: example.com/else", "203.0.113.1"),
		strings.Replace(service("d", "", "", "10.1.1.1"), "type: LoadBalancer", "type: ClusterIP", 1)))
	if len(r.Edits) > 0 || len(r.Notes) > 0 {
		t.Errorf("got edits %v and notes %v", r.Edits, r.Notes)
	}
}

func TestCiliumGivesFirstAndLastAddressesUnlessToldNotTo(t *testing.T) {
	const pool = `{apiVersion: cilium.io/v2, kind: CiliumLoadBalancerIPPool, metadata: {name: one}, spec: {%s
		blocks: [{cidr: 192.0.2.0/24}, {cidr: "2001:db8::/112"}, {cidr: "2001:db8:1::/127"}, {start: 198.51.100.0, stop: 198.51.100.9}]}}`
	for allow, want := range map[string][]string{"": nil, "allowFirstLastIPs: Yes,": nil, `allowFirstLastIPs: "No",`: {"2001:db8::", "2001:db8::ffff"}} {
		r := From(Cilium, objects(t, fmt.Sprintf(pool, strings.Replace(allow, "Yes", `"Yes"`, 1))))
		if len(r.Pools) != 1 || len(r.Notes) > 0 {
			t.Fatalf("%s: %d pools, %v", allow, len(r.Pools), r.Notes)
		}
		spec := &r.Pools[0].Spec
		if diff := cmp.Diff(want, spec.Exclusions); diff != "" || spec.AvoidNetworkAndBroadcast != (want != nil) {
			t.Errorf("%s: avoids IPv4's: %v, exclusions (-want +got):\n%s", allow, spec.AvoidNetworkAndBroadcast, diff)
		}
	}
}

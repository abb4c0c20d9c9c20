// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package loadbalancer

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
)

func named(field string) func(*corev1.Service) {
	return func(s *corev1.Service) { s.Spec.LoadBalancerIP = field }
}

func labelled(key, value string) func(*corev1.Service) {
	return func(s *corev1.Service) { metav1.SetMetaDataLabel(&s.ObjectMeta, key, value) }
}

func TestRead(t *testing.T) {
	t.Parallel()
	const ips, of = servicenetv1alpha1.LoadBalancerIPsAnnotation, servicenetv1alpha1.LoadBalancerPoolKey
	v4, both := []corev1.IPFamily{corev1.IPv4Protocol}, []corev1.IPFamily{corev1.IPv4Protocol, corev1.IPv6Protocol}
	web := []Port{{corev1.ProtocolTCP, 80}}
	tests := map[string]struct {
		changes []func(*corev1.Service)
		want    Request
	}{
		"nothing in particular": {nil, Request{Families: v4, Ports: web}},
		"no families, of an API server that knew one": {
			[]func(*corev1.Service){func(s *corev1.Service) { s.Spec.IPFamilies = nil }}, Request{Families: v4, Ports: web},
		},
		"both families": {
			[]func(*corev1.Service){dual(corev1.IPFamilyPolicyRequireDualStack)}, Request{Families: both, Ports: web},
		},
		"both families, or one": {
			[]func(*corev1.Service){dual(corev1.IPFamilyPolicyPreferDualStack)}, Request{Families: both, AnyFamily: true, Ports: web},
		},
		"both families preferred where there is one": {
			[]func(*corev1.Service){dual(corev1.IPFamilyPolicyPreferDualStack), func(s *corev1.Service) { s.Spec.IPFamilies = v4 }},
			Request{Families: v4, Ports: web},
		},
		"an address in the field": {[]func(*corev1.Service){named("192.0.2.1")}, Request{Families: v4, Named: addrs("192.0.2.1"), Ports: web}},
		"addresses in the annotation": {
			[]func(*corev1.Service){annotated(ips, "192.0.2.1, 192.0.2.2,192.0.2.1,")},
			Request{Families: v4, Named: addrs("192.0.2.1", "192.0.2.2"), Ports: web},
		},
		"one address in both": {
			[]func(*corev1.Service){annotated(ips, "192.0.2.1,192.0.2.2"), named("192.0.2.2")},
			Request{Families: v4, Named: addrs("192.0.2.1", "192.0.2.2"), Ports: web},
		},
		"a pool by its annotation": {[]func(*corev1.Service){annotated(of, "blue")}, Request{Families: v4, Pool: "blue", Ports: web}},
		"a pool by its label":      {[]func(*corev1.Service){labelled(of, "blue")}, Request{Families: v4, Pool: "blue", Ports: web}},
		"a pool by both":           {[]func(*corev1.Service){labelled(of, "blue"), annotated(of, "blue")}, Request{Families: v4, Pool: "blue", Ports: web}},
		"sharing": {
			[]func(*corev1.Service){annotated(servicenetv1alpha1.SharingKeyAnnotation, "web")},
			Request{Families: v4, Key: "web", Ports: web},
		},
		"sharing with other namespaces": {
			[]func(*corev1.Service){
				annotated(servicenetv1alpha1.SharingKeyAnnotation, "web"), annotated(servicenetv1alpha1.SharingCrossNamespaceAnnotation, "true"),
			},
			Request{Families: v4, Key: "web", CrossNamespace: true, Ports: web},
		},
		"a mode": {
			[]func(*corev1.Service){annotated(servicenetv1alpha1.IPModeAnnotation, "Proxy")},
			Request{Families: v4, Mode: corev1.LoadBalancerIPModeProxy, Ports: web},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, faults := Read(balanced("web", test.changes...))
			if len(faults) > 0 {
				t.Errorf("found faults: %v", faults)
			}
			if diff := cmp.Diff(test.want, got, cmpopts.EquateEmpty(), cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
				t.Errorf("the request is not as wanted (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReadFindsFaults(t *testing.T) {
	t.Parallel()
	const ips, of = servicenetv1alpha1.LoadBalancerIPsAnnotation, servicenetv1alpha1.LoadBalancerPoolKey
	tests := map[string]struct {
		changes []func(*corev1.Service)
		want    []string
	}{
		"no address":                   {[]func(*corev1.Service){annotated(ips, "192.0.2")}, []string{`"192.0.2", which is no address`}},
		"an address of another family": {[]func(*corev1.Service){named("2001:db8::1")}, []string{"ipFamilies of the Service are IPv4"}},
		"a contradiction": {
			[]func(*corev1.Service){annotated(ips, "192.0.2.1"), named("192.0.2.2")},
			[]string{"spec.loadBalancerIP is 192.0.2.2 and annotation"},
		},
		"a field that is no address beside an annotation": {
			[]func(*corev1.Service){annotated(ips, "192.0.2.1"), named("x")}, []string{`"x", which is no address`},
		},
		"two pools": {[]func(*corev1.Service){annotated(of, "blue"), labelled(of, "red")}, []string{`"blue" and the label is "red"`}},
		"no pool":   {[]func(*corev1.Service){annotated(of, "Blue!")}, []string{"which is no name of a pool"}},
		"no mode":   {[]func(*corev1.Service){annotated(servicenetv1alpha1.IPModeAnnotation, "vip")}, []string{"allowed are VIP and Proxy"}},
		"several at once": {
			[]func(*corev1.Service){annotated(ips, "a,b"), annotated(of, "Blue!")},
			[]string{`"a", which`, `"b", which`, "no name of a pool"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, faults := Read(balanced("web", test.changes...))
			if len(faults) != len(test.want) {
				t.Fatalf("found %q, want %q", faults, test.want)
			}
			for i, want := range test.want {
				if !strings.Contains(faults[i], want) {
					t.Errorf("found %q, want %q", faults[i], want)
				}
			}
		})
	}
}

func TestOnlyLocalTrafficTellsSelectorsApart(t *testing.T) {
	t.Parallel()
	digest := func(policy corev1.ServiceExternalTrafficPolicy, selector map[string]string) Digest {
		r, _ := Read(balanced("web", func(s *corev1.Service) {
			s.Spec.ExternalTrafficPolicy, s.Spec.Selector = policy, selector
		}))
		return r.Local
	}
	const local, cluster = corev1.ServiceExternalTrafficPolicyLocal, corev1.ServiceExternalTrafficPolicyCluster
	a, b := map[string]string{"app": "a", "tier": "x"}, map[string]string{"app": "b"}
	none := Digest{}
	switch {
	case digest(cluster, a) != none:
		t.Error("a selector counts where all nodes take traffic")
	case digest(local, a) == none || digest(local, nil) == none:
		t.Error("a selector does not count where nodes take their own pods' traffic")
	case digest(local, a) == digest(local, b):
		t.Error("different selectors are the same")
	case digest(local, a) != digest(local, map[string]string{"tier": "x", "app": "a"}):
		t.Error("one selector is two")
	}
}

func TestStripKeepsWhatMatters(t *testing.T) {
	t.Parallel()
	service := balanced("web", dual(corev1.IPFamilyPolicyPreferDualStack), finalized, terminating, class("servicenet.dev/pool"),
		annotated(servicenetv1alpha1.LoadBalancerIPsAnnotation, "192.0.2.1"), annotated("kubectl.kubernetes.io/last", "{}"),
		labelled(servicenetv1alpha1.LoadBalancerPoolKey, "blue"), shows("192.0.2.1"))
	service.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "kubectl"}}
	stripped := Strip(service)
	want, wantFaults := Read(service)
	got, faults := Read(stripped)
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" || len(faults) != len(wantFaults) {
		t.Errorf("the request has changed (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(service.Status, stripped.Status); diff != "" {
		t.Errorf("the status has changed (-want +got):\n%s", diff)
	}
	terms := Terms{Class: "servicenet.dev/pool"}
	if terms.Duty(service, false) != terms.Duty(stripped, false) || !HasFinalizer(stripped) {
		t.Error("the duty has changed")
	}
	if len(stripped.Annotations) != 1 || len(stripped.ManagedFields) != 0 {
		t.Errorf("too much is left: %v", stripped)
	}
}

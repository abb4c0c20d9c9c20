// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	toolscache "k8s.io/client-go/tools/cache"

	"servicenet.dev/servicenet/internal/ledger"
	"servicenet.dev/servicenet/internal/ledger/store"
)

// numbered is a Service with an address and node ports.
func numbered(name, address string, ports ...int32) *corev1.Service {
	service := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name},
		Spec:       corev1.ServiceSpec{Type: corev1.ServiceTypeNodePort, ClusterIPs: []string{address}},
	}
	for i, port := range ports {
		service.Spec.Ports = append(service.Spec.Ports, corev1.ServicePort{Name: string(rune('a' + i)), NodePort: port})
	}
	return service
}

func TestCarriersKnowWhoHasANumber(t *testing.T) {
	c := newCarriers(Options{Controllers: []string{"*"}})
	web, twin, port := numbered("web", "10.96.0.7", 30001), numbered("twin", "10.96.0.8", 30001), ledger.Port(30001)
	expect := func(when string, want *corev1.Service) {
		t.Helper()
		if got := c.carrier(port); got != want {
			t.Errorf("%s: carried by %v, want %v", when, got, want)
		}
	}
	expect("at first", nil)
	c.replace(nil, web)
	expect("one", web)
	c.replace(nil, twin)
	expect("two", web)
	c.replace(web, nil)
	expect("the other", twin)
	moved := numbered("twin", "10.96.0.8", 30002)
	c.replace(twin, moved)
	expect("none", nil)
	if got := c.carrier(ledger.Port(30002)); got != moved {
		t.Errorf("30002 is carried by %v", got)
	}
	c.replace(moved, nil)
	if len(c.first) > 0 || len(c.others) > 0 {
		t.Errorf("something is left: %v %v", c.first, c.others)
	}
}

func TestCarriersLeaveOtherFamiliesAlone(t *testing.T) {
	service := numbered("web", "10.96.0.7", 30001)
	for controllers, want := range map[string]int{"clusterip": 1, "nodeport": 1, "*": 2} {
		if got := newCarriers(Options{Controllers: []string{controllers}}).numbers(service); len(got) != want {
			t.Errorf("%s: numbers %v, want %d", controllers, got, want)
		}
	}
}

func TestAddressesOfOthersAreSeen(t *testing.T) {
	c := newCarriers(Options{Controllers: []string{"*"}})
	place := c.numbers(numbered("web", "fd00::7"))[0]
	if got := c.seen(place); got != (store.Finding{}) {
		t.Errorf("without objects: %v", got)
	}
	c.addresses = toolscache.NewStore(toolscache.MetaNamespaceKeyFunc)
	for parent, want := range map[string]store.Finding{"namespaces": {Foreign: true}, "services": {Leftover: true}} {
		err := c.addresses.Add(&networkingv1.IPAddress{
			ObjectMeta: metav1.ObjectMeta{Name: "fd00::7"},
			Spec:       networkingv1.IPAddressSpec{ParentRef: &networkingv1.ParentReference{Resource: parent, Name: "web"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := c.seen(place); got != want {
			t.Errorf("%s: %v, want %v", parent, got, want)
		}
	}
}

func TestStrippedServicesStillSayTheirNumbers(t *testing.T) {
	service := numbered("web", "10.96.0.7", 30001, 0, 30002)
	service.Spec.HealthCheckNodePort = 30003
	service.Annotations = map[string]string{"a": "b"}
	want := store.Numbers(service)
	stripped := stripNumbers(service.DeepCopy())
	if got := store.Numbers(stripped); len(got) != len(want) || len(got) != 4 {
		t.Errorf("numbers %v, want %v", got, want)
	}
	if stripped.Annotations != nil || len(stripped.Spec.Ports) != 2 {
		t.Errorf("too much is left: %v", stripped)
	}
}

func TestStrippedAddressesStillSayWhoManagesThem(t *testing.T) {
	strip := newIPAddressStripper()
	for _, by := range []string{"ipallocator.k8s.io", "me", "ipallocator.k8s.io", ""} {
		stripped := strip(&networkingv1.IPAddress{ObjectMeta: metav1.ObjectMeta{
			Name: "fd00::7", Labels: map[string]string{networkingv1.LabelManagedBy: by, networkingv1.LabelIPAddressFamily: "IPv6"},
		}})
		if got := stripped.Labels[networkingv1.LabelManagedBy]; got != by {
			t.Errorf("managed by %q, want %q", got, by)
		}
	}
}

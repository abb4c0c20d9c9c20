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

// record is what is cached of a Service.
func record(service *corev1.Service) *serviceRecord {
	return newRecorder(Options{Controllers: []string{"*"}}).service(service)
}

func TestCarriersKnowWhoHasANumber(t *testing.T) {
	c := newCarriers()
	web, twin := record(numbered("web", "10.96.0.7", 30001)), record(numbered("twin", "10.96.0.8", 30001))
	port := ledger.Port(30001)
	expect := func(when string, want *serviceRecord) {
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
	moved := record(numbered("twin", "10.96.0.8", 30002))
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

func TestAddressesOfOthersAreSeen(t *testing.T) {
	c, records := newCarriers(), newRecorder(Options{Controllers: []string{"*"}})
	place := record(numbered("web", "fd00::7")).Numbers[0]
	if got := c.seen(place); got != (store.Finding{}) {
		t.Errorf("without objects: %v", got)
	}
	c.addresses = toolscache.NewStore(toolscache.MetaNamespaceKeyFunc)
	for parent, want := range map[string]store.Finding{"namespaces": {Foreign: true}, "services": {Leftover: true}} {
		err := c.addresses.Add(records.address(&networkingv1.IPAddress{
			ObjectMeta: metav1.ObjectMeta{Name: "fd00::7"},
			Spec:       networkingv1.IPAddressSpec{ParentRef: &networkingv1.ParentReference{Resource: parent, Name: "web"}},
		}))
		if err != nil {
			t.Fatal(err)
		}
		if got := c.seen(place); got != want {
			t.Errorf("%s: %v, want %v", parent, got, want)
		}
	}
}

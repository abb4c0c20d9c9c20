// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"servicenet.dev/servicenet/internal/ledger"
	"servicenet.dev/servicenet/internal/pool"
)

func TestRecordsHaveEachNumberOnce(t *testing.T) {
	service := numbered("web", "10.96.0.7", 30001, 30001, 0, 30002)
	service.Spec.HealthCheckNodePort = 30002
	got := record(service)
	if diff := cmp.Diff([]string{"10.96.0.7", "30001", "30002"}, texts(got.Numbers)); diff != "" {
		t.Errorf("numbers (-want +got):\n%s", diff)
	}
}

func texts(places []ledger.Place) (texts []string) {
	for _, place := range places {
		texts = append(texts, place.String())
	}
	return texts
}

func TestRecordsLeaveOtherFamiliesAlone(t *testing.T) {
	service := numbered("web", "10.96.0.7", 30001)
	for controllers, want := range map[string]int{"clusterip": 1, "nodeport": 1, "*": 2} {
		if got := newRecorder(Options{Controllers: []string{controllers}}).service(service).Numbers; len(got) != want {
			t.Errorf("%s: numbers %v, want %d", controllers, got, want)
		}
	}
}

func TestRecordsHaveNoLoadBalancerAddresses(t *testing.T) {
	service := numbered("web", "10.96.0.7", 30001)
	service.Spec.Type = corev1.ServiceTypeLoadBalancer
	service.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: "192.0.2.1"}, {IP: "2001:db8::1"}}
	if diff := cmp.Diff([]string{"10.96.0.7", "30001"}, texts(record(service).Numbers)); diff != "" {
		t.Errorf("numbers (-want +got):\n%s", diff)
	}
}

func TestSlotsTellPortsApart(t *testing.T) {
	service := numbered("web", "10.96.0.7", 30001, 30002)
	service.Spec.HealthCheckNodePort = 30003
	got := record(service)
	for port, want := range map[int]string{30001: "a", 30002: "b", 30003: pool.HealthCheck} {
		if slot := got.slot(ledger.Port(port)); slot != ledger.SlotOf(want) {
			t.Errorf("port %d: slot %d, want that of %s", port, slot, want)
		}
	}
	if slot := got.slot(got.Numbers[0]); slot != 0 {
		t.Errorf("the address has the slot %d", slot)
	}
	if slot := got.slot(ledger.Port(30004)); slot != 0 {
		t.Errorf("a port of others has the slot %d", slot)
	}
}

func TestRecordsSayWhatSelectorsSee(t *testing.T) {
	service := numbered("web", "10.96.0.7")
	for _, want := range []map[string]string{{}, {"team": "shop"}, {"a.b/c": "", "team": "shop", "tier": "back-end"}} {
		service.Labels = want
		if diff := cmp.Diff(want, record(service).labelSet()); diff != "" {
			t.Errorf("labels (-want +got):\n%s", diff)
		}
	}
}

func TestRecordsDifferWhereNumbersOrLabelsDo(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*corev1.Service)
		want   bool // that it is the same
	}{
		"nothing":            {func(*corev1.Service) {}, true},
		"a new version":      {func(s *corev1.Service) { s.ResourceVersion = "2" }, true},
		"another selector":   {func(s *corev1.Service) { s.Spec.Selector = map[string]string{"a": "b"} }, true},
		"made again":         {func(s *corev1.Service) { s.UID = "another" }, false},
		"another label":      {func(s *corev1.Service) { s.Labels = map[string]string{"a": "b"} }, false},
		"another address":    {func(s *corev1.Service) { s.Spec.ClusterIPs = []string{"10.96.0.8"} }, false},
		"an invalid address": {func(s *corev1.Service) { s.Spec.ClusterIPs = append(s.Spec.ClusterIPs, "x") }, false},
		"no addresses":       {func(s *corev1.Service) { s.Spec.Type = corev1.ServiceTypeExternalName }, false},
		"another port":       {func(s *corev1.Service) { s.Spec.Ports[0].NodePort = 30009 }, false},
		"a port renamed":     {func(s *corev1.Service) { s.Spec.Ports[0].Name = "web" }, false},
		"a port twice": {func(s *corev1.Service) {
			s.Spec.Ports = append(s.Spec.Ports, corev1.ServicePort{Name: "c", NodePort: 30001})
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			before, after := numbered("web", "10.96.0.7", 30001), numbered("web", "10.96.0.7", 30001)
			test.change(after)
			if got := record(before).same(record(after)); got != test.want {
				t.Errorf("the same: %v, want %v", got, test.want)
			}
		})
	}
}

func TestRecordsCanBeCached(t *testing.T) {
	records := newRecorder(Options{Controllers: []string{"*"}})
	transform := recordedBy(records.service).Transform
	service := numbered("web", "10.96.0.7")
	service.ResourceVersion = "7"
	first, err := transform(service)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := transform(first); again != first || err != nil {
		t.Errorf("a record became %v, %v", again, err)
	}
	address := records.address(&networkingv1.IPAddress{ObjectMeta: metav1.ObjectMeta{Name: "fd00::7", ResourceVersion: "8"}})
	for _, test := range []struct {
		object       any
		key, version string
	}{{first, "shop/web", "7"}, {address, "fd00::7", "8"}} {
		if key, err := toolscache.MetaNamespaceKeyFunc(test.object); key != test.key || err != nil {
			t.Errorf("key %q, %v, want %q", key, err, test.key)
		}
		if object, ok := test.object.(metav1.Object); !ok || object.GetResourceVersion() != test.version {
			t.Errorf("version of %v, want %s", object, test.version)
		}
	}
	if _, readable := first.(client.Object); readable {
		t.Error("a client would take a record for an object")
	}
}

func TestAddressWithoutAnAddressIsSaidSo(t *testing.T) {
	records := newRecorder(Options{Controllers: []string{"*"}})
	if got := records.address(&networkingv1.IPAddress{ObjectMeta: metav1.ObjectMeta{Name: "x"}}); got.err == nil {
		t.Error("no error")
	}
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpointslice

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestServicesLeftAlone(t *testing.T) {
	for name, change := range map[string]serviceOption{
		"no selector":    func(s *corev1.Service) { s.Spec.Selector = nil },
		"empty selector": func(s *corev1.Service) { s.Spec.Selector = map[string]string{} },
		"ExternalName":   func(s *corev1.Service) { s.Spec.Type = corev1.ServiceTypeExternalName },
	} {
		t.Run(name, func(t *testing.T) {
			before := planned(t, makeService(), makePod(1))
			changes := Plan(makeInput(makeService(change), makePods(0, 3), before.list()...))
			if !changes.Empty() {
				t.Errorf("want nothing written, got %+v", changes)
			}
		})
	}
}

func TestAddressTypes(t *testing.T) {
	both := []discoveryv1.AddressType{ipv4, ipv6}
	for name, test := range map[string]struct {
		service *corev1.Service
		want    []discoveryv1.AddressType
	}{
		"IPv4":                       {makeService(), []discoveryv1.AddressType{ipv4}},
		"IPv6":                       {makeService(withFamilies(corev1.IPv6Protocol)), []discoveryv1.AddressType{ipv6}},
		"dual-stack":                 {makeService(withFamilies(corev1.IPv4Protocol, corev1.IPv6Protocol)), both},
		"old server, IPv4 ClusterIP": {makeService(withFamilies()), []discoveryv1.AddressType{ipv4}},
		"old server, IPv6 ClusterIP": {makeService(withFamilies(), withClusterIP("fd00::10")), []discoveryv1.AddressType{ipv6}},
		"old server, headless":       {makeService(withFamilies(), withClusterIP("None")), both},
		"old server, no ClusterIP":   {makeService(withFamilies(), withClusterIP("")), both},
		"headless":                   {makeService(withClusterIP("None")), []discoveryv1.AddressType{ipv4}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, AddressTypes(test.service)); diff != "" {
				t.Errorf("address types (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSliceMetadata(t *testing.T) {
	service := makeService(withClusterIP("None"), withLabels(map[string]string{
		"team":                       "payments",
		discoveryv1.LabelServiceName: "not-me",
		discoveryv1.LabelManagedBy:   "somebody",
		corev1.IsHeadlessService:     "yes",
	}))
	slice := planned(t, service, makePod(1)).only()
	wantLabels := map[string]string{
		"team":                       "payments",
		discoveryv1.LabelServiceName: "web",
		discoveryv1.LabelManagedBy:   "endpointslice-controller.k8s.io",
		corev1.IsHeadlessService:     "",
	}
	if diff := cmp.Diff(wantLabels, slice.Labels); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
	wantOwners := []metav1.OwnerReference{{
		APIVersion: "v1", Kind: "Service", Name: "web", UID: "service-uid",
		Controller: new(true), BlockOwnerDeletion: new(true),
	}}
	if diff := cmp.Diff(wantOwners, slice.OwnerReferences); diff != "" {
		t.Errorf("owner references (-want +got):\n%s", diff)
	}
	if slice.GenerateName != "web-" || slice.Namespace != "shop" {
		t.Errorf("got generateName %q in namespace %q", slice.GenerateName, slice.Namespace)
	}
}

func TestHeadlessLabelOnlyWithoutClusterIP(t *testing.T) {
	service := makeService(withLabels(map[string]string{corev1.IsHeadlessService: ""}))
	if _, found := planned(t, service, makePod(1)).only().Labels[corev1.IsHeadlessService]; found {
		t.Error("a slice of a Service with a cluster IP says it is headless: kube-proxy would ignore it")
	}
}

func TestLabelChangeReachesEverySlice(t *testing.T) {
	w := planned(t, makeService(), makePods(0, 250)...)
	w.resetCounts()
	w.plan(makeInput(makeService(withLabels(map[string]string{"team": "payments"})), makePods(0, 250)))
	if got, want := w.counts(), "0 created, 3 updated, 0 deleted"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for _, slice := range w.list() {
		if slice.Labels["team"] != "payments" {
			t.Errorf("slice %s has labels %v", slice.Name, slice.Labels)
		}
	}
}

func TestServiceOfASlice(t *testing.T) {
	slice := planned(t, makeService(), makePod(1)).only()
	if got, want := ServiceOf(slice).String(), "shop/web"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

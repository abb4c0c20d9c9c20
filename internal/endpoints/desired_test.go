// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoints

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

func TestWhichPodsAreListed(t *testing.T) {
	ready, notReady, none := "http:8080 at 10.0.0.2/web-1", "http:8080 at, not ready 10.0.0.2/web-1", ""
	for name, test := range map[string]struct {
		service *corev1.Service
		pod     *corev1.Pod
		want    string
	}{
		"ready":                           {makeService(), makePod(1), ready},
		"not ready":                       {makeService(), makePod(1, unready), notReady},
		"not ready, published":            {makeService(publishNotReady), makePod(1, unready), ready},
		"terminating":                     {makeService(), makePod(1, terminating), none},
		"terminating, unready":            {makeService(), makePod(1, terminating, unready), none},
		"terminating, published":          {makeService(publishNotReady), makePod(1, terminating, unready), ready},
		"pending with an address":         {makeService(), makePod(1, withPhase(corev1.PodPending), unready), notReady},
		"failed":                          {makeService(), makePod(1, withPhase(corev1.PodFailed)), none},
		"failed, unready published":       {makeService(publishNotReady), makePod(1, withPhase(corev1.PodFailed)), none},
		"succeeded":                       {makeService(), makePod(1, withPhase(corev1.PodSucceeded)), none},
		"without an address":              {makeService(), makePod(1, withIPs()), none},
		"without one in the family":       {makeService(), makePod(1, withIPs("fd00::1")), none},
		"malformed address":               {makeService(), makePod(1, withIPs("10.0.0")), none},
		"on a node that does not exist":   {makeService(), makePod(1, onNode("node-gone")), ready},
		"on no node":                      {makeService(), makePod(1, onNode("")), ready},
		"with the second of two families": {makeService(withFamilies(corev1.IPv6Protocol, corev1.IPv4Protocol)), makePod(1), none},
	} {
		t.Run(name, func(t *testing.T) {
			var want []string
			if test.want != "" {
				want = []string{test.want}
			}
			if diff := cmp.Diff(want, sketch(planned(t, test.service, test.pod).Subsets)); diff != "" {
				t.Errorf("subsets (-want +got):\n%s", diff)
			}
		})
	}
}

func TestOnlyTheFirstFamilyIsListed(t *testing.T) {
	headless := withClusterIP("None")
	for name, test := range map[string]struct {
		service *corev1.Service
		ips     []string
		want    string
	}{
		"IPv4 first":                           {makeService(withFamilies(corev1.IPv4Protocol, corev1.IPv6Protocol)), []string{"fd00::1", "10.0.0.1"}, "10.0.0.1"},
		"IPv6 first":                           {makeService(withFamilies(corev1.IPv6Protocol, corev1.IPv4Protocol)), []string{"10.0.0.1", "fd00::1"}, "fd00::1"},
		"first of several addresses":           {makeService(), []string{"10.0.0.7", "10.0.0.1"}, "10.0.0.7"},
		"in canonical form":                    {makeService(), []string{"010.000.000.001"}, "10.0.0.1"},
		"no family, IPv4 cluster IP":           {makeService(withFamilies()), []string{"fd00::1", "10.0.0.1"}, "10.0.0.1"},
		"no family, IPv6 cluster IP":           {makeService(withFamilies(), withClusterIP("fd00::10")), []string{"10.0.0.1", "fd00::1"}, "fd00::1"},
		"no family, headless, IPv4 pod":        {makeService(withFamilies(), headless), []string{"10.0.0.1", "fd00::1"}, "10.0.0.1"},
		"no family, headless, IPv6 pod":        {makeService(withFamilies(), headless), []string{"fd00::1", "10.0.0.1"}, "fd00::1"},
		"family outweighs the pod if headless": {makeService(headless), []string{"fd00::1", "10.0.0.1"}, "10.0.0.1"},
	} {
		t.Run(name, func(t *testing.T) {
			got := planned(t, test.service, makePod(1, withIPs(test.ips...)))
			want := []string{"http:8080 at " + test.want + "/web-1"}
			if diff := cmp.Diff(want, sketch(got.Subsets)); diff != "" {
				t.Errorf("subsets (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAddressFields(t *testing.T) {
	pod := makePod(7, withHostname("web-7", "web"), onNode("node-b"))
	got := planned(t, makeService(), pod).Subsets[0].Addresses[0]
	want := corev1.EndpointAddress{
		IP:        "10.0.0.8",
		Hostname:  "web-7",
		NodeName:  new("node-b"),
		TargetRef: &corev1.ObjectReference{Kind: "Pod", Namespace: "shop", Name: "web-7", UID: "web-7"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("address (-want +got):\n%s", diff)
	}
}

func TestHostnameNeedsTheServicesSubdomain(t *testing.T) {
	for subdomain, want := range map[string]string{"web": "db-0", "db": "", "": ""} {
		got := planned(t, makeService(), makePod(1, withHostname("db-0", subdomain))).Subsets[0].Addresses[0].Hostname
		if got != want {
			t.Errorf("with subdomain %q the hostname is %q, want %q", subdomain, got, want)
		}
	}
}

func TestPodWithoutANodeHasNoNodeName(t *testing.T) {
	got := planned(t, makeService(), makePod(1, onNode(""))).Subsets[0].Addresses[0].NodeName
	if got != nil {
		t.Errorf("node name is %q, which the API server refuses", *got)
	}
}

func TestPorts(t *testing.T) {
	headless := withClusterIP("None")
	sidecar := func(p *corev1.Pod) {
		declaring("admin", 9000)(p)
		p.Spec.InitContainers, p.Spec.Containers = p.Spec.Containers, nil
		p.Spec.InitContainers[0].RestartPolicy = new(corev1.ContainerRestartPolicyAlways)
	}
	for name, test := range map[string]struct {
		service *corev1.Service
		pod     *corev1.Pod
		want    []string
	}{
		"number, undeclared":             {makeService(), makePod(1), []string{"http:8080 at 10.0.0.2/web-1"}},
		"name":                           {makeService(withPorts(named("http", "web"))), makePod(1, declaring("web", 81)), []string{"http:81 at 10.0.0.2/web-1"}},
		"name in a sidecar":              {makeService(withPorts(named("http", "admin"))), makePod(1, sidecar), []string{"http:9000 at 10.0.0.2/web-1"}},
		"name that nobody declares":      {makeService(withPorts(named("http", "web"))), makePod(1), nil},
		"one of two not found":           {makeService(withPorts(named("http", "web"), numbered("b", 9))), makePod(1), []string{"b:9 at 10.0.0.2/web-1"}},
		"none, headless":                 {makeService(withPorts(), headless), makePod(1), []string{"at 10.0.0.2/web-1"}},
		"none, headless, not ready":      {makeService(withPorts(), headless), makePod(1, unready), []string{"at, not ready 10.0.0.2/web-1"}},
		"none, with a cluster IP":        {makeService(withPorts()), makePod(1), nil},
		"none, cluster IP not yet given": {makeService(withPorts(), withClusterIP("")), makePod(1), nil},
		"name not found, headless":       {makeService(withPorts(named("http", "web")), headless), makePod(1), nil},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, sketch(planned(t, test.service, test.pod).Subsets)); diff != "" {
				t.Errorf("subsets (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPortFields(t *testing.T) {
	service := makeService(withPorts(corev1.ServicePort{
		Port: 53, TargetPort: intstr.FromInt32(5353), Protocol: corev1.ProtocolUDP, AppProtocol: new("kubernetes.io/h2c"),
	}))
	got := planned(t, service, makePod(1)).Subsets[0].Ports
	want := []corev1.EndpointPort{{Port: 5353, Protocol: corev1.ProtocolUDP, AppProtocol: new("kubernetes.io/h2c")}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("ports (-want +got):\n%s", diff)
	}
}

func TestPodsShareASubsetWhereTheirPortsAreTheSame(t *testing.T) {
	service := makeService(withPorts(named("http", "web"), numbered("b", 9)))
	got := planned(t, service,
		makePod(0, declaring("web", 81)), makePod(1, declaring("web", 82)), makePod(2, declaring("web", 81), unready))
	want := []string{
		"http:82 at 10.0.0.2/web-1",
		"b:9 at 10.0.0.1/web-0 10.0.0.2/web-1, not ready 10.0.0.3/web-2",
		"http:81 at 10.0.0.1/web-0, not ready 10.0.0.3/web-2",
	}
	if diff := cmp.Diff(want, sketch(got.Subsets)); diff != "" {
		t.Errorf("subsets (-want +got):\n%s", diff)
	}
}

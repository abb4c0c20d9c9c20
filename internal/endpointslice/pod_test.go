// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpointslice

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
)

func TestWhichPodsAreListed(t *testing.T) {
	for name, test := range map[string]struct {
		service *corev1.Service
		pod     *corev1.Pod
		want    bool
	}{
		"ready":                         {makeService(), makePod(1), true},
		"not ready":                     {makeService(), makePod(1, unready), true},
		"terminating":                   {makeService(), makePod(1, terminating), true},
		"pending with an address":       {makeService(), makePod(1, withPhase(corev1.PodPending), unready), true},
		"failed":                        {makeService(), makePod(1, withPhase(corev1.PodFailed)), false},
		"succeeded":                     {makeService(), makePod(1, withPhase(corev1.PodSucceeded)), false},
		"failed, unready published":     {makeService(publishNotReady), makePod(1, withPhase(corev1.PodFailed)), false},
		"without an address":            {makeService(), makePod(1, withIPs()), false},
		"address of another family":     {makeService(), makePod(1, withIPs("fd00::1")), false},
		"malformed address":             {makeService(), makePod(1, withIPs("10.0.0")), false},
		"node missing":                  {makeService(), makePod(1, onNode("node-gone")), false},
		"node missing, published":       {makeService(publishNotReady), makePod(1, onNode("node-gone")), true},
		"on no node":                    {makeService(), makePod(1, onNode("")), false},
		"node without a zone":           {makeService(), makePod(1, onNode("node-zoneless")), true},
		"unready and unready published": {makeService(publishNotReady), makePod(1, unready), true},
	} {
		t.Run(name, func(t *testing.T) {
			listed := len(planned(t, test.service, test.pod).listed(ipv4)) == 1
			if listed != test.want {
				t.Errorf("listed is %v, want %v", listed, test.want)
			}
		})
	}
}

func TestMissingNodesAreReportedOnce(t *testing.T) {
	pods := append(makePods(0, 3, onNode("node-gone")), makePod(3), makePod(4, onNode("")))
	changes := Plan(makeInput(makeService(), pods))
	if diff := cmp.Diff([]string{"", "node-gone"}, changes.MissingNodes); diff != "" {
		t.Errorf("missing nodes (-want +got):\n%s", diff)
	}
}

func TestConditions(t *testing.T) {
	conditions := func(ready, serving, terminating bool) discoveryv1.EndpointConditions {
		return discoveryv1.EndpointConditions{Ready: &ready, Serving: &serving, Terminating: &terminating}
	}
	for name, test := range map[string]struct {
		service *corev1.Service
		pod     *corev1.Pod
		want    discoveryv1.EndpointConditions
	}{
		"ready":                              {makeService(), makePod(1), conditions(true, true, false)},
		"unready":                            {makeService(), makePod(1, unready), conditions(false, false, false)},
		"terminating, still ready":           {makeService(), makePod(1, terminating), conditions(false, true, true)},
		"terminating, unready":               {makeService(), makePod(1, terminating, unready), conditions(false, false, true)},
		"published: unready":                 {makeService(publishNotReady), makePod(1, unready), conditions(true, false, false)},
		"published: terminating":             {makeService(publishNotReady), makePod(1, terminating), conditions(true, true, true)},
		"published: terminating, unready":    {makeService(publishNotReady), makePod(1, terminating, unready), conditions(true, false, true)},
		"no Ready condition reported so far": {makeService(), makePod(1, func(p *corev1.Pod) { p.Status.Conditions = nil }), conditions(false, false, false)},
	} {
		t.Run(name, func(t *testing.T) {
			endpoint := planned(t, test.service, test.pod).only().Endpoints[0]
			if diff := cmp.Diff(test.want, endpoint.Conditions); diff != "" {
				t.Errorf("conditions (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEndpointFields(t *testing.T) {
	service := makeService()
	pod := makePod(7, withHostname("web-7", "web"), onNode("node-b"), withIPs("10.0.0.7", "fd00::7"))
	got := planned(t, service, pod).only().Endpoints[0]
	want := discoveryv1.Endpoint{
		Addresses:  []string{"10.0.0.7"},
		Conditions: discoveryv1.EndpointConditions{Ready: new(true), Serving: new(true), Terminating: new(false)},
		Hostname:   new("web-7"),
		TargetRef:  &corev1.ObjectReference{Kind: "Pod", Namespace: "shop", Name: "web-0007", UID: "web-0007"},
		NodeName:   new("node-b"),
		Zone:       new("zone-b"),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("endpoint (-want +got):\n%s", diff)
	}
}

func TestHostnameNeedsTheServicesSubdomain(t *testing.T) {
	for name, test := range map[string]struct {
		pod  *corev1.Pod
		want *string
	}{
		"both":              {makePod(1, withHostname("db-0", "web")), new("db-0")},
		"another subdomain": {makePod(1, withHostname("db-0", "db")), nil},
		"no subdomain":      {makePod(1, withHostname("db-0", "")), nil},
		"no hostname":       {makePod(1, withHostname("", "web")), nil},
	} {
		t.Run(name, func(t *testing.T) {
			got := planned(t, makeService(), test.pod).only().Endpoints[0].Hostname
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("hostname (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAddressesAreCanonical(t *testing.T) {
	for given, want := range map[string]string{
		"10.0.0.1":           "10.0.0.1",
		"010.000.000.001":    "10.0.0.1",
		"fd00:0:0:0:0:0:0:1": "fd00::1",
		"FD00::0A":           "fd00::a",
	} {
		family := ipv4
		service := makeService()
		if given[0] != '1' && given[0] != '0' {
			family, service = ipv6, makeService(withFamilies(corev1.IPv6Protocol))
		}
		slice := planned(t, service, makePod(1, withIPs(given))).only()
		if slice.AddressType != family || len(slice.Endpoints) != 1 || slice.Endpoints[0].Addresses[0] != want {
			t.Errorf("%s is listed as %v in a slice of type %s, want %s", given, slice.Endpoints, slice.AddressType, want)
		}
	}
}

func TestTrafficDistributionHints(t *testing.T) {
	zoneHint := []discoveryv1.ForZone{{Name: "zone-a"}}
	nodeHint := []discoveryv1.ForNode{{Name: "node-a"}}
	for name, test := range map[string]struct {
		distribution string
		pod          *corev1.Pod
		want         *discoveryv1.EndpointHints
	}{
		"PreferClose":                      {"PreferClose", makePod(1), &discoveryv1.EndpointHints{ForZones: zoneHint}},
		"PreferSameZone":                   {"PreferSameZone", makePod(1), &discoveryv1.EndpointHints{ForZones: zoneHint}},
		"PreferSameNode":                   {"PreferSameNode", makePod(1), &discoveryv1.EndpointHints{ForZones: zoneHint, ForNodes: nodeHint}},
		"PreferSameNode without a zone":    {"PreferSameNode", makePod(1, onNode("node-zoneless")), &discoveryv1.EndpointHints{ForNodes: []discoveryv1.ForNode{{Name: "node-zoneless"}}}},
		"PreferClose without a zone":       {"PreferClose", makePod(1, onNode("node-zoneless")), nil},
		"not ready":                        {"PreferClose", makePod(1, unready), nil},
		"terminating":                      {"PreferSameNode", makePod(1, terminating), nil},
		"a value of a version yet to come": {"PreferMoon", makePod(1), nil},
	} {
		t.Run(name, func(t *testing.T) {
			got := planned(t, makeService(withTrafficDistribution(test.distribution)), test.pod).only().Endpoints[0].Hints
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("hints (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAnEndpointListsAllAddressesOfItsFamily(t *testing.T) {
	pod := makePod(1, withIPs("10.0.0.1", "fd00::1", "10.0.0.2"))
	w := planned(t, makeService(), pod)
	if diff := cmp.Diff([]string{"10.0.0.1", "10.0.0.2"}, w.only().Endpoints[0].Addresses); diff != "" {
		t.Errorf("addresses (-want +got):\n%s", diff)
	}
	w.resetCounts()
	w.plan(makeInput(makeService(), []*corev1.Pod{pod}))
	if got, want := w.counts(), "0 created, 0 updated, 0 deleted"; got != want {
		t.Errorf("looked at again: %s, want %s", got, want)
	}
}

// Endpoints of no pod are those that somebody made by hand; they are mirrored.
func TestSameContentOfEndpointsWithoutATarget(t *testing.T) {
	with := discoveryv1.Endpoint{TargetRef: &corev1.ObjectReference{Name: "x", ResourceVersion: "1"}}
	newer := discoveryv1.Endpoint{TargetRef: &corev1.ObjectReference{Name: "x", ResourceVersion: "2"}}
	var none discoveryv1.Endpoint
	if !SameContent(&none, &none) || SameContent(&none, &with) || SameContent(&with, &none) || !SameContent(&with, &newer) {
		t.Error("want targets compared without their resourceVersion, and none equal to none alone")
	}
}

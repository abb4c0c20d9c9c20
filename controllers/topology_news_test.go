// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"servicenet.dev/servicenet/internal/endpointslice"
)

// emitted returns the events that wait in a recorder.
func emitted(recorder *events.FakeRecorder) []string {
	var found []string
	for {
		select {
		case event := <-recorder.Events:
			found = append(found, event)
		default:
			return found
		}
	}
}

func TestTopologyNewsAreToldOnce(t *testing.T) {
	const v4, v6 = discoveryv1.AddressTypeIPv4, discoveryv1.AddressTypeIPv6
	const (
		enabled4  = "Normal TopologyAwareHintsEnabled Endpoints have zone hints, addressType: IPv4"
		enabled6  = "Normal TopologyAwareHintsEnabled Endpoints have zone hints, addressType: IPv6"
		few4      = "Warning TopologyAwareHintsDisabled Endpoints have no zone hints: too few, addressType: IPv4"
		zoneless4 = "Warning TopologyAwareHintsDisabled Endpoints have no zone hints: no zone, addressType: IPv4"
		few6      = "Warning TopologyAwareHintsDisabled Endpoints have no zone hints: too few, addressType: IPv6"
		unasked4  = "Warning TopologyAwareHintsDisabled Endpoints have no zone hints: the Service does not ask for them any more, addressType: IPv4"
		unasked6  = "Warning TopologyAwareHintsDisabled Endpoints have no zone hints: the Service does not ask for them any more, addressType: IPv6"
	)
	given := func(family discoveryv1.AddressType) endpointslice.ZoneHints {
		return endpointslice.ZoneHints{Family: family, Given: true}
	}
	before := func(family discoveryv1.AddressType) endpointslice.ZoneHints {
		return endpointslice.ZoneHints{Family: family, Given: true, Before: true}
	}
	none := func(family discoveryv1.AddressType, reason string) endpointslice.ZoneHints {
		return endpointslice.ZoneHints{Family: family, Cause: reason, Reason: reason}
	}
	type step struct {
		hints []endpointslice.ZoneHints
		want  []string
	}
	for name, steps := range map[string][]step{
		"never asked for": {{nil, nil}, {nil, nil}},
		"given, and again": {
			{[]endpointslice.ZoneHints{given(v4)}, []string{enabled4}},
			{[]endpointslice.ZoneHints{before(v4)}, nil},
			{[]endpointslice.ZoneHints{given(v4)}, nil},
		},
		"given since before the start": {
			{[]endpointslice.ZoneHints{before(v4)}, nil},
			{[]endpointslice.ZoneHints{before(v4)}, nil},
		},
		"not given, for the same reason and for another": {
			{[]endpointslice.ZoneHints{none(v4, "too few")}, []string{few4}},
			{[]endpointslice.ZoneHints{none(v4, "too few")}, nil},
			{[]endpointslice.ZoneHints{none(v4, "no zone")}, []string{zoneless4}},
			{[]endpointslice.ZoneHints{given(v4)}, []string{enabled4}},
		},
		"not given, for the same cause with other numbers": {
			{[]endpointslice.ZoneHints{none(v4, "too few")}, []string{few4}},
			{[]endpointslice.ZoneHints{{Family: v4, Cause: "too few", Reason: "one less"}}, nil},
		},
		"not given, then found given": { // whoever gave them did not live to tell
			{[]endpointslice.ZoneHints{none(v4, "too few")}, []string{few4}},
			{[]endpointslice.ZoneHints{before(v4)}, []string{enabled4}},
		},
		"lost": {
			{[]endpointslice.ZoneHints{before(v4)}, nil},
			{[]endpointslice.ZoneHints{{Family: v4, Before: true, Cause: "too few", Reason: "too few"}}, []string{few4}},
		},
		"lost at the start": {
			{[]endpointslice.ZoneHints{{Family: v4, Before: true, Cause: "too few", Reason: "too few"}}, []string{few4}},
		},
		"asked for no more": {
			{[]endpointslice.ZoneHints{given(v6), given(v4)}, []string{enabled6, enabled4}},
			{nil, []string{unasked4, unasked6}},
			{nil, nil},
			{[]endpointslice.ZoneHints{given(v4)}, []string{enabled4}},
		},
		"asked for no more, where there were none": {
			{[]endpointslice.ZoneHints{none(v4, "too few"), given(v6)}, []string{few4, enabled6}},
			{nil, []string{unasked6}},
		},
		"each family by itself": {
			{[]endpointslice.ZoneHints{given(v4), none(v6, "too few")}, []string{enabled4, few6}},
			{[]endpointslice.ZoneHints{none(v4, "too few"), none(v6, "too few")}, []string{few4}},
			{[]endpointslice.ZoneHints{none(v4, "too few"), given(v6)}, []string{enabled6}},
		},
		"a family that goes and comes back": {
			{[]endpointslice.ZoneHints{given(v4), given(v6)}, []string{enabled4, enabled6}},
			{[]endpointslice.ZoneHints{before(v4)}, nil},
			{[]endpointslice.ZoneHints{before(v4), given(v6)}, []string{enabled6}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			recorder := events.NewFakeRecorder(10)
			news := newTopologyNews(recorder)
			service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web"}}
			for i, step := range steps {
				news.report(service, step.hints)
				if diff := cmp.Diff(step.want, emitted(recorder)); diff != "" {
					t.Errorf("step %d: events (-want +got):\n%s", i+1, diff)
				}
			}
		})
	}
}

func TestTopologyNewsOfEachServiceAreItsOwn(t *testing.T) {
	recorder := events.NewFakeRecorder(10)
	news := newTopologyNews(recorder)
	web := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web"}}
	other := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "other", Name: "web"}}
	hints := []endpointslice.ZoneHints{{Family: discoveryv1.AddressTypeIPv4, Given: true}}
	news.report(web, hints)
	news.report(other, hints)
	if got := emitted(recorder); len(got) != 2 {
		t.Errorf("got %v, want an event for each Service", got)
	}
	news.forget(client.ObjectKeyFromObject(web))
	news.report(other, hints)
	if got := emitted(recorder); len(got) != 0 {
		t.Errorf("got %v for a Service that was not forgotten", got)
	}
	news.report(web, hints)
	if got := emitted(recorder); len(got) != 1 {
		t.Errorf("got %v, want news of a Service that was forgotten", got)
	}
	news.forget(client.ObjectKeyFromObject(web))
	news.report(web, nil)
	if got := emitted(recorder); len(got) != 0 {
		t.Errorf("got %v for a Service of which nothing was told", got)
	}
}

// An event tells what it is about by apiVersion and kind, which objects from a
// cache do not carry, and quotes nothing as a format.
func TestTopologyNewsNameTheService(t *testing.T) {
	recorder := events.NewFakeRecorder(10)
	recorder.Verbose = true
	service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web", UID: "uid"}}
	newTopologyNews(recorder).report(service, []endpointslice.ZoneHints{{Family: discoveryv1.AddressTypeIPv4, Cause: "Overload", Reason: "within 20% of it"}})
	got := strings.Join(emitted(recorder), "\n")
	for _, part := range []string{
		"Warning TopologyAwareHintsDisabled AssignZoneHintsIPv4Overload", "within 20% of it, addressType: IPv4", "kind=Service,apiVersion=v1",
	} {
		if !strings.Contains(got, part) {
			t.Errorf("%q does not say %q", got, part)
		}
	}
}

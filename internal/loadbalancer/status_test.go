// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package loadbalancer

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
)

// ourNetwork has the addresses of pools.
func ourNetwork(address netip.Addr) bool {
	return netip.MustParsePrefix("192.0.2.0/24").Contains(address)
}

func vip(address string) Entry {
	return Entry{Address: netip.MustParseAddr(address), Mode: corev1.LoadBalancerIPModeVIP}
}

// texts returns what a status says in its list of addresses.
func texts(list []corev1.LoadBalancerIngress) []string {
	var found []string
	for i := range list {
		words := []string{list[i].IP + list[i].Hostname}
		if list[i].IPMode != nil {
			words = append(words, string(*list[i].IPMode))
		}
		for _, port := range list[i].Ports {
			word := Port{port.Protocol, port.Port}.String()
			if port.Error != nil {
				word += "!" + *port.Error
			}
			words = append(words, word)
		}
		found = append(found, strings.Join(words, " "))
	}
	return found
}

// foreign are entries that others put into a status.
func foreign(s *corev1.Service) {
	s.Status.LoadBalancer.Ingress = append(s.Status.LoadBalancer.Ingress,
		corev1.LoadBalancerIngress{Hostname: "lb.example.com"},
		corev1.LoadBalancerIngress{IP: "198.51.100.7", IPMode: new(corev1.LoadBalancerIPModeProxy),
			Ports: []corev1.PortStatus{{Port: 443, Protocol: corev1.ProtocolTCP}}})
}

func TestChangeOfAddresses(t *testing.T) {
	t.Parallel()
	others := []string{"lb.example.com", "198.51.100.7 Proxy 443/TCP"}
	tests := map[string]struct {
		service *corev1.Service
		entries []Entry
		want    []string
	}{
		"none":                {balanced("web"), nil, nil},
		"a first one":         {balanced("web"), []Entry{vip("192.0.2.1")}, []string{"192.0.2.1 VIP"}},
		"one that was wiped":  {balanced("web", foreign), []Entry{vip("192.0.2.1")}, append(others[:2:2], "192.0.2.1 VIP")},
		"one that was edited": {balanced("web", shows("192.0.2.9")), []Entry{vip("192.0.2.1")}, []string{"192.0.2.1 VIP"}},
		"one that is gone, beside those of others": {
			balanced("web", shows("192.0.2.1"), foreign), nil, others,
		},
		"one that stays, between those of others": {
			balanced("web", shows("203.0.113.1", "192.0.2.1", "203.0.113.2")), []Entry{vip("192.0.2.1")},
			[]string{"203.0.113.1 VIP", "192.0.2.1 VIP", "203.0.113.2 VIP"},
		},
		"one that is there twice": {balanced("web", shows("192.0.2.1", "192.0.2.1")), []Entry{vip("192.0.2.1")}, []string{"192.0.2.1 VIP"}},
		"two, in the order that is there": {
			balanced("web", shows("192.0.2.2", "192.0.2.1")), []Entry{vip("192.0.2.1"), vip("192.0.2.2")},
			[]string{"192.0.2.2 VIP", "192.0.2.1 VIP"},
		},
		"another mode": {
			balanced("web", shows("192.0.2.1")), []Entry{{Address: netip.MustParseAddr("192.0.2.1"), Mode: corev1.LoadBalancerIPModeProxy}},
			[]string{"192.0.2.1 Proxy"},
		},
		"one that was written with zeros": {balanced("web", shows("192.000.002.001")), []Entry{vip("192.0.2.1")}, []string{"192.0.2.1 VIP"}},
		"a port that can't be served": {
			balanced("web", func(s *corev1.Service) {
				s.Spec.Ports = append(s.Spec.Ports, corev1.ServicePort{Port: 53, Protocol: corev1.ProtocolUDP})
			}),
			[]Entry{{
				Address: netip.MustParseAddr("192.0.2.1"), Mode: corev1.LoadBalancerIPModeVIP,
				Refused: []Port{{corev1.ProtocolUDP, 53}},
			}},
			[]string{"192.0.2.1 VIP 80/TCP 53/UDP!servicenet.dev/PortInUse"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before := test.service.DeepCopy()
			d := &Desired{Entries: test.entries, Ours: ourNetwork}
			status := Change(test.service, d, metav1.Time{})
			if status == nil {
				status = &test.service.Status
			}
			if diff := cmp.Diff(test.want, texts(status.LoadBalancer.Ingress)); diff != "" {
				t.Errorf("the addresses are not as wanted (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(before, test.service); diff != "" {
				t.Errorf("the Service was changed:\n%s", diff)
			}
			test.service.Status = *status
			if again := Change(test.service, d, metav1.NewTime(epoch())); again != nil {
				t.Errorf("a second look changes it again: %v", again)
			}
		})
	}
}

func TestChangeOfConditions(t *testing.T) {
	t.Parallel()
	now, later := metav1.NewTime(epoch()), metav1.NewTime(epoch().Add(time.Hour))
	service := balanced("web", func(s *corev1.Service) {
		s.Status.Conditions = []metav1.Condition{{Type: "example.com/Ready", Status: metav1.ConditionTrue}}
	})
	waits := &Verdict{Reason: PoolExhausted, Message: "no address is free"}
	say := func(verdict *Verdict, entries []Entry, at metav1.Time) *corev1.ServiceStatus {
		t.Helper()
		status := Change(service, &Desired{Entries: entries, Ours: ourNetwork, Allocated: verdict}, at)
		if status != nil {
			service.Status = *status
		}
		return status
	}
	if status := say(waits, nil, now); status == nil || len(status.Conditions) != 2 {
		t.Fatalf("that it waits was not said: %v", status)
	}
	if reason, allocated := Reason(service); reason != PoolExhausted || allocated {
		t.Errorf("the reason is %s", reason)
	}
	if status := say(waits, nil, later); status != nil {
		t.Errorf("it is said again, with another time: %v", status)
	}
	refused := []Entry{{Address: netip.MustParseAddr("192.0.2.1"), Refused: []Port{{corev1.ProtocolTCP, 80}}}}
	say(&Verdict{True: true, Reason: Allocated}, refused, later)
	if got := len(service.Status.Conditions); got != 3 {
		t.Errorf("has %d conditions, want one about ports, too", got)
	}
	if reason, allocated := Reason(service); reason != Allocated || !allocated {
		t.Errorf("the reason is %s", reason)
	}
	say(nil, nil, later)
	if got := service.Status.Conditions; len(got) != 1 || got[0].Type != "example.com/Ready" {
		t.Errorf("conditions are left, or those of others are not: %v", got)
	}
}

func TestTheConditionAboutPortsOfOthersStays(t *testing.T) {
	t.Parallel()
	service := balanced("web", shows("192.0.2.1"), func(s *corev1.Service) {
		s.Status.Conditions = []metav1.Condition{{
			Type: corev1.LoadBalancerPortsError, Status: metav1.ConditionTrue, Reason: corev1.LoadBalancerPortsErrorReason,
		}}
	})
	d := &Desired{Entries: []Entry{vip("192.0.2.1")}, Ours: ourNetwork}
	if status := Change(service, d, metav1.NewTime(epoch())); status != nil {
		t.Errorf("it was changed: %v", status)
	}
}

func TestTheConditionFollowsTheGeneration(t *testing.T) {
	t.Parallel()
	service := balanced("web", func(s *corev1.Service) { s.Generation = 3 })
	d := &Desired{Ours: ourNetwork, Allocated: &Verdict{Reason: NoPool}}
	status := Change(service, d, metav1.NewTime(epoch()))
	if status == nil || status.Conditions[0].ObservedGeneration != 3 ||
		status.Conditions[0].Type != servicenetv1alpha1.ConditionAddressAllocated {
		t.Errorf("the status is %v", status)
	}
}

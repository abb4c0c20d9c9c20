// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoints

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestOverCapacityIsAnnotatedAndToldAndEnds(t *testing.T) {
	s := &server{t: t}
	for _, step := range []struct {
		pods, leftOut int
		annotation    string
	}{{1000, 0, ""}, {1001, 1, "truncated"}, {1250, 250, "truncated"}, {1000, 0, ""}, {3, 0, ""}} {
		changes := s.plan(Input{Service: makeService(), Pods: makePods(0, step.pods)})
		if changes.LeftOut != step.leftOut {
			t.Errorf("%d pods: %d left out, want %d", step.pods, changes.LeftOut, step.leftOut)
		}
		if got := countAddresses(s.current.Subsets); got != step.pods-step.leftOut {
			t.Errorf("%d pods: %d listed, want %d", step.pods, got, step.pods-step.leftOut)
		}
		if got := s.current.Annotations[corev1.EndpointsOverCapacity]; got != step.annotation {
			t.Errorf("%d pods: over capacity is %q, want %q", step.pods, got, step.annotation)
		}
	}
}

// The stock controller sends such an object again on every sync.
func TestATruncatedObjectIsNotWrittenAgain(t *testing.T) {
	service := makeService(withPorts(named("http", "web"), numbered("b", 9)))
	in := Input{Service: service, Pods: append(makePods(0, 600, declaring("web", 81)), makePods(600, 1200, unready)...)}
	s := &server{t: t}
	s.plan(in)
	in.Current = s.current
	changes := Plan(in)
	if !changes.Empty() || changes.LeftOut != 800 {
		t.Errorf("empty is %v, left out are %d; want nothing to write and 800", changes.Empty(), changes.LeftOut)
	}
	delete(s.current.Annotations, corev1.EndpointsOverCapacity)
	if changes := Plan(in); changes.Update == nil {
		t.Error("the annotation is not put back")
	}
}

func TestTheFirstReadyAddressesStay(t *testing.T) {
	pods := append(makePods(0, 20, unready), makePods(20, 1100)...)
	subset := planned(t, makeService(), pods...).Subsets[0]
	if len(subset.NotReadyAddresses) != 0 || len(subset.Addresses) != MaxAddresses {
		t.Fatalf("%d ready and %d not ready addresses", len(subset.Addresses), len(subset.NotReadyAddresses))
	}
	listed := map[string]bool{}
	for _, address := range subset.Addresses {
		listed[address.IP] = true
	}
	for i := range subset.Addresses {
		if i > 0 && subset.Addresses[i-1].IP >= subset.Addresses[i].IP {
			t.Fatalf("%s is before %s", subset.Addresses[i-1].IP, subset.Addresses[i].IP)
		}
	}
	last := subset.Addresses[MaxAddresses-1].IP
	for _, pod := range pods[20:] {
		if ip := pod.Status.PodIPs[0].IP; ip < last && !listed[ip] {
			t.Errorf("%s is left out, %s is not", ip, last)
		}
	}
}

// The stock controller keeps such a subset, empty, and the API server refuses
// the object for as long as the Service is over capacity.
func TestASubsetLeftWithoutAddressesGoes(t *testing.T) {
	service := makeService(withPorts(named("http", "web")))
	pods := append(makePods(0, 1001, declaring("web", 81)), makePods(1001, 1010, declaring("web", 82), unready)...)
	got := planned(t, service, pods...)
	if len(got.Subsets) != 1 || countAddresses(got.Subsets) != MaxAddresses {
		t.Errorf("%d subsets with %d addresses, want one with %d", len(got.Subsets), countAddresses(got.Subsets), MaxAddresses)
	}
}

// After a cut two subsets may have the same addresses, which one could list.
// What is stored is then still found equal.
func TestSubsetsThatBecomeAlikeAreNotWrittenAgain(t *testing.T) {
	service := makeService(withPorts(numbered("a", 1), named("b", "web")))
	pods := append(makePods(100, 700, declaring("web", 81)), makePods(900, 1000)...)
	s := &server{t: t}
	s.plan(Input{Service: service, Pods: pods})
	if len(s.current.Subsets) != 2 || s.current.ResourceVersion != "1" {
		t.Errorf("%d subsets at version %s, want 2 at 1", len(s.current.Subsets), s.current.ResourceVersion)
	}
}

func TestTruncateByHand(t *testing.T) {
	list := func(n int) []corev1.EndpointAddress { return make([]corev1.EndpointAddress, n) }
	for name, test := range map[string]struct {
		in   []corev1.EndpointSubset
		want [][2]int
	}{
		"room for all":          {[]corev1.EndpointSubset{{Addresses: list(400), NotReadyAddresses: list(600)}}, [][2]int{{400, 600}}},
		"ready over":            {[]corev1.EndpointSubset{{Addresses: list(1500), NotReadyAddresses: list(9)}}, [][2]int{{1000, 0}}},
		"ready exactly":         {[]corev1.EndpointSubset{{Addresses: list(1000), NotReadyAddresses: list(9)}}, [][2]int{{1000, 0}}},
		"not ready over":        {[]corev1.EndpointSubset{{Addresses: list(999), NotReadyAddresses: list(9)}}, [][2]int{{999, 1}}},
		"not ready only":        {[]corev1.EndpointSubset{{NotReadyAddresses: list(1009)}}, [][2]int{{0, 1000}}},
		"shares are rounded up": {[]corev1.EndpointSubset{{Addresses: list(700)}, {Addresses: list(700)}, {Addresses: list(700)}}, [][2]int{{334, 0}, {334, 0}, {332, 0}}},
		"nothing left for one": {
			[]corev1.EndpointSubset{{Addresses: list(1000)}, {NotReadyAddresses: list(5)}, {Addresses: list(2)}},
			[][2]int{{999, 0}, {1, 0}},
		},
		"the ready stay": {
			[]corev1.EndpointSubset{{Addresses: list(500), NotReadyAddresses: list(300)}, {Addresses: list(400), NotReadyAddresses: list(300)}},
			[][2]int{{500, 50}, {400, 50}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := truncate(test.in)
			if len(got) != len(test.want) {
				t.Fatalf("%d subsets, want %d", len(got), len(test.want))
			}
			for i, want := range test.want {
				if lens := [2]int{len(got[i].Addresses), len(got[i].NotReadyAddresses)}; lens != want {
					t.Errorf("subset %d has %v ready and not ready addresses, want %v", i, lens, want)
				}
			}
		})
	}
}

func TestCapacityOfAForeignObjectIsCorrected(t *testing.T) {
	s := &server{t: t}
	s.store(&corev1.Endpoints{ObjectMeta: metav1.ObjectMeta{
		Namespace: "shop", Name: "web", Annotations: map[string]string{corev1.EndpointsOverCapacity: "warning"},
	}})
	s.plan(Input{Service: makeService(), Pods: makePods(0, 1100)})
	if got := s.current.Annotations[corev1.EndpointsOverCapacity]; got != "truncated" {
		t.Errorf("over capacity is %q", got)
	}
}

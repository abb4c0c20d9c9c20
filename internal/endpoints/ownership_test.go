// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoints

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestOwnedIsWhatAControllerInThisRoleWrote(t *testing.T) {
	for name, test := range map[string]struct {
		labels map[string]string
		want   bool
	}{
		"written here": {planned(t, makeService()).Labels, true},
		"no label":     {nil, false},
		"another one":  {map[string]string{LabelManagedBy: "me"}, false},
	} {
		if got := Owned(&corev1.Endpoints{ObjectMeta: metav1.ObjectMeta{Labels: test.labels}}); got != test.want {
			t.Errorf("%s: owned is %v, want %v", name, got, test.want)
		}
	}
}

func TestLeaderElectionIsToldByItsAnnotation(t *testing.T) {
	election := &corev1.Endpoints{ObjectMeta: metav1.ObjectMeta{
		Annotations: map[string]string{"control-plane.alpha.kubernetes.io/leader": ""},
	}}
	if !LeaderElection(election) || LeaderElection(planned(t, makeService())) {
		t.Error("want an object with the annotation to be an election, and no other")
	}
}

func TestStripEndpointsKeepsWhatIsWrittenBack(t *testing.T) {
	endpoints := planned(t, makeService(), makePod(1))
	endpoints.Annotations, endpoints.ManagedFields = map[string]string{"a": "b"}, []metav1.ManagedFieldsEntry{{Manager: "x"}}
	want := endpoints.DeepCopy()
	want.ManagedFields = nil
	if diff := cmp.Diff(want, StripEndpoints(endpoints)); diff != "" {
		t.Errorf("object (-want +got):\n%s", diff)
	}
}

// A change that PodMatters dismisses must change no object.
func TestPodMattersWhenThePlanChanges(t *testing.T) {
	services := []*corev1.Service{
		makeService(withPorts(named("http", "web"))), makeService(withPorts(named("http", "web")), publishNotReady),
		makeService(withPorts(), withClusterIP("None"), withFamilies(corev1.IPv6Protocol)),
	}
	changes := map[string]podOption{
		"nothing": func(*corev1.Pod) {}, "ready": unready, "terminating": terminating, "node": onNode("node-b"),
		"hostname": withHostname("h", "web"), "failed": withPhase(corev1.PodFailed), "running": withPhase(corev1.PodUnknown),
		"addresses": withIPs("fd00::9", "10.0.9.9"), "no address": withIPs(),
		"annotation": func(p *corev1.Pod) { p.Annotations = map[string]string{"a": "b"} },
	}
	for one, first := range changes {
		for two, second := range changes {
			before, after := makePod(1, declaring("web", 81), first), makePod(1, declaring("web", 81), second)
			for _, service := range services {
				s := &server{t: t}
				s.plan(Input{Service: service, Pods: []*corev1.Pod{before}})
				changed := s.plan(Input{Service: service, Pods: []*corev1.Pod{after}})
				if !changed.Empty() && !PodMatters(before, after) {
					t.Errorf("from %q to %q changes the object and does not matter", one, two)
				}
			}
		}
	}
	if PodMatters(makePod(1), makePod(1, changes["annotation"])) {
		t.Error("an annotation matters")
	}
}

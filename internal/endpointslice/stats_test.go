// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpointslice

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// Each step is a plan for what the steps before it left.
func TestStats(t *testing.T) {
	type step struct {
		service *corev1.Service
		pods    []*corev1.Pod
		want    Stats
	}
	both := makeService(withFamilies(corev1.IPv4Protocol, corev1.IPv6Protocol))
	dual := func(i int) *corev1.Pod {
		return makePod(i, withIPs(fmt.Sprintf("10.0.0.%d", i+1), fmt.Sprintf("fd00::%x", i+1)))
	}
	everyTenth := func() []*corev1.Pod {
		var pods []*corev1.Pod
		for i := 0; i < 250; i += 10 {
			pods = append(pods, makePod(i))
		}
		return pods
	}
	for name, steps := range map[string][]step{
		"no endpoint": {
			{makeService(), nil, Stats{Slices: 1, IdealSlices: 1}},
			{makeService(), nil, Stats{Slices: 1, IdealSlices: 1}},
		},
		"coming and going": {
			{makeService(), makePods(0, 250), Stats{Added: 250, Desired: 250, Slices: 3, IdealSlices: 3}},
			{makeService(), makePods(0, 250), Stats{Desired: 250, Slices: 3, IdealSlices: 3}},
			{makeService(), makePods(5, 252), Stats{Added: 2, Removed: 5, Desired: 247, Slices: 3, IdealSlices: 3}},
			{makeService(), nil, Stats{Removed: 247, Slices: 1, IdealSlices: 1}},
		},
		"a change in place is neither": {
			{makeService(), makePods(0, 5), Stats{Added: 5, Desired: 5, Slices: 1, IdealSlices: 1}},
			{makeService(), makePods(0, 5, unready), Stats{Desired: 5, Slices: 1, IdealSlices: 1}},
		},
		"sparse slices": {
			{makeService(), makePods(0, 250), Stats{Added: 250, Desired: 250, Slices: 3, IdealSlices: 3}},
			{makeService(), everyTenth(), Stats{Removed: 225, Desired: 25, Slices: 3, IdealSlices: 1}},
		},
		"exactly full": {
			{makeService(), makePods(0, 200), Stats{Added: 200, Desired: 200, Slices: 2, IdealSlices: 2}},
		},
		"both families count": {
			{both, []*corev1.Pod{dual(0), dual(1), makePod(9)}, Stats{Added: 5, Desired: 5, Slices: 2, IdealSlices: 2}},
			{both, []*corev1.Pod{dual(0)}, Stats{Removed: 3, Desired: 2, Slices: 2, IdealSlices: 2}},
			{both, nil, Stats{Removed: 2, Slices: 2, IdealSlices: 2}},
		},
		"a slice for each set of ports": {
			{makeService(withPorts(named("web"))), append(makePods(0, 3, withNamedPort("web", 8080)), makePods(3, 5, withNamedPort("web", 9090))...),
				Stats{Added: 5, Desired: 5, Slices: 2, IdealSlices: 2}},
			{makeService(withPorts(named("web"))), makePods(0, 5, withNamedPort("web", 8080)), Stats{Desired: 5, Slices: 2, IdealSlices: 1}},
		},
		"edited target port": {
			{makeService(), makePods(0, 5), Stats{Added: 5, Desired: 5, Slices: 1, IdealSlices: 1}},
			{makeService(withPorts(servicePort("http", 80, intstr.FromInt32(9090)))), makePods(0, 5), Stats{Desired: 5, Slices: 1, IdealSlices: 1}},
		},
		"not managed": {
			{makeService(func(s *corev1.Service) { s.Spec.Selector = nil }), nil, Stats{}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			for i, step := range steps {
				changes := w.plan(makeInput(step.service, step.pods))
				if diff := cmp.Diff(step.want, changes.Stats); diff != "" {
					t.Errorf("step %d (-want +got):\n%s", i+1, diff)
				}
			}
		})
	}
}

func TestASecondCopyCountsAsRemoved(t *testing.T) {
	w := planned(t, makeService(), makePods(0, 3)...)
	twin := w.only().DeepCopy()
	twin.Name, twin.UID = "web-zzzzz", "twin"
	w.store(twin)
	changes := w.plan(makeInput(makeService(), makePods(0, 3)))
	if diff := cmp.Diff(Stats{Removed: 3, Desired: 3, Slices: 1, IdealSlices: 1}, changes.Stats); diff != "" {
		t.Errorf("stats (-want +got):\n%s", diff)
	}
}

func TestSlicesOfOthersDoNotCount(t *testing.T) {
	theirs := withManager(planned(t, makeService(), makePods(0, 3)...).only(), "me")
	w := newWorld(t, theirs)
	changes := w.plan(makeInput(makeService(), makePods(0, 3)))
	if diff := cmp.Diff(Stats{Added: 3, Desired: 3, Slices: 1, IdealSlices: 1}, changes.Stats); diff != "" {
		t.Errorf("stats (-want +got):\n%s", diff)
	}
	if _, found := w.slices[theirs.Name]; !found || theirs.Labels[discoveryv1.LabelManagedBy] != "me" {
		t.Error("the slice of another manager is gone")
	}
}

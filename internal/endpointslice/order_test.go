// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpointslice

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
)

// onPorts returns a pod for each number, which it declares under the name web.
func onPorts(numbers ...int32) []*corev1.Pod {
	var pods []*corev1.Pod
	for i, number := range numbers {
		pods = append(pods, makePod(i, withNamedPort("web", number)))
	}
	return pods
}

// Pods change their ports, and with them their slice. Each case starts with one
// slice a port.
func TestOrderOfWrites(t *testing.T) {
	for name, test := range map[string]struct {
		before, after []int32 // ports by pod
		updates       []int32 // ports of the slices that are written in place
		creates       []int32 // ports of slices that take another's place
	}{
		"one gains":                   {[]int32{1, 1, 2}, []int32{1, 2, 2}, []int32{2, 1}, nil},
		"a chain, from its end":       {[]int32{1, 1, 2, 2, 3}, []int32{1, 2, 2, 3, 3}, []int32{3, 2, 1}, nil},
		"an exchange":                 {[]int32{1, 1, 2, 2}, []int32{1, 2, 1, 2}, []int32{2}, []int32{1}},
		"a ring":                      {[]int32{1, 1, 2, 2, 3, 3}, []int32{1, 2, 2, 3, 3, 1}, []int32{3, 2}, []int32{1}},
		"one that waits for a pair":   {[]int32{1, 1, 2, 2, 3, 3}, []int32{1, 2, 2, 3, 3, 2}, []int32{1, 3}, []int32{2}},
		"one that a pair waits for":   {[]int32{1, 1, 2, 2, 3}, []int32{1, 2, 1, 3, 3}, []int32{3, 2}, []int32{1}},
		"an exchange of all there is": {[]int32{1, 2}, []int32{2, 1}, []int32{2}, []int32{1}},
	} {
		t.Run(name, func(t *testing.T) {
			service := makeService(withPorts(named("web")))
			w := planned(t, service, onPorts(test.before...)...)
			changes := w.plan(makeInput(service, onPorts(test.after...)))
			var updates, creates []int32
			for _, slice := range changes.Update {
				updates = append(updates, ptr.Deref(slice.Ports[0].Port, 0))
			}
			for _, slice := range changes.Create {
				creates = append(creates, ptr.Deref(slice.Ports[0].Port, 0))
			}
			if diff := cmp.Diff(test.updates, updates); diff != "" {
				t.Errorf("updates (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.creates, creates); diff != "" || len(changes.Delete) != len(test.creates) {
				t.Errorf("%d deletes, creates (-want +got):\n%s", len(changes.Delete), diff)
			}
		})
	}
}

// Of two copies of two endpoints each slice drops one. Since both list both, it
// does not matter which is written first.
func TestCopiesAreNoExchange(t *testing.T) {
	w := planned(t, makeService(), makePods(0, 2)...)
	twin := w.only().DeepCopy()
	twin.Name, twin.UID = "web-zzzzz", "twin"
	w.store(twin)
	in := makeInput(makeService(), makePods(0, 2))
	in.MaxEndpoints = 1
	w.plan(in)
	if got, want := w.counts(), "1 created, 2 updated, 0 deleted"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got := w.sizes(); !slices.Equal(got, []int{1, 1}) {
		t.Errorf("sizes are %v", got)
	}
}

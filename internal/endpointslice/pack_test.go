// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpointslice

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// Each step changes the pods of one Service, from whatever the steps before it
// left, and says how the slices look then and what it took to get there.
func TestPacking(t *testing.T) {
	type step struct {
		pods   []*corev1.Pod
		sizes  []int
		writes string
	}
	without := func(pods []*corev1.Pod, drop func(i int) bool) []*corev1.Pod {
		var kept []*corev1.Pod
		for i, pod := range pods {
			if !drop(i) {
				kept = append(kept, pod)
			}
		}
		return kept
	}
	three, six := makePods(0, 300), makePods(0, 600)
	even, tenth := func(i int) bool { return i%2 == 0 }, func(i int) bool { return i%10 == 0 }
	for name, steps := range map[string][]step{
		"a hundred to a slice": {
			{makePods(0, 250), []int{100, 100, 50}, "3 created, 0 updated, 0 deleted"},
		},
		"exactly full": {
			{makePods(0, 200), []int{100, 100}, "2 created, 0 updated, 0 deleted"},
			{makePods(0, 201), []int{100, 100, 1}, "1 created, 0 updated, 0 deleted"},
		},
		"a new endpoint goes to the fullest slice that takes it": {
			{makePods(0, 250), []int{100, 100, 50}, "3 created, 0 updated, 0 deleted"},
			{without(makePods(0, 250), func(i int) bool { return i == 150 }), []int{100, 99, 50}, "0 created, 1 updated, 0 deleted"},
			{append(without(makePods(0, 250), func(i int) bool { return i == 150 }), makePod(300)), []int{100, 100, 50}, "0 created, 1 updated, 0 deleted"},
		},
		"new endpoints fill slices that are written anyway": {
			{makePods(0, 250), []int{100, 100, 50}, "3 created, 0 updated, 0 deleted"},
			{makePods(1, 251), []int{100, 100, 50}, "0 created, 1 updated, 0 deleted"},
		},
		"of those the fullest comes first": {
			{makePods(0, 200), []int{100, 100}, "2 created, 0 updated, 0 deleted"},
			{append(makePods(5, 150), makePods(200, 205)...), []int{100, 50}, "0 created, 2 updated, 0 deleted"},
		},
		"the remainder is not split over untouched slices": {
			{makePods(0, 400), []int{100, 100, 100, 100}, "4 created, 0 updated, 0 deleted"},
			{without(makePods(0, 400), tenth), []int{90, 90, 90, 90}, "0 created, 4 updated, 0 deleted"},
			{append(without(makePods(0, 400), tenth), makePods(400, 440)...), []int{90, 90, 90, 90, 40}, "1 created, 0 updated, 0 deleted"},
		},
		"but over the emptiest where one more would make them sparse": {
			{makePods(0, 200), []int{100, 100}, "2 created, 0 updated, 0 deleted"},
			{without(makePods(0, 200), even), []int{50, 50}, "0 created, 2 updated, 0 deleted"},
			{append(without(makePods(0, 200), even), makePods(200, 260)...), []int{100, 60}, "0 created, 2 updated, 0 deleted"},
		},
		"the emptiest comes first then": {
			{makePods(0, 300), []int{100, 100, 100}, "3 created, 0 updated, 0 deleted"},
			{firstOf(three, 50, 40, 20), []int{50, 40, 20}, "0 created, 3 updated, 0 deleted"},
			{append(firstOf(three, 50, 40, 20), makePods(300, 385)...), []int{100, 55, 40}, "0 created, 2 updated, 0 deleted"},
		},
		"slices that are written count too": {
			{makePods(0, 600), []int{100, 100, 100, 100, 100, 100}, "6 created, 0 updated, 0 deleted"},
			{firstOf(six, 60, 60, 60, 60, 60, 60), []int{60, 60, 60, 60, 60, 60}, "0 created, 6 updated, 0 deleted"},
			{
				append(firstOf(six, 59, 60, 60, 60, 60, 60), makePods(600, 691)...), []int{100, 100, 70, 60, 60, 60},
				"0 created, 3 updated, 0 deleted",
			},
		},
		"untouched slices are not merged": {
			{makePods(0, 200), []int{100, 100}, "2 created, 0 updated, 0 deleted"},
			{without(makePods(0, 200), func(i int) bool { return i%10 != 0 }), []int{10, 10}, "0 created, 2 updated, 0 deleted"},
		},
		"an emptied slice is deleted": {
			{makePods(0, 101), []int{100, 1}, "2 created, 0 updated, 0 deleted"},
			{makePods(0, 100), []int{100}, "0 created, 0 updated, 1 deleted"},
		},
		"the last slice becomes the placeholder and back": {
			{makePods(0, 5), []int{5}, "1 created, 0 updated, 0 deleted"},
			{nil, []int{0}, "0 created, 1 updated, 0 deleted"},
			{makePods(9, 10), []int{1}, "0 created, 1 updated, 0 deleted"},
		},
		"replacing every pod rewrites slices in place": {
			{makePods(0, 150), []int{100, 50}, "2 created, 0 updated, 0 deleted"},
			{makePods(200, 350), []int{100, 50}, "0 created, 2 updated, 0 deleted"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			for i, step := range steps {
				w.resetCounts()
				w.plan(makeInput(makeService(), step.pods))
				if diff := cmp.Diff(step.sizes, w.sizes()); diff != "" {
					t.Errorf("step %d: sizes (-want +got):\n%s", i+1, diff)
				}
				if got := w.counts(); got != step.writes {
					t.Errorf("step %d: %s, want %s", i+1, got, step.writes)
				}
			}
		})
	}
}

// firstOf returns the first few pods of each hundred as slices are filled: by name.
func firstOf(pods []*corev1.Pod, counts ...int) []*corev1.Pod {
	sorted := slices.SortedFunc(slices.Values(pods), func(a, b *corev1.Pod) int { return strings.Compare(a.Name, b.Name) })
	var kept []*corev1.Pod
	for i, count := range counts {
		kept = append(kept, sorted[100*i:100*i+count]...)
	}
	return kept
}

func TestAChangedEndpointStaysWhereItIs(t *testing.T) {
	w := planned(t, makeService(), makePods(0, 250)...)
	home := func() string {
		for _, slice := range w.list() {
			for i := range slice.Endpoints {
				if slice.Endpoints[i].TargetRef.Name == "web-0120" {
					return slice.Name
				}
			}
		}
		return "nowhere"
	}
	before := home()
	w.resetCounts()
	pods := makePods(0, 250)
	pods[120] = makePod(120, unready, onNode("node-b"), func(p *corev1.Pod) { p.UID = "another" })
	w.plan(makeInput(makeService(), pods))
	if after := home(); after != before {
		t.Errorf("the endpoint moved from %s to %s", before, after)
	}
	if got, want := w.counts(), "0 created, 1 updated, 0 deleted"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestLoweredLimitIsKept(t *testing.T) {
	w := planned(t, makeService(), makePods(0, 250)...)
	in := makeInput(makeService(), makePods(0, 250))
	in.MaxEndpoints = 60
	w.plan(in)
	if diff := cmp.Diff([]int{60, 60, 60, 50, 20}, w.sizes()); diff != "" {
		t.Errorf("sizes (-want +got):\n%s", diff)
	}
}

func TestZeroLimitIsTheDefault(t *testing.T) {
	in := makeInput(makeService(), makePods(0, 250))
	in.MaxEndpoints = 0
	w := newWorld(t)
	w.plan(in)
	if diff := cmp.Diff([]int{100, 100, 50}, w.sizes()); diff != "" {
		t.Errorf("sizes (-want +got):\n%s", diff)
	}
}

// An edited target port gives every endpoint new ports. Each slice is then
// written once, with the endpoints it had, so that none is unlisted for a moment.
func TestTargetPortEditKeepsEndpointsInTheirSlices(t *testing.T) {
	w := planned(t, makeService(), makePods(0, 250)...)
	homes := func() map[string][]string {
		byName := map[string][]string{}
		for _, slice := range w.list() {
			for i := range slice.Endpoints {
				byName[slice.Name] = append(byName[slice.Name], slice.Endpoints[i].TargetRef.Name)
			}
			slices.Sort(byName[slice.Name])
		}
		return byName
	}
	before := homes()
	w.resetCounts()
	w.plan(makeInput(makeService(withPorts(servicePort("http", 80, intstr.FromInt32(9090)))), makePods(0, 250)))
	if diff := cmp.Diff(before, homes()); diff != "" {
		t.Errorf("endpoints by slice (-before +after):\n%s", diff)
	}
	if got, want := w.counts(), "0 created, 3 updated, 0 deleted"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// A pod whose ports change alone moves to another slice; the slice it joins is
// written before the one it leaves.
func TestAMovingEndpointIsNeverUnlisted(t *testing.T) {
	service := makeService(withPorts(named("web")))
	pods := append(makePods(0, 10, withNamedPort("web", 8080)), makePods(10, 15, withNamedPort("web", 9090))...)
	w := planned(t, service, pods...)
	pods[3] = makePod(3, withNamedPort("web", 9090))
	in := makeInput(service, pods, w.list()...)
	changes := Plan(in)
	if len(changes.Update) != 2 || len(changes.Update[0].Endpoints) != 6 {
		t.Errorf("want the slice that gains the endpoint written first, got %d updates", len(changes.Update))
	}
}

// A slice that somebody emptied is filled again or goes.
func TestNoEmptySliceIsLeft(t *testing.T) {
	w := planned(t, makeService(), makePods(0, 250)...)
	for _, slice := range w.list() {
		if len(slice.Endpoints) == 50 {
			emptied := slice.DeepCopy()
			emptied.Endpoints = nil
			w.store(emptied)
		}
	}
	w.resetCounts()
	w.plan(makeInput(makeService(), makePods(0, 250)))
	if got, want := w.counts(), "0 created, 1 updated, 0 deleted"; got != want {
		t.Errorf("its endpoints still wanted: %s, want %s", got, want)
	}
	empty := w.list()[0].DeepCopy()
	empty.Name, empty.UID, empty.Endpoints = "web-zzzzz", "empty", nil
	w.store(empty)
	w.resetCounts()
	w.plan(makeInput(makeService(), makePods(0, 250)))
	if got, want := w.counts(), "0 created, 0 updated, 1 deleted"; got != want {
		t.Errorf("nothing to put in it: %s, want %s", got, want)
	}
}

func TestDuplicateCopiesAreReducedToOne(t *testing.T) {
	w := planned(t, makeService(), makePods(0, 3)...)
	twin := w.only().DeepCopy()
	twin.Name, twin.UID = "web-zzzzz", "twin"
	w.store(twin)
	w.plan(makeInput(makeService(), makePods(0, 3)))
	if got := w.only(); got.Name == "web-zzzzz" || len(got.Endpoints) != 3 {
		t.Errorf("kept %s with %d endpoints, want the first by name with 3", got.Name, len(got.Endpoints))
	}
}

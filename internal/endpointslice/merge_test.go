// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpointslice

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
)

// atRest returns a state of a Service whose plan has nothing to do.
func atRest(w *world, in Input) *State {
	w.t.Helper()
	state := NewState(in.MaxEndpoints)
	state.Reset(in.Service, in.Pods, w.list(), in.ZoneOf)
	if changes := state.Plan(in.Shares, in.TriggerTime); !changes.Empty() {
		w.t.Fatal("the plan has something to do")
	}
	return state
}

func TestSparseSlicesAreMerged(t *testing.T) {
	oneIn := func(n, of int) []*corev1.Pod {
		return slices.DeleteFunc(makePods(0, of), func(pod *corev1.Pod) bool { return (int(pod.Name[len(pod.Name)-1]-'0'))%n != 0 })
	}
	for name, test := range map[string]struct {
		before, after []*corev1.Pod
		sizes         []int
		writes        string
	}{
		"a tenth is left":     {makePods(0, 1000), oneIn(10, 1000), []int{90, 10}, "0 created, 1 updated, 8 deleted"},
		"a half is left":      {makePods(0, 400), oneIn(2, 400), []int{100, 50, 50}, "0 created, 1 updated, 1 deleted"},
		"two of one's size":   {makePods(0, 101), makePods(60, 101), []int{41}, "0 created, 1 updated, 1 deleted"},
		"just below one":      {makePods(0, 101), makePods(2, 101), []int{98, 1}, "0 created, 0 updated, 0 deleted"},
		"full":                {makePods(0, 300), makePods(0, 300), []int{100, 100, 100}, "0 created, 0 updated, 0 deleted"},
		"one of many to much": {makePods(0, 900), makePods(100, 900), []int{100, 100, 100, 100, 100, 100, 100, 100}, "0 created, 0 updated, 0 deleted"},
		"nothing":             {makePods(0, 300), nil, []int{0}, "0 created, 0 updated, 0 deleted"},
	} {
		t.Run(name, func(t *testing.T) {
			w := planned(t, makeService(), test.before...)
			w.plan(makeInput(makeService(), test.after))
			w.resetCounts()
			changes := atRest(w, makeInput(makeService(), test.after)).Merge(100)
			w.apply(changes)
			if w.counts() != test.writes {
				t.Errorf("%s, want %s", w.counts(), test.writes)
			}
			if diff := cmp.Diff(test.sizes, w.sizes()); diff != "" {
				t.Errorf("sizes (-want +got):\n%s", diff)
			}
			again := atRest(w, makeInput(makeService(), test.after)).Merge(100)
			if !again.Empty() {
				t.Errorf("they are merged again: %d updates, %d deletes", len(again.Update), len(again.Delete))
			}
		})
	}
}

func TestMergesAreBounded(t *testing.T) {
	w := planned(t, makeService(), makePods(0, 1000)...)
	pods := slices.DeleteFunc(makePods(0, 1000), func(pod *corev1.Pod) bool { return pod.Name[len(pod.Name)-1] != '0' })
	w.plan(makeInput(makeService(), pods))
	if changes := atRest(w, makeInput(makeService(), pods)).Merge(3); len(changes.Delete) != 3 || len(changes.Update) != 1 {
		t.Errorf("%d slices are filled and %d removed, want 1 and 3", len(changes.Update), len(changes.Delete))
	}
}

// A watcher sees every write, of plans and of merges, while pods change in between
// and processes die in the middle: no endpoint that stays goes missing, and copies
// of one never disagree.
func TestAWatcherOfMergesSeesNothingWrong(t *testing.T) {
	for seed := range uint64(100) {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 0))
			h := &history{
				world: newWorld(t), random: random, pods: map[int]*corev1.Pod{}, limit: 2 + random.IntN(8), nodes: []string{"node-a", "node-b"},
				service: makeService(withPorts(named("web")), withFamilies(corev1.IPv4Protocol, corev1.IPv6Protocol)),
			}
			for range 40 {
				h.changePods()
				state := NewState(h.limit)
				in := h.input()
				state.Reset(in.Service, in.Pods, h.list(), in.ZoneOf)
				changes := state.Plan(in.Shares, in.TriggerTime)
				if changes.Empty() {
					changes = state.Merge(1 + random.IntN(10))
				}
				h.watch(changes)
			}
		})
	}
}

// changePods mostly removes pods, and now and then adds many or changes some.
func (h *history) changePods() {
	switch h.random.IntN(6) {
	case 0:
		for i := range 40 {
			h.pods[i] = h.steadyPod(i)
		}
	case 1:
		for i := range h.pods {
			if h.random.IntN(3) > 0 {
				delete(h.pods, i)
			}
		}
	case 2:
		for i := range h.pods {
			if h.random.IntN(4) == 0 {
				h.pods[i] = h.steadyPod(i)
			}
		}
	}
}

// steadyPod is one that may be ready or not, and terminate, but keeps its address
// and its ports.
func (h *history) steadyPod(i int) *corev1.Pod {
	options := []podOption{
		withIPs(fmt.Sprintf("10.1.0.%d", i+1), fmt.Sprintf("fd00::%x", i+1)), withNamedPort("web", 8080+int32(i%2)), onNode(h.nodes[i%2]),
	}
	for _, chance := range []podOption{unready, terminating} {
		if h.random.IntN(4) == 0 {
			options = append(options, chance)
		}
	}
	return makePod(i, options...)
}

// watch carries out some writes of a plan and looks at the slices after each.
func (h *history) watch(changes Changes) {
	h.t.Helper()
	before, disagreed := targetsOf(h.list()), disagreeing(h.list())
	wanted := newWorld(h.t)
	wanted.apply(Plan(h.input()))
	inTheEnd := targetsOf(wanted.list())
	maps.DeleteFunc(before, func(was podTarget, _ bool) bool { return !inTheEnd[was] })
	writes := h.writes(changes)
	if h.random.IntN(3) == 0 {
		writes = writes[:h.random.IntN(len(writes)+1)]
	}
	for i, write := range writes {
		write()
		now := targetsOf(h.list())
		for was := range before {
			if !now[was] {
				h.t.Errorf("after write %d, %v is in no slice", i+1, was)
			}
		}
		checkCopies(h.t, disagreed, h.list())
	}
}

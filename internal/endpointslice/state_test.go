// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpointslice

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
)

// follower is a state that is shown a history change by change, some of them late,
// beside what it has been shown.
type follower struct {
	*history
	state *State

	shownService *corev1.Service
	shownPods    map[string]*corev1.Pod
	shownSlices  map[string]*discoveryv1.EndpointSlice
	gone         map[string]bool // nodes
}

func newFollower(t *testing.T, seed uint64) *follower {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 0))
	f := &follower{
		history: &history{
			world: newWorld(t), random: random, pods: map[int]*corev1.Pod{},
			service: makeService(withPorts(named("web"))), limit: 1 + random.IntN(6),
			shares: randomShares(random), nodes: []string{"node-a", "node-a", "node-b", "node-c", "node-zoneless", "node-gone"},
		},
		gone: map[string]bool{},
	}
	f.restart()
	return f
}

func (f *follower) zoneOf(node string) (string, bool) {
	zone, exists := testZones(node)
	return zone, exists && !f.gone[node]
}

// restart begins with a state that knows nothing, or just shows it everything
// anew.
func (f *follower) restart() {
	if f.state == nil || f.random.IntN(2) == 0 {
		f.state = NewState(f.limit)
	}
	f.shownService = f.service
	f.shownPods, f.shownSlices = map[string]*corev1.Pod{}, maps.Clone(f.slices)
	for _, pod := range f.pods {
		f.shownPods[pod.Name] = pod
	}
	f.state.Reset(f.service, slices.Collect(maps.Values(f.pods)), f.list(), f.zoneOf)
}

// late tells whether a change is shown at some later time only.
func (f *follower) late() bool { return f.random.IntN(4) == 0 }

// show shows most of what has changed.
func (f *follower) show() {
	if f.service != f.shownService && !f.late() {
		f.version++
		f.service = f.service.DeepCopy()
		f.service.ResourceVersion = strconv.Itoa(f.version)
		if f.state.Outdated(f.service) {
			f.restart()
		}
		f.shownService = f.service
	}
	now := map[string]*corev1.Pod{}
	for _, pod := range f.pods {
		now[pod.Name] = pod
	}
	showChanged(f, f.shownPods, now, func(pod *corev1.Pod) { f.state.SetPod(pod, f.zoneOf) }, f.state.RemovePod)
	showChanged(f, f.shownSlices, f.slices, f.state.SetSlice, f.state.RemoveSlice)
	if f.random.IntN(6) == 0 {
		node := []string{"node-a", "node-b"}[f.random.IntN(2)]
		f.gone[node] = !f.gone[node]
		for _, pod := range f.shownPods {
			if pod.Spec.NodeName == node {
				f.state.SetPod(pod, f.zoneOf)
			}
		}
	}
}

// showChanged shows objects that have been shown otherwise, in a random order.
func showChanged[T comparable](f *follower, shown, now map[string]T, set func(T), remove func(string)) {
	names := slices.Sorted(maps.Keys(shown))
	for _, name := range slices.Sorted(maps.Keys(now)) {
		if _, found := shown[name]; !found {
			names = append(names, name)
		}
	}
	f.random.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	for _, name := range names {
		object, exists := now[name]
		switch {
		case f.late():
		case !exists:
			delete(shown, name)
			remove(name)
		case shown[name] != object:
			shown[name] = object
			set(object)
		}
	}
}

// compare makes a plan from the state, and one from scratch.
func (f *follower) compare() Changes {
	f.t.Helper()
	in := makeInput(f.shownService, slices.Collect(maps.Values(f.shownPods)), slices.Collect(maps.Values(f.shownSlices))...)
	in.MaxEndpoints, in.Shares, in.ZoneOf, in.TriggerTime = f.limit, f.shares, f.zoneOf, at(int64(f.version))
	want, got := Plan(in), f.state.Plan(f.shares, in.TriggerTime)
	if !apiequality.Semantic.DeepEqual(want, got) {
		f.t.Fatalf("the plan of the state (-from scratch +state):\n%s", cmp.Diff(want, got))
	}
	if diff := f.state.Compare(in.Service, in.Pods, in.Slices, in.ZoneOf); diff != "" {
		f.t.Fatalf("the state says that it is not what it was shown: %s", diff)
	}
	return got
}

// write carries out some writes of a plan, except those that the server refuses
// because somebody else wrote in between.
func (f *follower) write(changes Changes) {
	if f.random.IntN(4) == 0 {
		return
	}
	current := func(slice *discoveryv1.EndpointSlice) bool {
		held := f.slices[slice.Name]
		return held != nil && held.ResourceVersion == slice.ResourceVersion && held.UID == slice.UID
	}
	for _, slice := range changes.Create {
		if f.slices[slice.Name] == nil && f.random.IntN(6) > 0 {
			f.store(slice)
		}
	}
	for _, slice := range changes.Update {
		if current(slice) && f.random.IntN(6) > 0 {
			f.store(slice)
		}
	}
	for _, slice := range changes.Delete {
		if current(slice) && f.random.IntN(6) > 0 {
			delete(f.slices, slice.Name)
		}
	}
}

// After any history, whatever was shown late, refused or written by others, the
// state plans as if it had been made from all that it was shown.
func TestStatePlansAsFromScratch(t *testing.T) {
	const histories, steps = 300, 40
	for seed := range uint64(histories) {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			f := newFollower(t, seed)
			for range steps {
				f.step()
				f.show()
				f.compare()
				if f.random.IntN(12) == 0 {
					f.restart()
				}
				f.write(f.compare())
			}
		})
	}
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpointslice

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
)

// world is a tiny API server for slices: it carries out plans under the same
// conditions, and keeps count of the writes.
type world struct {
	t       *testing.T
	slices  map[string]*discoveryv1.EndpointSlice
	version int

	created, updated, deleted int
}

func newWorld(t *testing.T, existing ...*discoveryv1.EndpointSlice) *world {
	t.Helper()
	w := &world{t: t, slices: map[string]*discoveryv1.EndpointSlice{}}
	for _, slice := range existing {
		w.store(slice)
	}
	return w
}

func (w *world) store(slice *discoveryv1.EndpointSlice) {
	w.version++
	stored := slice.DeepCopy()
	stored.ResourceVersion = strconv.Itoa(w.version)
	if stored.UID == "" {
		stored.UID = types.UID("slice-" + stored.ResourceVersion)
	}
	w.slices[stored.Name] = stored
}

func (w *world) list() []*discoveryv1.EndpointSlice {
	var all []*discoveryv1.EndpointSlice
	for _, name := range slices.Sorted(maps.Keys(w.slices)) {
		all = append(all, w.slices[name])
	}
	return all
}

// apply carries out a plan.
func (w *world) apply(changes Changes) {
	w.t.Helper()
	for _, write := range w.writes(changes) {
		write()
	}
}

// writes returns the writes of a plan one by one, in their order.
func (w *world) writes(changes Changes) []func() {
	var writes []func()
	remove := func(slice *discoveryv1.EndpointSlice) func() {
		return func() {
			w.expectCurrent(slice)
			delete(w.slices, slice.Name)
			w.deleted++
		}
	}
	for _, slice := range changes.Create {
		writes = append(writes, func() {
			if w.slices[slice.Name] != nil {
				w.t.Fatalf("created %s, which exists", slice.Name)
			}
			w.store(slice)
			w.created++
		})
	}
	for _, slice := range changes.Update {
		writes = append(writes, func() {
			w.expectCurrent(slice)
			w.store(slice)
			w.updated++
		})
	}
	for _, slice := range changes.Delete {
		writes = append(writes, remove(slice))
	}
	return writes
}

func (w *world) expectCurrent(slice *discoveryv1.EndpointSlice) {
	w.t.Helper()
	current := w.slices[slice.Name]
	if current == nil || current.ResourceVersion != slice.ResourceVersion || current.UID != slice.UID {
		w.t.Fatalf("wrote %s from resourceVersion %s, which is not the current one", slice.Name, slice.ResourceVersion)
	}
}

// prepare carries out plans until one is no preparation for another, and returns
// that.
func (w *world) prepare(in Input) Changes {
	w.t.Helper()
	for range 3 {
		in.Slices = w.list()
		changes := Plan(in)
		if !changes.Unfinished {
			return changes
		}
		w.apply(changes)
	}
	w.t.Fatal("there is no end of preparations")
	return Changes{}
}

// plan makes and carries out a plan, and checks that nothing is left to do.
func (w *world) plan(in Input) Changes {
	w.t.Helper()
	changes := w.prepare(in)
	w.apply(changes)
	in.Slices = w.list()
	if again := Plan(in); !again.Empty() {
		w.t.Fatalf("a plan that was carried out left %d creates, %d updates, %d deletes to do",
			len(again.Create), len(again.Update), len(again.Delete))
	}
	return changes
}

func (w *world) resetCounts() { w.created, w.updated, w.deleted = 0, 0, 0 }

func (w *world) counts() string {
	return fmt.Sprintf("%d created, %d updated, %d deleted", w.created, w.updated, w.deleted)
}

// sizes returns the numbers of endpoints in the slices, largest first.
func (w *world) sizes() []int {
	var sizes []int
	for _, slice := range w.slices {
		sizes = append(sizes, len(slice.Endpoints))
	}
	slices.Sort(sizes)
	slices.Reverse(sizes)
	return sizes
}

// listed returns the names of the pods in the slices of one family, with the
// ports they are listed under, sorted; one that is listed twice is in it twice.
func (w *world) listed(family discoveryv1.AddressType) []string {
	var names []string
	for _, slice := range w.slices {
		if slice.AddressType != family {
			continue
		}
		for i := range slice.Endpoints {
			names = append(names, slice.Endpoints[i].TargetRef.Name+" "+portList(slice.Ports))
		}
	}
	slices.Sort(names)
	return names
}

func portList(ports []discoveryv1.EndpointPort) string {
	var text strings.Builder
	for _, port := range ports {
		fmt.Fprintf(&text, "%s:%d", ptr.Deref(port.Name, "?"), ptr.Deref(port.Port, -1))
	}
	return text.String()
}

// only returns the single slice there is.
func (w *world) only() *discoveryv1.EndpointSlice {
	w.t.Helper()
	if len(w.slices) != 1 {
		w.t.Fatalf("want one slice, got %d: %v", len(w.slices), slices.Sorted(maps.Keys(w.slices)))
	}
	return w.list()[0]
}

// planned returns the slices of a Service that had none before.
func planned(t *testing.T, service *corev1.Service, pods ...*corev1.Pod) *world {
	t.Helper()
	w := newWorld(t)
	w.plan(makeInput(service, pods))
	return w
}

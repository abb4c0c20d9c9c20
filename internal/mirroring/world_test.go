// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package mirroring

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"servicenet.dev/servicenet/internal/endpointslice"
)

// world is a tiny API server for slices: it carries out plans under the same
// conditions, and keeps count of the writes.
type world struct {
	t       testing.TB
	slices  map[string]*discoveryv1.EndpointSlice
	version int

	created, updated, deleted int
}

func newWorld(tb testing.TB, existing ...*discoveryv1.EndpointSlice) *world {
	tb.Helper()
	w := &world{t: tb, slices: map[string]*discoveryv1.EndpointSlice{}}
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

// clone returns a world that goes its own way from here.
func (w *world) clone() *world {
	return &world{t: w.t, slices: maps.Clone(w.slices), version: w.version}
}

func (w *world) list() []*discoveryv1.EndpointSlice {
	var all []*discoveryv1.EndpointSlice
	for _, name := range slices.Sorted(maps.Keys(w.slices)) {
		all = append(all, w.slices[name])
	}
	return all
}

// writes returns the writes of a plan one by one, in their order.
func (w *world) writes(changes *endpointslice.Changes) []func() {
	var writes []func()
	for _, slice := range slices.Concat(changes.Create, changes.Update) {
		validate(w.t, slice)
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
			if was := w.current(slice); was.AddressType != slice.AddressType {
				w.t.Fatalf("the address type of %s changed, which the server does not allow", slice.Name)
			}
			w.store(slice)
			w.updated++
		})
	}
	for _, slice := range changes.Delete {
		writes = append(writes, func() {
			w.current(slice)
			delete(w.slices, slice.Name)
			w.deleted++
		})
	}
	return writes
}

// validate checks what the API server would refuse.
func validate(tb testing.TB, slice *discoveryv1.EndpointSlice) {
	tb.Helper()
	names := map[string]bool{}
	for _, port := range slice.Ports {
		if names[*port.Name] {
			tb.Fatalf("slice %s has two ports named %q", slice.Name, *port.Name)
		}
		names[*port.Name] = true
	}
	if len(slice.Endpoints) > MaxMaxEndpointsPerSubset {
		tb.Fatalf("slice %s has %d endpoints", slice.Name, len(slice.Endpoints))
	}
}

// current returns the slice that a write replaces, which must be the one the
// plan was made from.
func (w *world) current(slice *discoveryv1.EndpointSlice) *discoveryv1.EndpointSlice {
	w.t.Helper()
	current := w.slices[slice.Name]
	if current == nil || current.ResourceVersion != slice.ResourceVersion || current.UID != slice.UID {
		w.t.Fatalf("wrote %s from resourceVersion %s, which is not the current one", slice.Name, slice.ResourceVersion)
	}
	return current
}

// plan makes and carries out a plan, and checks that nothing is left to do.
func (w *world) plan(in Input) Changes {
	w.t.Helper()
	in.Slices = w.list()
	changes := Plan(in)
	for _, write := range w.writes(&changes.Changes) {
		write()
	}
	in.Slices = w.list()
	if again := Plan(in); !again.Empty() {
		w.t.Fatalf("a plan that was carried out left %d creates, %d updates, %d deletes to do",
			len(again.Create), len(again.Update), len(again.Delete))
	}
	return changes
}

func (w *world) counts() string {
	return fmt.Sprintf("%d created, %d updated, %d deleted", w.created, w.updated, w.deleted)
}

func (w *world) resetCounts() { w.created, w.updated, w.deleted = 0, 0, 0 }

// only returns the single slice there is.
func (w *world) only() *discoveryv1.EndpointSlice {
	w.t.Helper()
	if len(w.slices) != 1 {
		w.t.Fatalf("want one slice, got %d: %v", len(w.slices), slices.Sorted(maps.Keys(w.slices)))
	}
	return w.list()[0]
}

// contents returns a line for each slice: its family, ports and endpoints in
// their order, those that are not ready with an exclamation mark.
func (w *world) contents() []string {
	var lines []string
	for _, slice := range w.slices {
		lines = append(lines, describe(slice))
	}
	slices.Sort(lines)
	return lines
}

// members returns contents with the endpoints of each slice sorted.
func (w *world) members() []string {
	sorted := &world{slices: map[string]*discoveryv1.EndpointSlice{}}
	for name, slice := range w.slices {
		sorted.slices[name] = slice.DeepCopy()
		slices.SortFunc(sorted.slices[name].Endpoints, func(a, b discoveryv1.Endpoint) int {
			return slices.Compare(a.Addresses, b.Addresses)
		})
	}
	return sorted.contents()
}

func describe(slice *discoveryv1.EndpointSlice) string {
	var endpoints []string
	for i := range slice.Endpoints {
		mark := "!"
		if ptr.Deref(slice.Endpoints[i].Conditions.Ready, true) {
			mark = ""
		}
		endpoints = append(endpoints, mark+strings.Join(slice.Endpoints[i].Addresses, ","))
	}
	var ports []string
	for _, port := range slice.Ports {
		ports = append(ports, strconv.Itoa(int(ptr.Deref(port.Port, -1))))
	}
	slices.Sort(ports)
	return fmt.Sprintf("%s [%s] %s", slice.AddressType, strings.Join(ports, " "), strings.Join(endpoints, " "))
}

// mirrored returns the slices of Endpoints that had none before.
func mirrored(t *testing.T, options ...endpointsOption) *world {
	t.Helper()
	w := newWorld(t)
	w.plan(makeInput(makeEndpoints(options...)))
	w.resetCounts()
	return w
}

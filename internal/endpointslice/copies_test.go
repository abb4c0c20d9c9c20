// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpointslice

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
)

// disagreeing returns the endpoints of which two slices say something else,
// whatever their ports.
func disagreeing(all []*discoveryv1.EndpointSlice) map[place]bool {
	first, found := map[place]*discoveryv1.Endpoint{}, map[place]bool{}
	for _, slice := range ours(all) {
		for i := range slice.Endpoints {
			at, endpoint := place{slice.AddressType, Identify(&slice.Endpoints[i])}, &slice.Endpoints[i]
			if first[at] == nil {
				first[at] = endpoint
			}
			if !SameContent(first[at], endpoint) {
				found[at] = true
			}
		}
	}
	return found
}

// checkCopies fails if slices disagree that did not.
func checkCopies(t *testing.T, before map[place]bool, all []*discoveryv1.EndpointSlice) {
	t.Helper()
	for at := range disagreeing(all) {
		if !before[at] {
			t.Errorf("copies of %v disagree", at)
		}
	}
}

// Each case is a Service whose slices list something twice, or are about to, while
// pods change: of each endpoint that changes, one copy goes before it does.
func TestCopiesNeverDisagree(t *testing.T) {
	twin := func(w *world, pods ...int) {
		copied := w.list()[0].DeepCopy()
		copied.Name, copied.UID = "web-zzzzz", ""
		copied.Endpoints = nil
		for _, i := range pods {
			copied.Endpoints = append(copied.Endpoints, w.list()[0].Endpoints[i])
		}
		w.store(copied)
	}
	for name, test := range map[string]struct {
		before, after []*corev1.Pod
		twins         []int
		limit         int
		preparations  int
	}{
		"nothing changes":                   {before: makePods(0, 3), after: makePods(0, 3), twins: []int{0}},
		"another one changes":               {before: makePods(0, 3), after: []*corev1.Pod{makePod(0), makePod(1, unready), makePod(2)}, twins: []int{0}},
		"one with a copy changes":           {before: makePods(0, 3), after: []*corev1.Pod{makePod(0, unready), makePod(1), makePod(2)}, twins: []int{0}, preparations: 1},
		"all with copies change":            {before: makePods(0, 2), after: []*corev1.Pod{makePod(0, unready), makePod(1, terminating)}, twins: []int{0, 1}, preparations: 1},
		"one changes that has to move":      {before: makePods(0, 3), after: []*corev1.Pod{makePod(0), makePod(1), makePod(2, unready)}, limit: 2, preparations: 1},
		"one moves and another one changes": {before: makePods(0, 3), after: []*corev1.Pod{makePod(0, unready), makePod(1), makePod(2)}, limit: 2},
		"an exchange": {
			before: onPorts(1, 1, 2, 2), after: onPorts(1, 2, 1, 2),
		},
		"an exchange of what changes": {
			before: onPorts(1, 1, 2, 2), preparations: 1,
			after: []*corev1.Pod{
				makePod(0, withNamedPort("web", 1)), makePod(1, withNamedPort("web", 2), unready),
				makePod(2, withNamedPort("web", 1)), makePod(3, withNamedPort("web", 2)),
			},
		},
		"an exchange, and one changes that stays": {
			before: onPorts(1, 1, 2, 2), preparations: 1,
			after: []*corev1.Pod{
				makePod(0, withNamedPort("web", 1), unready), makePod(1, withNamedPort("web", 2)),
				makePod(2, withNamedPort("web", 1)), makePod(3, withNamedPort("web", 2)),
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			service := makeService(withPorts(named("web")))
			w := planned(t, service, test.before...)
			if test.twins != nil {
				twin(w, test.twins...)
			}
			in := makeInput(service, test.after)
			in.MaxEndpoints = test.limit
			preparations := 0
			for changes := (Changes{Unfinished: true}); changes.Unfinished; {
				in.Slices = w.list()
				changes = Plan(in)
				for _, write := range w.writes(changes) {
					write()
					checkCopies(t, nil, w.list())
				}
				if changes.Unfinished {
					preparations++
				}
			}
			if preparations != test.preparations {
				t.Errorf("%d plans prepare for others, want %d", preparations, test.preparations)
			}
			if got := len(w.listed(ipv4)); got != len(test.after) || len(slices.Compact(w.listed(ipv4))) != got {
				t.Errorf("listed are %v", w.listed(ipv4))
			}
		})
	}
}

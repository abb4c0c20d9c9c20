// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
)

// sliceOf lists pods: "web-0" as ready, "!web-0" as not ready, "?web-0" without
// saying.
func sliceOf(pods ...string) *discoveryv1.EndpointSlice {
	slice := &discoveryv1.EndpointSlice{Endpoints: []discoveryv1.Endpoint{{}}} // one of nobody
	for _, pod := range pods {
		name := strings.TrimLeft(pod, "!?")
		endpoint := discoveryv1.Endpoint{TargetRef: &corev1.ObjectReference{Name: name}}
		if !strings.HasPrefix(pod, "?") {
			endpoint.Conditions.Ready = new(!strings.HasPrefix(pod, "!"))
		}
		slice.Endpoints = append(slice.Endpoints, endpoint)
	}
	return slice
}

func TestChangesAreSeenWhenSlicesShowThem(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		before, after map[string][]string // pods of slices; nil is a slice that goes
		want          state
		isSeen        bool
	}{
		"listed at last":                        {nil, map[string][]string{"a": {"p"}}, ready, true},
		"ready unless said otherwise":           {nil, map[string][]string{"a": {"?p"}}, ready, true},
		"listed, but not as ready":              {nil, map[string][]string{"a": {"!p"}}, ready, false},
		"another pod":                           {nil, map[string][]string{"a": {"q"}}, ready, false},
		"turned unready":                        {map[string][]string{"a": {"p"}}, map[string][]string{"a": {"!p"}}, notReady, true},
		"gone is not ready":                     {map[string][]string{"a": {"p"}}, map[string][]string{"a": {}}, notReady, true},
		"with its slice":                        {map[string][]string{"a": {"p"}}, map[string][]string{"a": nil}, gone, true},
		"unready is not gone":                   {map[string][]string{"a": {"p"}}, map[string][]string{"a": {"!p"}}, gone, false},
		"moved":                                 {map[string][]string{"a": {"p"}}, map[string][]string{"b": {"p"}, "a": {}}, ready, true},
		"gone from one of two":                  {map[string][]string{"a": {"p"}, "b": {"p"}}, map[string][]string{"a": {}}, gone, false},
		"unready in one of two":                 {map[string][]string{"a": {"p"}, "b": {"p"}}, map[string][]string{"a": {"!p"}}, notReady, false},
		"gone from both":                        {map[string][]string{"a": {"p"}, "b": {"p"}}, map[string][]string{"a": {}, "b": nil}, gone, true},
		"an update of the slice with no change": {map[string][]string{"a": {"p"}}, map[string][]string{"a": {"p", "q"}}, notReady, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tracker := newTracker()
			show(tracker, test.before)
			c := tracker.expect("p", test.want)
			tracker.answered(c)
			show(tracker, test.after)
			if missing, _ := tracker.missing(); (missing == 0) != test.isSeen || c.seen.IsZero() == test.isSeen {
				t.Errorf("missing %d, seen at %v, want seen: %v", missing, c.seen, test.isSeen)
			}
		})
	}
}

// show feeds slices to a tracker, in the order of their names.
func show(tracker *tracker, of map[string][]string) {
	for _, name := range []string{"a", "b"} {
		pods, there := of[name]
		switch {
		case there && pods == nil:
			tracker.slice(name, nil)
		case there:
			tracker.slice(name, sliceOf(pods...))
		}
	}
}

func TestTwoChangesOfOnePodAreSeenOneByOne(t *testing.T) {
	t.Parallel()
	tracker := newTracker()
	tracker.slice("a", sliceOf("p"))
	first, second := tracker.expect("p", notReady), tracker.expect("p", gone)
	tracker.slice("a", sliceOf("!p"))
	if first.seen.IsZero() || !second.seen.IsZero() {
		t.Fatalf("after the first: seen %v and %v", first.seen, second.seen)
	}
	if !first.stale || !second.stale {
		t.Error("the pod was listed as ready when it ceased to be")
	}
	tracker.slice("a", sliceOf())
	if second.seen.IsZero() {
		t.Error("the second change was not seen")
	}
	if tracker.settledAt() != second.seen {
		t.Errorf("settled at %v, want when the last was seen, %v", tracker.settledAt(), second.seen)
	}
	tracker.slice("a", sliceOf("p"))
	if same := tracker.expect("p", ready); same.stale || same.seen.IsZero() {
		t.Errorf("a pod that is ready: stale %v, seen %v", same.stale, same.seen)
	}
	tracker.slice("a", sliceOf())
	if third := tracker.expect("p", gone); third.stale || third.seen.IsZero() {
		t.Errorf("a pod that is gone: stale %v, seen %v", third.stale, third.seen)
	}
}

func TestLatencyCountsFromTheAnswer(t *testing.T) {
	t.Parallel()
	at := time.Now()
	late := change{written: at, seen: at.Add(time.Second)}
	early := change{written: at, seen: at.Add(-time.Second)}
	if late.latency() != time.Second || early.latency() != 0 {
		t.Errorf("got %s and %s", late.latency(), early.latency())
	}
}

func TestEndpointsCountOnceTheyAreWanted(t *testing.T) {
	t.Parallel()
	tracker := newTracker()
	addresses := func(ready int) *corev1.Endpoints {
		return &corev1.Endpoints{Subsets: []corev1.EndpointSubset{
			{Addresses: make([]corev1.EndpointAddress, ready), NotReadyAddresses: make([]corev1.EndpointAddress, 3)},
			{},
		}}
	}
	short := func() int { _, services := tracker.missing(); return services }
	tracker.endpoints("web", addresses(7))
	if short() != 0 || !tracker.settledAt().IsZero() {
		t.Fatal("nobody asked for the Endpoints of web")
	}
	tracker.expectAddresses("web", 5)
	for _, object := range []*corev1.Endpoints{addresses(4), addresses(6), nil} {
		tracker.endpoints("web", object)
		if short() != 1 {
			t.Errorf("%d are short, want one", short())
		}
	}
	tracker.endpoints("web", addresses(5))
	if short() != 0 || tracker.settledAt().IsZero() {
		t.Error("the Endpoints of web are complete")
	}
}

func TestVerifyNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		slices map[string][]string
		wanted map[string]state
		want   string
	}{
		"all right":        {map[string][]string{"a": {"p", "!q"}}, map[string]state{"p": ready, "q": notReady, "r": gone}, ""},
		"missing":          {nil, map[string]state{"p": ready}, "pod p 0 times as ready"},
		"twice":            {map[string][]string{"a": {"p"}, "b": {"p"}}, map[string]state{"p": ready}, "pod p 2 times as ready"},
		"unready, but not": {map[string][]string{"a": {"p"}}, map[string]state{"p": notReady}, "it is not ready"},
		"left behind":      {map[string][]string{"a": {"!p"}}, map[string]state{"p": gone}, "it is gone"},
		"unheard of":       {map[string][]string{"a": {"p"}}, nil, "which there is not"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tracker := newTracker()
			for pod, want := range test.wanted {
				tracker.expect(pod, want)
			}
			show(tracker, test.slices)
			err := tracker.verify()
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestSlicesAreCounted(t *testing.T) {
	t.Parallel()
	tracker := newTracker()
	tracker.slice("a", sliceOf("p"))
	tracker.slice("b", sliceOf("r", "q"))
	tracker.slice("a", nil)
	tracker.slice("b", sliceOf("r", "q"))
	if now, most := tracker.sliceCounts(); now != 1 || most != 2 {
		t.Errorf("got %d now and %d at most, want 1 and 2", now, most)
	}
	if got := tracker.snapshot(); len(got) != 1 || !slices.Equal(got["b"], []string{"q", "r"}) {
		t.Errorf("got %v", got)
	}
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package tracker

import (
	"strconv"
	"testing"
	"time"

	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

type sliceTracker = Tracker[*discoveryv1.EndpointSlice]

func serviceOf(slice *discoveryv1.EndpointSlice) types.NamespacedName {
	return types.NamespacedName{Namespace: slice.Namespace, Name: slice.Labels[discoveryv1.LabelServiceName]}
}

func sliceAt(uid string, version int) *discoveryv1.EndpointSlice {
	return &discoveryv1.EndpointSlice{ObjectMeta: metav1.ObjectMeta{
		Namespace: "shop", Name: uid, UID: types.UID(uid), ResourceVersion: strconv.Itoa(version),
		Labels: map[string]string{discoveryv1.LabelServiceName: "web"},
	}}
}

func deletingAt(uid string, version int) *discoveryv1.EndpointSlice {
	slice := sliceAt(uid, version)
	slice.DeletionTimestamp = &metav1.Time{}
	return slice
}

func TestTrackerBehind(t *testing.T) {
	cached := func(slices ...*discoveryv1.EndpointSlice) []*discoveryv1.EndpointSlice { return slices }
	for name, test := range map[string]struct {
		record func(*sliceTracker)
		cached []*discoveryv1.EndpointSlice
		want   bool
	}{
		"nothing written":                  {func(*sliceTracker) {}, cached(sliceAt("a", 5)), false},
		"created, not shown":               {func(t *sliceTracker) { t.Wrote(sliceAt("a", 9)) }, nil, true},
		"created, shown":                   {func(t *sliceTracker) { t.Wrote(sliceAt("a", 9)) }, cached(sliceAt("a", 9)), false},
		"updated, older shown":             {func(t *sliceTracker) { t.Wrote(sliceAt("a", 10)) }, cached(sliceAt("a", 9)), true},
		"updated, newer shown":             {func(t *sliceTracker) { t.Wrote(sliceAt("a", 9)) }, cached(sliceAt("a", 10)), false},
		"deleted, still shown":             {func(t *sliceTracker) { t.Deleted(sliceAt("a", 9)) }, cached(sliceAt("a", 9)), true},
		"deleted, gone":                    {func(t *sliceTracker) { t.Deleted(sliceAt("a", 9)) }, nil, false},
		"deleted, held by a finalizer":     {func(t *sliceTracker) { t.Deleted(sliceAt("a", 9)) }, cached(deletingAt("a", 10)), false},
		"deleted, name in use again":       {func(t *sliceTracker) { t.Deleted(sliceAt("a", 9)) }, cached(sliceAt("b", 11)), false},
		"one of two not shown":             {func(t *sliceTracker) { t.Wrote(sliceAt("a", 9)); t.Wrote(sliceAt("b", 10)) }, cached(sliceAt("a", 9)), true},
		"forgotten":                        {func(t *sliceTracker) { t.Wrote(sliceAt("a", 9)); t.Forget(serviceOf(sliceAt("a", 9))) }, nil, false},
		"created, seen and gone meanwhile": {func(t *sliceTracker) { t.Wrote(sliceAt("a", 9)); t.Gone(sliceAt("a", 9)) }, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			tracker := New(serviceOf)
			test.record(tracker)
			if got := tracker.Behind(serviceOf(sliceAt("a", 1)), among(test.cached...), time.Unix(0, 0)); got != test.want {
				t.Errorf("behind is %v, want %v", got, test.want)
			}
		})
	}
}

func TestTrackerNews(t *testing.T) {
	for name, test := range map[string]struct {
		record func(*sliceTracker)
		event  func(*sliceTracker) bool
		want   bool
	}{
		"a slice nobody here wrote":     {func(*sliceTracker) {}, func(t *sliceTracker) bool { return t.Seen(sliceAt("a", 5)) }, true},
		"a deletion nobody here made":   {func(*sliceTracker) {}, func(t *sliceTracker) bool { return t.Gone(sliceAt("a", 5)) }, true},
		"the echo of a write":           {func(t *sliceTracker) { t.Wrote(sliceAt("a", 9)) }, func(t *sliceTracker) bool { return t.Seen(sliceAt("a", 9)) }, false},
		"a state from before the write": {func(t *sliceTracker) { t.Wrote(sliceAt("a", 10)) }, func(t *sliceTracker) bool { return t.Seen(sliceAt("a", 9)) }, false},
		"an edit on top of the write":   {func(t *sliceTracker) { t.Wrote(sliceAt("a", 9)) }, func(t *sliceTracker) bool { return t.Seen(sliceAt("a", 10)) }, true},
		"a written slice deleted":       {func(t *sliceTracker) { t.Wrote(sliceAt("a", 9)) }, func(t *sliceTracker) bool { return t.Gone(sliceAt("a", 9)) }, true},
		"the echo of a deletion":        {func(t *sliceTracker) { t.Deleted(sliceAt("a", 9)) }, func(t *sliceTracker) bool { return t.Gone(sliceAt("a", 10)) }, false},
		"a deletion that only began":    {func(t *sliceTracker) { t.Deleted(sliceAt("a", 9)) }, func(t *sliceTracker) bool { return t.Seen(deletingAt("a", 10)) }, false},
		"another slice of the Service":  {func(t *sliceTracker) { t.Wrote(sliceAt("a", 9)) }, func(t *sliceTracker) bool { return t.Seen(sliceAt("b", 12)) }, true},
		"the second echo of one write":  {func(t *sliceTracker) { t.Wrote(sliceAt("a", 9)); t.Seen(sliceAt("a", 9)) }, func(t *sliceTracker) bool { return t.Seen(sliceAt("a", 9)) }, true},
		"the last echo a Service awaits": {func(t *sliceTracker) {
			t.Wrote(sliceAt("a", 9))
			t.Behind(serviceOf(sliceAt("a", 9)), among(), time.Unix(0, 0))
		}, func(t *sliceTracker) bool { return t.Seen(sliceAt("a", 9)) }, true},
	} {
		t.Run(name, func(t *testing.T) {
			tracker := New(serviceOf)
			test.record(tracker)
			if got := test.event(tracker); got != test.want {
				t.Errorf("news is %v, want %v", got, test.want)
			}
		})
	}
}

func TestTrackerWaitsForAllEchoes(t *testing.T) {
	tracker := New(serviceOf)
	tracker.Wrote(sliceAt("a", 9))
	tracker.Wrote(sliceAt("b", 10))
	if !tracker.Behind(serviceOf(sliceAt("a", 9)), among(), time.Unix(0, 0)) {
		t.Fatal("not behind after two writes the cache does not show")
	}
	if tracker.Seen(sliceAt("a", 9)) {
		t.Error("woke the Service while one write is still outstanding")
	}
	if !tracker.Seen(sliceAt("b", 10)) {
		t.Error("did not wake the Service when the cache had caught up")
	}
}

func TestTrackerGivesUpWaiting(t *testing.T) {
	tracker := New(serviceOf)
	tracker.Wrote(sliceAt("lost", 9))
	service, start := serviceOf(sliceAt("lost", 9)), time.Unix(1000, 0)
	for _, step := range []struct {
		after time.Duration
		want  bool
	}{{0, true}, {MaxWait - time.Millisecond, true}, {MaxWait, false}, {MaxWait + time.Second, false}} {
		if got := tracker.Behind(service, among(), start.Add(step.after)); got != step.want {
			t.Errorf("after %s: behind is %v, want %v", step.after, got, step.want)
		}
	}
}

func TestTrackerHoldsNothingOnceShown(t *testing.T) {
	tracker := New(serviceOf)
	tracker.Wrote(sliceAt("a", 9))
	tracker.Deleted(sliceAt("b", 9))
	tracker.Seen(sliceAt("a", 9))
	tracker.Gone(sliceAt("b", 9))
	if len(tracker.owners) != 0 {
		t.Errorf("still holds %v", tracker.owners)
	}
}

func TestCompareVersions(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want int
	}{{"9", "10", -1}, {"10", "9", 1}, {"10", "10", 0}, {"x", "x", 0}, {"x", "y", 1}, {"", "10", 1}} {
		if got := compareVersions(test.a, test.b); got != test.want {
			t.Errorf("compareVersions(%q, %q) is %d, want %d", test.a, test.b, got, test.want)
		}
	}
}

func TestPendingUntilTheCacheHasShownAllWrites(t *testing.T) {
	tracker, owner := New(serviceOf), serviceOf(sliceAt("a", 1))
	if tracker.Pending(owner) {
		t.Error("pending before anything was written")
	}
	tracker.Wrote(sliceAt("a", 9))
	tracker.Deleted(sliceAt("b", 8))
	tracker.Seen(sliceAt("a", 9))
	if !tracker.Pending(owner) {
		t.Error("not pending though the deletion was not shown")
	}
	tracker.Gone(sliceAt("b", 8))
	if tracker.Pending(owner) {
		t.Error("pending though all was shown")
	}
}

// among is a cache that holds some slices.
func among(slices ...*discoveryv1.EndpointSlice) func(name string) (*discoveryv1.EndpointSlice, bool) {
	return func(name string) (*discoveryv1.EndpointSlice, bool) {
		for _, slice := range slices {
			if slice.Name == name {
				return slice, true
			}
		}
		return nil, false
	}
}

// Events may be faster than the answer to the write that they are about.
func TestWhatIsGoneBeforeItsWriteIsAnsweredIsNotWaitedFor(t *testing.T) {
	for name, record := range map[string]func(*sliceTracker, *discoveryv1.EndpointSlice){
		"created": (*sliceTracker).Wrote, "deleted": (*sliceTracker).Deleted,
	} {
		t.Run(name, func(t *testing.T) {
			tracker, a, b := New(serviceOf), sliceAt("a", 9), sliceAt("b", 9)
			tracker.Wrote(b)
			for range 2 { // whether something else is waited for or not
				doneA, doneB := tracker.Begin(serviceOf(a)), tracker.Begin(serviceOf(b))
				tracker.Seen(a)
				if !tracker.Gone(a) {
					t.Error("nobody is told that it is gone")
				}
				doneB()
				record(tracker, a)
				doneA()
				tracker.Seen(b)
				if tracker.Pending(serviceOf(a)) {
					t.Error("it is waited for")
				}
			}
			// Once the answer has come, the next write is waited for.
			tracker.Wrote(sliceAt("a", 12))
			if !tracker.Pending(serviceOf(a)) {
				t.Error("a later write is not waited for")
			}
		})
	}
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"
	clocktesting "k8s.io/utils/clock/testing"
)

const millisecond = time.Millisecond

// gatheringTest is one Service, and a gatherer in virtual time.
type gatheringTest struct {
	*gatherer
	clock *clocktesting.FakePassiveClock
	web   types.NamespacedName
}

func newGatheringTest(fixed, longest time.Duration) *gatheringTest {
	now := clocktesting.NewFakePassiveClock(time.Unix(1_000_000, 0))
	return &gatheringTest{newGatherer(now, fixed, longest), now, types.NamespacedName{Namespace: "shop", Name: "web"}}
}

func (g *gatheringTest) pass(d time.Duration) { g.clock.SetTime(g.clock.Now().Add(d)) }

// publish runs a reconcile that takes some time, with changes coming meanwhile.
func (g *gatheringTest) publish(t *testing.T, takes time.Duration, meanwhile int) {
	t.Helper()
	if wait := g.begin(g.web); wait != 0 {
		t.Fatalf("a reconcile has to wait for %s", wait)
	}
	g.pass(takes)
	for range meanwhile {
		g.changed(g.web, false)
	}
	g.end(g.web, true)
}

func TestSingleChangesAreNeverHeldBack(t *testing.T) {
	g := newGatheringTest(0, time.Second)
	for i := range 20 {
		if wait := g.changed(g.web, i%2 == 0); wait != 0 {
			t.Errorf("change %d waits for %s", i, wait)
		}
		g.publish(t, 5*millisecond, 0)
		g.pass(45 * millisecond)
	}
	if len(g.services) != 0 {
		t.Errorf("%d Services are remembered, want none", len(g.services))
	}
}

func TestABurstIsGatheredForLongerAndLonger(t *testing.T) {
	g := newGatheringTest(0, time.Second)
	g.changed(g.web, false)
	g.publish(t, 10*millisecond, 10)
	for _, want := range []time.Duration{100, 200, 400, 800, 1000, 1000} {
		var gathered time.Duration
		for g.begin(g.web) > 0 {
			g.pass(10 * millisecond)
			gathered += 10
			g.changed(g.web, false)
		}
		if gathered != want {
			t.Errorf("changes were gathered for %d ms, want %d", gathered, want)
		}
		for range 10 {
			g.changed(g.web, false)
		}
		g.end(g.web, true)
	}
}

func TestABurstThatEndsIsPublishedSoon(t *testing.T) {
	g := newGatheringTest(0, time.Second)
	g.changed(g.web, false)
	g.publish(t, 10*millisecond, 10)
	g.pass(20 * millisecond)
	g.changed(g.web, false)
	if wait := g.begin(g.web); wait != quiet {
		t.Errorf("the last change waits for %s, want %s", wait, quiet)
	}
	g.pass(quiet)
	g.publish(t, 10*millisecond, 0)
	g.pass(2 * time.Second)
	if wait := g.changed(g.web, false); wait != 0 {
		t.Errorf("the next one, much later, waits for %s", wait)
	}
}

func TestACrowdOfServicesIsGatheredFromTheFirstChangeOn(t *testing.T) {
	g := newGatheringTest(0, time.Second)
	other := func(i int, namespace string) types.NamespacedName {
		return types.NamespacedName{Namespace: namespace, Name: strconv.Itoa(i)}
	}
	for i := range 300 { // 200 a second
		g.pass(5 * millisecond)
		g.changed(other(i, g.web.Namespace), false)
	}
	if wait := g.changed(g.web, false); wait != crowdHold {
		t.Errorf("the first change waits for %s, want %s", wait, crowdHold)
	}
	if wait := g.changed(other(1, "elsewhere"), false); wait != 0 {
		t.Errorf("a change in another namespace waits for %s", wait)
	}
	g.pass(300 * millisecond)
	g.changed(g.web, false)
	if wait := g.begin(g.web); wait != crowdHold-300*millisecond {
		t.Errorf("the second change makes both wait for %s, want the rest of %s", wait, crowdHold)
	}
	if wait := g.changed(g.web, true); wait != longestRemoval {
		t.Errorf("a removal waits for %s, want %s", wait, longestRemoval)
	}
	g.pass(longestRemoval)
	g.publish(t, 10*millisecond, 0)

	g.pass(5 * time.Second)
	if wait := g.changed(g.web, false); wait != 0 {
		t.Errorf("a change long after the crowd waits for %s", wait)
	}
}

func TestACrowdDoesNotHoldBackWhatIsUrgentOrFailed(t *testing.T) {
	for name, what := range map[string]func(g *gatheringTest){
		"urgent": func(g *gatheringTest) { g.urge(g.web) },
		"failed": func(g *gatheringTest) {
			g.pass(crowdHold)
			g.begin(g.web)
			g.end(g.web, false)
		},
	} {
		g := newGatheringTest(0, time.Second)
		for range 2 * crowded {
			g.changed(types.NamespacedName{Namespace: g.web.Namespace, Name: "other"}, false)
		}
		g.changed(g.web, false)
		what(g)
		if wait := g.begin(g.web); wait != 0 {
			t.Errorf("%s: it waits for %s", name, wait)
		}
	}
}

func TestRatesOfNamespacesAreForgotten(t *testing.T) {
	var all crowds
	now := time.Unix(1_000_000, 0)
	for i := range 10 * sweepAfter {
		now = now.Add(10 * millisecond)
		all.joined(strconv.Itoa(i), now)
	}
	if len(all.rates) > 2*sweepAfter {
		t.Errorf("%d namespaces are remembered", len(all.rates))
	}
}

// Whatever comes, and whatever becomes of the reconciles, no change waits longer
// than the longest time, and none that takes an endpoint away longer than 100 ms.
func TestNoChangeWaitsForTooLong(t *testing.T) {
	const longest = time.Second
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 0))
		g := newGatheringTest(0, longest)
		var oldest, removal time.Time // of what is not taken yet
		come := func(removes bool) {
			now := g.clock.Now()
			g.changed(g.web, removes)
			if oldest.IsZero() {
				oldest = now
			}
			if removes && removal.IsZero() {
				removal = now
			}
		}
		pace := 1 + random.IntN(30)
		for range 500 {
			g.pass(time.Duration(random.IntN(pace)) * millisecond)
			come(random.IntN(10) == 0)
			wait := g.begin(g.web)
			now := g.clock.Now()
			if !removal.IsZero() && now.Add(wait).Sub(removal) > 100*millisecond && wait > 0 {
				t.Fatalf("seed %d: a removal waits for %s", seed, now.Add(wait).Sub(removal))
			}
			if wait > 0 && now.Add(wait).Sub(oldest) > longest {
				t.Fatalf("seed %d: a change waits for %s", seed, now.Add(wait).Sub(oldest))
			}
			if wait > 0 {
				continue
			}
			oldest, removal = time.Time{}, time.Time{}
			published := random.IntN(5) > 0
			for range random.IntN(6) {
				come(random.IntN(10) == 0)
			}
			g.end(g.web, published)
		}
	}
}

func TestWhatFailsToBePublishedIsDueAtOnce(t *testing.T) {
	g := newGatheringTest(0, time.Second)
	g.changed(g.web, false)
	g.publish(t, 10*millisecond, 10)
	g.pass(100 * millisecond)
	if wait := g.begin(g.web); wait != 0 {
		t.Fatalf("waits for %s", wait)
	}
	g.end(g.web, false)
	if wait := g.begin(g.web); wait != 0 {
		t.Errorf("it waits for %s, want none", wait)
	}
}

func TestWhatIsUrgentIsNotPutOff(t *testing.T) {
	g := newGatheringTest(0, time.Second)
	g.changed(g.web, false)
	g.publish(t, 10*millisecond, 10)
	if g.begin(g.web) == 0 {
		t.Fatal("a burst is not gathered")
	}
	g.urge(g.web)
	if wait := g.begin(g.web); wait != 0 {
		t.Errorf("it waits for %s", wait)
	}
}

func TestABatchPeriodTakesThePlaceOfGathering(t *testing.T) {
	g := newGatheringTest(5*time.Second, time.Second)
	for range 5 {
		if wait := g.changed(g.web, true); wait != 5*time.Second {
			t.Errorf("a change waits for %s", wait)
		}
	}
	if wait := g.begin(g.web); wait != 0 {
		t.Errorf("a reconcile waits for %s", wait)
	}
}

// seconds are what an observer has seen.
type seconds []float64

func (s *seconds) Observe(took float64) { *s = append(*s, took) }

func TestItIsMeasuredHowLongChangesTakeToBePublished(t *testing.T) {
	g := newGatheringTest(0, time.Second)
	var took seconds
	g.took = &took
	g.publish(t, 5*millisecond, 0) // nothing has changed
	g.changed(g.web, false)
	g.pass(500 * millisecond) // in the queue
	g.changed(g.web, true)
	g.publish(t, 250*millisecond, 1)
	g.pass(250 * millisecond)
	g.publish(t, 0, 0)

	// One that fails is measured from its first change on, when it succeeds.
	g.pass(time.Minute)
	g.changed(g.web, false)
	g.begin(g.web)
	g.pass(time.Second)
	g.changed(g.web, false)
	g.end(g.web, false)
	g.pass(time.Second)
	g.publish(t, 0, 0)
	if diff := cmp.Diff(seconds{0.75, 0.25, 2}, took); diff != "" {
		t.Errorf("took (-want +got):\n%s", diff)
	}
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package loadbalancer

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

func blue() Spot { return Spot{Pool: "blue", Family: corev1.IPv4Protocol} }
func red() Spot  { return Spot{Pool: "red", Family: corev1.IPv4Protocol} }

// waiter is a Service that was created so many seconds after the first.
func waiter(seconds int) Waiter {
	return Waiter{
		NamespacedName: types.NamespacedName{Namespace: "shop", Name: fmt.Sprintf("w%d", seconds)},
		Since:          epoch().Add(time.Duration(seconds) * time.Second),
	}
}

func wantNext(t *testing.T, got []Waiter, want ...Waiter) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("next is %v, want %v", got, want)
	}
}

// waits has a Service wait that found nothing left.
func waits(all *Waiters, of Waiter, spots ...Spot) []Waiter {
	tried := map[Spot]Found{}
	for _, spot := range spots {
		tried[spot] = NothingLeft
	}
	return all.Wait(of, all.Called(of.NamespacedName), tried)
}

func TestWhatComesFreeCallsTheLongestWaiter(t *testing.T) {
	t.Parallel()
	all := NewWaiters()
	for _, seconds := range []int{3, 1, 2} {
		wantNext(t, waits(all, waiter(seconds), blue()))
	}
	for _, want := range []int{1, 2, 3} {
		wantNext(t, all.Free(blue()), waiter(want))
	}
	wantNext(t, all.Free(blue()))
	wantNext(t, all.Free(red()))
}

func TestAnAddressCallsOneWhoWaitsForItAndOneForAny(t *testing.T) {
	t.Parallel()
	certain := Spot{Address: netip.MustParseAddr("192.0.2.5")}
	all := NewWaiters()
	waits(all, waiter(2), blue())
	waits(all, waiter(3), blue(), certain)
	waits(all, waiter(1), certain)
	wantNext(t, all.Free(blue(), certain), waiter(1), waiter(2))
	wantNext(t, all.Free(blue(), certain), waiter(3))
	wantNext(t, all.Free(blue(), certain))
}

func TestACallGoesOnUnlessNothingIsLeft(t *testing.T) {
	t.Parallel()
	all := NewWaiters()
	for seconds := range 3 {
		waits(all, waiter(seconds), blue())
	}
	all.Free(blue())
	wantNext(t, all.Leave(waiter(0).NamespacedName), waiter(1)) // it may have got what it was called for, or not
	wantNext(t, waits(all, waiter(1), blue()))
	wantNext(t, all.Free(blue()), waiter(1))
}

func TestWhoSkipsHasTheFirstCalledOnce(t *testing.T) {
	t.Parallel()
	all := NewWaiters()
	waits(all, waiter(0), blue())
	skipped := map[Spot]Found{blue(): Skipped}
	wantNext(t, all.Wait(waiter(1), nil, skipped), waiter(0))
	wantNext(t, all.Wait(waiter(1), nil, skipped))
	wantNext(t, all.Leave(waiter(0).NamespacedName), waiter(1))
}

func TestACallForAnAddressGoesToEverybodyWhoWaitsForIt(t *testing.T) {
	t.Parallel()
	certain := Spot{Address: netip.MustParseAddr("192.0.2.5")}
	all := NewWaiters()
	for seconds := range 3 {
		waits(all, waiter(seconds), certain)
	}
	all.Free(certain)
	wantNext(t, waits(all, waiter(0), certain), waiter(1))
	wantNext(t, waits(all, waiter(1), certain), waiter(2))
	wantNext(t, waits(all, waiter(2), certain))
}

func TestACallThatComesMeanwhileIsNotAnswered(t *testing.T) {
	t.Parallel()
	all := NewWaiters()
	waits(all, waiter(0), blue())
	called := all.Called(waiter(0).NamespacedName) // it begins to try
	all.Free(blue())
	wantNext(t, all.Wait(waiter(0), called, map[Spot]Found{blue(): NothingLeft}))
	if got := all.Called(waiter(0).NamespacedName); len(got) != 1 {
		t.Errorf("the call is lost")
	}
}

func TestACallOfWhoWaitsElsewhereNowGoesOn(t *testing.T) {
	t.Parallel()
	all := NewWaiters()
	waits(all, waiter(0), blue(), red())
	waits(all, waiter(1), blue())
	all.Free(blue())
	wantNext(t, waits(all, waiter(0), red()), waiter(1))
	if got := all.Count(blue()); got != 1 {
		t.Errorf("%d wait, want 1", got)
	}
	wantNext(t, waits(all, waiter(0)))
	if got := all.Len(); got != 1 {
		t.Errorf("%d wait, want 1", got)
	}
}

func TestWhoIsBehindIsCalledWhenTheFirstLeaves(t *testing.T) {
	t.Parallel()
	for name, leave := range map[string]func(*Waiters) []Waiter{
		"since it has something": func(all *Waiters) []Waiter { return all.Wait(waiter(1), nil, nil) },
		"since it can't try":     func(all *Waiters) []Waiter { return all.Leave(waiter(1).NamespacedName) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all := NewWaiters()
			for seconds := 1; seconds <= 3; seconds++ {
				wantNext(t, waits(all, waiter(seconds), blue()))
			}
			// There is more all at once, and who is behind looks first: it leaves it to the first.
			wantNext(t, all.Wait(waiter(2), nil, map[Spot]Found{blue(): Skipped}))
			wantNext(t, all.Leave(waiter(3).NamespacedName))
			wantNext(t, leave(all), waiter(2))
		})
	}
}

func TestANewServiceOfTheNameWaitsAtItsOwnPlace(t *testing.T) {
	t.Parallel()
	all := NewWaiters()
	first, second := waiter(0), waiter(1)
	again := Waiter{first.NamespacedName, epoch().Add(time.Hour)}
	waits(all, first, blue())
	waits(all, second, blue())
	all.Free(blue())
	wantNext(t, waits(all, again, blue()), second)
	wantNext(t, all.Free(blue()), again)
}

func TestAheadIsWhoIsOlder(t *testing.T) {
	t.Parallel()
	all := NewWaiters()
	waits(all, waiter(1), blue())
	for _, called := range []bool{false, true} {
		if called {
			all.Free(blue())
		}
		ahead := func(seconds int, spot Spot, free int) bool { return all.Ahead(waiter(seconds), spot, free) }
		if !ahead(2, blue(), 1) || ahead(0, blue(), 1) || ahead(1, blue(), 1) || ahead(2, red(), 1) {
			t.Errorf("who is ahead is wrong when the first is called (%v)", called)
		}
		if ahead(2, blue(), 2) || ahead(1, blue(), 0) || !ahead(2, blue(), 0) {
			t.Errorf("it does not matter how many are free when the first is called (%v)", called)
		}
		waits(all, waiter(0), blue())
		if !ahead(2, blue(), 2) || ahead(2, blue(), 3) || ahead(1, blue(), 2) {
			t.Errorf("it does not matter how many are ahead when one is called (%v)", called)
		}
		all.Leave(waiter(0).NamespacedName)
	}
}

func TestWhoIsCalledAndSkipsHasTheFirstLookAgain(t *testing.T) {
	t.Parallel()
	all := NewWaiters()
	waits(all, waiter(0), blue())
	waits(all, waiter(1), blue())
	all.Free(blue())
	looked := all.Called(waiter(0).NamespacedName) // before the next one comes free
	wantNext(t, all.Free(blue()), waiter(1))
	skipped := map[Spot]Found{blue(): Skipped}
	wantNext(t, all.Wait(waiter(1), all.Called(waiter(1).NamespacedName), skipped), waiter(0))
	wantNext(t, all.Wait(waiter(0), looked, map[Spot]Found{blue(): NothingLeft}))
	if got := all.Called(waiter(0).NamespacedName); len(got) != 1 {
		t.Error("the first is not called any more, and has not looked")
	}
}

func TestWhoJoinsIsAheadAndCallsNobody(t *testing.T) {
	t.Parallel()
	all := NewWaiters()
	all.Join(waiter(0), blue())
	all.Join(waiter(1), blue())
	all.Join(waiter(1), red())
	if all.Called(waiter(0).NamespacedName) != nil || !all.Ahead(waiter(1), blue(), 1) || !all.Waits(waiter(1).NamespacedName, red()) {
		t.Error("they do not wait as they should")
	}
	wantNext(t, all.Leave(waiter(0).NamespacedName), waiter(1))
}

// TestNobodyWaitsForWhatIsFree plays pools with random capacity, and Services that
// come, go, try, fail for reasons of their own, and give back, in any order. When all
// who were called have answered, nobody waits for something that is free, but who
// failed for a reason of its own, and tries again.
func TestNobodyWaitsForWhatIsFree(t *testing.T) {
	t.Parallel()
	for seed := range uint64(300) {
		g := &game{t: t, random: rand.New(rand.NewPCG(seed, 0)), all: NewWaiters(), free: map[Spot]int{}, has: map[Waiter]Spot{}}
		g.play()
		if t.Failed() {
			t.Fatalf("with seed %d", seed)
		}
	}
}

type game struct {
	t      *testing.T
	random *rand.Rand
	all    *Waiters
	free   map[Spot]int
	has    map[Waiter]Spot
	// queue are those who are to try, and failing those who can't get anything.
	queue   []Waiter
	failing map[Waiter]bool
	// wants is where each takes from.
	wants map[Waiter][]Spot
}

func (g *game) play() {
	g.wants, g.failing = map[Waiter][]Spot{}, map[Waiter]bool{}
	g.free[blue()], g.free[red()] = g.random.IntN(4), g.random.IntN(3)
	for i := range 80 {
		switch g.random.IntN(5) {
		case 0, 1:
			w := waiter(g.random.IntN(1000)*100 + i)
			g.wants[w] = [][]Spot{{blue()}, {red()}, {blue(), red()}}[g.random.IntN(3)]
			g.failing[w] = g.random.IntN(6) == 0
			g.queue = append(g.queue, w)
		case 2:
			g.giveBack()
		default:
			g.next()
		}
	}
	for len(g.queue) > 0 {
		g.next()
	}
	for spot, free := range g.free {
		for w, spots := range g.wants {
			if _, has := g.has[w]; free > 0 && !has && !g.failing[w] && slices.Contains(spots, spot) {
				g.t.Errorf("%s waits, and %v has %d free", w.Name, spot, free)
			}
		}
	}
}

// giveBack ends one Service that has something, or one that waits.
func (g *game) giveBack() {
	var names []Waiter
	for w := range g.wants {
		names = append(names, w)
	}
	if len(names) == 0 {
		return
	}
	slices.SortFunc(names, func(a, b Waiter) int { return a.Since.Compare(b.Since) })
	w := names[g.random.IntN(len(names))]
	g.queue = append(g.queue, g.all.Leave(w.NamespacedName)...)
	if spot, has := g.has[w]; has {
		g.free[spot]++
		g.queue = append(g.queue, g.all.Free(spot)...)
	}
	delete(g.has, w)
	delete(g.wants, w)
	g.queue = slices.DeleteFunc(g.queue, func(other Waiter) bool { return other == w })
}

// next has one of those who are called try, as the controller does.
func (g *game) next() {
	if len(g.queue) == 0 {
		return
	}
	at := g.random.IntN(len(g.queue))
	w := g.queue[at]
	g.queue = slices.Delete(g.queue, at, at+1)
	if _, has := g.has[w]; has || g.wants[w] == nil {
		g.queue = append(g.queue, g.all.Leave(w.NamespacedName)...)
		return
	}
	if g.failing[w] {
		g.queue = append(g.queue, g.all.Leave(w.NamespacedName)...)
		return
	}
	called := g.all.Called(w.NamespacedName)
	tried := map[Spot]Found{}
	for _, spot := range g.wants[w] {
		switch {
		case g.all.Ahead(w, spot, g.free[spot]):
			tried[spot] = Skipped
		case g.free[spot] == 0:
			tried[spot] = NothingLeft
		default:
			g.checkOrder(w, spot)
			g.free[spot]--
			g.has[w] = spot
			g.queue = append(g.queue, g.all.Leave(w.NamespacedName)...)
			return
		}
	}
	g.queue = append(g.queue, g.all.Wait(w, called, tried)...)
}

// checkOrder checks that there is as much as those in a spot want who are older than who
// takes something there.
func (g *game) checkOrder(of Waiter, spot Spot) {
	older := 0
	for w := range g.wants {
		if w.before(of) && g.all.Waits(w.NamespacedName, spot) {
			older++
		}
	}
	if older >= g.free[spot] {
		g.t.Errorf("%s takes one of %d in %v, and %d who are older wait there", of.Name, g.free[spot], spot, older)
	}
}

func TestTurn(t *testing.T) {
	t.Parallel()
	turn := NewTurn()
	for range 2 {
		if !turn.Take(waiter(5)) {
			t.Error("the first can't move")
		}
	}
	if turn.Take(waiter(3)) || turn.Take(waiter(1)) || turn.Take(waiter(2)) || turn.Take(waiter(1)) {
		t.Error("two move at once")
	}
	wantNext(t, turn.End(waiter(3).NamespacedName)) // it is no more
	wantNext(t, turn.End(waiter(5).NamespacedName), waiter(1))
	wantNext(t, turn.End(waiter(1).NamespacedName), waiter(2)) // it is no more, and had no turn yet
	if !turn.Take(waiter(2)) {
		t.Error("the next can't move")
	}
	wantNext(t, turn.End(waiter(2).NamespacedName))
	if diff := cmp.Diff(0, turn.queue.Len()+len(turn.queued)); diff != "" {
		t.Errorf("somebody is left: %s", diff)
	}
}

func BenchmarkFree(b *testing.B) {
	for _, count := range []int{100, 50_000} {
		b.Run(fmt.Sprintf("%d wait", count), func(b *testing.B) {
			all := NewWaiters()
			for seconds := range count {
				waits(all, waiter(seconds), blue())
			}
			for b.Loop() {
				waits(all, all.Free(blue())[0], blue())
			}
		})
	}
}

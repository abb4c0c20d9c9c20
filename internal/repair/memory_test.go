// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package repair

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"servicenet.dev/servicenet/internal/ledger"
)

// step is a look some time after noon, and what it says: findings that are due, the
// new ones with a star, and when to come again.
type step struct {
	at    time.Duration
	world func(*testing.T) *World
	want  string
}

func playSteps(t *testing.T, steps []step) {
	t.Helper()
	m := &Memory{}
	for i, s := range steps {
		now := noon().Add(s.at)
		look := m.Look(s.world(t), now)
		var words []string
		for _, claim := range look.Adopt {
			words = append(words, "adopt "+claim.Place.String())
		}
		for j := range look.Due {
			f := &look.Due[j]
			text := describeFinding(f)
			if f.New {
				text = "*" + text
				m.Told(f, now)
			}
			words = append(words, text)
		}
		if !look.Next.IsZero() {
			words = append(words, "again at "+look.Next.Sub(noon()).String())
		}
		if got := strings.Join(words, ", "); got != s.want {
			t.Errorf("look %d at %s: %s; want: %s", i, s.at, got, s.want)
		}
	}
}

func TestFindingsCountOnceTheyLast(t *testing.T) {
	world := func(ledgerWords, objects string, lines ...string) func(*testing.T) *World {
		return func(t *testing.T) *World {
			t.Helper()
			return makeWorld(t, services(t, lines...), ledgerWords, objects)
		}
	}
	fine := world("", "")
	shared := world(":30080=used", "", "shop/web :30080", "team/api :30080")
	const both = "duplicate 30080 shop/web and team/api, duplicate 30080 team/api and shop/web"
	const newBoth = "*duplicate 30080 shop/web and team/api, *duplicate 30080 team/api and shop/web"
	noObject := world("10.96.0.9=used", " ", "shop/web 10.96.0.9")
	unreadableBlock := func(t *testing.T) *World {
		t.Helper()
		w := makeWorld(t, nil, "", "")
		broken("10.96.0.9", errGarbage())(w)
		return w
	}
	lostBlock := func(t *testing.T) *World {
		t.Helper()
		w := makeWorld(t, services(t, "shop/web 10.96.0.8"), "", "")
		broken("10.96.0.9", fmt.Errorf("block: %w", ledger.ErrLost))(w)
		return w
	}
	tests := map[string][]step{
		"a duplicate is told once, and again after half an hour": {
			{0, shared, "again at 10s"},
			{9 * time.Second, shared, "again at 10s"},
			{10 * time.Second, shared, newBoth},
			{time.Minute, shared, both},
			{30*time.Minute + 9*time.Second, shared, both},
			{30*time.Minute + 10*time.Second, shared, newBoth},
			{31 * time.Minute, shared, both},
		},
		"what goes away was nothing": {
			{0, shared, "again at 10s"},
			{5 * time.Second, fine, ""},
			{10 * time.Second, shared, "again at 20s"},
			{20 * time.Second, shared, newBoth},
			{21 * time.Second, fine, ""},
			{22 * time.Second, shared, "again at 32s"},
		},
		"each has its own time": {
			{0, world("10.96.0.9=used", ""), "again at 10s"},
			{4 * time.Second, world("10.96.0.9=used 10.96.0.8=used", ""), "again at 10s"},
			{10 * time.Second, world("10.96.0.9=used 10.96.0.8=used", ""), "*leak 10.96.0.9, again at 14s"},
			{14 * time.Second, world("10.96.0.8=used", ""), "*leak 10.96.0.8"},
		},
		"the server has its time": {
			{0, noObject, "again at 2m0s"},
			{time.Minute, noObject, "again at 2m0s"},
			{2 * time.Minute, noObject, "*no_object 10.96.0.9 shop/web"},
		},
		"leaked objects too": {
			{0, world("", "10.96.0.9=shop/gone 10.96.0.8=shop/web", "shop/web"), "again at 2m0s"},
			{
				2 * time.Minute, world("", "10.96.0.9=shop/gone 10.96.0.8=shop/web", "shop/web"),
				"*object_not_allocated 10.96.0.9, *object_wrong_reference 10.96.0.8",
			},
		},
		"the earliest time counts": {
			{0, noObject, "again at 2m0s"},
			{time.Minute, world("10.96.0.9=used :30080=used", " ", "shop/web 10.96.0.9"), "again at 1m10s"},
		},
		"a broken block is due at once": {
			{0, unreadableBlock, "*block_broken clusteripv4-10.96.0.0"},
			{time.Second, unreadableBlock, "block_broken clusteripv4-10.96.0.0"},
		},
		"so is one that was seen to be deleted, and nothing else is said of it": {
			{0, world("10.96.0.8=used", "", "shop/web 10.96.0.8"), ""},
			{time.Minute, lostBlock, "*block_lost clusteripv4-10.96.0.0"},
			{61 * time.Second, lostBlock, "block_lost clusteripv4-10.96.0.0"},
		},
		"adoption is quiet and at once": {
			{0, world("", "", "shop/web 10.96.0.9"), "adopt 10.96.0.9"},
			{time.Minute, world("10.96.0.9=used", "", "shop/web 10.96.0.9"), ""},
		},
		"a number that the ledger loses is told": {
			{0, world(":30080=used", "", "shop/web :30080"), ""},
			{time.Minute, world("", "", "shop/web :30080"), "again at 1m10s"},
			{70 * time.Second, world("", "", "shop/web :30080"), "*block_lost nodeport-28672 shop/web, *not_allocated 30080 shop/web"},
			{80 * time.Second, world(":30080=used", "", "shop/web :30080"), ""},
			{90 * time.Second, world("", "", "shop/web :30080"), "again at 1m40s"},
		},
		"a number that was freed with its Service, which is still seen": {
			{0, world(":30080=used", "", "shop/web :30080"), ""},
			{time.Minute, world("", "", "shop/web :30080"), "again at 1m10s"},
			{61 * time.Second, world("", ""), ""},
			{75 * time.Second, world("", "", "shop/api :30080"), "adopt 30080"},
		},
	}
	for name, steps := range tests {
		t.Run(name, func(t *testing.T) { playSteps(t, steps) })
	}
}

// A Service that comes within moments of a look may have the number of another that
// went since: its time of creation, without fractions, is before the look.
func TestANumberThatChangedHandsIsNotLost(t *testing.T) {
	last := noon().Add(700 * time.Millisecond)
	for name, test := range map[string]struct {
		created time.Time
		want    string
	}{
		"made in the second of the look": {noon(), "adopt 30080 shop/next"},
		"made before it":                 {noon().Add(-time.Second), "block_lost nodeport-28672 shop/next; not_allocated 30080 shop/next"},
	} {
		t.Run(name, func(t *testing.T) {
			m := &Memory{}
			m.Look(makeWorld(t, services(t, "shop/last :30080"), ":30080=used", ""), last)
			w := makeWorld(t, services(t, "shop/next :30080"), "", "")
			w.Services[0].Created = test.created
			if got := strings.Join(describe(compare(w, m.past)), "; "); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestFindingsAreToldApart(t *testing.T) {
	base := Finding{Kind: Invalid, Place: place(t, ":30080"), Service: ledger.Owner{UID: "a"}, Object: "o", Detail: "x"}
	others := []Finding{base, base, base, base, base}
	others[0].Kind = OutOfRange
	others[1].Place = place(t, ":30081")
	others[2].Service.UID = "b"
	others[3].Object = "p"
	others[4].Detail = "y"
	for i := range others {
		if others[i].identity() == base.identity() {
			t.Errorf("%+v is the same as %+v", others[i], base)
		}
	}
	// Of a block, that is only how it shows.
	base.Kind = BlockBroken
	again := base
	again.Detail, again.Others, again.New = "y", []ledger.Owner{{UID: "b"}}, true
	again.Place, again.Service = place(t, ":30081"), ledger.Owner{UID: "c"}
	if again.identity() != base.identity() {
		t.Errorf("%+v is not the same as %+v", again, base)
	}
}

func TestToldFindingThatIsGoneIsForgotten(t *testing.T) {
	m := &Memory{}
	m.Told(&Finding{Kind: Leak}, noon())
	if len(m.seen) > 0 {
		t.Errorf("remembers %v", m.seen)
	}
}

func TestLastGoodBlockIsRemembered(t *testing.T) {
	m := &Memory{}
	key := place(t, ":30080").Key
	if m.Last(key) != nil {
		t.Error("a new memory remembers a block")
	}
	good := makeWorld(t, services(t, "shop/web :30080"), ":30080=used", "")
	m.Look(good, noon())
	bad := makeWorld(t, good.Services, "", "")
	broken(":30080", errGarbage())(bad)
	gone := makeWorld(t, good.Services, "", "")
	for i, w := range []*World{bad, bad, gone, gone} {
		m.Look(w, noon().Add(time.Duration(i+1)*time.Minute))
		if m.Last(key) != good.Blocks[key] {
			t.Fatalf("after look %d the last good block is %v", i, m.Last(key))
		}
	}
	// Another finding keeps no older block: only one that has to be restored does.
	dup := makeWorld(t, services(t, "shop/web :30080", "team/api :30080"), ":30080=used :30081=used", "")
	m.Look(dup, noon().Add(30*time.Minute))
	if m.Last(key) != dup.Blocks[key] {
		t.Error("a block with two Services for a number is not remembered")
	}
	// A block that went once all its numbers were free is nothing to remember.
	m.Look(makeWorld(t, nil, "", ""), noon().Add(time.Hour))
	if m.Last(key) != nil {
		t.Error("a block that is gone for good is remembered")
	}
}

// TestBurstTellsNothing lets 1,000 Services come and go, a hundred a second, while
// caches are up to 5 s old, each by itself, and looks all the time.
func TestBurstTellsNothing(t *testing.T) {
	m := &Memory{}
	const burst, life, cleanUp = 1000, 3 * time.Second, time.Second
	rng := rand.New(rand.NewPCG(1, 1))
	age := func() time.Duration { return time.Duration(rng.Int64N(int64(5 * time.Second))) }
	begin := func(i int) time.Duration { return time.Duration(i) * 10 * time.Millisecond }
	for at := time.Duration(0); at < 20*time.Second; at += 250 * time.Millisecond {
		ledgerAge, serviceAge, objectAge := age(), age(), age()
		var lines []string
		var states, objectWords strings.Builder
		for i := range burst {
			port, address := 30100+i, fmt.Sprintf("10.96.%d.%d", 1+i/200, 1+i%200)
			if lives(at-serviceAge, begin(i), life) {
				lines = append(lines, fmt.Sprintf("shop/s%d %s :%d", i, address, port))
			}
			if lives(at-ledgerAge, begin(i), life+cleanUp) {
				fmt.Fprintf(&states, "%s=used :%d=used ", address, port)
			}
			if lives(at-objectAge, begin(i), life+cleanUp/2) {
				fmt.Fprintf(&objectWords, "%s=shop/s%d ", address, i)
			}
		}
		w := makeWorld(t, services(t, lines...), states.String(), objectWords.String()+" ")
		for i := range w.Services {
			w.Services[i].Created = noon()
		}
		if look := m.Look(w, noon().Add(at)); len(look.Due) > 0 {
			t.Fatalf("at %s: %s", at, describeFinding(&look.Due[0]))
		}
	}
}

func lives(at, begin, long time.Duration) bool { return at >= begin && at < begin+long }

func TestInstallationTellsNothing(t *testing.T) {
	var lines []string
	for i := range 10_000 {
		lines = append(lines, fmt.Sprintf("shop/s%d 10.96.%d.%d", i, i/200, 1+i%200))
	}
	look := (&Memory{}).Look(makeWorld(t, services(t, lines...), "", ""), noon())
	if len(look.Adopt) != len(lines) || len(look.Due) > 0 || !look.Next.IsZero() {
		t.Errorf("%d to adopt, %d due, again at %s", len(look.Adopt), len(look.Due), look.Next)
	}
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"maps"
	"slices"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"servicenet.dev/servicenet/internal/ledger"
)

func TestWhatIsGivenBackIsGivenToTheNext(t *testing.T) {
	play(t, 1, nil, func(s *scene) {
		from := cidr(s.T, "10.0.0.0/29") // no spares: a magazine would make it look full
		for i := range 20 {
			place := s.take(s.r[0], from, named("web"))
			s.r[0].GiveBack(named("web").Owner, place)
			if left := len(maps.Collect(s.r[0].Pending("team"))); left > 0 {
				s.Fatalf("round %d: %d numbers are in flight", i, left)
			}
		}
		s.takeNumber(s.r[0], ip("10.0.0.3"), named("web"))
		s.refused(s.r[0], ip("10.0.0.3"), named("other"), ledger.ByRequest)
		s.r[0].GiveBack(named("web").Owner, ip("10.0.0.3"))
		s.takeNumber(s.r[0], ip("10.0.0.3"), named("other"))
	})
}

func TestOnlyItsOwnerGivesANumberBackThatNobodyElseWasGiven(t *testing.T) {
	play(t, 1, nil, func(s *scene) {
		s.takeNumber(s.r[0], ip("10.0.0.3"), named("web"))
		s.r[0].GiveBack(named("other").Owner, ip("10.0.0.3"), ip("10.0.0.9"))
		s.refused(s.r[0], ip("10.0.0.3"), named("other"), ledger.ByRequest)
		s.takeNumber(s.r[0], ip("10.0.0.3"), named("web")) // a second request has it
		s.r[0].GiveBack(named("web").Owner, ip("10.0.0.3"))
		s.refused(s.r[0], ip("10.0.0.3"), named("other"), ledger.ByRequest)

		exists := named("exists")
		exists.Owner.UID = "1"
		repeated := s.take(s.r[0], cidr(s.T, "10.0.1.0/24"), exists)
		if again := s.take(s.r[0], cidr(s.T, "10.0.1.0/24"), exists); again != repeated {
			s.Fatalf("got %s, then %s", repeated, again)
		}
		s.r[0].GiveBack(exists.Owner, repeated)
		s.refused(s.r[0], repeated, named("other"), ledger.ByRequest)

		s.serve("web", 0, ip("10.0.0.3"))
		s.becomes(ip("10.0.0.3"), ledger.Used)
		s.r[0].GiveBack(named("web").Owner, ip("10.0.0.3"))
		s.refused(s.r[0], ip("10.0.0.3"), named("other"), ledger.ByService)
	})
}

func TestARequestWithoutANameMayNameWhatItWasGiven(t *testing.T) {
	play(t, 1, nil, func(s *scene) {
		place := s.take(s.r[0], cidr(s.T, "10.0.0.0/24"), named(""))
		s.takeNumber(s.r[0], place, named(""))
		s.refused(s.r[0], place, named("other"), ledger.ByRequest)
		elsewhere := named("")
		elsewhere.Owner.Namespace = "elsewhere"
		s.refused(s.r[0], place, elsewhere, ledger.ByRequest)
	})
}

func TestARequestWithoutANameMayNameAtAnotherReplicaWhatItWasGiven(t *testing.T) {
	play(t, 2, nil, func(s *scene) {
		from := cidr(s.T, "10.0.0.0/16")
		place, port := s.take(s.r[0], from, named("")), ledger.Port(30080)
		s.takeNumber(s.r[0], port, named(""))
		elsewhere := named("")
		elsewhere.Owner.Namespace = "elsewhere"
		s.refused(s.r[1], place, elsewhere, ledger.ByRequest)
		s.refused(s.r[1], place, named("other"), ledger.ByRequest)
		s.takeNumber(s.r[1], place, named(""))
		s.takeNumber(s.r[1], port, named(""))
		s.refused(s.r[0], place, named("other"), ledger.ByRequest)
		s.serve("web-x7k2p", 0, place, port)
		s.becomes(place, ledger.Used)
		s.becomes(port, ledger.Used)
	})
}

func TestARequestWithoutANameIsRefusedWhatAnotherBecame(t *testing.T) {
	play(t, 2, nil, func(s *scene) {
		place := s.take(s.r[0], cidr(s.T, "10.0.0.0/16"), named(""))
		for _, r := range s.r {
			r.setDeaf(true) // to the Service, and to what becomes of blocks
		}
		s.serve("web-x7k2p", 0, place)
		s.refused(s.r[0], place, named(""), ledger.ByService)
	})
}

func TestWhatIsKeptIsTold(t *testing.T) {
	play(t, 2, nil, func(s *scene) {
		place := s.retain(10 * time.Minute)
		name := named("web").Owner.NamespacedName
		if got := s.r[1].Retained(name); !slices.Equal(got, []Kept{{Place: place}}) {
			s.Errorf("kept are %v, want %s", got, place)
		}
		if got := s.r[1].Retained(named("other").Owner.NamespacedName); len(got) > 0 {
			s.Errorf("another is kept %v", got)
		}
		flying := s.take(s.r[1], cidr(s.T, "10.0.1.0/24"), named("flying"))
		want := map[ledger.Place]types.NamespacedName{place: name, flying: named("flying").Owner.NamespacedName}
		if got := maps.Collect(s.r[1].Pending("team")); !maps.Equal(got, want) {
			s.Errorf("pending are %v, want %v", got, want)
		}
		if got := maps.Collect(s.r[1].Pending("other")); len(got) > 0 {
			s.Errorf("another namespace has %v", got)
		}
	})
}

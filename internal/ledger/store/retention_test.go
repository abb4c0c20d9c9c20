// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"maps"
	"slices"
	"strconv"
	"testing"
	"time"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/allocator"
	"servicenet.dev/servicenet/internal/ledger"
)

// retain makes a Service whose number is kept for a time once it is gone, and
// removes it.
func (s *scene) retain(keep time.Duration) ledger.Place {
	s.Helper()
	place := s.take(s.r[0], cidr(s.T, "10.0.0.0/24"), named("web"))
	s.serve("web", keep, place)
	s.becomes(place, ledger.Used)
	s.drop("web")
	s.becomes(place, ledger.Held)
	time.Sleep(100 * time.Millisecond) // for the watches
	return place
}

func TestRetainedNumberGoesToTheServiceThatHadIt(t *testing.T) {
	play(t, 2, nil, func(s *scene) {
		place := s.retain(10 * time.Minute)
		time.Sleep(5 * time.Minute)
		s.refused(s.r[1], place, named("other"), ledger.ByRetained)
		for i := range 100 {
			if got := s.take(s.r[i%2], cidr(s.T, "10.0.0.0/24"), named(strconv.Itoa(i))); got == place {
				s.Fatalf("%s was given to another", place)
			}
		}
		if got := s.take(s.r[1], cidr(s.T, "10.0.0.0/24"), named("web")); got != place {
			s.Errorf("got %s, want %s", got, place)
		}
		if got := s.take(s.r[1], cidr(s.T, "10.0.0.0/24"), named("web")); got == place {
			s.Errorf("a second request got it too")
		}
	})
}

func TestRetainedNumberMayBeNamed(t *testing.T) {
	play(t, 2, nil, func(s *scene) {
		place := s.retain(10 * time.Minute)
		s.takeNumber(s.r[1], place, named("web"))
	})
}

func TestServiceThatGoesWhileNobodyLeadsKeepsItsNumber(t *testing.T) {
	play(t, 2, nil, func(s *scene) {
		place := s.take(s.r[0], cidr(s.T, "10.0.0.0/24"), named("web"))
		s.serve("web", time.Hour, place)
		s.becomes(place, ledger.Used)
		time.Sleep(time.Second) // for the watches
		s.r[0].kill()
		s.drop("web")
		s.stays(place, ledger.Used, 10*time.Second)
		s.r[1].lead(s.Context())
		if took := s.becomes(place, ledger.Held); took > 2*time.Second {
			s.Errorf("it was held after %s", took)
		}
		time.Sleep(time.Second)
		s.refused(s.r[1], place, named("other"), ledger.ByRetained)
		s.stays(place, ledger.Held, 5*time.Minute)
		s.takeNumber(s.r[1], place, named("web"))
	})
}

func TestNumberThatIsCarriedAgainIsNotReleasedByTheNextLeader(t *testing.T) {
	play(t, 2, nil, func(s *scene) {
		place := s.take(s.r[0], cidr(s.T, "10.0.0.0/24"), named("web"))
		s.serve("web", time.Hour, place)
		s.becomes(place, ledger.Used)
		time.Sleep(time.Second) // for the watches
		s.r[0].kill()
		s.drop("web")
		time.Sleep(time.Second)
		s.serve("other", 0, place)
		time.Sleep(time.Second)
		writes := s.writes(func() {
			s.r[1].lead(s.Context())
			s.stays(place, ledger.Used, 10*time.Second)
		})
		if writes > 0 {
			s.Errorf("%d writes", writes)
		}
	})
}

func TestOtherReplicasForgetWhatTheLeaderHasDone(t *testing.T) {
	play(t, 2, nil, func(s *scene) {
		s.retain(10 * time.Minute)
		for i, r := range s.r {
			r.Store.mu.Lock()
			for _, p := range r.pages {
				if len(p.parted) > 0 {
					s.Errorf("replica %d still remembers %v", i, p.parted)
				}
			}
			r.Store.mu.Unlock()
		}
	})
}

func TestRetentionEnds(t *testing.T) {
	play(t, 1, nil, func(s *scene) {
		place := s.retain(5 * time.Minute)
		s.stays(place, ledger.Held, 4*time.Minute)
		s.becomes(place, ledger.Free)
		s.takeNumber(s.r[0], place, named("other"))
	})
}

func TestNumberIsNobodysOnceItsRetentionIsOver(t *testing.T) {
	play(t, 2, nil, func(s *scene) {
		place := s.retain(5 * time.Minute)
		s.refused(s.r[1], place, named("other"), ledger.ByRetained)
		hold, _ := s.r[1].Blocks()[place.Key].Hold(place.Number)
		time.Sleep(time.Until(hold.Until) + time.Millisecond)
		s.takeNumber(s.r[1], place, named("other"))
		s.takeNumber(s.r[0], place, named("other"))
	})
}

func TestRangeIsNotFullWhoseLastRetentionIsOver(t *testing.T) {
	play(t, 1, nil, func(s *scene) {
		from := cidr(s.T, "10.0.0.0/29")
		for i := range 6 {
			name := strconv.Itoa(i)
			s.serve(name, 5*time.Minute, s.take(s.r[0], from, named(name)))
		}
		time.Sleep(5 * time.Second)
		gone := named("3").Owner.NamespacedName
		place := s.v.services[gone].places[0]
		s.v.drop(gone)
		s.becomes(place, ledger.Held)
		time.Sleep(100 * time.Millisecond) // for the watches
		hold, _ := s.r[0].Blocks()[place.Key].Hold(place.Number)
		time.Sleep(time.Until(hold.Until) + time.Millisecond)
		if got := s.take(s.r[0], from, named("next")); got != place {
			s.Errorf("got %s, want %s", got, place)
		}
	})
}

func TestRetainedNumberStaysKeptIfTheRequestFails(t *testing.T) {
	for name, end := range map[string]func(*scene){
		"refused by others": func(s *scene) { time.Sleep(2 * s.r[1].Timing.InFlight) },
		"the replica dies":  func(s *scene) { s.r[1].kill(); time.Sleep(2 * s.r[0].Timing.Stale) },
	} {
		t.Run(name, func(t *testing.T) {
			play(t, 2, nil, func(s *scene) {
				place := s.retain(time.Hour)
				s.takeNumber(s.r[1], place, named("web"))
				end(s)
				s.refused(s.r[0], place, named("other"), ledger.ByRetained)
				s.takeNumber(s.r[0], place, named("web"))
			})
		})
	}
}

func TestRetainedNumberWaitsForTheServersCleanUp(t *testing.T) {
	play(t, 2, nil, func(s *scene) {
		s.v.letGo = 3 * time.Second
		for range 10 {
			place := s.retain(time.Hour)
			if got := s.take(s.r[1], cidr(s.T, "10.0.0.0/24"), named("web")); got != place {
				s.Fatalf("got %s, want %s", got, place)
			}
			s.serve("web", 0, place)
			s.drop("web")
			s.becomes(place, ledger.Free)
		}
	})
}

func TestRetainedPortsComeBackToWhatTheyWereFor(t *testing.T) {
	play(t, 2, nil, func(s *scene) {
		span, _ := allocator.Ports(30000, 30999)
		from, err := allocator.NewPorts(allocator.PortSpec{Spans: []allocator.PortSpan{span}})
		if err != nil {
			s.Fatal(err)
		}
		take := func(slot string) ledger.Place {
			s.Helper()
			request := named("web")
			request.Slot = slot
			place, err := s.r[1].Take(s.Context(), servicenetv1alpha1.NodePort, from, request)
			if err != nil {
				s.Fatal(err)
			}
			return place
		}
		slots := []string{"http", "https", "metrics", "admin"}
		had := map[string]ledger.Place{}
		for _, slot := range slots {
			had[slot] = take(slot)
		}
		owner := s.serve("web", 0, slices.Collect(maps.Values(had))...)
		time.Sleep(10 * time.Second)
		s.v.mu.Lock()
		delete(s.v.services, owner.NamespacedName)
		s.v.mu.Unlock()
		for slot, place := range had {
			for _, r := range s.r {
				then := ledger.Retention{
					Until: time.Now().Add(time.Hour), For: ledger.SubjectOf(owner.NamespacedName), Slot: ledger.SlotOf(slot),
				}
				r.Dropped(place, owner, then)
			}
		}
		time.Sleep(10 * time.Second)
		for _, slot := range slots {
			if got := take(slot); got != had[slot] {
				s.Errorf("%s got %s, it had %s", slot, got, had[slot])
			}
		}
	})
}

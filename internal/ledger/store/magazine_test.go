// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"errors"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"servicenet.dev/servicenet/internal/ledger"
)

func TestNumbersAreGivenFromMemory(t *testing.T) {
	play(t, 2, nil, func(s *scene) {
		from := cidr(s.T, "10.0.0.0/12")
		given := map[ledger.Place]bool{}
		writes := s.writes(func() {
			for i := range 1000 {
				name := strconv.Itoa(i)
				place := s.take(s.r[i%2], from, named(name))
				if given[place] {
					s.Fatalf("%s was given twice", place)
				}
				given[place] = true
				s.serve(name, 0, place)
			}
			for place := range given {
				s.becomes(place, ledger.Used)
			}
		})
		if writes > 1000/16 {
			s.Errorf("%d writes for 1000 numbers", writes)
		}
	})
}

func TestMagazinesGrowWithDemandAndShrinkWithThePool(t *testing.T) {
	for prefix, want := range map[string]int{"10.0.0.0/26": 0, "10.0.0.0/22": 15, "10.0.0.0/12": 256} {
		t.Run(prefix, func(t *testing.T) {
			play(t, 1, nil, func(s *scene) {
				from := cidr(s.T, prefix)
				most := 0
				for range 50 {
					s.take(s.r[0], from, named(""))
					spares := 0
					s.r[0].mine(func(n *number) {
						if n.state == spare {
							spares++
						}
					})
					most = max(most, spares)
				}
				if want == 0 && most > 0 || most > want {
					s.Errorf("up to %d numbers ahead of need, want at most %d", most, want)
				}
			})
		})
	}
}

func TestReplicaThatStopsGivesItsNumbersBack(t *testing.T) {
	play(t, 2, nil, func(s *scene) {
		from := cidr(s.T, "10.0.0.0/16")
		s.serve("web", 0, s.take(s.r[1], from, named("web")))
		time.Sleep(time.Second)
		s.r[1].stop()
		if lent := s.lent(); len(lent) > 0 {
			s.Errorf("on loan: %v", lent)
		}
		s.v.mu.Lock()
		defer s.v.mu.Unlock()
		if len(s.v.leases) != 1 {
			s.Errorf("%d Leases are left", len(s.v.leases))
		}
	})
}

func TestReplicaThatStopsLooksForServicesThatItDidNotSee(t *testing.T) {
	for name, wait := range map[string]time.Duration{"before": 0, "meanwhile": lastPause + lastPause/2} {
		t.Run(name, func(t *testing.T) {
			play(t, 2, nil, func(s *scene) {
				s.r[1].setDeaf(true)
				place := s.take(s.r[1], cidr(s.T, "10.0.0.0/16"), named("web"))
				other := s.take(s.r[1], cidr(s.T, "10.0.0.0/16"), named("other"))
				time.AfterFunc(wait, func() {
					s.serve("web", 0, place)
					s.serve("thief", 0, other) // past the ledger: the request may still come through
				})
				if wait == 0 {
					time.Sleep(time.Millisecond)
				}
				s.r[1].stop()
				if state := s.state(place); state != ledger.Used {
					s.Errorf("%s is %s", place, state)
				}
				if state := s.state(other); state != ledger.Lent {
					s.Errorf("%s, of another, is %s", other, state)
				}
			})
		})
	}
}

func TestReplicaThatStopsKeepsWhatIsInFlight(t *testing.T) {
	play(t, 2, nil, func(s *scene) {
		place := s.take(s.r[1], cidr(s.T, "10.0.0.0/16"), named("web"))
		s.r[1].stop()
		s.stays(place, ledger.Lent, 30*time.Second)
		s.serve("web", 0, place)
		s.becomes(place, ledger.Used)
	})
}

func TestNumbersOfADeadReplicaAreTakenBack(t *testing.T) {
	play(t, 2, nil, func(s *scene) {
		place := s.take(s.r[1], cidr(s.T, "10.0.0.0/16"), named("web"))
		s.r[1].kill()
		s.stays(place, ledger.Lent, s.r[0].Timing.Stale-10*time.Second)
		s.becomes(place, ledger.Free)
		time.Sleep(15 * time.Second)
		if lent := s.lent()[2]; lent > 0 {
			s.Errorf("%d numbers are still on loan", lent)
		}
		time.Sleep(15 * time.Second)
		s.v.mu.Lock()
		defer s.v.mu.Unlock()
		if len(s.v.leases) != 1 {
			s.Errorf("%d Leases are left", len(s.v.leases))
		}
	})
}

// Clients come ten times by themselves. Some six are enough for a number of a replica that
// died; the others are for when it was the leader.
func TestNumberOfADeadReplicaIsHadByWhoComesAgain(t *testing.T) {
	play(t, 2, nil, func(s *scene) {
		place := s.take(s.r[1], cidr(s.T, "10.0.0.0/16"), named("web"))
		s.r[1].kill()
		err := s.r[0].TakeNumber(s.Context(), place, named("other"))
		for range 6 {
			unavailable := (*ledger.UnavailableError)(nil)
			if !errors.As(err, &unavailable) {
				break
			}
			time.Sleep(unavailable.RetryAfter)
			err = s.r[0].TakeNumber(s.Context(), place, named("other"))
		}
		if err != nil {
			s.Error(err)
		}
	})
}

func TestServiceOfADeadReplicaKeepsItsNumber(t *testing.T) {
	play(t, 2, nil, func(s *scene) {
		place := s.take(s.r[1], cidr(s.T, "10.0.0.0/16"), named("web"))
		s.r[1].kill()
		s.serve("web", 0, place)
		for s.state(place) != ledger.Used {
			if s.state(place) == ledger.Free {
				s.Fatal("it was freed")
			}
			time.Sleep(100 * time.Millisecond)
		}
	})
}

func TestNumberInAnotherMagazineIsHandedOver(t *testing.T) {
	play(t, 2, nil, func(s *scene) {
		s.take(s.r[1], cidr(s.T, "10.0.0.0/16"), named("first"))
		var wanted ledger.Place
		s.r[1].mine(func(n *number) {
			if n.state == spare {
				wanted = n.Place
			}
		})
		begun := time.Now()
		s.takeNumber(s.r[0], wanted, named("web"))
		if took := time.Since(begun); took > time.Second {
			s.Errorf("it took %v", took)
		}
		s.refused(s.r[1], wanted, named("other"), ledger.ByRequest)
	})
}

func TestNumberGivenByAnotherReplicaIsTaken(t *testing.T) {
	play(t, 2, nil, func(s *scene) {
		place := s.take(s.r[1], cidr(s.T, "10.0.0.0/16"), named("web"))
		s.refused(s.r[0], place, named("other"), ledger.ByRequest)
		s.serve("web", 0, place)
		s.becomes(place, ledger.Used)
		s.refused(s.r[0], place, named("other"), ledger.ByService)
	})
}

func TestLoansNeverMakeARangeLookFull(t *testing.T) {
	play(t, 3, nil, func(s *scene) {
		from := cidr(s.T, "10.0.0.0/24")
		// Every replica keeps some ahead, and the first then wants all.
		for _, r := range s.r {
			s.take(r, from, named(""))
		}
		for range 254 - len(s.r) {
			s.take(s.r[0], from, Request{Owner: ledger.Owner{}})
		}
		full := (*ledger.FullError)(nil)
		if place, err := s.r[1].Take(s.Context(), v4, from, named("")); !errors.As(err, &full) {
			s.Errorf("got %s, %v, want: full", place, err)
		}
	})
}

func TestLastNumberIsWaitedForWhileItIsCleared(t *testing.T) {
	play(t, 1, nil, func(s *scene) {
		from := cidr(s.T, "10.0.0.0/29")
		for i := range 6 {
			name := strconv.Itoa(i)
			s.serve(name, 0, s.take(s.r[0], from, named(name)))
		}
		time.Sleep(5 * time.Second)
		s.drop("3")
		time.Sleep(20 * time.Millisecond)
		s.take(s.r[0], from, named("next"))
	})
}

func TestIdleMagazineIsReturned(t *testing.T) {
	play(t, 1, nil, func(s *scene) {
		place := s.take(s.r[0], cidr(s.T, "10.0.0.0/16"), named("web"))
		s.serve("web", 0, place)
		time.Sleep(s.r[0].Timing.Idle + 5*time.Second)
		if lent := s.lent(); len(lent) > 0 {
			s.Errorf("on loan: %v", lent)
		}
	})
}

func TestNothingIsGivenWhileTheLeaseIsNotRenewed(t *testing.T) {
	play(t, 2, nil, func(s *scene) {
		from := cidr(s.T, "10.0.0.0/16")
		s.take(s.r[1], from, named("before"))
		s.r[1].link.set(true)
		time.Sleep(s.r[1].Timing.Distrust + time.Second)
		_, err := s.r[1].Take(s.Context(), v4, from, named("meanwhile"))
		s.unavailable(err)
		s.r[1].link.set(false)
		time.Sleep(10 * time.Second)
		s.take(s.r[1], from, named("after"))
	})
}

// All numbers of a small range but one are on their way back when some are borrowed
// in the same write. That they must be others was found by the model.
func TestNumberIsNotBorrowedByTheWriteThatReturnsIt(t *testing.T) {
	play(t, 1, nil, func(s *scene) {
		r, from := s.r[0], cidr(s.T, "10.0.0.0/28")
		for range 13 {
			s.take(r, from, named(""))
		}
		r.Store.mu.Lock()
		p := r.pages[ip("10.0.0.1").Key]
		p.writing = true // no write begins
		for _, n := range p.mine {
			r.giveBack(n)
		}
		r.Store.mu.Unlock()
		var err error
		var taking sync.WaitGroup
		taking.Go(func() { _, err = r.Take(s.Context(), v4, from, named("web")) })
		synctest.Wait()
		r.Store.mu.Lock()
		p.writing = false
		r.startWriting(p)
		r.Store.mu.Unlock()
		taking.Wait()
		if err != nil {
			s.Error(err)
		}
		time.Sleep(time.Second)
		r.mine(func(n *number) {
			if n.state == leaving {
				s.Errorf("%s is being returned for ever", n)
			}
		})
	})
}

func TestLastNumberIsWaitedForWhileItsServiceGoes(t *testing.T) {
	play(t, 2, nil, func(s *scene) {
		from := cidr(s.T, "10.0.0.0/29")
		for i := range 6 {
			name := strconv.Itoa(i)
			s.serve(name, 0, s.take(s.r[0], from, named(name)))
		}
		time.Sleep(5 * time.Second)
		s.drop("3")
		// The other replica's watch shows it; the leader has not written yet.
		s.v.mu.Lock()
		s.v.slow = 200 * time.Millisecond
		s.v.mu.Unlock()
		time.Sleep(20 * time.Millisecond)
		s.take(s.r[1], from, named("next"))
	})
}

func TestNumberOfAForeignObjectIsPassedOver(t *testing.T) {
	play(t, 2, nil, func(s *scene) {
		from := cidr(s.T, "10.0.0.0/29")
		// One that no replica has on loan, and one that is in a magazine.
		s.v.park(ip("10.0.0.3"))
		time.Sleep(time.Second)
		for i := range 5 {
			if place := s.take(s.r[i%2], from, named("")); place == ip("10.0.0.3") {
				s.Errorf("%s was given", place)
			}
		}
		full := (*ledger.FullError)(nil)
		if place, err := s.r[0].Take(s.Context(), v4, from, named("")); !errors.As(err, &full) {
			s.Errorf("got %s, %v, want: full", place, err)
		}
		time.Sleep(5 * time.Second)
		if looks := s.looks(func() { time.Sleep(30 * time.Second) }); looks > 0 {
			s.Errorf("the server was asked %d times about an object that is shown to exist", looks)
		}
		s.v.unpark(ip("10.0.0.3"))
		s.becomes(ip("10.0.0.3"), ledger.Free)
	})
}

func TestNumberInAMagazineThatAForeignObjectTakesIsPassedOver(t *testing.T) {
	play(t, 1, nil, func(s *scene) {
		from := cidr(s.T, "10.0.0.0/22")
		s.take(s.r[0], from, named(""))
		var spares []ledger.Place
		s.r[0].mine(func(n *number) {
			if n.state == spare {
				spares = append(spares, n.Place)
			}
		})
		for _, place := range spares {
			s.v.park(place)
		}
		time.Sleep(time.Second)
		s.refused(s.r[0], spares[0], named("web"), ledger.ByObject)
		for range 20 {
			if place := s.take(s.r[0], from, named("")); slices.Contains(spares, place) {
				s.Errorf("%s was given", place)
			}
		}
		for _, place := range spares {
			s.becomes(place, ledger.Held)
		}
	})
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/ledger"
)

func TestBlockIsMadeOnFirstUseAndRemovedWhenEmpty(t *testing.T) {
	play(t, 1, nil, func(s *scene) {
		s.takeNumber(s.r[0], ip("10.0.0.9"), named("web"))
		s.serve("web", 0, ip("10.0.0.9"))
		s.becomes(ip("10.0.0.9"), ledger.Used)
		s.v.mu.Lock()
		object := s.v.blocks["clusteripv4-10.0.0.0"]
		s.v.mu.Unlock()
		if object == nil || object.First != "10.0.0.0" || object.Family != v4 || object.Summary.Used != 1 {
			s.Fatalf("the block is %+v", object)
		}
		s.drop("web")
		s.becomes(ip("10.0.0.9"), ledger.Free)
		time.Sleep(time.Second) // it is written empty before it is deleted
		s.v.mu.Lock()
		defer s.v.mu.Unlock()
		if len(s.v.blocks) > 0 {
			s.Errorf("%d blocks are left", len(s.v.blocks))
		}
	})
}

func TestCallersThatWaitTogetherShareWrites(t *testing.T) {
	play(t, 1, nil, func(s *scene) {
		writes := s.writes(func() {
			var callers sync.WaitGroup
			for i := range 64 {
				callers.Go(func() {
					s.takeNumber(s.r[0], ip(fmt.Sprintf("10.0.0.%d", i+1)), named(strconv.Itoa(i)))
				})
			}
			callers.Wait()
		})
		if writes > 8 {
			s.Errorf("%d writes for 64 numbers", writes)
		}
	})
}

func TestConflictsAreUnseen(t *testing.T) {
	play(t, 3, nil, func(s *scene) {
		var callers sync.WaitGroup
		for i := range 60 {
			callers.Go(func() {
				s.takeNumber(s.r[i%3], ip(fmt.Sprintf("10.0.0.%d", i+1)), named(strconv.Itoa(i)))
			})
		}
		callers.Wait()
		for i := range 60 {
			if got := s.state(ip(fmt.Sprintf("10.0.0.%d", i+1))); got != ledger.Lent {
				s.Errorf("10.0.0.%d is %s", i+1, got)
			}
		}
	})
}

func TestNumberIsGivenToOneOfManyCallers(t *testing.T) {
	play(t, 3, nil, func(s *scene) {
		var callers sync.WaitGroup
		var mu sync.Mutex
		given := 0
		for i := range 30 {
			callers.Go(func() {
				err := s.r[i%3].TakeNumber(s.Context(), ip("10.0.0.7"), named(strconv.Itoa(i)))
				mu.Lock()
				defer mu.Unlock()
				if taken := (*ledger.TakenError)(nil); err == nil {
					given++
				} else if !errors.As(err, &taken) {
					s.Errorf("caller %d: %v", i, err)
				}
			})
		}
		callers.Wait()
		if given != 1 {
			s.Errorf("%d callers were given it", given)
		}
	})
}

func TestRequestThatIsRepeatedGetsTheSameNumber(t *testing.T) {
	play(t, 2, nil, func(s *scene) {
		from := cidr(s.T, "10.0.0.0/16")
		update := Request{Owner: ledger.Owner{NamespacedName: named("web").Owner.NamespacedName, UID: "u"}, Slot: "http"}
		first := s.take(s.r[0], from, update)
		if again := s.take(s.r[0], from, update); again != first {
			s.Errorf("an update got %s, and then %s", first, again)
		}
		other := update
		other.Slot = "https"
		if got := s.take(s.r[0], from, other); got == first {
			s.Errorf("another port got the same number")
		}
		other.Owner.UID = "v"
		if got := s.take(s.r[0], from, other); got == first {
			s.Errorf("another Service got the same number")
		}
		a, b := s.take(s.r[0], from, named("new")), s.take(s.r[0], from, named("new"))
		if a == b {
			s.Errorf("two requests to create a Service got the same number")
		}
	})
}

func TestReinvocationMayNameItsNumberAtAnyReplica(t *testing.T) {
	play(t, 2, nil, func(s *scene) {
		place := s.take(s.r[0], cidr(s.T, "10.0.0.0/16"), named("web"))
		s.takeNumber(s.r[0], place, named("web"))
		s.takeNumber(s.r[1], place, named("web"))
		s.refused(s.r[0], place, named("other"), ledger.ByRequest)
		s.serve("web", 0, place)
		s.becomes(place, ledger.Used)
		s.takeNumber(s.r[0], place, named("web"))
	})
}

func TestNumberThatNobodyUsedIsSpareAgain(t *testing.T) {
	play(t, 1, nil, func(s *scene) {
		place := s.take(s.r[0], cidr(s.T, "10.0.0.0/16"), named("web"))
		time.Sleep(s.r[0].Timing.InFlight - 5*time.Second)
		s.refused(s.r[0], place, named("other"), ledger.ByRequest)
		time.Sleep(10 * time.Second)
		s.takeNumber(s.r[0], place, named("other"))
	})
}

func TestNumberWhoseServiceTheWatchDoesNotShowIsKept(t *testing.T) {
	play(t, 1, nil, func(s *scene) {
		place := s.take(s.r[0], cidr(s.T, "10.0.0.0/16"), named("web"))
		s.r[0].setDeaf(true)
		s.serve("web", 0, place)
		time.Sleep(s.r[0].Timing.InFlight + 5*time.Second)
		s.refused(s.r[0], place, named("other"), ledger.ByService)
		s.r[0].setDeaf(false)
		s.becomes(place, ledger.Used)
	})
}

func TestNamespaceIsBoundedInFlight(t *testing.T) {
	play(t, 1, func(o *Options) { o.InFlightPerNamespace = 3 }, func(s *scene) {
		from := cidr(s.T, "10.0.0.0/16")
		place := s.take(s.r[0], from, named("a"))
		s.take(s.r[0], from, named("b"))
		s.take(s.r[0], from, named("c"))
		_, err := s.r[0].Take(s.Context(), v4, from, named("d"))
		s.unavailable(err)
		s.unavailable(s.r[0].TakeNumber(s.Context(), ip("10.0.1.1"), named("d")))
		other := named("d")
		other.Owner.Namespace = "other"
		s.take(s.r[0], from, other)
		s.serve("a", 0, place)
		time.Sleep(time.Second)
		s.take(s.r[0], from, named("d"))
	})
}

func TestForeignObjectCountsAsTaken(t *testing.T) {
	play(t, 1, nil, func(s *scene) {
		s.v.park(ip("10.0.0.9"))
		time.Sleep(time.Second)
		s.refused(s.r[0], ip("10.0.0.9"), named("web"), ledger.ByObject)
	})
}

func TestNumberIsNotFreeUntilTheServerLetsGoOfIt(t *testing.T) {
	play(t, 1, nil, func(s *scene) {
		s.v.letGo = 30 * time.Second
		place := s.take(s.r[0], cidr(s.T, "10.0.0.0/16"), named("web"))
		s.serve("web", 0, place)
		s.becomes(place, ledger.Used)
		s.drop("web")
		for s.state(place) != ledger.Free {
			time.Sleep(10 * time.Millisecond)
		}
		s.v.mu.Lock()
		defer s.v.mu.Unlock()
		if by, allocated := s.v.allocated[place]; allocated {
			s.Errorf("%s was freed while the server had it for %s", place, by)
		}
	})
}

func TestNumberInCleanUpIsWaitedFor(t *testing.T) {
	play(t, 2, nil, func(s *scene) {
		s.v.letGo = 4 * time.Second
		for i, r := range []*replica{s.r[0], s.r[1], s.r[0]} {
			s.takeNumber(r, ip("10.0.0.9"), named("web"))
			s.serve("web", 0, ip("10.0.0.9"))
			time.Sleep(time.Duration(i) * 2 * time.Second)
			s.drop("web")
		}
		s.v.letGo = time.Hour
		s.takeNumber(s.r[0], ip("10.0.0.9"), named("web"))
		s.serve("web", 0, ip("10.0.0.9"))
		s.drop("web")
		begun := time.Now()
		s.unavailable(s.r[0].TakeNumber(s.Context(), ip("10.0.0.9"), named("web")))
		if waited := time.Since(begun); waited > s.r[0].Timing.Patience+time.Second {
			s.Errorf("a caller waited for %v", waited)
		}
	})
}

func TestPortIsInQuarantine(t *testing.T) {
	play(t, 1, nil, func(s *scene) {
		port := ledger.Port(30123)
		s.takeNumber(s.r[0], port, named("web"))
		s.serve("web", 0, port)
		s.becomes(port, ledger.Used)
		s.drop("web")
		s.becomes(port, ledger.Held)
		s.stays(port, ledger.Held, s.r[0].Timing.Quarantine-time.Second)
		s.becomes(port, ledger.Free)
	})
}

func TestPortThatIsAskedForIsGivenOnceTheServerHasReleasedIt(t *testing.T) {
	play(t, 1, nil, func(s *scene) {
		port := ledger.Port(30123)
		s.takeNumber(s.r[0], port, named("web"))
		s.serve("web", 0, port)
		s.becomes(port, ledger.Used)
		s.drop("web")
		begun := time.Now()
		s.takeNumber(s.r[0], port, named("web"))
		if took := time.Since(begun); took < s.r[0].Timing.Release || took > 2*s.r[0].Timing.Release {
			s.Errorf("it took %v", took)
		}
		s.serve("web", 0, port)
	})
}

func TestNumberIsGivenRightAfterItsServiceIsDeleted(t *testing.T) {
	play(t, 1, nil, func(s *scene) {
		for _, seen := range []time.Duration{0, 100 * time.Millisecond, 10 * time.Second} {
			s.takeNumber(s.r[0], ip("10.0.0.7"), named("old"))
			s.serve("old", 0, ip("10.0.0.7"))
			time.Sleep(seen)
			s.drop("old")
			s.takeNumber(s.r[0], ip("10.0.0.7"), named("new"))
			s.serve("new", 0, ip("10.0.0.7"))
			s.drop("new")
		}
	})
}

func TestRangeIsNotFullAfterItsServicesAreDeleted(t *testing.T) {
	play(t, 1, nil, func(s *scene) {
		for i := range 8 {
			s.serve(strconv.Itoa(i), 0, s.take(s.r[0], cidr(s.T, "10.0.0.0/30"), named(strconv.Itoa(i))))
			time.Sleep(100 * time.Millisecond)
			s.drop(strconv.Itoa(i))
			time.Sleep(5 * time.Second)
		}
	})
}

func TestNumberThatNobodyHoldsIsGiven(t *testing.T) {
	play(t, 1, nil, func(s *scene) {
		s.takeNumber(s.r[0], ip("10.0.0.9"), named("web"))
		s.serve("web", 0, ip("10.0.0.9"))
		s.becomes(ip("10.0.0.9"), ledger.Used)
		// The Service goes while nobody looks, and its number with it.
		s.r[0].setDeaf(true)
		s.drop("web")
		s.takeNumber(s.r[0], ip("10.0.0.9"), named("other"))
	})
}

func TestServicesFromBeforeAreAdopted(t *testing.T) {
	play(t, 1, nil, func(s *scene) {
		s.r[0].kill()
		var places []ledger.Place
		for i := range 200 {
			place := ip(fmt.Sprintf("10.0.0.%d", i+1))
			s.serve(strconv.Itoa(i), 0, place)
			places = append(places, place)
		}
		writes := s.writes(func() {
			s.r[0] = s.v.start(s.Context(), 7, 0, nil)
			s.r[0].lead(s.Context())
			for _, place := range places {
				s.becomes(place, ledger.Used)
			}
		})
		if writes > 20 {
			s.Errorf("%d writes to adopt %d Services", writes, len(places))
		}
	})
}

func TestRestAddsNoWrites(t *testing.T) {
	play(t, 3, nil, func(s *scene) {
		from := cidr(s.T, "10.0.0.0/16")
		for i := range 30 {
			name := strconv.Itoa(i)
			s.serve(name, 0, s.take(s.r[i%3], from, named(name)))
		}
		time.Sleep(10 * time.Second)
		if writes := s.writes(func() { time.Sleep(4 * time.Minute) }); writes > 0 {
			s.Errorf("%d writes at rest", writes)
		}
	})
}

func TestStorageFailureIsNoRefusal(t *testing.T) {
	play(t, 1, nil, func(s *scene) {
		s.r[0].link.set(true)
		_, err := s.r[0].Take(s.Context(), v4, cidr(s.T, "10.0.0.0/16"), named("web"))
		s.unavailable(err)
		s.unavailable(s.r[0].TakeNumber(s.Context(), ip("10.0.0.9"), named("web")))
		s.r[0].link.set(false)
		s.v.mu.Lock()
		s.v.slow = 20 * time.Second
		s.v.mu.Unlock()
		ctx, cancel := context.WithTimeout(s.Context(), 3*time.Second)
		defer cancel()
		begun := time.Now()
		s.unavailable(s.r[0].TakeNumber(ctx, ip("10.0.0.10"), named("web")))
		if waited := time.Since(begun); waited > 3*time.Second {
			s.Errorf("a caller waited for %v", waited)
		}
	})
}

// refusing is a server that refuses blocks to be written.
type refusing struct {
	Client
	tries *int
}

func (r refusing) Create(ctx context.Context, object client.Object, options ...client.CreateOption) error {
	if _, is := object.(*servicenetv1alpha1.AllocationBlock); is {
		*r.tries++
		return errLost
	}
	return r.Client.Create(ctx, object, options...)
}

func TestServerThatRefusesWritesIsAskedLessAndLessOften(t *testing.T) {
	tries := 0
	play(t, 1, func(o *Options) { o.Client = refusing{o.Client, &tries} }, func(s *scene) {
		ctx, cancel := context.WithTimeout(s.Context(), time.Minute)
		defer cancel()
		s.unavailable(s.r[0].TakeNumber(ctx, ip("10.0.0.9"), named("web")))
		if tries < 10 || tries > 70 {
			s.Errorf("%d tries in a minute", tries)
		}
	})
}

func TestBlockThatCannotBeReadIsLeftAlone(t *testing.T) {
	play(t, 1, nil, func(s *scene) {
		s.takeNumber(s.r[0], ip("10.0.0.9"), named("web"))
		s.v.mu.Lock()
		object := s.v.blocks["clusteripv4-10.0.0.0"].DeepCopy()
		object.Data = []byte("rubbish")
		object.ResourceVersion = s.v.next()
		s.v.blocks[object.Name] = object
		s.v.mu.Unlock()
		s.r[0].BlockSeen(object)
		s.unavailable(s.r[0].TakeNumber(s.Context(), ip("10.0.0.10"), named("other")))
		_, err := s.r[0].Take(s.Context(), v4, cidr(s.T, "10.0.0.0/24"), named("other"))
		s.unavailable(err)
		// What lies in other blocks can be had.
		for range 20 {
			if place := s.take(s.r[0], cidr(s.T, "10.0.0.0/16"), named("")); place.Key == ip("10.0.0.9").Key {
				s.Errorf("got %s", place)
			}
		}
		s.v.mu.Lock()
		defer s.v.mu.Unlock()
		if got := s.v.blocks[object.Name].ResourceVersion; got != object.ResourceVersion {
			s.Error("it was written")
		}
		s.v.blocks = nil
	})
}

// crowd counts how many writes of blocks are under way at a time.
type crowd struct {
	Client
	mu        sync.Mutex
	now, most int
}

func (c *crowd) Create(ctx context.Context, object client.Object, options ...client.CreateOption) error {
	c.mu.Lock()
	c.now++
	c.most = max(c.most, c.now)
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.now--
	}()
	return c.Client.Create(ctx, object, options...)
}

func TestFewBlocksAreWrittenAtATime(t *testing.T) {
	c := &crowd{}
	adjust := func(o *Options) {
		c.Client = o.Client
		o.Client = c
	}
	play(t, 1, adjust, func(s *scene) {
		var callers sync.WaitGroup
		for i := range 64 {
			callers.Go(func() { s.takeNumber(s.r[0], ip(fmt.Sprintf("10.0.%d.7", 16*(i%16))), named(strconv.Itoa(i%16))) })
		}
		callers.Wait()
		if c.most != mostWriters {
			s.Errorf("%d blocks were written at a time, want %d", c.most, mostWriters)
		}
	})
}

func TestNumberInFlightAtAnotherReplicaIsWaitedForWhileItsServiceComesAndGoes(t *testing.T) {
	play(t, 2, nil, func(s *scene) {
		place := s.take(s.r[1], cidr(s.T, "10.0.0.0/16"), named("old"))
		s.r[1].setBlind(true)
		s.serve("old", 0, place)
		s.drop("old")
		time.AfterFunc(time.Second, func() { s.r[1].setBlind(false) })
		s.takeNumber(s.r[0], place, named("new"))
	})
}

func TestNumberWhoseServiceAnotherReplicaHasSeenIsRefusedAtOnce(t *testing.T) {
	play(t, 2, nil, func(s *scene) {
		place := s.take(s.r[1], cidr(s.T, "10.0.0.0/16"), named("web"))
		s.serve("web", 0, place)
		time.Sleep(100 * time.Millisecond)
		begun := time.Now()
		s.refused(s.r[0], place, named("other"), ledger.ByService)
		if took := time.Since(begun); took > s.r[1].Timing.Settle/2 {
			s.Errorf("it took %v", took)
		}
	})
}

func TestConfirmationsGoAlongWithOtherWrites(t *testing.T) {
	play(t, 1, nil, func(s *scene) {
		const count = 100
		writes := s.writes(func() {
			for i := range count {
				place := ip(fmt.Sprintf("10.0.0.%d", i+1))
				s.takeNumber(s.r[0], place, named(strconv.Itoa(i)))
				s.serve(strconv.Itoa(i), 0, place)
			}
		})
		if writes > count {
			s.Errorf("%d writes to take %d numbers", writes, count)
		}
	})
}

func TestConfirmationsShareWrites(t *testing.T) {
	play(t, 1, nil, func(s *scene) {
		from := cidr(s.T, "10.0.0.0/20")
		var places []ledger.Place
		for i := range 100 {
			places = append(places, s.take(s.r[0], from, named(strconv.Itoa(i))))
		}
		writes := s.writes(func() {
			for i, place := range places {
				s.serve(strconv.Itoa(i), 0, place)
				time.Sleep(20 * time.Millisecond)
			}
			for _, place := range places {
				s.becomes(place, ledger.Used)
			}
		})
		if writes > 3 {
			s.Errorf("%d writes to settle %d numbers", writes, len(places))
		}
	})
}

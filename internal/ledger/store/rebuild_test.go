// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strconv"
	"testing"
	"time"

	"k8s.io/client-go/tools/cache"

	"servicenet.dev/servicenet/internal/allocator"
	"servicenet.dev/servicenet/internal/bitmap"
	"servicenet.dev/servicenet/internal/ledger"
	"servicenet.dev/servicenet/internal/repair"
)

// spoil writes something else into the block of a number, and waits until all
// replicas have seen it.
func (s *scene) spoil(place ledger.Place, data []byte) {
	s.v.spoil(place.Key.String(), data)
	time.Sleep(100 * time.Millisecond)
}

// wipe deletes the block of a number, as above.
func (s *scene) wipe(place ledger.Place) {
	s.v.wipe(place.Key.String())
	time.Sleep(100 * time.Millisecond)
}

// rebuild rebuilds a block as the repair loop does.
func (s *scene) rebuild(key ledger.Key, last *ledger.Block) error {
	s.Helper()
	carried := bitmap.New(allocator.BlockSize)
	s.v.mu.Lock()
	for _, service := range s.v.services {
		for _, place := range service.places {
			if place.Key == key {
				carried.Take(place.Number)
			}
		}
	}
	s.v.mu.Unlock()
	err := s.r[0].Rebuild(s.Context(), key, func(b *ledger.Block, absent ledger.Holder) {
		repair.Restore(b, last, carried, absent)
	})
	time.Sleep(100 * time.Millisecond)
	return err
}

func TestBrokenBlockIsRebuilt(t *testing.T) {
	play(t, 2, nil, func(s *scene) {
		of := cidr(s.T, "10.0.0.0/24")
		used, flying, lost := s.take(s.r[0], of, named("used")), s.take(s.r[1], of, named("flying")), s.take(s.r[1], of, named("lost"))
		s.serve("used", 0, used)
		s.becomes(used, ledger.Used)
		retained := s.retain(time.Hour)
		last := s.r[0].Blocks()[used.Key]

		s.spoil(used, []byte("garbage"))
		broken := s.r[0].Broken()
		if len(broken) != 1 || broken[used.Key] == nil {
			s.Fatalf("broken: %v", broken)
		}
		_, err := s.r[1].Take(s.Context(), v4, of, named("early"))
		s.unavailable(err)
		if err := s.rebuild(used.Key, last); err != nil {
			s.Fatal(err)
		}
		if broken := s.r[1].Broken(); len(broken) > 0 {
			s.Errorf("still broken: %v", broken)
		}
		if got := s.state(used); got != ledger.Used {
			s.Errorf("the number of a Service is %s", got)
		}

		// Whatever was in flight is given to nobody.
		for _, place := range []ledger.Place{flying, lost, ip("10.0.0.77")} {
			s.unavailable(s.r[1].TakeNumber(s.Context(), place, named("thief")))
		}
		s.refused(s.r[1], retained, named("thief"), ledger.ByRetained)
		_, err = s.r[0].Take(s.Context(), v4, of, named("soon"))
		s.unavailable(err)
		s.serve("flying", 0, flying)

		// Later all is as it was.
		s.becomes(flying, ledger.Used)
		s.becomes(lost, ledger.Free)
		s.becomes(ip("10.0.0.77"), ledger.Free)
		s.stays(retained, ledger.Held, time.Minute)
		s.refused(s.r[1], retained, named("thief"), ledger.ByRetained)
		if got := s.take(s.r[1], of, named("web")); got != retained {
			s.Errorf("got %s, %s was kept", got, retained)
		}
		s.stays(used, ledger.Used, time.Minute)
	})
}

func TestNothingInFlightIsFreedBeforeItsTime(t *testing.T) {
	play(t, 2, nil, func(s *scene) {
		flying := s.take(s.r[1], cidr(s.T, "10.0.0.0/24"), named("flying"))
		s.spoil(flying, nil)
		if err := s.rebuild(flying.Key, nil); err != nil {
			s.Fatal(err)
		}
		s.stays(flying, ledger.Lent, s.r[0].Timing.Stale)
		if took := s.becomes(flying, ledger.Free); took > s.r[0].Timing.Stale {
			s.Errorf("it was free %v after it could be", took)
		}
		s.takeNumber(s.r[1], flying, named("other"))
	})
}

func TestDeletedBlockIsRebuilt(t *testing.T) {
	play(t, 2, nil, func(s *scene) {
		of := cidr(s.T, "10.0.0.0/24")
		used, flying := s.take(s.r[0], of, named("used")), s.take(s.r[1], of, named("flying"))
		s.serve("used", 0, used)
		s.becomes(used, ledger.Used)
		s.wipe(used)
		if got := s.state(used); got != ledger.Free {
			s.Fatalf("the deleted block has the number %s", got)
		}
		if err := s.rebuild(used.Key, nil); err != nil {
			s.Fatal(err)
		}
		if s.state(used) != ledger.Used || s.state(flying) != ledger.Lent {
			s.Errorf("the rebuilt block has %s and %s", s.state(used), s.state(flying))
		}
		s.unavailable(s.r[1].TakeNumber(s.Context(), flying, named("thief")))
	})
}

func TestBlockThatIsDeletedWithNothingButLoansIsLost(t *testing.T) {
	play(t, 2, nil, func(s *scene) {
		of := cidr(s.T, "10.0.0.0/24")
		flying := s.take(s.r[1], of, named("flying"))
		s.wipe(flying)
		for i, r := range s.r {
			if err := r.Broken()[flying.Key]; !errors.Is(err, ledger.ErrLost) {
				s.Errorf("replica %d: broken with %v", i, err)
			}
			s.unavailable(r.TakeNumber(s.Context(), flying, named("thief")))
		}
		if err := s.rebuild(flying.Key, nil); err != nil {
			s.Fatal(err)
		}
		if len(s.r[0].Broken())+len(s.r[1].Broken()) > 0 {
			s.Errorf("still broken: %v, %v", s.r[0].Broken(), s.r[1].Broken())
		}
		s.unavailable(s.r[0].TakeNumber(s.Context(), flying, named("thief")))
		s.serve("flying", 0, flying)
		s.becomes(flying, ledger.Used)
		s.takeNumber(s.r[0], ip("10.0.0.99"), named("other"))
	})
}

func TestLostBlockIsUsedAgainWithoutALeader(t *testing.T) {
	play(t, 2, nil, func(s *scene) {
		flying := s.take(s.r[1], cidr(s.T, "10.0.0.0/24"), named("flying"))
		s.r[0].stopCollect()
		s.wipe(flying)
		time.Sleep(s.r[1].Timing.Stale - time.Second)
		s.unavailable(s.r[1].TakeNumber(s.Context(), flying, named("thief")))
		time.Sleep(3 * time.Second)
		s.takeNumber(s.r[1], flying, named("other"))
	})
}

func TestBlockThatIsEmptyGoesWithoutAWord(t *testing.T) {
	play(t, 2, nil, func(s *scene) {
		place := ip("10.0.0.9")
		s.takeNumber(s.r[0], place, named("web"))
		s.serve("web", 0, place)
		s.becomes(place, ledger.Used)
		s.drop("web")
		s.becomes(place, ledger.Free)
		time.Sleep(time.Second)
		s.v.mu.Lock()
		left := len(s.v.blocks)
		s.v.mu.Unlock()
		if left > 0 || len(s.r[0].Broken())+len(s.r[1].Broken()) > 0 {
			s.Errorf("%d blocks are left, broken: %v, %v", left, s.r[0].Broken(), s.r[1].Broken())
		}
	})
}

func TestBlockOfWhichNobodySawTheEndIsNotLost(t *testing.T) {
	play(t, 1, nil, func(s *scene) {
		place := s.take(s.r[0], cidr(s.T, "10.0.0.0/24"), named("web"))
		s.v.mu.Lock()
		object := s.v.blocks[place.Key.String()].DeepCopy()
		s.v.mu.Unlock()
		s.r[0].Feed().OnDelete(cache.DeletedFinalStateUnknown{Key: object.Name, Obj: object})
		if broken := s.r[0].Broken(); len(broken) > 0 {
			s.Errorf("broken: %v", broken)
		}
	})
}

func TestLateNewsOfADeletionIsNoLoss(t *testing.T) {
	play(t, 1, nil, func(s *scene) {
		place := s.take(s.r[0], cidr(s.T, "10.0.0.0/24"), named("web"))
		s.v.mu.Lock()
		earlier := s.v.blocks[place.Key.String()].DeepCopy()
		s.v.mu.Unlock()
		earlier.UID = "of an earlier one"
		s.r[0].BlockGone(earlier)
		if broken := s.r[0].Broken(); len(broken) > 0 {
			s.Errorf("broken: %v", broken)
		}
	})
}

func TestReplicaThatStopsLeavesNoEmptyBlock(t *testing.T) {
	play(t, 1, nil, func(s *scene) {
		place := s.take(s.r[0], cidr(s.T, "10.0.0.0/24"), named("web"))
		s.serve("web", 0, place)
		s.becomes(place, ledger.Used)
		s.drop("web")
		s.becomes(place, ledger.Free)
		if len(s.lent()) == 0 {
			s.Fatal("nothing is on loan")
		}
		s.r[0].stop()
		s.v.mu.Lock()
		defer s.v.mu.Unlock()
		if len(s.v.blocks) > 0 {
			s.Errorf("%d blocks are left", len(s.v.blocks))
		}
	})
}

func TestBlockOfANewerReleaseIsLeftAlone(t *testing.T) {
	play(t, 1, nil, func(s *scene) {
		used := s.take(s.r[0], cidr(s.T, "10.0.0.0/24"), named("used"))
		// Version 9, which says that releases older than itself can't read it.
		s.spoil(used, []byte{9, 9, 0x12, 0x11, 0xc7, 0xe9})
		if err := s.r[0].Broken()[used.Key]; !errors.Is(err, ledger.ErrNewer) {
			s.Fatalf("read with %v", err)
		}
		writes := s.writes(func() {
			if err := s.rebuild(used.Key, nil); !errors.Is(err, ledger.ErrNewer) {
				s.Errorf("rebuilt with %v", err)
			}
		})
		if writes > 0 {
			s.Errorf("it was written %d times", writes)
		}
	})
}

func TestBlockThatWasMendedMeanwhileIsLeftAlone(t *testing.T) {
	play(t, 1, nil, func(s *scene) {
		used := s.take(s.r[0], cidr(s.T, "10.0.0.0/24"), named("used"))
		s.r[0].setDeaf(true)
		s.spoil(used, nil)
		s.r[0].setDeaf(false)
		time.Sleep(time.Second)
		s.r[0].setDeaf(true)
		good, err := ledger.NewBlock(7).Encode()
		if err != nil {
			s.Fatal(err)
		}
		s.spoil(used, good)
		writes := s.writes(func() {
			if err := s.rebuild(used.Key, nil); !contended(err) {
				s.Errorf("rebuilt with %v", err)
			}
		})
		if writes > 0 {
			s.Errorf("it was written %d times", writes)
		}
	})
}

func TestRebuildFailsWhileTheServerIsAway(t *testing.T) {
	play(t, 1, nil, func(s *scene) {
		used := ledger.Address(v4, netip.MustParseAddr("10.0.0.9"))
		s.takeNumber(s.r[0], used, named("used"))
		s.spoil(used, nil)
		s.r[0].link.set(true)
		if err := s.rebuild(used.Key, nil); !errors.Is(err, errLost) {
			s.Errorf("rebuilt with %v", err)
		}
		s.r[0].link.set(false)
		if err := s.rebuild(used.Key, nil); err != nil {
			s.Errorf("rebuilt with %v", err)
		}
	})
}

func TestRebuildOfALostBlockKeepsNobodyWaiting(t *testing.T) {
	play(t, 1, nil, func(s *scene) {
		used := ledger.Address(v4, netip.MustParseAddr("10.0.0.9"))
		s.takeNumber(s.r[0], used, named("used"))
		s.serve("used", 0, used)
		s.becomes(used, ledger.Used)
		s.wipe(used)
		s.r[0].link.set(true)
		ctx, cancel := context.WithTimeout(s.Context(), time.Hour)
		defer cancel()
		begun := time.Now()
		err := s.r[0].Rebuild(ctx, used.Key, func(b *ledger.Block, _ ledger.Holder) { b.Adopt(used.Number) })
		if !errors.Is(err, errLost) {
			s.Errorf("rebuilt with %v", err)
		}
		if waited := time.Since(begun); waited > s.r[0].Timing.Call {
			s.Errorf("waited for %s", waited)
		}
		s.r[0].link.set(false)
	})
}

// A block that can be read but not written is tried about once a second.
func TestBlockThatMayNotBeWrittenIsTriedInPeace(t *testing.T) {
	play(t, 1, nil, func(s *scene) {
		used := ledger.Address(v4, netip.MustParseAddr("10.0.0.9"))
		s.takeNumber(s.r[0], used, named("used"))
		s.serve("used", 0, used)
		s.becomes(used, ledger.Used)
		s.v.refuse(used.Key.String())
		s.drop("used")
		time.Sleep(time.Minute)
		s.v.mu.Lock()
		refusals := s.v.refusals
		s.v.mu.Unlock()
		if refusals < 30 || refusals > 70 {
			s.Errorf("tried %d times within a minute", refusals)
		}
		s.v.refuse("")
		s.becomes(used, ledger.Free)
	})
}

// flight is a number that was given and whose Service is still to be made.
type flight struct {
	place ledger.Place
	name  string
	due   time.Time
}

// TestNothingIsGivenTwiceWhileBlocksBreak makes Services some time after they were
// given numbers, as long as a request can live, and removes them, while the block
// breaks again and again, and is rebuilt some time later.
func TestNothingIsGivenTwiceWhileBlocksBreak(t *testing.T) {
	play(t, 2, nil, func(s *scene) {
		rng := rand.New(rand.NewPCG(1, 1))
		of := cidr(s.T, "10.0.0.0/24")
		key := ip("10.0.0.0").Key
		var flying []flight
		var live []string
		var rebuildAt time.Time
		given := 0
		for i := range 900 {
			time.Sleep(time.Duration(rng.Int64N(int64(400 * time.Millisecond))))
			switch {
			case len(s.r[0].Broken()) > 0 && time.Now().After(rebuildAt):
				if err := s.rebuild(key, nil); err != nil {
					s.Fatal(err)
				}
			case i%400 == 100:
				s.spoil(ip("10.0.0.0"), []byte("garbage"))
				rebuildAt = time.Now().Add(time.Duration(rng.Int64N(int64(5 * time.Second))))
			}
			if f, landed := s.land(&flying); landed {
				live = append(live, f.name)
			}
			if len(live) > 0 && rng.IntN(4) == 0 {
				j := rng.IntN(len(live))
				s.drop(live[j])
				live = slices.Delete(live, j, j+1)
			}
			ctx, cancel := context.WithTimeout(s.Context(), 100*time.Millisecond)
			name := strconv.Itoa(i)
			place, err := s.r[rng.IntN(2)].Take(ctx, v4, of, named(name))
			cancel()
			if err == nil {
				given++
				flying = append(flying, flight{place, name, time.Now().Add(time.Duration(rng.Int64N(int64(34 * time.Second))))})
			}
		}
		if given < 200 {
			s.Errorf("only %d numbers were given", given)
		}
	})
}

// land makes the first Service that is due.
func (s *scene) land(flying *[]flight) (flight, bool) {
	s.Helper()
	for i, f := range *flying {
		if time.Now().Before(f.due) {
			continue
		}
		*flying = slices.Delete(*flying, i, i+1)
		s.serve(f.name, 0, f.place)
		return f, true
	}
	return flight{}, false
}

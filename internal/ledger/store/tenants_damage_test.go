// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"

	"servicenet.dev/servicenet/internal/ledger"
	"servicenet.dev/servicenet/internal/repair"
)

// restore rebuilds the block of an address with what these tenants have.
func (s *scene) restore(r *replica, place ledger.Place, claims ...ledger.Tenant) error {
	last := r.Last(place.Key)
	return r.Rebuild(s.Context(), place.Key, func(b *ledger.Block, _ ledger.Holder) {
		repair.RestoreTenants(b, last, func(yield func(int, ledger.Tenant) bool) {
			for _, claim := range claims {
				if !yield(place.Number, claim) {
					return
				}
			}
		})
	})
}

func TestNobodyLosesAnAddressWithItsBlock(t *testing.T) {
	for name, damage := range map[string]func(*scene, ledger.Place){
		"spoilt":  func(s *scene, place ledger.Place) { s.spoil(place, []byte("garbage")) },
		"deleted": func(s *scene, place ledger.Place) { s.wipe(place) },
		"deleted unseen": func(s *scene, place ledger.Place) {
			s.r[0].setDeaf(true)
			s.r[1].setDeaf(true)
			s.wipe(place)
			for _, r := range s.r {
				s.unavailable(r.Assign(s.Context(), lb("192.0.2.99"), alone("other")))
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, 2, nil, func(s *scene) {
				of, place, kept := pool(s.T, "192.0.2.0/24"), lb("192.0.2.7"), lb("192.0.2.8")
				s.assign(s.r[0], place, sharing("a", 80))
				s.assign(s.r[0], kept, alone("b"))
				s.vacate(s.r[0], kept, "b", keep(alone("b"), time.Now().Add(time.Hour)))
				time.Sleep(time.Second)
				damage(s, place)
				time.Sleep(3 * s.r[0].Timing.Stale) // nothing but the block tells who has them

				for _, r := range s.r {
					if used, held := r.UsedIn(lb4, of); used != 1 || held != 1 {
						s.Errorf("%d used, %d held", used, held)
					}
					if got := r.Tenancies("a"); !slices.Equal(got, []ledger.Place{place}) {
						s.Errorf("the Service has %v", got)
					}
					if got := r.Tenants(place); len(got) != 1 || len(maps.Collect(r.AllTenants())) != 1 {
						s.Errorf("the address is had by %v", got)
					}
					s.unavailable(r.Assign(s.Context(), place, sharing("a", 80)))
					_, err := r.AssignAny(s.Context(), lb4, of, alone("c"))
					s.unavailable(err)
				}
				if err := s.restore(s.r[0], place, sharing("a", 80), alone("late claim"), sharing("d", 443)); err != nil {
					s.Fatal(err)
				}
				s.hasWant(place, "a", "d")
				s.excluded(s.r[0].Assign(s.Context(), kept, alone("thief")), kept, ledger.Retained)
				s.r[1].setDeaf(false)
				time.Sleep(time.Second)
				s.assign(s.r[1], kept, alone("b"))
				if len(s.r[1].Broken()) > 0 || !slices.Equal(s.r[1].Tenancies("d"), []ledger.Place{place}) {
					s.Errorf("broken %v, the other has %v", s.r[1].Broken(), s.r[1].Tenancies("d"))
				}
			})
		})
	}
}

func TestBlockThatLosesItsLastTenantIsNotLost(t *testing.T) {
	play(t, 2, nil, func(s *scene) {
		place := lb("192.0.2.7")
		s.assign(s.r[0], place, alone("a"))
		time.Sleep(time.Second)
		// The other misses that the block was written as empty before it was deleted.
		s.r[1].setDeaf(true)
		s.vacate(s.r[0], place, "a", ledger.Retention{})
		time.Sleep(time.Second)
		s.v.mu.Lock()
		left := len(s.v.blocks)
		s.v.mu.Unlock()
		if left > 0 {
			s.Fatalf("%d blocks are left", left)
		}
		s.unavailable(s.r[1].Assign(s.Context(), lb("192.0.2.8"), alone("b")))
		s.r[1].setDeaf(false)
		time.Sleep(time.Second)
		if broken := s.r[1].Broken(); len(broken) > 0 || len(s.r[1].Tenancies("a")) > 0 {
			s.Errorf("broken %v, the Service has %v", broken, s.r[1].Tenancies("a"))
		}
		s.assign(s.r[1], place, alone("b"))
	})
}

func TestDeletedBlockIsSeenAsItWasLast(t *testing.T) {
	play(t, 2, nil, func(s *scene) {
		place := lb("192.0.2.7")
		s.assign(s.r[0], place, alone("a"))
		time.Sleep(time.Second)
		s.r[1].setDeaf(true)
		s.vacate(s.r[0], place, "a", ledger.Retention{})
		time.Sleep(time.Second)
		s.r[1].relist() // all but the last event
		s.r[1].setDeaf(false)
		time.Sleep(time.Second)
		if broken := s.r[1].Broken(); len(broken) > 0 || len(s.r[1].Tenancies("a")) > 0 {
			s.Errorf("broken %v, the Service has %v", broken, s.r[1].Tenancies("a"))
		}
	})
}

func TestNewsTellWhomAChangeConcerns(t *testing.T) {
	var news []string
	adjust := func(o *Options) {
		if o.Holder != 1 {
			return
		}
		o.TenantsChanged = func(n TenantNews) {
			text := fmt.Sprint(n.Place, " ", n.UIDs)
			if n.Free {
				text += " free"
			}
			if !n.Keeps.Nobody() {
				text += " for " + n.Keeps.String()
			}
			news = append(news, text)
		}
	}
	play(t, 2, adjust, func(s *scene) {
		place := lb("192.0.2.7")
		expect := func(what string, want ...string) {
			s.Helper()
			time.Sleep(time.Second)
			s.r[0].Store.mu.Lock()
			defer s.r[0].Store.mu.Unlock()
			if diff := cmp.Diff(want, news); diff != "" {
				s.Errorf("%s (-want +got):\n%s", what, diff)
			}
			news = nil
		}
		s.assign(s.r[1], place, sharing("a", 80))
		expect("one comes", "192.0.2.7 [a]")
		s.assign(s.r[0], place, sharing("c", 81))
		s.assign(s.r[0], place, sharing("b", 82))
		expect("two come", "192.0.2.7 [c]", "192.0.2.7 [b]")
		s.assign(s.r[0], place, sharing("b", 83))
		expect("new terms", "192.0.2.7 [b]")
		s.vacate(s.r[1], place, "a", ledger.Retention{})
		s.vacate(s.r[1], place, "c", ledger.Retention{})
		expect("two go", "192.0.2.7 [a]", "192.0.2.7 [c]")
		s.vacate(s.r[1], place, "b", keep(alone("b"), time.Now().Add(3*time.Second)))
		expect("the last one goes", "192.0.2.7 [b] for team/b")
		time.Sleep(5 * time.Second)
		expect("its retention is over", "192.0.2.7 [] free")
		s.assign(s.r[1], place, sharing("a", 80))
		s.vacate(s.r[1], place, "a", ledger.Retention{})
		expect("one comes and goes", "192.0.2.7 [a]", "192.0.2.7 [a] free")
	})
}

func TestBlockWithoutRoomIsPassedOver(t *testing.T) {
	play(t, 1, nil, func(s *scene) {
		crowded, empty := lb("10.0.0.1"), lb("10.0.16.0")
		block := ledger.NewBlock(1)
		for i := 100; ; i++ {
			tenant := alone("x" + strconv.Itoa(i))
			for port := range int32(100) {
				tenant.Sockets = append(tenant.Sockets, socket(600*port))
			}
			_, err := block.Admit(i, tenant)
			if errors.Is(err, ledger.ErrNoRoom) {
				break
			} else if err != nil {
				s.Fatal(err)
			}
		}
		data, err := block.Encode()
		if err != nil {
			s.Fatal(err)
		}
		object := newPage(crowded.Key).object(block, data)
		if err := s.r[0].link.Create(s.Context(), object); err != nil {
			s.Fatal(err)
		}
		time.Sleep(time.Second)
		if err := s.r[0].Assign(s.Context(), lb("10.0.0.2"), alone("a")); !errors.Is(err, ledger.ErrNoRoom) {
			s.Errorf("a block without room: %v", err)
		}
		if _, err := s.r[0].AssignAny(s.Context(), lb4, pool(s.T, "10.0.0.0/20"), alone("b")); !errors.Is(err, ledger.ErrNoRoom) {
			s.Errorf("a range without room: %v", err)
		}
		of := pool(s.T, "10.0.0.0/19")
		if got := s.assignAny(s.r[0], of, alone("b")); got.Key != empty.Key {
			s.Errorf("%s is given", got)
		}
		// One with many ports has no room where others have some.
		s.vacate(s.r[0], ledger.Place{Key: crowded.Key, Number: 100}, "x100", ledger.Retention{})
		few, wide := pool(s.T, "10.0.0.0/30"), alone("wide")
		for port := range int32(300) {
			wide.Sockets = append(wide.Sockets, socket(200*port))
		}
		if _, err := s.r[0].AssignAny(s.Context(), lb4, few, wide); !errors.Is(err, ledger.ErrNoRoom) {
			s.Errorf("a range without room for so many ports: %v", err)
		}
		s.assignAny(s.r[0], few, alone("c"))
	})
}

func TestNothingElseDecidesOnLoadBalancerAddresses(t *testing.T) {
	play(t, 1, nil, func(s *scene) {
		shown, kept := lb("192.0.2.7"), lb("192.0.2.8")
		owner := named("web").Owner
		owner.UID = "web"
		looks := s.looks(func() {
			s.r[0].Carried(shown, owner, "1000")
			s.stays(shown, ledger.Free, 5*time.Second)
			s.assign(s.r[0], shown, alone("web"))
			s.assign(s.r[0], kept, alone("web"))
			s.vacate(s.r[0], kept, "web", keep(alone("web"), time.Now().Add(time.Hour)))
			s.r[0].Carried(kept, owner, "1000")
			s.r[0].Dropped(shown, owner, ledger.Retention{})
			s.r[0].Release(shown)
			s.stays(shown, ledger.Used, 30*time.Second)
			s.stays(kept, ledger.Held, 30*time.Second)
		})
		if looks > 0 {
			s.Errorf("the API server was asked about them %d times", looks)
		}
		if got := s.r[0].Retained(owner.NamespacedName); len(got) > 0 {
			s.Errorf("kept for admission: %v", got)
		}
		for place := range s.r[0].Pending("team") {
			s.Errorf("%s counts for admission", place)
		}
	})
}

func TestNothingIsAssignedAfterTheEnd(t *testing.T) {
	play(t, 1, nil, func(s *scene) {
		s.r[0].stop()
		begun := time.Now()
		s.unavailable(s.r[0].Assign(s.Context(), lb("192.0.2.7"), alone("web")))
		if waited := time.Since(begun); waited > time.Second {
			s.Errorf("it took %v", waited)
		}
	})
}

func TestAssignWaitsNoLongerThanItMay(t *testing.T) {
	play(t, 1, nil, func(s *scene) {
		s.assign(s.r[0], lb("192.0.2.7"), alone("web"))
		s.r[0].link.set(true)
		begun := time.Now()
		s.unavailable(s.r[0].Assign(s.Context(), lb("192.0.2.8"), alone("web")))
		if waited := time.Since(begun); waited > s.r[0].Timing.Patience+time.Second {
			s.Errorf("it took %v", waited)
		}
		ctx, cancel := context.WithTimeout(s.Context(), time.Second)
		defer cancel()
		_, err := s.r[0].AssignAny(ctx, lb4, pool(s.T, "192.0.2.0/24"), alone("api"))
		s.unavailable(err)
		// What landed all the same is had.
		s.r[0].link.set(false)
		if got := s.r[0].Tenancies(types.UID("web")); len(got) == 0 {
			s.Errorf("the Service has %v", got)
		}
	})
}

func TestTermsThatDoNotFitAnyMoreLeaveForAnother(t *testing.T) {
	play(t, 1, nil, func(s *scene) {
		of, place := pool(s.T, "192.0.2.0/24"), lb("192.0.2.7")
		s.assign(s.r[0], place, sharing("a", 80))
		s.assign(s.r[0], place, sharing("b", 81))
		got := s.assignAny(s.r[0], of, sharing("b", 80))
		if got == place {
			s.Errorf("%s is given, where the port is taken", got)
		}
		if again := s.assignAny(s.r[0], of, sharing("b", 80)); again != got {
			s.Errorf("%s is given, and asked again %s", got, again)
		}
		s.hasWant(place, "a", "b")
		if has := s.r[0].Tenancies("b"); !slices.Equal(has, []ledger.Place{place, got}) {
			s.Errorf("it has %v", has)
		}
	})
}

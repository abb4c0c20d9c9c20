// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"errors"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go4.org/netipx"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/allocator"
	"servicenet.dev/servicenet/internal/ledger"
)

const lb4 = servicenetv1alpha1.LoadBalancerIPv4

// pool returns all addresses of prefixes.
func pool(tb testing.TB, prefixes ...string) *allocator.Range {
	tb.Helper()
	var spec allocator.AddressSpec
	for _, prefix := range prefixes {
		span, err := allocator.Prefix(netip.MustParsePrefix(prefix))
		if err != nil {
			tb.Fatal(err)
		}
		span.Static = 0
		spec.Spans = append(spec.Spans, span)
	}
	of, err := allocator.NewAddresses(spec)
	if err != nil {
		tb.Fatal(err)
	}
	return of
}

func lb(address string) ledger.Place { return ledger.Address(lb4, netip.MustParseAddr(address)) }

func socket(port int32) ledger.Socket { return ledger.SocketOf(corev1.ProtocolTCP, port) }

// alone is a Service that shares with nobody.
func alone(name string) ledger.Tenant {
	return ledger.NewTenant(ledger.Owner{NamespacedName: types.NamespacedName{Namespace: "team", Name: name}, UID: types.UID(name)}, ledger.Terms{})
}

// sharing is a Service that shares addresses, and has a port on them.
func sharing(name string, port int32) ledger.Tenant {
	t := alone(name)
	t.Key, t.Sockets = ledger.SharingKeyOf("k"), []ledger.Socket{socket(port)}
	return t
}

func (s *scene) assign(r *replica, place ledger.Place, tenant ledger.Tenant) {
	s.Helper()
	if err := r.Assign(s.Context(), place, tenant); err != nil {
		s.Fatalf("assign %s to %s: %v", place, tenant.UID, err)
	}
}

func (s *scene) assignAny(r *replica, of *allocator.Range, tenant ledger.Tenant) ledger.Place {
	s.Helper()
	place, err := r.AssignAny(s.Context(), lb4, of, tenant)
	if err != nil {
		s.Fatalf("assign any to %s: %v", tenant.UID, err)
	}
	return place
}

func (s *scene) vacate(r *replica, place ledger.Place, uid types.UID, then ledger.Retention) {
	s.Helper()
	if err := r.Vacate(s.Context(), place, uid, then); err != nil {
		s.Fatalf("vacate %s of %s: %v", place, uid, err)
	}
}

// excluded checks why an address can't be had.
func (s *scene) excluded(err error, place ledger.Place, want ledger.Refusal) {
	s.Helper()
	if sharing := (*ledger.SharingError)(nil); !errors.As(err, &sharing) || sharing.Reason != want || sharing.Place != place {
		s.Errorf("%v, want: %s is %s", err, place, want)
	}
}

// has returns who has an address in the API server.
func (s *scene) has(place ledger.Place) (uids []types.UID) {
	s.v.mu.Lock()
	defer s.v.mu.Unlock()
	for _, t := range s.v.block(place.Key.String()).Tenants(place.Number) {
		uids = append(uids, t.UID)
	}
	return uids
}

func (s *scene) hasWant(place ledger.Place, want ...types.UID) {
	s.Helper()
	if diff := cmp.Diff(want, s.has(place)); diff != "" {
		s.Errorf("tenants of %s (-want +got):\n%s", place, diff)
	}
}

// keep keeps an address for a tenant for some time.
func keep(tenant ledger.Tenant, until time.Time) ledger.Retention {
	return ledger.Retention{Until: until, For: tenant.Service}
}

func TestAddressIsSharedAtAnyReplica(t *testing.T) {
	play(t, 2, nil, func(s *scene) {
		place := lb("192.0.2.7")
		s.assign(s.r[0], place, sharing("a", 80))
		s.excluded(s.r[1].Assign(s.Context(), place, sharing("b", 80)), place, ledger.PortTaken)
		s.excluded(s.r[1].Assign(s.Context(), place, alone("b")), place, ledger.NoKey)
		s.assign(s.r[1], place, sharing("b", 443))
		s.hasWant(place, "a", "b")
		if writes := s.writes(func() { s.assign(s.r[1], place, sharing("b", 443)) }); writes != 0 {
			s.Errorf("%d writes for what is so already", writes)
		}
		s.vacate(s.r[1], place, "a", ledger.Retention{})
		s.vacate(s.r[0], place, "a", ledger.Retention{})
		s.hasWant(place, "b")
		s.vacate(s.r[0], place, "b", ledger.Retention{})
		s.becomes(place, ledger.Free)
	})
}

func TestAnyAddressIsNobodys(t *testing.T) {
	play(t, 2, nil, func(s *scene) {
		of := pool(s.T, "192.0.2.0/28", "198.51.100.0/29")
		given := map[ledger.Place]bool{}
		for i := range 24 {
			given[s.assignAny(s.r[i%2], of, sharing(strconv.Itoa(i), 80))] = true
		}
		if len(given) != 24 {
			s.Errorf("%d addresses for 24 Services", len(given))
		}
		for _, r := range s.r {
			_, err := r.AssignAny(s.Context(), lb4, of, alone("late"))
			if full := (*ledger.FullError)(nil); !errors.As(err, &full) {
				s.Errorf("a full range: %v", err)
			}
		}
		// Who has one is given the same.
		for i := range 24 {
			if place := s.assignAny(s.r[0], of, sharing(strconv.Itoa(i), 80)); !slices.Equal(s.r[0].Tenancies(types.UID(strconv.Itoa(i))), []ledger.Place{place}) {
				s.Errorf("%d has %v, and was given %s", i, s.r[0].Tenancies(types.UID(strconv.Itoa(i))), place)
			}
		}
	})
}

func TestManyWhoAskAtOnceShareABlockAndItsWrites(t *testing.T) {
	play(t, 1, nil, func(s *scene) {
		of := pool(s.T, "10.0.0.0/16")
		writes := s.writes(func() {
			var all sync.WaitGroup
			for i := range 200 {
				all.Go(func() { s.assignAny(s.r[0], of, alone(strconv.Itoa(i))) })
			}
			all.Wait()
		})
		if writes > 3 || len(s.v.blocks) != 1 {
			s.Errorf("%d writes, %d blocks", writes, len(s.v.blocks))
		}
		if used, held := s.r[0].UsedIn(lb4, of); used != 200 || held != 0 {
			s.Errorf("%d used, %d held", used, held)
		}
	})
}

func TestKeptAddressComesBack(t *testing.T) {
	play(t, 2, nil, func(s *scene) {
		of := pool(s.T, "192.0.2.0/24")
		place := s.assignAny(s.r[0], of, alone("web"))
		s.vacate(s.r[0], place, "web", keep(alone("web"), time.Now().Add(time.Minute)))
		time.Sleep(time.Second)
		s.excluded(s.r[1].Assign(s.Context(), place, alone("thief")), place, ledger.Retained)
		if used, held := s.r[1].UsedIn(lb4, of); used != 0 || held != 1 {
			s.Errorf("%d used, %d held", used, held)
		}
		again := alone("web")
		again.UID = "web, made again"
		if got := s.assignAny(s.r[1], of, again); got != place {
			s.Errorf("it is given %s, and %s is kept for it", got, place)
		}
	})
}

func TestKeptAddressesOfANameAreKnown(t *testing.T) {
	first, second, far := lb("192.0.2.7"), lb("192.0.2.8"), lb("198.51.100.1")
	six := ledger.Address(servicenetv1alpha1.LoadBalancerIPv6, netip.MustParseAddr("2001:db8::1"))
	vacate := func(s *scene, place ledger.Place, whom string, long time.Duration) {
		s.vacate(s.r[0], place, types.UID(whom), keep(alone(whom), time.Now().Add(long)))
	}
	for name, test := range map[string]struct {
		happens func(*scene)
		want    []ledger.Place
	}{
		"none while it has them": {func(*scene) {}, nil},
		"those of all blocks and families": {func(s *scene) {
			for _, place := range []ledger.Place{far, six, second, first} {
				vacate(s, place, "web", time.Hour)
			}
		}, []ledger.Place{first, second, far, six}},
		"not those of others": {func(s *scene) {
			vacate(s, first, "web", time.Hour)
			s.assign(s.r[0], lb("192.0.2.9"), alone("db"))
			vacate(s, lb("192.0.2.9"), "db", time.Hour)
		}, []ledger.Place{first}},
		"not what is not kept": {func(s *scene) {
			s.vacate(s.r[0], first, "web", ledger.Retention{})
			vacate(s, second, "web", time.Hour)
		}, []ledger.Place{second}},
		"not what is kept no more": {func(s *scene) {
			vacate(s, first, "web", time.Minute)
			vacate(s, far, "web", time.Hour)
			time.Sleep(2 * time.Minute)
		}, []ledger.Place{far}},
		"not what it has again": {func(s *scene) {
			vacate(s, first, "web", time.Hour)
			vacate(s, second, "web", time.Hour)
			s.assign(s.r[0], first, alone("web"))
		}, []ledger.Place{second}},
		"not those of a block that can't be read": {func(s *scene) {
			vacate(s, first, "web", time.Hour)
			vacate(s, far, "web", time.Hour)
			time.Sleep(time.Second) // for the watches
			s.v.wipe(far.Key.String())
		}, []ledger.Place{first}},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, 2, nil, func(s *scene) {
				for _, place := range []ledger.Place{first, second, far, six} {
					s.assign(s.r[0], place, alone("web"))
				}
				test.happens(s)
				time.Sleep(time.Second) // for the watches
				for i, r := range s.r {
					if diff := cmp.Diff(test.want, r.Kept(alone("web").Service.Name()), cmpopts.EquateComparable(ledger.Place{})); diff != "" {
						s.Errorf("replica %d (-want +got):\n%s", i, diff)
					}
				}
				if r := s.r[1]; len(r.Kept(types.NamespacedName{Namespace: "team", Name: "none"})) > 0 {
					s.Error("something is kept for a name that had nothing")
				}
			})
		})
	}
}

func TestNothingIsRememberedOfWhatIsKeptNoMore(t *testing.T) {
	play(t, 2, nil, func(s *scene) {
		for _, text := range []string{"192.0.2.7", "198.51.100.1"} {
			s.assign(s.r[0], lb(text), alone("web"))
			s.vacate(s.r[0], lb(text), "web", keep(alone("web"), time.Now().Add(time.Minute)))
		}
		time.Sleep(2 * time.Minute)
		for i, r := range s.r {
			r.Store.mu.Lock()
			if len(r.keeping) > 0 {
				s.Errorf("replica %d: %v", i, r.keeping)
			}
			r.Store.mu.Unlock()
		}
	})
}

func TestAddressIsFreeOnceItsTimeIsOver(t *testing.T) {
	play(t, 2, nil, func(s *scene) {
		place, other := lb("192.0.2.7"), lb("192.0.2.8")
		for _, place := range []ledger.Place{place, other} {
			s.assign(s.r[0], place, alone("web"))
			s.vacate(s.r[0], place, "web", keep(alone("web"), time.Now().Add(10*time.Second)))
		}
		looks := s.looks(func() {
			s.stays(place, ledger.Held, 8*time.Second)
			if took := s.becomes(place, ledger.Free); took > 4*time.Second {
				s.Errorf("it took %v more", took)
			}
		})
		if looks > 0 {
			s.Errorf("%d questions about it", looks)
		}
		s.becomes(other, ledger.Free)
	})
}

func TestAddressIsHandedOverInOneWrite(t *testing.T) {
	play(t, 1, nil, func(s *scene) {
		place := lb("192.0.2.7")
		s.assign(s.r[0], place, sharing("a", 80))
		s.assign(s.r[0], place, sharing("b", 443))
		s.excluded(s.r[0].HandOver(s.Context(), place, "a", sharing("c", 443)), place, ledger.PortTaken)
		s.hasWant(place, "a", "b")
		writes := s.writes(func() {
			if err := s.r[0].HandOver(s.Context(), place, "a", sharing("c", 80)); err != nil {
				s.Error(err)
			}
		})
		s.hasWant(place, "b", "c")
		if writes != 1 {
			s.Errorf("%d writes", writes)
		}
	})
}

// TestAssignAnyGivesNothingThatIsReserved has a Service ask for any address of a range
// in which the one that it has, and the one that is kept for it, are reserved by now.
func TestAssignAnyGivesNothingThatIsReserved(t *testing.T) {
	play(t, 1, nil, func(s *scene) {
		reserved := netipx.IPRangeFrom(netip.MustParseAddr("192.0.2.0"), netip.MustParseAddr("192.0.2.2"))
		span, err := allocator.Prefix(netip.MustParsePrefix("192.0.2.0/30"))
		if err != nil {
			t.Fatal(err)
		}
		span.Static = 0
		of, err := allocator.NewAddresses(allocator.AddressSpec{Spans: []allocator.Span{span}, Reserved: []netipx.IPRange{reserved}})
		if err != nil {
			t.Fatal(err)
		}
		a, r := alone("a"), s.r[0]
		s.assign(r, lb("192.0.2.0"), a)
		s.vacate(r, lb("192.0.2.0"), a.UID, keep(a, time.Now().Add(time.Hour)))
		s.assign(r, lb("192.0.2.1"), a)
		if got := s.assignAny(r, of, a); got != lb("192.0.2.3") {
			t.Errorf("it got %s, want 192.0.2.3", got)
		}
	})
}

// TestConfirmSaysWhatTheAPIServerHas asks a replica whose watches show nothing.
func TestConfirmSaysWhatTheAPIServerHas(t *testing.T) {
	play(t, 2, nil, func(s *scene) {
		a, place := alone("a"), lb("192.0.2.1")
		r, other := s.r[0], s.r[1]
		confirm := func(want bool) {
			t.Helper()
			if has, err := r.Confirm(s.Context(), place, a.UID); has != want || err != nil {
				t.Errorf("it has the address: %v, %v, want %v", has, err, want)
			}
		}
		r.setDeaf(true)
		confirm(false)
		s.assign(other, lb("192.0.2.2"), alone("b")) // so that the block stays
		s.assign(other, place, a)
		confirm(true)
		s.vacate(other, place, a.UID, ledger.Retention{})
		confirm(false)
		s.assign(other, place, a)
		r.link.set(true)
		if _, err := r.Confirm(s.Context(), place, a.UID); err == nil {
			t.Error("there is no error without a connection")
		} else {
			s.unavailable(err)
		}
		r.link.set(false)
		confirm(true)
		s.v.wipe(place.Key.String())
		if _, err := r.Confirm(s.Context(), place, a.UID); err == nil {
			t.Error("there is no error while the block is lost")
		} else {
			s.unavailable(err)
		}
	})
}

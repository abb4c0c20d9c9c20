// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	testingclock "k8s.io/utils/clock/testing"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/ledger"
	"servicenet.dev/servicenet/internal/loadbalancer"
)

// balancedWeb is a Service that has an address, and says so.
func balancedWeb(ip string) *corev1.Service {
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web", UID: "web"},
		Spec:       corev1.ServiceSpec{Type: corev1.ServiceTypeLoadBalancer},
		Status: corev1.ServiceStatus{
			LoadBalancer: corev1.LoadBalancerStatus{Ingress: []corev1.LoadBalancerIngress{
				{IP: ip, IPMode: new(corev1.LoadBalancerIPModeVIP)},
			}},
			Conditions: []metav1.Condition{{Type: servicenetv1alpha1.ConditionAddressAllocated, Status: metav1.ConditionTrue}},
		},
	}
}

// firstAddress is what the Service is to have.
func firstAddress(acted bool) *ensured {
	is := &ensured{acted: acted}
	is.Ours = func(netip.Addr) bool { return true }
	is.Entries = []loadbalancer.Entry{{Address: netip.MustParseAddr("192.0.2.1"), Mode: corev1.LoadBalancerIPModeVIP}}
	is.Allocated = &loadbalancer.Verdict{True: true, Reason: loadbalancer.Allocated}
	return is
}

func TestAStatusThatOthersWriteIsRestoredMoreAndMoreSlowly(t *testing.T) {
	t.Parallel()
	clock := testingclock.NewFakePassiveClock(time.Date(2026, 8, 1, 12, 0, 0, 0, time.UTC))
	b := &loadBalancers{replica: &replica{access: access{clock: clock}}, contests: map[types.UID]contest{}}
	edited := balancedWeb("192.0.2.9")
	var pauses []time.Duration
	for range 9 {
		if wait := b.contested(edited, firstAddress(false)); wait != 0 {
			t.Fatalf("it is not restored after the pause, but only in %v", wait)
		}
		wait := b.contested(edited, firstAddress(false))
		pauses = append(pauses, wait)
		clock.SetTime(clock.Now().Add(wait))
	}
	want := []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second,
		16 * time.Second, 32 * time.Second, 32 * time.Second, 32 * time.Second}
	if diff := cmp.Diff(want, pauses); diff != "" {
		t.Errorf("the pauses are not as wanted (-want +got):\n%s", diff)
	}
	clock.SetTime(clock.Now().Add(time.Hour))
	b.contested(edited, firstAddress(false))
	if wait := b.contested(edited, firstAddress(false)); wait != 500*time.Millisecond {
		t.Errorf("an old contest is not forgotten: it waits for %v", wait)
	}
}

func TestOnlyWhatOthersWroteWaits(t *testing.T) {
	t.Parallel()
	clock := testingclock.NewFakePassiveClock(time.Date(2026, 8, 1, 12, 0, 0, 0, time.UTC))
	tests := map[string]struct {
		service *corev1.Service
		acted   bool
	}{
		"an address that was just given": {balancedWeb("192.0.2.9"), true},
		"nothing to be written":          {balancedWeb("192.0.2.1"), false},
		"a first address": {func() *corev1.Service {
			service := balancedWeb("192.0.2.9")
			service.Status.Conditions = nil
			return service
		}(), false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := &loadBalancers{replica: &replica{access: access{clock: clock}}, contests: map[types.UID]contest{}}
			for range 3 {
				if wait := b.contested(test.service, firstAddress(test.acted)); wait != 0 {
					t.Errorf("it waits for %v", wait)
				}
			}
		})
	}
}

func TestSharersAreThoseThatTheLedgerKnows(t *testing.T) {
	t.Parallel()
	key, other := ledger.SharingKeyOf("web"), ledger.SharingKeyOf("db")
	first, second := placeOf(netip.MustParseAddr("192.0.2.1")), placeOf(netip.MustParseAddr("192.0.2.2"))
	gone, changed := placeOf(netip.MustParseAddr("192.0.2.3")), placeOf(netip.MustParseAddr("192.0.2.4"))
	s := newSharers()
	for _, place := range []ledger.Place{second, gone, changed, first} {
		s.add(key, place)
	}
	s.add(ledger.SharingKey{}, first)
	tenants := func(place ledger.Place) []ledger.Tenant {
		has := map[ledger.Place]ledger.SharingKey{first: key, second: key, changed: other}
		if of, found := has[place]; found {
			return []ledger.Tenant{{Terms: ledger.Terms{Key: of}}}
		}
		return nil
	}
	if diff := cmp.Diff([]string{"192.0.2.1", "192.0.2.2"}, placeTexts(s.of(key, tenants))); diff != "" {
		t.Errorf("the sharers are not as wanted (-want +got):\n%s", diff)
	}
	if got := s.of(ledger.SharingKey{}, tenants); len(got) > 0 || len(s.places) != 1 || len(s.places[key]) != 2 {
		t.Errorf("too much is remembered: %v", s.places)
	}
}

func placeTexts(places []ledger.Place) []string {
	var found []string
	for _, place := range places {
		found = append(found, place.String())
	}
	return found
}

func TestLocksOfOneNameExclude(t *testing.T) {
	t.Parallel()
	var l locks
	unlock := l.lock("a")
	l.lock("b")()
	got := make(chan struct{})
	go func() {
		defer l.lock("a")()
		close(got)
	}()
	for wanted := 0; wanted < 2; {
		l.mu.Lock()
		wanted = l.held["a"].wanted
		l.mu.Unlock()
	}
	select {
	case <-got:
		t.Error("two have one lock")
	default:
	}
	unlock()
	<-got
}

func TestRequestsFromBeforeTheStartComeInOrder(t *testing.T) {
	t.Parallel()
	named := func(name string) types.NamespacedName { return types.NamespacedName{Namespace: "shop", Name: name} }
	byName := func(names []types.NamespacedName) {
		slices.SortFunc(names, func(a, b types.NamespacedName) int { return strings.Compare(a.Name, b.Name) })
	}
	begin := map[string]func(*testing.T, *requests, queue){
		"first the queue": func(t *testing.T, q *requests, work queue) {
			t.Helper()
			if err := q.start(context.WithoutCancel(t.Context()), work); err != nil || work.Len() > 0 {
				t.Fatal(err, work.Len())
			}
			q.open(byName)
		},
		"first the addresses": func(t *testing.T, q *requests, work queue) {
			t.Helper()
			q.open(byName)
			if err := q.start(context.WithoutCancel(t.Context()), work); err != nil {
				t.Fatal(err)
			}
		},
	}
	for name, begin := range begin {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := &requests{early: map[types.NamespacedName]bool{}}
			want := []string{"a", "b", "c", "d", "e"}
			for _, name := range []string{"d", "b", "e", "a", "c", "b"} {
				q.add(named(name))
			}
			work := priorityqueue.New[ctrl.Request]("test")
			defer work.ShutDown()
			begin(t, q, work)
			for _, name := range want {
				if got, _ := work.Get(); got.NamespacedName != named(name) {
					t.Errorf("got %v, want %s", got, name)
				}
			}
			q.add(named("late"))
			if got, _ := work.Get(); got.NamespacedName != named("late") {
				t.Errorf("got %v", got)
			}
		})
	}
}

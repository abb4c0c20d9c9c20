// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/ledger"
	"servicenet.dev/servicenet/internal/loadbalancer"
)

// These are the faults that TestUpheaval has found, each by itself.

// calmScene is an upheaval in which nothing happens but what a test does.
type calmScene struct {
	*testing.T
	*upheaval
	ctx context.Context
}

// inCalm runs a test with two replicas, of which the first leads.
func inCalm(t *testing.T, test func(*calmScene)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, end := context.WithCancel(t.Context())
		s := &calmScene{T: t, upheaval: newUpheaval(t, 1), ctx: ctx}
		s.options = Options{Controllers: []string{LoadBalancerName}, Namespace: "system"}.withDefaults()
		s.terms = termsOf(s.options)
		s.v.mu.Lock()
		for _, kind := range []string{"LoadBalancerPool", "Node"} {
			for _, object := range s.v.all(kind) {
				s.v.remove("", object)
			}
		}
		s.v.mu.Unlock()
		s.replicas = []*heavedReplica{s.start(ctx), s.start(ctx)}
		s.lead(ctx, s.replicas[0])
		defer func() {
			end()
			for _, r := range s.replicas {
				r.kill()
			}
			_ = lapse(t.Context(), time.Minute)
		}()
		s.passes(time.Minute)
		test(s)
	})
}

func (s *calmScene) passes(long time.Duration) { _ = lapse(s.ctx, long) }

func (s *calmScene) put(objects ...client.Object) {
	s.v.mu.Lock()
	defer s.v.mu.Unlock()
	for _, object := range objects {
		s.v.put("", object)
	}
}

// remove deletes a Service, as a client does.
func (s *calmScene) remove(name string) {
	s.edit(types.NamespacedName{Namespace: "shop", Name: name}, func(of *corev1.Service) bool {
		of.DeletionTimestamp = new(metav1.Now())
		return false
	})
	s.passes(10 * time.Second)
}

// change changes a Service, and lets some time go by.
func (s *calmScene) change(name string, change func(*corev1.Service)) {
	s.edit(types.NamespacedName{Namespace: "shop", Name: name}, func(of *corev1.Service) bool {
		change(of)
		return false
	})
	s.passes(10 * time.Second)
}

// serve makes a Service of our class with a port, and lets some time go by.
func (s *calmScene) serve(name string, port int32, changes ...func(*corev1.Service)) {
	of := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, Annotations: map[string]string{}},
		Spec: corev1.ServiceSpec{
			Type: corev1.ServiceTypeLoadBalancer, LoadBalancerClass: new(servicenetv1alpha1.LoadBalancerClass),
			IPFamilies: []corev1.IPFamily{corev1.IPv4Protocol}, IPFamilyPolicy: new(corev1.IPFamilyPolicySingleStack),
			Ports: []corev1.ServicePort{{Port: port, Protocol: corev1.ProtocolTCP}},
		},
	}
	for _, change := range changes {
		change(of)
	}
	s.put(of)
	s.passes(10 * time.Second)
}

// get returns a Service.
func (s *calmScene) get(name string) *corev1.Service {
	s.v.mu.Lock()
	defer s.v.mu.Unlock()
	of, exists := s.v.objects["Service"][types.NamespacedName{Namespace: "shop", Name: name}].(*corev1.Service)
	if !exists {
		s.Fatalf("there is no Service %s", name)
	}
	return of
}

// wants checks what the status of a Service says.
func (s *calmScene) wants(name, reason string, addresses ...string) {
	s.Helper()
	of := s.get(name)
	got := []string{apimeta.FindStatusCondition(of.Status.Conditions, servicenetv1alpha1.ConditionAddressAllocated).Reason}
	for _, address := range loadbalancer.Shown(of) {
		got = append(got, address.String())
	}
	if diff := cmp.Diff(append([]string{reason}, addresses...), got); diff != "" {
		s.Errorf("the status of %s is not as wanted (-want +got):\n%s", name, diff)
	}
}

func poolOf(name string, spec servicenetv1alpha1.LoadBalancerPoolSpec) *servicenetv1alpha1.LoadBalancerPool {
	return &servicenetv1alpha1.LoadBalancerPool{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: spec}
}

// editPool changes a pool, and lets some time go by.
func (s *calmScene) editPool(name string, change func(*servicenetv1alpha1.LoadBalancerPoolSpec)) {
	s.v.mu.Lock()
	next := s.v.stored(poolOf(name, servicenetv1alpha1.LoadBalancerPoolSpec{})).DeepCopyObject().(*servicenetv1alpha1.LoadBalancerPool) //nolint:errcheck // of the kind
	change(&next.Spec)
	next.Generation++
	s.v.put("", next)
	s.v.mu.Unlock()
	s.passes(10 * time.Second)
}

func nodeAt(name, address string) *corev1.Node {
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"name": name}},
		Status: corev1.NodeStatus{
			Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}},
			Addresses:  []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: address}},
		},
	}
}

func withAnnotation(key, value string) func(*corev1.Service) {
	return func(s *corev1.Service) { s.Annotations[key] = value }
}

func TestAServiceThatLacksOneNodeSaysSoAtEachLook(t *testing.T) {
	t.Parallel()
	inCalm(t, func(s *calmScene) {
		s.put(nodeAt("one", "10.0.0.1"), nodeAt("two", "10.0.0.2"),
			poolOf("one", servicenetv1alpha1.LoadBalancerPoolSpec{NodeSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"name": "one"}}}),
			poolOf("all", servicenetv1alpha1.LoadBalancerPoolSpec{NodeSelector: &metav1.LabelSelector{}}))
		s.serve("first", 80, withAnnotation(servicenetv1alpha1.LoadBalancerPoolKey, "one"))
		s.serve("second", 80, withAnnotation(servicenetv1alpha1.LoadBalancerPoolKey, "all"))
		s.wants("first", loadbalancer.Allocated, "10.0.0.1")
		s.wants("second", loadbalancer.SharingRefused, "10.0.0.2")
		before := s.get("second").ResourceVersion
		s.failOver(s.ctx, time.Second)
		s.passes(time.Minute)
		if after := s.get("second").ResourceVersion; after != before {
			t.Error("the next leader writes the status anew")
		}
		s.remove("first")
		s.wants("second", loadbalancer.Allocated, "10.0.0.2", "10.0.0.1")
	})
}

func TestAServiceWhoseTermsOthersDoNotAgreeWithGetsThemWhenTheyLeave(t *testing.T) {
	t.Parallel()
	inCalm(t, func(s *calmScene) {
		s.put(poolOf("blue", servicenetv1alpha1.LoadBalancerPoolSpec{Addresses: []string{"192.0.2.1/32"}}))
		shares := withAnnotation(servicenetv1alpha1.SharingKeyAnnotation, "k")
		s.serve("web", 80, shares)
		s.serve("other", 81, shares)
		s.change("web", func(of *corev1.Service) { of.Annotations = nil })
		s.wants("web", loadbalancer.PoolExhausted, "192.0.2.1")
		s.remove("other")
		s.wants("web", loadbalancer.Allocated, "192.0.2.1")
		place := placeOf(netip.MustParseAddr("192.0.2.1"))
		if tenants := s.replicas[0].store.Tenants(place); len(tenants) != 1 || tenants[0].Key != (ledger.SharingKey{}) {
			t.Errorf("the ledger has its old terms: %+v", tenants)
		}
	})
}

func TestAServiceStaysAtTheAddressThatItShowsIfItHasThoseOfNodesToo(t *testing.T) {
	t.Parallel()
	inCalm(t, func(s *calmScene) {
		s.put(poolOf("blue", servicenetv1alpha1.LoadBalancerPoolSpec{Addresses: []string{"192.0.2.1/32"}}))
		s.serve("web", 80)
		s.put(nodeAt("one", "10.0.0.1"), poolOf("nodes", servicenetv1alpha1.LoadBalancerPoolSpec{NodeSelector: &metav1.LabelSelector{}, PoolPolicy: servicenetv1alpha1.PoolPolicy{Priority: 1}}))
		s.passes(10 * time.Second)
		of := s.get("web")
		owner := ledger.Owner{NamespacedName: client.ObjectKeyFromObject(of), UID: of.UID}
		tenant := ledger.NewTenant(owner, ledger.Terms{Node: true, Sockets: []ledger.Socket{ledger.SocketOf(corev1.ProtocolTCP, 80)}})
		if err := s.replicas[1].store.Assign(s.ctx, placeOf(netip.MustParseAddr("10.0.0.1")), tenant); err != nil {
			t.Fatal(err)
		}
		s.passes(time.Minute)
		s.wants("web", loadbalancer.Allocated, "192.0.2.1")
		if got := s.replicas[0].balancers.AddressesOf(of.UID); len(got) != 1 {
			t.Errorf("it has %v", got)
		}
	})
}

func TestAServiceThatAsksForAPoolIsNotToldOfNodes(t *testing.T) {
	t.Parallel()
	inCalm(t, func(s *calmScene) {
		s.put(poolOf("nodes", servicenetv1alpha1.LoadBalancerPoolSpec{NodeSelector: &metav1.LabelSelector{}}),
			poolOf("blue", servicenetv1alpha1.LoadBalancerPoolSpec{Addresses: []string{"2001:db8::/127"}}))
		s.serve("any", 80)
		s.serve("blue", 80, withAnnotation(servicenetv1alpha1.LoadBalancerPoolKey, "blue"))
		s.wants("any", loadbalancer.NoNodes)
		s.wants("blue", loadbalancer.NoPool)
	})
}

func TestAServiceWithAKeyHasNodesAsAnyOther(t *testing.T) {
	t.Parallel()
	inCalm(t, func(s *calmScene) {
		s.put(nodeAt("one", "10.0.0.1"), poolOf("nodes", servicenetv1alpha1.LoadBalancerPoolSpec{NodeSelector: &metav1.LabelSelector{}}))
		shares := withAnnotation(servicenetv1alpha1.SharingKeyAnnotation, "k")
		s.serve("first", 80, shares)
		s.serve("second", 81, shares)
		s.put(nodeAt("two", "10.0.0.2"))
		s.passes(10 * time.Second)
		s.wants("first", loadbalancer.Allocated, "10.0.0.1", "10.0.0.2")
		s.wants("second", loadbalancer.Allocated, "10.0.0.1", "10.0.0.2")
	})
}

func TestAnAddressThatIsReservedByNowIsReplaced(t *testing.T) {
	t.Parallel()
	inCalm(t, func(s *calmScene) {
		spec := servicenetv1alpha1.LoadBalancerPoolSpec{Addresses: []string{"192.0.2.1-192.0.2.1"}, OnShrink: servicenetv1alpha1.ShrinkRehome}
		s.put(poolOf("blue", spec))
		s.serve("web", 80)
		s.wants("web", loadbalancer.Allocated, "192.0.2.1")
		s.editPool("blue", func(spec *servicenetv1alpha1.LoadBalancerPoolSpec) {
			spec.Addresses = []string{"192.0.2.1-192.0.2.2"}
			spec.Reservations = []servicenetv1alpha1.AddressReservation{{Namespace: "shop", Name: "other", Addresses: []string{"192.0.2.1"}}}
		})
		s.wants("web", loadbalancer.Allocated, "192.0.2.2")
	})
}

func TestWhatAnotherLeaderHasTakenIsNotSaid(t *testing.T) {
	t.Parallel()
	inCalm(t, func(s *calmScene) {
		s.put(poolOf("blue", servicenetv1alpha1.LoadBalancerPoolSpec{Addresses: []string{"192.0.2.0/31"}}))
		s.serve("web", 80, withAnnotation(servicenetv1alpha1.LoadBalancerIPsAnnotation, "192.0.2.1"))
		s.serve("other", 80)
		of := s.get("web").DeepCopy()
		s.contend(time.Now())
		first, second := s.replicas[0], s.replicas[1]
		first.setDeaf(true)
		address := netip.MustParseAddr("192.0.2.1")
		if err := second.store.Vacate(s.ctx, placeOf(address), of.UID, ledger.Retention{}); err != nil {
			t.Fatal(err)
		}
		is := &ensured{Desired: loadbalancer.Desired{Entries: []loadbalancer.Entry{{Address: address}}}}
		if err := first.balancers.confirmSaid(s.ctx, of, is); err != nil {
			t.Errorf("what is said already is asked for: %v", err)
		}
		of.Status.LoadBalancer.Ingress = nil
		if err := first.balancers.confirmSaid(s.ctx, of, is); !isStale(err) {
			t.Errorf("what it has no more would be said: %v", err)
		}
		is.given = []netip.Addr{address}
		if err := first.balancers.confirmSaid(s.ctx, of, is); err != nil {
			t.Errorf("what was given just now is asked for: %v", err)
		}
	})
}

// whileWriting does something while the leader waits for the answer to its next write of a
// Service. Of the ledger it reads what that has come to, and watches show it nothing
// before it has the answer.
func (s *calmScene) whileWriting(place ledger.Place, do func()) {
	written, check := make(chan struct{}), s.v.changed
	s.v.mu.Lock()
	s.v.changed = func(by string, before, after client.Object) {
		check(by, before, after)
		if _, is := after.(*corev1.Service); is && by != "" {
			s.v.slow, s.v.changed = time.Minute, check
			close(written)
		}
	}
	s.v.mu.Unlock()
	<-written
	synctest.Wait() // so that it is known how long the answer takes
	s.v.mu.Lock()
	s.v.slow = 5 * time.Millisecond
	s.v.mu.Unlock()
	s.replicas[0].setDeaf(true)
	do()
	// One that was emptied and deleted since is lost to whoever saw neither, and written
	// again.
	_, err := s.replicas[0].store.Confirm(s.ctx, place, "anybody")
	if _, unavailable := errors.AsType[*ledger.UnavailableError](err); err != nil && !unavailable {
		s.Error(err)
	}
	s.passes(2 * time.Minute)
	s.replicas[0].setDeaf(false)
	s.passes(time.Minute)
}

func TestWhatAnotherLeaderDoesMeanwhileIsSaid(t *testing.T) {
	t.Parallel()
	place := placeOf(netip.MustParseAddr("192.0.2.1"))
	for name, test := range map[string]struct {
		happens func(*calmScene, ledger.Tenant) error
		want    []string
	}{
		"an address is given": {func(s *calmScene, of ledger.Tenant) error {
			return s.replicas[1].store.Assign(s.ctx, place, of)
		}, []string{loadbalancer.Allocated, "192.0.2.1"}},
		"one is given, and taken": {func(s *calmScene, of ledger.Tenant) error {
			return errors.Join(s.replicas[1].store.Assign(s.ctx, place, of),
				s.replicas[1].store.Vacate(s.ctx, place, of.UID, ledger.Retention{}))
		}, []string{loadbalancer.AddressOutsidePools}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inCalm(t, func(s *calmScene) {
				s.put(poolOf("blue", servicenetv1alpha1.LoadBalancerPoolSpec{Addresses: []string{"198.51.100.0/31"}}))
				s.serve("web", 80, withAnnotation(servicenetv1alpha1.LoadBalancerIPsAnnotation, "192.0.2.1"))
				s.wants("web", loadbalancer.AddressOutsidePools)
				s.edit(types.NamespacedName{Namespace: "shop", Name: "web"}, func(of *corev1.Service) bool {
					of.Spec.Ports[0].Port = 81
					return false
				})
				s.whileWriting(place, func() {
					of := s.get("web")
					tenant := ledger.NewTenant(ledger.Owner{NamespacedName: client.ObjectKeyFromObject(of), UID: of.UID},
						ledger.Terms{Sockets: []ledger.Socket{ledger.SocketOf(corev1.ProtocolTCP, 81)}})
					if err := test.happens(s, tenant); err != nil {
						t.Error(err)
					}
				})
				s.wants("web", test.want[0], test.want[1:]...)
			})
		})
	}
}

// TestWhatAnotherLeaderUndoesMeanwhileIsDoneAgain has a Service given new terms, which
// another leader undoes that does not know of them yet.
func TestWhatAnotherLeaderUndoesMeanwhileIsDoneAgain(t *testing.T) {
	t.Parallel()
	place := placeOf(netip.MustParseAddr("192.0.2.1"))
	for name, undo := range map[string]func(*calmScene, ledger.Tenant) error{
		"the terms": func(s *calmScene, before ledger.Tenant) error {
			return s.replicas[1].store.Assign(s.ctx, place, before)
		},
		"all": func(s *calmScene, before ledger.Tenant) error {
			return s.replicas[1].store.Vacate(s.ctx, place, before.UID, ledger.Retention{})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inCalm(t, func(s *calmScene) {
				s.put(poolOf("blue", servicenetv1alpha1.LoadBalancerPoolSpec{Addresses: []string{"192.0.2.1-192.0.2.1"}}))
				s.serve("web", 80)
				before := s.replicas[1].store.Tenants(place)[0]
				s.edit(types.NamespacedName{Namespace: "shop", Name: "web"}, func(of *corev1.Service) bool {
					of.Spec.Ports[0].Port = 81
					return false
				})
				s.contend(time.Now().Add(time.Minute))
				s.whileWriting(place, func() {
					s.passes(100 * time.Millisecond) // until the other one knows of the new terms, too
					if err := undo(s, before); err != nil {
						t.Error(err)
					}
				})
				s.wants("web", loadbalancer.Allocated, "192.0.2.1")
				var got []ledger.Socket
				for _, tenant := range s.replicas[1].store.Tenants(place) {
					got = append(got, tenant.Sockets...)
				}
				if diff := cmp.Diff([]ledger.Socket{ledger.SocketOf(corev1.ProtocolTCP, 81)}, got); diff != "" {
					t.Errorf("the ledger has other ports (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestWhoGivesSomethingUpKeepsItsPlaceAmongThoseWhoMove(t *testing.T) {
	t.Parallel()
	inCalm(t, func(s *calmScene) {
		old := []string{"198.51.100.0-198.51.100.1", "203.0.113.0-203.0.113.7"}
		s.put(poolOf("blue", servicenetv1alpha1.LoadBalancerPoolSpec{Addresses: old, OnShrink: servicenetv1alpha1.ShrinkRehome}))
		s.serve("moves", 80)
		s.serve("next", 80)
		b, next := s.replicas[0].balancers, client.ObjectKeyFromObject(s.get("next"))
		other := loadbalancer.Waiter{NamespacedName: types.NamespacedName{Namespace: "team", Name: "other"}}
		b.mu.Lock()
		b.turn.Take(other)
		b.mu.Unlock()
		// Two leaders have given it two addresses.
		place := placeOf(netip.MustParseAddr("203.0.113.7"))
		tenant := ledger.NewTenant(ledger.Owner{NamespacedName: next, UID: s.get("next").UID},
			ledger.Terms{Sockets: []ledger.Socket{ledger.SocketOf(corev1.ProtocolTCP, 80)}})
		s.contend(time.Now().Add(time.Minute))
		s.replicas[0].setDeaf(true)
		if err := s.replicas[1].store.Assign(s.ctx, place, tenant); err != nil {
			t.Fatal(err)
		}
		s.editPool("blue", func(spec *servicenetv1alpha1.LoadBalancerPoolSpec) { spec.Addresses = []string{"192.0.2.0/29"} })
		s.replicas[0].setDeaf(false)
		s.passes(time.Minute)
		s.wants("next", loadbalancer.Rehoming, loadbalancer.Shown(s.get("next"))[0].String())
		b.provider.(*poolProvider).endTurn(other.NamespacedName) //nolint:errcheck // it is
		s.passes(time.Minute)
		s.wants("next", loadbalancer.Allocated, loadbalancer.Shown(s.get("next"))[0].String())
	})
}

func TestNothingIsGivenUpWhileAWriteMayLand(t *testing.T) {
	t.Parallel()
	inCalm(t, func(s *calmScene) {
		s.put(poolOf("blue", servicenetv1alpha1.LoadBalancerPoolSpec{Addresses: []string{"192.0.2.1/32"}}))
		s.serve("web", 80)
		b, of := s.replicas[0].balancers, s.get("web")
		confirm := func(of *corev1.Service) (time.Duration, bool) {
			wait, err := b.confirmRead(s.ctx, of)
			return wait, err == nil
		}
		if wait, ok := confirm(of); wait != 0 || !ok {
			t.Errorf("a status that is current: wait %v, %v", wait, ok)
		}
		b.noteOutcome(of, errors.New("connection lost"))
		if wait, _ := confirm(of); wait != landsLate {
			t.Errorf("after a write without an answer: wait %v, want %v", wait, landsLate)
		}
		b.noteOutcome(of, errors.New("connection lost"))
		b.noteOutcome(of, nil)
		if wait, ok := confirm(of); wait != 0 || !ok {
			t.Errorf("after one that was answered: wait %v, %v", wait, ok)
		}
		b.noteOutcome(of, errors.New("connection lost"))
		s.passes(landsLate)
		if wait, ok := confirm(of); wait != 0 || !ok || len(b.unclear) > 0 {
			t.Errorf("after long: wait %v, %v, remembers %v", wait, ok, b.unclear)
		}
		old := of.DeepCopy()
		s.change("web", func(of *corev1.Service) { of.Spec.Ports[0].Port = 81 })
		if _, err := b.confirmRead(s.ctx, old); !isStale(err) {
			t.Errorf("a Service that has changed: %v", err)
		}
	})
}

func TestAWriteOfAServiceThatIsGoneIsNotRemembered(t *testing.T) {
	t.Parallel()
	inCalm(t, func(s *calmScene) {
		s.serve("web", 80)
		of := s.get("web")
		b := s.replicas[0].balancers
		name := client.ObjectKeyFromObject(of)
		done := b.tracker.Begin(name)
		b.serviceChanged(b.record(name), nil) // faster than the answer
		b.tracker.Wrote(of)
		done()
		if b.tracker.Pending(name) {
			t.Error("it is remembered")
		}
	})
}

func TestALimitCountsAddressesAndWhatIsKept(t *testing.T) {
	t.Parallel()
	inCalm(t, func(s *calmScene) {
		s.put(poolOf("blue", servicenetv1alpha1.LoadBalancerPoolSpec{
			Addresses: []string{"192.0.2.0/29"}, PoolPolicy: servicenetv1alpha1.PoolPolicy{
				LimitPerNamespace: new(int32(1)), Retain: &metav1.Duration{Duration: time.Minute},
			},
		}))
		shares := withAnnotation(servicenetv1alpha1.SharingKeyAnnotation, "k")
		s.serve("web", 80, shares, withAnnotation(servicenetv1alpha1.LoadBalancerIPsAnnotation, "192.0.2.3"))
		s.serve("joins", 81, shares)
		s.serve("names", 82, shares, withAnnotation(servicenetv1alpha1.LoadBalancerIPsAnnotation, "192.0.2.3"))
		s.wants("joins", loadbalancer.Allocated, "192.0.2.3")
		s.wants("names", loadbalancer.Allocated, "192.0.2.3")
		s.serve("waits", 80)
		s.wants("waits", loadbalancer.LimitReached)
		for _, name := range []string{"joins", "names", "web"} {
			s.remove(name)
		}
		s.wants("waits", loadbalancer.LimitReached) // it is kept for web
		s.serve("web", 80)
		s.wants("web", loadbalancer.Allocated, "192.0.2.3")
		s.remove("web")
		s.wants("waits", loadbalancer.LimitReached)
		s.passes(time.Minute)
		if reason, _ := loadbalancer.Reason(s.get("waits")); reason != loadbalancer.Allocated {
			t.Errorf("once nothing is kept any more it waits: %s", reason)
		}
	})
}

func TestALimitHoldsForWhoJoinsOthers(t *testing.T) {
	t.Parallel()
	inCalm(t, func(s *calmScene) {
		s.put(poolOf("blue", servicenetv1alpha1.LoadBalancerPoolSpec{
			Addresses: []string{"192.0.2.0/29"}, PoolPolicy: servicenetv1alpha1.PoolPolicy{LimitPerNamespace: new(int32(1))},
		}))
		shares := func(of *corev1.Service) {
			of.Annotations[servicenetv1alpha1.SharingKeyAnnotation] = "k"
			of.Annotations[servicenetv1alpha1.SharingCrossNamespaceAnnotation] = "true"
		}
		s.serve("theirs", 80, shares, func(of *corev1.Service) { of.Namespace = "team" })
		s.serve("own", 80)
		s.serve("joins", 81, shares)
		s.wants("joins", loadbalancer.LimitReached)
		s.remove("own")
		if reason, _ := loadbalancer.Reason(s.get("joins")); reason != loadbalancer.Allocated {
			t.Errorf("once another has left it waits: %s", reason)
		}
	})
}

func TestALimitCallsWhoWaitsWhenAnotherMoves(t *testing.T) {
	t.Parallel()
	inCalm(t, func(s *calmScene) {
		s.put(poolOf("blue", servicenetv1alpha1.LoadBalancerPoolSpec{
			Addresses: []string{"192.0.2.0/29"}, PoolPolicy: servicenetv1alpha1.PoolPolicy{LimitPerNamespace: new(int32(1)), Priority: 1},
		}), poolOf("red", servicenetv1alpha1.LoadBalancerPoolSpec{Addresses: []string{"198.51.100.0/31"}, AutoAssign: new(false)}))
		s.serve("web", 80)
		s.serve("waits", 80)
		s.wants("waits", loadbalancer.LimitReached)
		s.change("web", func(of *corev1.Service) { of.Annotations[servicenetv1alpha1.LoadBalancerPoolKey] = "red" })
		if reason, _ := loadbalancer.Reason(s.get("waits")); reason != loadbalancer.Allocated {
			t.Errorf("it waits: %s", reason)
		}
	})
}

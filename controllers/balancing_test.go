// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"iter"
	"maps"
	"net/netip"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	toolscache "k8s.io/client-go/tools/cache"
	clocktesting "k8s.io/utils/clock/testing"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/allocator"
	"servicenet.dev/servicenet/internal/ledger"
	"servicenet.dev/servicenet/internal/pool"
)

// given is a balancing by what is in it: addresses of Services of the namespace default.
type given struct {
	addresses map[types.UID][]netip.Addr
	waiting   []string
}

func (g *given) AddressesOf(service types.UID) []netip.Addr { return g.addresses[service] }

func (g *given) AllAddresses() iter.Seq2[netip.Addr, string] {
	return func(yield func(netip.Addr, string) bool) {
		for _, service := range slices.Sorted(maps.Keys(g.addresses)) {
			for _, address := range g.addresses[service] {
				if !yield(address, "default") {
					return
				}
			}
		}
	}
}

func (g *given) Waiting() iter.Seq[string] { return slices.Values(g.waiting) }

// balancers makes a pool of load-balancer addresses.
func (s *numbersScene) balancers(name, addresses string) {
	s.Helper()
	made := &servicenetv1alpha1.LoadBalancerPool{
		ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID(name), Generation: 1},
		Spec:       servicenetv1alpha1.LoadBalancerPoolSpec{Addresses: []string{addresses}},
	}
	if err := s.api.Create(s.Context(), made); err != nil {
		s.Fatal(err)
	}
	s.book.loadBalancerPoolEvents(s.news.poolsChanged).OnAdd(made, false)
}

func TestStatusOfLoadBalancerPoolsFollowsTheirController(t *testing.T) {
	inScene(t, func(s *numbersScene) {
		web := s.serve("web", "10.96.1.7")
		known := &given{addresses: map[types.UID][]netip.Addr{}, waiting: []string{"public", "public"}}
		s.balancing = known
		s.balancers("public", "192.0.2.0/28")
		status := func() servicenetv1alpha1.LoadBalancerPoolStatus {
			var stored servicenetv1alpha1.LoadBalancerPool
			if err := s.api.Get(s.Context(), types.NamespacedName{Name: "public"}, &stored); err != nil {
				t.Fatal(err)
			}
			return stored.Status
		}
		s.withStatus(func() {
			s.passes(time.Minute)
			got := status()
			if got.Total != "16" || got.Used != "0" || *got.Waiting != 2 || got.Conditions[0].Reason != servicenetv1alpha1.ReasonAvailable {
				t.Errorf("at first: %+v", got)
			}
			known.addresses[web.UID], known.waiting = []netip.Addr{netip.MustParseAddr("192.0.2.7")}, nil
			s.news.balancingChanged(types.NamespacedName{Namespace: web.Namespace, Name: web.Name})
			s.passes(2 * time.Second)
			if got := status(); got.Used != "1" || got.Free != "15" || *got.Waiting != 0 {
				t.Errorf("in use: %+v", got)
			}
			s.drop(web, false)
			s.passes(2 * time.Second)
			if got := status(); got.Used != "0" {
				t.Errorf("deleted: %+v", got)
			}
			s.balancers("more", "198.51.100.0/28")
			s.passes(2 * time.Second)
			var more servicenetv1alpha1.LoadBalancerPool
			if err := s.api.Get(s.Context(), types.NamespacedName{Name: "more"}, &more); err != nil || more.Status.Total != "16" {
				t.Errorf("a further pool: %+v, %v", more.Status, err)
			}
			if writes := len(s.written("public")); writes != 3 {
				t.Errorf("written %d times, want 3", writes)
			}
		})
	})
}

func TestHeldAddressesOfLoadBalancersCountWhereTheyAreGiven(t *testing.T) {
	for selection, want := range map[string]bool{"*": true, "clusterip": false, "loadbalancer": true} {
		options := Options{Controllers: []string{selection}}
		of := newPoolUsage(&replica{options: options, records: newRecorder(options)})
		if got := of.counts(servicenetv1alpha1.LoadBalancerIPv6); got != want {
			t.Errorf("%s counts them: %v, want %v", selection, got, want)
		}
	}
}

func newBalancerScene() (b *poolBook, pools, nodes toolscache.ResourceEventHandler, changes *int) {
	b = newPoolBook(clocktesting.NewFakePassiveClock(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)), allocator.PortSpan{First: 30000, Last: 32767})
	changes = new(int)
	changed := func() { *changes++ }
	pools, nodes = b.loadBalancerPoolEvents(changed), b.nodeEvents(changed)
	return b, pools, nodes, changes
}

// readyNode is one with an address.
func readyNode(address string, status corev1.ConditionStatus) *corev1.Node {
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: "node", Labels: map[string]string{"edge": "yes"}},
		Spec:       corev1.NodeSpec{PodCIDRs: []string{"10.244.0.0/24", "x"}},
		Status: corev1.NodeStatus{
			Conditions: []corev1.NodeCondition{
				{Type: corev1.NodeReady, Status: status, LastHeartbeatTime: metav1.Now()}, {Type: corev1.NodeMemoryPressure},
			},
			Addresses: []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: address}},
		},
	}
}

// balancersOfNodes returns the pool nodes, of all of them.
func balancersOfNodes() *servicenetv1alpha1.LoadBalancerPool {
	return &servicenetv1alpha1.LoadBalancerPool{
		ObjectMeta: metav1.ObjectMeta{Name: "nodes"},
		Spec:       servicenetv1alpha1.LoadBalancerPoolSpec{NodeSelector: &metav1.LabelSelector{}},
	}
}

func TestBookFollowsNodes(t *testing.T) {
	b, pools, nodes, changes := newBalancerScene()
	pools.OnAdd(balancersOfNodes(), false)
	expect := func(when string, want string, wantChanges int) {
		t.Helper()
		if got := b.LoadBalancers().Describe("nodes", corev1.IPv4Protocol); got != want || *changes != wantChanges {
			t.Errorf("%s: the pool has %s, and changed %d times; want %s, and %d", when, got, *changes, want, wantChanges)
		}
	}
	expect("no node", "none", 1)
	apart := newPoolBook(clocktesting.NewFakePassiveClock(time.Time{}), allocator.PortSpan{First: 30000, Last: 32767})
	if apart.seeNode("node", readyNode("10.0.0.1", corev1.ConditionTrue)) {
		t.Error("a node is news where no pool has nodes")
	}
	put(apart.balancerPools, "nodes", balancersOfNodes(), pool.CompileLoadBalancerPool)
	if len(apart.LoadBalancers().NodeAddresses("nodes", corev1.IPv4Protocol)) != 1 {
		t.Error("a node that was there before the pool is not in it")
	}
	before := b.LoadBalancers()
	first := stripBalancingNode(readyNode("10.0.0.1", corev1.ConditionTrue))
	nodes.OnAdd(first, false)
	expect("a node", "10.0.0.1", 2)
	if before == b.LoadBalancers() {
		t.Error("what the pools amount to is the same")
	}
	beat := stripBalancingNode(readyNode("10.0.0.1", corev1.ConditionTrue))
	nodes.OnUpdate(first, beat)
	expect("a heartbeat", "10.0.0.1", 2)
	nodes.OnUpdate(beat, stripBalancingNode(readyNode("10.0.0.2", corev1.ConditionTrue)))
	expect("another address", "10.0.0.2", 3)
	labelled := readyNode("10.0.0.2", corev1.ConditionTrue)
	labelled.Labels["edge"] = "no"
	nodes.OnUpdate(first, stripBalancingNode(labelled))
	expect("another label", "10.0.0.2", 4)
	nodes.OnUpdate(first, stripBalancingNode(readyNode("10.0.0.2", corev1.ConditionFalse)))
	expect("not ready", "none", 5)
	nodes.OnUpdate(first, stripBalancingNode(readyNode("10.0.0.3", corev1.ConditionFalse)))
	expect("still not ready", "none", 5)
	nodes.OnAdd(first, false)
	nodes.OnDelete(toolscache.DeletedFinalStateUnknown{Key: "node", Obj: first})
	expect("deleted", "none", 7)
	nodes.OnDelete(first)
	expect("deleted again", "none", 7)
	if left := b.podPrefixes(); len(left) > 0 {
		t.Errorf("addresses of pods are left: %v", left)
	}
}

func TestPoolsOfLoadBalancersAreReviewedBesideTheCluster(t *testing.T) {
	inScene(t, func(s *numbersScene) {
		s.balancers("public", "192.0.2.0/28")
		s.balancers("other", "198.51.100.0/28")
		s.book.nodeEvents(func() {}).OnAdd(readyNode("10.0.0.1", corev1.ConditionTrue), false)
		s.balancing = &given{addresses: map[types.UID][]netip.Addr{
			"a": {netip.MustParseAddr("192.0.2.1")}, "b": {netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("198.51.100.1")},
		}}
		request := poolFacts{s.replica}.LoadBalancerPool("public")
		if len(request.Others) != 1 || request.Others[0].Name != "other" || request.Previous.Pool("public") == nil || len(request.Nodes) != 1 {
			t.Errorf("pools and nodes: %+v", request)
		}
		if !slices.Equal(request.PodCIDRs, []netip.Prefix{netip.MustParsePrefix("10.244.0.0/24")}) ||
			!slices.Equal(request.ServiceCIDRs, []netip.Prefix{netip.MustParsePrefix("10.96.0.0/16")}) {
			t.Errorf("CIDRs: %v and %v", request.PodCIDRs, request.ServiceCIDRs)
		}
		if in := slices.Collect(request.Usage.Numbers); len(in) != 2 || request.Usage.ByNamespace["default"] != 1 {
			t.Errorf("in use: %v, of the pool %v", in, request.Usage.ByNamespace)
		}
	})
}

func TestAddressesOfLoadBalancersAreRetainedByTheirPool(t *testing.T) {
	b, pools, _, _ := newBalancerScene()
	pools.OnAdd(&servicenetv1alpha1.LoadBalancerPool{
		ObjectMeta: metav1.ObjectMeta{Name: "public"},
		Spec: servicenetv1alpha1.LoadBalancerPoolSpec{
			Addresses:  []string{"192.0.2.0/28"},
			PoolPolicy: servicenetv1alpha1.PoolPolicy{Retain: &metav1.Duration{Duration: time.Hour}},
		},
	}, false)
	owner := ledger.Owner{NamespacedName: types.NamespacedName{Namespace: "shop", Name: "web"}, UID: "a"}
	for address, want := range map[string]bool{"192.0.2.1": true, "198.51.100.1": false} {
		place := ledger.Address(servicenetv1alpha1.LoadBalancerIPv4, netip.MustParseAddr(address))
		if got := b.retention(place, owner) != (ledger.Retention{}); got != want {
			t.Errorf("%s is retained: %v, want %v", address, got, want)
		}
	}
}

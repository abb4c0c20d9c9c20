// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"net/netip"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	toolscache "k8s.io/client-go/tools/cache"
	clocktesting "k8s.io/utils/clock/testing"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/allocator"
	"servicenet.dev/servicenet/internal/ledger"
	"servicenet.dev/servicenet/internal/pool"
)

// bookScene is a book and what it was told.
type bookScene struct {
	*testing.T
	*poolBook
	now     *clocktesting.FakePassiveClock
	changes int
	cidrs   toolscache.ResourceEventHandler
	pools   toolscache.ResourceEventHandler
}

func newBookScene(t *testing.T) *bookScene {
	t.Helper()
	b := &bookScene{T: t, now: clocktesting.NewFakePassiveClock(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))}
	b.poolBook = newPoolBook(b.now, allocator.PortSpan{First: 30000, Last: 32767})
	changed := func() { b.changes++ }
	b.cidrs, b.pools = b.serviceCIDREvents(changed), b.clusterIPPoolEvents(changed)
	return b
}

func (b *bookScene) passes(long time.Duration) { b.now.SetTime(b.now.Now().Add(long)) }

// serviceCIDR is a ServiceCIDR with a condition of this age.
func (b *bookScene) serviceCIDR(uid string, ready metav1.ConditionStatus, age time.Duration) *networkingv1.ServiceCIDR {
	return &networkingv1.ServiceCIDR{
		ObjectMeta: metav1.ObjectMeta{Name: "all", UID: types.UID(uid)},
		Spec:       networkingv1.ServiceCIDRSpec{CIDRs: []string{"10.96.0.0/24"}},
		Status: networkingv1.ServiceCIDRStatus{Conditions: []metav1.Condition{{
			Type: networkingv1.ServiceCIDRConditionReady, Status: ready, LastTransitionTime: metav1.NewTime(b.now.Now().Add(-age)),
		}}},
	}
}

// expect checks whether addresses are chosen from the ServiceCIDR now.
func (b *bookScene) expect(when string, cidr *networkingv1.ServiceCIDR, want bool) {
	b.Helper()
	if got := b.settled(cidr); got != want {
		b.Errorf("%s: settled is %v, want %v", when, got, want)
	}
	if got := b.ClusterIPs().Until().IsZero(); got != want && pool.IsReady(cidr) {
		b.Errorf("%s: nothing is waited for is %v, want %v", when, got, want)
	}
}

func TestServiceCIDRSettlesByTheClockOfTheReplica(t *testing.T) {
	b := newBookScene(t)
	fresh := b.serviceCIDR("a", metav1.ConditionTrue, 30*time.Second)
	b.cidrs.OnAdd(fresh, false)
	b.expect("at first", fresh, false)
	b.passes(pool.SettleTime - time.Second)
	b.cidrs.OnUpdate(fresh, fresh.DeepCopy())
	b.expect("a second too early", fresh, false)
	b.passes(time.Second)
	b.expect("in time", fresh, true)
	unready := b.serviceCIDR("a", metav1.ConditionFalse, 0)
	b.cidrs.OnUpdate(fresh, unready)
	b.expect("not ready", unready, false)
	b.cidrs.OnUpdate(unready, fresh)
	b.expect("ready again", fresh, false)
	b.passes(pool.SettleTime)
	b.expect("settled again", fresh, true)
}

// The ServiceCIDR of a new pool is waited for, until it is there or was for too long.
func TestServiceCIDROfANewPoolIsExpected(t *testing.T) {
	b := newBookScene(t)
	own := &servicenetv1alpha1.ClusterIPPool{ObjectMeta: metav1.ObjectMeta{Name: "own", Generation: 1}}
	own.Spec.CIDRs, own.Spec.ServiceCIDR = []string{"10.96.0.0/24"}, servicenetv1alpha1.ServiceCIDRManaged
	soon := func(want bool) {
		t.Helper()
		need := pool.Need{Family: corev1.IPv4Protocol}
		choices, faults := b.ClusterIPs().Choose(&pool.Who{Namespace: "shop", Name: "web"}, []pool.Need{need}, nil)
		if got := len(faults) == 0 && choices[0].Soon; got != want {
			t.Errorf("addresses come soon: %v, want %v (%v)", got, want, faults)
		}
	}
	b.pools.OnAdd(own, false)
	soon(true)
	b.passes(pool.SettleTime)
	soon(false)
	edited := own.DeepCopy()
	edited.Generation = 2
	b.pools.OnUpdate(own, edited)
	b.passes(pool.SettleTime - time.Second)
	soon(true)
	ending := b.serviceCIDR("a", metav1.ConditionFalse, 0)
	b.cidrs.OnAdd(ending, false)
	soon(false)
	b.cidrs.OnUpdate(ending, b.serviceCIDR("a", metav1.ConditionTrue, 0))
	b.passes(pool.SettleTime - time.Second)
	soon(true)
	b.passes(time.Second)
	soon(false)
	b.pools.OnDelete(edited)
	if len(b.promised) > 0 {
		t.Errorf("still expected: %v", b.promised)
	}
}

func TestServiceCIDRThatWasReadyBeforeTheStartIsSettled(t *testing.T) {
	b := newBookScene(t)
	old := b.serviceCIDR("a", metav1.ConditionTrue, time.Minute)
	b.cidrs.OnAdd(old, true)
	b.expect("at first", old, true)
	again := b.serviceCIDR("b", metav1.ConditionTrue, time.Minute)
	b.cidrs.OnUpdate(old, again)
	b.expect("made again while nobody looked", again, false)
	b.cidrs.OnDelete(toolscache.DeletedFinalStateUnknown{Obj: again})
	if got := b.prefixes(); len(got) > 0 || b.settled(again) {
		t.Errorf("prefixes are left: %v, settled: %v", got, b.settled(again))
	}
}

func (b *bookScene) ipPool(uid string, generation int64) *servicenetv1alpha1.ClusterIPPool {
	return &servicenetv1alpha1.ClusterIPPool{
		ObjectMeta: metav1.ObjectMeta{Name: "shop", UID: types.UID(uid), Generation: generation},
		Spec: servicenetv1alpha1.ClusterIPPoolSpec{
			CIDRs: []string{"10.96.0.0/28"}, PoolPolicy: servicenetv1alpha1.PoolPolicy{Retain: &metav1.Duration{Duration: time.Hour}},
		},
	}
}

func TestStatusOfAPoolChangesNothing(t *testing.T) {
	b := newBookScene(t)
	first := b.ipPool("a", 1)
	b.pools.OnAdd(first, false)
	made := b.ClusterIPs()
	b.pools.OnUpdate(first, b.ipPool("a", 1))
	if b.changes != 1 || b.ClusterIPs() != made {
		t.Errorf("told %d times, want once; made anew: %v", b.changes, b.ClusterIPs() != made)
	}
	b.pools.OnUpdate(first, b.ipPool("a", 2))
	b.pools.OnUpdate(first, b.ipPool("b", 1))
	b.pools.OnDelete(first)
	if b.changes != 4 || b.ClusterIPs() == made {
		t.Errorf("told %d times, want 4; made anew: %v", b.changes, b.ClusterIPs() != made)
	}
	if b.clusterIPPool("shop") != nil {
		t.Error("the pool is still there")
	}
}

func TestRetentionIsThatOfThePoolOfTheNumber(t *testing.T) {
	b := newBookScene(t)
	b.cidrs.OnAdd(b.serviceCIDR("a", metav1.ConditionTrue, time.Hour), true)
	b.pools.OnAdd(b.ipPool("a", 1), true)
	owner := ledger.Owner{NamespacedName: types.NamespacedName{Namespace: "shop", Name: "web"}}
	for address, want := range map[string]time.Duration{"10.96.0.7": time.Hour, "10.96.0.77": 0, "10.97.0.7": 0} {
		place := ledger.Address(servicenetv1alpha1.ClusterIPv4, netip.MustParseAddr(address))
		got := b.retention(place, owner)
		if want == 0 && got != (ledger.Retention{}) {
			t.Errorf("%s is kept until %s", address, got.Until)
		}
		if want > 0 && (!got.Until.Equal(b.now.Now().Add(want)) || got.For != ledger.SubjectOf(owner.NamespacedName)) {
			t.Errorf("%s is kept until %s for %s", address, got.Until, got.For)
		}
	}
	if got := b.retention(ledger.Port(30001), owner); got != (ledger.Retention{}) {
		t.Errorf("a port is kept until %s", got.Until)
	}
	if b.ClusterIPs().Total(corev1.IPv4Protocol) == 0 {
		t.Error("no addresses")
	}
}

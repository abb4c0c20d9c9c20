// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package pool

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/allocator"
)

// openRange returns what a Service gets that no pool serves.
func openRange(c *ClusterIPs, family corev1.IPFamily) *allocator.Range {
	return c.realm(family).open.of
}

func TestWhatAnAddressIsToThePools(t *testing.T) {
	numbers := newClusterIPs(
		[]ServiceCIDR{cidr("10.96.0.0/16"), cidr("10.96.8.0/24"), cidrSince("10.97.0.0/24", time.Second), cidr("fd00::/112"), cidr("fd00::1:0/112")},
		makePool("big", "10.96.0.0/20 10.97.0.0/24", excluding("10.96.1.0/24"), reserving("shop", "web", "10.96.2.2")),
		makePool("part", "10.96.4.0/24", withPriority(1)),
		makePool("tenant", "10.96.5.0/24 fd00::5:0/120 fd00::1:0/120", forNamespaces("team", "a"), isExclusive(),
			reserving("bank", "web", "10.96.5.9")),
		makePool("small", "10.96.1.0/28", withPriority(-1)),
	)
	const v4, v6 = corev1.IPv4Protocol, corev1.IPv6Protocol
	for _, test := range []struct {
		of      string // "" is what is in no exclusive pool
		family  corev1.IPFamily
		address string
		want    allocator.Class
	}{
		{"big", v4, "10.96.0.0", allocator.Excluded}, // a network address
		{"big", v4, "10.96.0.1", allocator.Static},
		{"big", v4, "10.96.1.7", allocator.Excluded},
		{"big", v4, "10.96.2.2", allocator.Reserved},
		{"big", v4, "10.96.3.3", allocator.Dynamic},
		{"big", v4, "10.96.4.4", allocator.Excluded}, // part goes first
		{"big", v4, "10.96.5.5", allocator.Excluded}, // the tenant's
		{"big", v4, "10.96.8.0", allocator.Reserved}, // edges of an inner ServiceCIDR
		{"big", v4, "10.96.8.255", allocator.Reserved},
		{"big", v4, "10.96.15.255", allocator.Dynamic},
		{"big", v4, "10.97.0.7", allocator.Excluded}, // not ready for long
		{"big", v4, "10.98.0.7", allocator.Outside},
		{"part", v4, "10.96.4.0", allocator.Static}, // its edges are like others
		{"part", v4, "10.96.4.15", allocator.Static},
		{"part", v4, "10.96.4.16", allocator.Dynamic},
		{"part", v4, "10.96.4.255", allocator.Dynamic},
		{"tenant", v4, "10.96.5.9", allocator.Reserved},
		{"tenant", v4, "10.96.5.200", allocator.Dynamic},
		{"tenant", v6, "fd00::1:0", allocator.Excluded},
		{"tenant", v6, "fd00::1:80", allocator.Dynamic},
		{"tenant", v6, "fd00::5:80", allocator.Excluded}, // outside
		{"small", v4, "10.96.1.7", allocator.Dynamic},

		{"", v4, "10.96.0.0", allocator.Outside},
		{"", v4, "10.96.0.1", allocator.Static},
		{"", v4, "10.96.1.7", allocator.Dynamic}, // small's, who shares it
		{"", v4, "10.96.1.77", allocator.Excluded},
		{"", v4, "10.96.2.2", allocator.Reserved},
		{"", v4, "10.96.4.44", allocator.Dynamic}, // part's, who shares it
		{"", v4, "10.96.5.5", allocator.Excluded},
		{"", v4, "10.96.8.0", allocator.Reserved},
		{"", v4, "10.96.255.254", allocator.Dynamic},
		{"", v4, "10.96.255.255", allocator.Outside},
		{"", v4, "10.97.0.7", allocator.Outside},
		{"", v6, "fd00::", allocator.Outside},
		{"", v6, "fd00::ffff", allocator.Reserved}, // the last one
		{"", v6, "fd00::fffe", allocator.Dynamic},
		{"", v6, "fd00::1:80", allocator.Excluded},
		{"", v6, "fd00::1:180", allocator.Dynamic},
	} {
		of := openRange(numbers, test.family)
		if test.of != "" {
			of = numbers.Range(test.of, test.family)
		}
		if got := classOf(of, test.address); got != test.want {
			t.Errorf("%s is of class %d to %q, want %d", test.address, got, test.of, test.want)
		}
	}
	if numbers.Range("big", v6) != nil || numbers.Range("unknown", v4) != nil {
		t.Error("a Range where there is none")
	}
}

// What an exclusive pool leaves out, and what a pool reserves that is another's, is
// open like any other number.
func TestOnlyOwnNumbersAreKeptBack(t *testing.T) {
	numbers := newClusterIPs(dualStack(),
		makePool("tenant", "10.96.5.0/24", forNamespaces("team", "b"), isExclusive(), excluding("10.96.5.128/25")),
		makePool("small", "10.96.5.128/25"),
		makePool("first", "10.96.7.0/28", withPriority(1)),
		makePool("second", "10.96.7.0/24", reserving("shop", "web", "10.96.7.7"), reserving("shop", "api", "10.96.7.77")))
	for address, want := range map[string]allocator.Class{
		"10.96.5.77": allocator.Excluded, "10.96.5.177": allocator.Dynamic, "10.96.7.7": allocator.Dynamic, "10.96.7.77": allocator.Reserved,
	} {
		if got := classOf(openRange(numbers, corev1.IPv4Protocol), address); got != want {
			t.Errorf("%s is of class %d, want %d", address, got, want)
		}
	}
	api := shopWeb()
	api.Name = "api"
	choices, faults := numbers.Choose(api, []Need{{Family: corev1.IPv4Protocol}}, nil)
	if len(faults) > 0 || sketch(choices[0].Candidates)[0] != "reserved 10.96.7.77 of second" {
		t.Errorf("choices %v, faults %v", choices, faults)
	}
}

func TestBandsAreThoseOfTheServer(t *testing.T) {
	numbers := newClusterIPs([]ServiceCIDR{cidr("10.96.0.0/16"), cidr("10.96.0.0/16"), cidr("10.97.0.0/24")})
	of := openRange(numbers, corev1.IPv4Protocol)
	for address, want := range map[string]allocator.Class{
		"10.96.1.0": allocator.Static, "10.96.1.1": allocator.Dynamic, "10.97.0.16": allocator.Static, "10.97.0.17": allocator.Dynamic,
	} {
		if got := classOf(of, address); got != want {
			t.Errorf("%s is of class %d, want %d", address, got, want)
		}
	}
}

func TestCapacityIsWhatCanBeGivenOut(t *testing.T) {
	numbers := newClusterIPs([]ServiceCIDR{cidr("10.96.0.0/24"), cidr("fd00::/64")},
		makePool("p", "10.96.0.0/24 10.97.0.0/24 fd00::/64", excluding("10.96.0.8/29"), reserving("shop", "web", "10.96.0.100")),
		makePool("q", "10.96.0.128/25", withPriority(1)))
	for _, test := range []struct {
		pool   string
		family corev1.IPFamily
		want   string
	}{
		{"p", corev1.IPv4Protocol, "119"}, // 128 less 8, less the network address
		{"q", corev1.IPv4Protocol, "127"},
		{"p", corev1.IPv6Protocol, "18446744073709551615"},
		{"q", corev1.IPv6Protocol, "0"},
		{"unknown", corev1.IPv4Protocol, "0"},
	} {
		if got := numbers.Capacity(test.pool, test.family).String(); got != test.want {
			t.Errorf("capacity of %s in %s: %s, want %s", test.pool, test.family, got, test.want)
		}
	}
	ports := newNodePorts(t, makePorts("p", 29990, 30009, excludingPorts(30000, 30001)))
	if got := ports.Capacity("p").Int64(); got != 8 || ports.Range("p") == nil || ports.Range("q") != nil {
		t.Errorf("capacity %d, want 8", got)
	}
}

func TestRangesAreKeptWhileTheirNumbersStay(t *testing.T) {
	const v4, v6 = corev1.IPv4Protocol, corev1.IPv6Protocol
	first := newClusterIPs(dualStack(), makePool("p", "10.96.5.0/24 fd00::/120"), makePool("q", "10.96.6.0/24"))
	next := func(cidrs []ServiceCIDR, before *ClusterIPs, pools ...*servicenetv1alpha1.ClusterIPPool) *ClusterIPs {
		return NewClusterIPs(compileAll(pools), cidrs, noon(), before)
	}

	// Other terms, another order, and an exclusive pool: only what is open changes.
	reversed := dualStack()
	slices.Reverse(reversed)
	second := next(reversed, first, makePool("q", "10.96.6.0/24", isExclusive(), forNamespaces("team", "a")), makePool("p", "10.96.5.0/24 fd00::/120", withPriority(3)))
	for _, same := range []struct {
		pool   string
		family corev1.IPFamily
	}{{"p", v4}, {"p", v6}, {"q", v4}} {
		if first.Range(same.pool, same.family) != second.Range(same.pool, same.family) {
			t.Errorf("the Range of %s in %s is another one", same.pool, same.family)
		}
	}
	if openRange(first, v4) == openRange(second, v4) || openRange(first, v6) != openRange(second, v6) {
		t.Error("the Range of what is open is the same in IPv4, or another in IPv6")
	}

	// Numbers that change make another Range.
	for name, third := range map[string]*ClusterIPs{
		"an exclusion":          next(dualStack(), first, makePool("p", "10.96.5.0/24 fd00::/120", excluding("10.96.5.1"))),
		"a reservation":         next(dualStack(), first, makePool("p", "10.96.5.0/24 fd00::/120", reserving("shop", "web", "10.96.5.1"))),
		"a CIDR":                next(dualStack(), first, makePool("p", "10.96.4.0/23 fd00::/120")),
		"one that goes first":   next(dualStack(), first, makePool("p", "10.96.5.0/24 fd00::/120"), makePool("r", "10.96.5.0/28", withPriority(1))),
		"an inner ServiceCIDR":  next(append(dualStack(), cidr("10.96.5.0/28")), first, makePool("p", "10.96.5.0/24 fd00::/120")),
		"no ServiceCIDR":        next(dualStack()[1:], first, makePool("p", "10.96.5.0/24 fd00::/120")),
		"another pool's number": next(dualStack(), first, makePool("p", "10.96.6.0/24 fd00::/120")),
	} {
		if first.Range("p", v4) == third.Range("p", v4) {
			t.Errorf("%s: the Range is the same", name)
		}
		if first.Range("p", v6) != third.Range("p", v6) {
			t.Errorf("%s: the Range of IPv6 is another one", name)
		}
	}

	ports := newNodePorts(t, makePorts("p", 30000, 30099))
	again := NewNodePorts([]*NodePortPool{CompileNodePortPool(makePorts("p", 30000, 30099, withPriority(1)))}, defaultPorts(t), ports)
	if ports.Range("p") != again.Range("p") || ports.ports.open != again.ports.open {
		t.Error("the Range of ports is another one")
	}
}

func TestServiceCIDRsSettle(t *testing.T) {
	settling := []ServiceCIDR{
		cidr("10.96.0.0/16"), notReady("10.97.0.0/16"), cidrSince("10.98.0.0/16", 3*time.Second), cidrSince("fd00::/112", 7*time.Second), {},
	}
	numbers := newClusterIPs(settling)
	if want := noon().Add(3 * time.Second); !numbers.Until().Equal(want) {
		t.Errorf("until %v, want %v", numbers.Until(), want)
	}
	for seconds, want := range map[int]bool{0: false, 2: false, 3: true, 7: true} {
		now := noon().Add(time.Duration(seconds) * time.Second)
		later := NewClusterIPs(nil, settling, now, numbers)
		if got := classOf(openRange(later, corev1.IPv6Protocol), "fd00::7777") == allocator.Dynamic; got != want {
			t.Errorf("%d s later: fd00::7777 open %v, want %v", seconds, got, want)
		}
	}
	if until := NewClusterIPs(nil, settling, noon().Add(7*time.Second), nil).Until(); !until.IsZero() {
		t.Errorf("until %v, when all have settled", until)
	}
}

func TestServiceCIDRsThatAreExpectedAreNotWaitedForInVain(t *testing.T) {
	expected := []ServiceCIDR{cidr("10.96.0.0/16"), expectedSince("10.97.0.0/16", 4*time.Second)}
	if until, want := newClusterIPs(expected).Until(), noon().Add(6*time.Second); !until.Equal(want) {
		t.Errorf("until %v, want %v", until, want)
	}
	if until := NewClusterIPs(nil, expected, noon().Add(6*time.Second), nil).Until(); !until.IsZero() {
		t.Errorf("until %v, when it is too late", until)
	}
}

func TestServiceCIDRsThatAreReady(t *testing.T) {
	condition := func(kind string, status metav1.ConditionStatus) *networkingv1.ServiceCIDR {
		return &networkingv1.ServiceCIDR{Status: networkingv1.ServiceCIDRStatus{Conditions: []metav1.Condition{
			{Type: "Other", Status: metav1.ConditionFalse}, {Type: kind, Status: status},
		}}}
	}
	deleted := condition(networkingv1.ServiceCIDRConditionReady, metav1.ConditionTrue)
	deleted.DeletionTimestamp = &metav1.Time{}
	for name, test := range map[string]struct {
		cidr *networkingv1.ServiceCIDR
		want bool
	}{
		"without a condition": {&networkingv1.ServiceCIDR{}, true},
		"with another one":    {condition("Another", metav1.ConditionFalse), true},
		"ready":               {condition(networkingv1.ServiceCIDRConditionReady, metav1.ConditionTrue), true},
		"not ready":           {condition(networkingv1.ServiceCIDRConditionReady, metav1.ConditionFalse), false},
		"unknown":             {condition(networkingv1.ServiceCIDRConditionReady, metav1.ConditionUnknown), false},
		"being deleted":       {deleted, false},
	} {
		if got := IsReady(test.cidr); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// A ServiceCIDR of one or two addresses has none to give.
func TestTinyServiceCIDRs(t *testing.T) {
	numbers := newClusterIPs([]ServiceCIDR{cidr("10.96.0.0/31"), cidr("10.97.0.0/32"), cidr("10.98.0.0/30")})
	who := shopWeb()
	for address, want := range map[string]bool{"10.96.0.0": false, "10.96.0.1": false, "10.97.0.0": false, "10.98.0.1": true, "10.98.0.3": false} {
		_, faults := numbers.Choose(who, []Need{{Family: corev1.IPv4Protocol, Address: netip.MustParseAddr(address)}}, nil)
		if got := len(faults) == 0; got != want {
			t.Errorf("%s: %v", address, faults)
		}
	}
}

func TestServiceCIDRsWithoutAddressesDoNotCount(t *testing.T) {
	numbers := newClusterIPs([]ServiceCIDR{cidr("10.96.0.0/31"), cidr("10.97.0.0/32")})
	_, faults := numbers.Choose(shopWeb(), []Need{{Family: corev1.IPv4Protocol, Address: netip.MustParseAddr("10.99.0.1")}}, nil)
	want := `spec.clusterIPs: Invalid value: "10.99.0.1": is not in the ServiceCIDRs of the cluster that are ready: none; leave it out to get a free one`
	if len(faults) != 1 || faults[0].Error() != want {
		t.Errorf("faults %v, want %s", faults, want)
	}
}

// Nothing makes such a recipe; if something did, nothing would be given out.
func TestARangeThatCannotBeIsEmpty(t *testing.T) {
	addresses := recipe[netip.Addr]{bands: []band[netip.Addr]{{span: span[netip.Addr]{netip.MustParseAddr("10.0.0.2"), netip.MustParseAddr("10.0.0.1")}}}}
	ports := recipe[Port]{bands: []band[Port]{{span: span[Port]{2, 1}}}}
	for _, of := range []*allocator.Range{cookAddresses(&addresses), cookPorts(&ports)} {
		if got := of.Capacity(allocator.Dynamic); got.Sign() != 0 {
			t.Errorf("%v numbers to give out", got)
		}
	}
}

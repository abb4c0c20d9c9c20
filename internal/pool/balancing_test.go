// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package pool

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/allocator"
)

// balancers returns a pool of addresses of load balancers.
func balancers(name, addresses string, options ...any) *servicenetv1alpha1.LoadBalancerPool {
	p := &servicenetv1alpha1.LoadBalancerPool{ObjectMeta: metav1.ObjectMeta{Name: name}}
	p.CreationTimestamp.Time = noon().Add(-24 * time.Hour)
	p.Spec.Addresses = strings.Fields(addresses)
	for _, option := range options {
		switch option := option.(type) {
		case poolOption:
			option(&p.Spec.PoolPolicy, &p.ObjectMeta)
		case func(*servicenetv1alpha1.LoadBalancerPoolSpec):
			option(&p.Spec)
		}
	}
	return p
}

// balancersOfNodes returns a pool of the addresses of nodes with a label.
func balancersOfNodes(name, key string, options ...any) *servicenetv1alpha1.LoadBalancerPool {
	picks := func(s *servicenetv1alpha1.LoadBalancerPoolSpec) {
		s.NodeSelector = &metav1.LabelSelector{}
		if key != "" {
			s.NodeSelector.MatchLabels = map[string]string{key: "yes"}
		}
	}
	return balancers(name, "", append([]any{picks}, options...)...)
}

func onRequest() func(*servicenetv1alpha1.LoadBalancerPoolSpec) {
	return func(s *servicenetv1alpha1.LoadBalancerPoolSpec) { s.AutoAssign = new(false) }
}

func rehoming() func(*servicenetv1alpha1.LoadBalancerPoolSpec) {
	return func(s *servicenetv1alpha1.LoadBalancerPoolSpec) { s.OnShrink = servicenetv1alpha1.ShrinkRehome }
}

func without(list ...string) func(*servicenetv1alpha1.LoadBalancerPoolSpec) {
	return func(s *servicenetv1alpha1.LoadBalancerPoolSpec) { s.Exclusions = list }
}

func withoutEdges() func(*servicenetv1alpha1.LoadBalancerPoolSpec) {
	return func(s *servicenetv1alpha1.LoadBalancerPoolSpec) { s.AvoidNetworkAndBroadcast = true }
}

func meantFor(namespace, name string, addresses ...string) func(*servicenetv1alpha1.LoadBalancerPoolSpec) {
	return func(s *servicenetv1alpha1.LoadBalancerPoolSpec) {
		s.Reservations = append(s.Reservations, servicenetv1alpha1.AddressReservation{
			Namespace: namespace, Name: name, Addresses: addresses,
		})
	}
}

func ofTypes(types ...servicenetv1alpha1.NodeAddressType) func(*servicenetv1alpha1.LoadBalancerPoolSpec) {
	return func(s *servicenetv1alpha1.LoadBalancerPoolSpec) { s.NodeAddressTypes = types }
}

// edgeNodes are two nodes with a label, and two others that by mistake have one address.
func edgeNodes() []Node {
	node := func(label string, addresses ...NodeAddress) Node {
		return Node{Labels: map[string]string{label: "yes"}, Addresses: addresses}
	}
	internal := func(text string) NodeAddress { return NodeAddress{corev1.NodeInternalIP, netip.MustParseAddr(text)} }
	external := NodeAddress{corev1.NodeExternalIP, netip.MustParseAddr("198.51.100.2")}
	return []Node{
		node("edge", internal("10.0.0.2"), external, internal("fd00::2")),
		node("edge", internal("10.0.0.1"), internal("fd00::1")),
		node("inner", internal("10.0.0.3")),
		node("inner", internal("10.0.0.3")),
	}
}

type lbPools = []*servicenetv1alpha1.LoadBalancerPool

func newBalancers(nodes []Node, list ...*servicenetv1alpha1.LoadBalancerPool) *LoadBalancers {
	return NewLoadBalancers(compileBalancers(list), nodes, nil)
}

func compileBalancers(list []*servicenetv1alpha1.LoadBalancerPool) []*LoadBalancerPool {
	compiled := make([]*LoadBalancerPool, len(list))
	for i, p := range list {
		compiled[i] = CompileLoadBalancerPool(p)
	}
	return compiled
}

// sketchBalancing returns candidates as words: "named 192.0.2.1 of p", "any of p",
// "nodes [10.0.0.1] of p".
func sketchBalancing(choice *BalancerChoice) []string {
	if choice.Refusal != nil {
		return []string{choice.Refusal.Reason + ": " + choice.Refusal.Message}
	}
	var lines []string
	for c := range choice.Candidates {
		what := map[Source]string{Named: "named", Reserved: "reserved", Retained: "retained", Automatic: "any", OfNodes: "nodes"}[c.Source]
		switch c.Source {
		case Automatic:
		case OfNodes:
			what += fmt.Sprintf(" %v", c.Nodes)
		default:
			what += fmt.Sprintf(" %v", c.Address)
		}
		lines = append(lines, what+" of "+c.Pool.Name)
	}
	return lines
}

// TestBalancing asks for one IPv4 address, unless another is named, for the Service
// web of the namespace shop, of team a and tier front.
func TestBalancing(t *testing.T) {
	teamA, teamB := forNamespaces("team", "a"), forNamespaces("team", "b")
	tests := map[string]struct {
		pools    lbPools
		of       string // the pool that is asked for
		named    string
		family   corev1.IPFamily
		retained string
		want     []string
	}{
		"without pools there is nothing":            {want: []string{"NoPool: no pool serves this Service"}},
		"without pools there is nothing to name":    {named: "192.0.2.1", want: []string{"NoPool: no pool serves this Service"}},
		"a pool for all":                            {pools: lbPools{balancers("p", "192.0.2.0/24")}, want: []string{"any of p"}},
		"a pool for its team":                       {pools: lbPools{balancers("p", "192.0.2.0/24", teamA)}, want: []string{"any of p"}},
		"a pool for another team":                   {pools: lbPools{balancers("p", "192.0.2.0/24", teamB)}, want: []string{"NoPool: no pool serves this Service"}},
		"a range":                                   {pools: lbPools{balancers("p", "192.0.2.1-192.0.2.9")}, want: []string{"any of p"}},
		"a malformed pool":                          {pools: lbPools{balancers("p", "192.0.2.0/24 x")}, want: []string{"NoPool: no pool serves this Service"}},
		"a pool of the other family":                {pools: lbPools{balancers("p", "fd00::/64")}, want: []string{"NoPool: the pools that serve this Service (p) have no IPv4 addresses to give out"}},
		"a pool of the other family, asked of that": {pools: lbPools{balancers("p", "fd00::/64")}, family: corev1.IPv6Protocol, want: []string{"any of p"}},
		"a /64 and more": {
			pools: lbPools{balancers("p", "fd00::-fd00:0:0:1:ffff::")}, family: corev1.IPv6Protocol,
			want: []string{"NoPool: no pool serves this Service"},
		},
		"by priority, specificity and name": {
			pools: lbPools{
				balancers("c", "192.0.2.0/28"), balancers("b", "192.0.2.16/28"), balancers("d", "192.0.2.32/28", teamA),
				balancers("z", "192.0.2.48/28", withPriority(1)), balancers("e", "192.0.2.64/28", forServices("tier", "front")),
			},
			want: []string{"any of z", "any of e", "any of d", "any of b", "any of c"},
		},
		"those on request are left out": {
			pools: lbPools{balancers("a", "192.0.2.0/28", onRequest()), balancers("b", "192.0.2.16/28")}, want: []string{"any of b"},
		},
		"nothing but on request": {
			pools: lbPools{balancers("a", "192.0.2.0/28", onRequest())},
			want:  []string{"NoPool: the pools that serve this Service (a) give out addresses on request only"},
		},

		// A pool is asked for.
		"the pool that is asked for": {
			pools: lbPools{balancers("a", "192.0.2.0/28"), balancers("b", "192.0.2.16/28")}, of: "b", want: []string{"any of b"},
		},
		"one on request": {
			pools: lbPools{balancers("a", "192.0.2.0/28", onRequest()), balancers("b", "192.0.2.16/28")}, of: "a", want: []string{"any of a"},
		},
		"one that does not serve it": {
			pools: lbPools{balancers("a", "192.0.2.0/28"), balancers("secret", "192.0.2.16/28", teamB)}, of: "secret",
			want: []string{"PoolNotFound: no pool secret serves this Service; those that do: a"},
		},
		"one that does not exist": {
			of: "x", want: []string{"PoolNotFound: no pool x serves this Service; those that do: none"},
		},
		"one that has nothing of the family": {
			pools: lbPools{balancers("a", "192.0.2.0/28"), balancers("b", "fd00::/64")}, of: "b",
			want: []string{"NoPool: the pools that serve this Service (b) have no IPv4 addresses to give out"},
		},

		// An address is named.
		"one of the pool": {pools: lbPools{balancers("p", "192.0.2.0/24")}, named: "192.0.2.7", want: []string{"named 192.0.2.7 of p"}},
		"one on request, by its address": {
			pools: lbPools{balancers("p", "192.0.2.0/24", onRequest())}, named: "192.0.2.7", want: []string{"named 192.0.2.7 of p"},
		},
		"one of another pool than is asked for": {
			pools: lbPools{balancers("a", "192.0.2.0/28"), balancers("b", "192.0.2.16/28")}, of: "a", named: "192.0.2.17",
			want: []string{"AddressOutsidePools: is in no pool that serves this Service (a): they have 192.0.2.0/28"},
		},
		"one of no pool": {
			pools: lbPools{balancers("a", "192.0.2.0/28 fd00::/64"), balancers("b", "192.0.2.16/28 198.51.100.1-198.51.100.2")}, named: "203.0.113.1",
			want: []string{"AddressOutsidePools: is in no pool that serves this Service (a, b): they have 192.0.2.0/27, 198.51.100.1-198.51.100.2"},
		},
		"one of a pool that does not serve it, of which nothing is said": {
			pools: lbPools{balancers("a", "192.0.2.0/28"), balancers("secret", "192.0.2.16/28", teamB)}, named: "192.0.2.17",
			want: []string{"AddressOutsidePools: is in no pool that serves this Service (a): they have 192.0.2.0/28"},
		},
		"one of a pool of others inside its own": {
			pools: lbPools{balancers("all", "192.0.2.0/24"), balancers("secret", "192.0.2.16/28", teamB)}, named: "192.0.2.17",
			want: []string{"named 192.0.2.17 of secret"},
		},
		"one of an exclusive pool of others inside its own": {
			pools: lbPools{balancers("all", "192.0.2.0/24"), balancers("secret", "192.0.2.16/28", teamB, isExclusive())}, named: "192.0.2.17",
			want: []string{"NotPermitted: belongs to a pool that does not serve this Service"},
		},
		"one of no pool, beside a pool of others inside its own": {
			pools: lbPools{balancers("all", "192.0.2.0/24"), balancers("secret", "192.0.2.0/25", teamB)}, named: "203.0.113.1",
			want: []string{"AddressOutsidePools: is in no pool that serves this Service (all): they have 192.0.2.128/25"},
		},
		"one that is excluded": {
			pools: lbPools{balancers("a", "192.0.2.0/28", without("192.0.2.3"))}, named: "192.0.2.3",
			want: []string{"AddressOutsidePools: is excluded in the pool a"},
		},
		"one that another pool excludes": {
			pools: lbPools{balancers("a", "192.0.2.0/28", without("192.0.2.3")), balancers("b", "192.0.2.0/28")}, named: "192.0.2.3",
			want: []string{"named 192.0.2.3 of b"},
		},
		"one of a family that there is nothing of": {
			pools: lbPools{balancers("a", "192.0.2.0/28")}, named: "fd00::1",
			want: []string{"AddressOutsidePools: is in no pool that serves this Service (a): they have no IPv6 addresses that can be named"},
		},

		// Reserved and retained ones.
		"a reserved one, and no other": {
			pools: lbPools{balancers("p", "192.0.2.0/24", meantFor("shop", "web", "192.0.2.7"))}, retained: "192.0.2.8",
			want: []string{"reserved 192.0.2.7 of p"},
		},
		"a reserved one of a pool that does not serve it": {
			pools: lbPools{balancers("p", "192.0.2.0/24", teamB, meantFor("shop", "web", "192.0.2.7"))}, want: []string{"reserved 192.0.2.7 of p"},
		},
		"a reserved one by its address": {
			pools: lbPools{balancers("p", "192.0.2.0/24", teamB, meantFor("shop", "web", "192.0.2.7"))}, named: "192.0.2.7",
			want: []string{"named 192.0.2.7 of p"},
		},
		"a reserved one by its address, but another pool is asked for": {
			pools: lbPools{balancers("p", "192.0.2.0/24", meantFor("shop", "web", "192.0.2.7")), balancers("q", "198.51.100.0/24")}, of: "q",
			named: "192.0.2.7", want: []string{"AddressOutsidePools: is in no pool that serves this Service (q): they have 198.51.100.0/24"},
		},
		"a reserved one, but another pool is asked for": {
			pools: lbPools{balancers("p", "192.0.2.0/24", meantFor("shop", "web", "192.0.2.7")), balancers("q", "198.51.100.0/24")}, of: "q",
			want: []string{"any of q"},
		},
		"one that is reserved for another": {
			pools: lbPools{balancers("p", "192.0.2.0/24", meantFor("shop", "db", "192.0.2.7"))}, named: "192.0.2.7",
			want: []string{"NotPermitted: is reserved for another Service"},
		},
		"one that is reserved in a pool of others": {
			pools: lbPools{balancers("p", "192.0.2.0/24", teamB, meantFor("blue", "db", "192.0.2.7")), balancers("q", "198.51.100.0/24")}, named: "192.0.2.7",
			want: []string{"AddressOutsidePools: is in no pool that serves this Service (q): they have 198.51.100.0/24"},
		},
		"a retained one, then any": {
			pools: lbPools{balancers("p", "192.0.2.0/24")}, retained: "192.0.2.8", want: []string{"retained 192.0.2.8 of p", "any of p"},
		},
		"a retained one that it may not have any more": {
			pools: lbPools{balancers("p", "192.0.2.0/25")}, retained: "192.0.2.200", want: []string{"any of p"},
		},
		"a retained one of the other family": {
			pools: lbPools{balancers("p", "192.0.2.0/25 fd00::/64")}, retained: "fd00::1", want: []string{"any of p"},
		},
		"a retained one on request": {
			pools: lbPools{balancers("p", "192.0.2.0/25", onRequest())}, retained: "192.0.2.8", want: []string{"retained 192.0.2.8 of p"},
		},

		// Addresses of nodes.
		"those of nodes, by their types": {
			pools: lbPools{balancersOfNodes("n", "edge")}, want: []string{"nodes [10.0.0.1 198.51.100.2] of n"},
		},
		"of IPv6": {
			pools: lbPools{balancersOfNodes("n", "edge")}, family: corev1.IPv6Protocol, want: []string{"nodes [fd00::1 fd00::2] of n"},
		},
		"of internal ones": {
			pools: lbPools{balancersOfNodes("n", "", ofTypes(servicenetv1alpha1.NodeInternalIP))}, want: []string{"nodes [10.0.0.1 10.0.0.2 10.0.0.3] of n"},
		},
		"internal ones first": {
			pools: lbPools{balancersOfNodes("n", "edge", ofTypes(servicenetv1alpha1.NodeInternalIP, servicenetv1alpha1.NodeExternalIP))},
			want:  []string{"nodes [10.0.0.1 10.0.0.2] of n"},
		},
		"of external ones only": {
			pools: lbPools{balancersOfNodes("n", "", ofTypes(servicenetv1alpha1.NodeExternalIP))}, want: []string{"nodes [198.51.100.2] of n"},
		},
		"of no node": {
			pools: lbPools{balancersOfNodes("n", "none")}, want: []string{"NoNodes: no node of the pools that serve this Service (n) is ready, takes traffic of load balancers, and has an IPv4 address"},
		},
		"of no node, beside a pool that has nothing of the family": {
			pools: lbPools{balancersOfNodes("n", "none"), balancers("p", "fd00::/64")},
			want:  []string{"NoPool: the pools that serve this Service (n, p) have no IPv4 addresses to give out"},
		},
		"of no node, beside a pool on request": {
			pools: lbPools{balancersOfNodes("n", "none"), balancers("p", "192.0.2.0/24", onRequest())},
			want:  []string{"NoNodes: no node of the pools that serve this Service (n, p) is ready, takes traffic of load balancers, and has an IPv4 address"},
		},
		"after a pool that goes first": {
			pools: lbPools{balancersOfNodes("n", "inner"), balancers("p", "192.0.2.0/28", withPriority(1))},
			want:  []string{"any of p", "nodes [10.0.0.3] of n"},
		},
		"none by its address": {
			pools: lbPools{balancersOfNodes("n", "edge")}, named: "10.0.0.1",
			want: []string{"AddressOutsidePools: is in no pool that serves this Service (n): they have no IPv4 addresses that can be named"},
		},
		"malformed": {
			pools: lbPools{balancersOfNodes("n", "edge", isExclusive())}, want: []string{"NoPool: no pool serves this Service"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			l := newBalancers(edgeNodes(), test.pools...)
			need := Need{Family: corev1.IPv4Protocol}
			if test.family != "" {
				need.Family = test.family
			}
			if test.named != "" {
				need.Address = netip.MustParseAddr(test.named)
				need.Family = familyOf(need.Address)
			}
			choices := l.Choose(shopWeb(), test.of, []Need{need}, addressesOf(test.retained))
			if diff := cmp.Diff(test.want, sketchBalancing(&choices[0])); diff != "" {
				t.Errorf("candidates (-want +got):\n%s", diff)
			}
		})
	}
}

// Each family is looked at by itself.
func TestBalancingOfTwoFamilies(t *testing.T) {
	l := newBalancers(nil, balancers("a", "192.0.2.0/28"), balancers("b", "fd00::/64", onRequest()))
	choices := l.Choose(shopWeb(), "", []Need{{Family: corev1.IPv4Protocol}, {Index: 1, Family: corev1.IPv6Protocol}}, nil)
	if choices[0].Refusal != nil || choices[1].Refusal == nil || choices[1].Index != 1 {
		t.Errorf("got %+v", choices)
	}
	for range choices[0].Candidates {
		break // whoever finds what it wants stops asking
	}
}

func TestAddressesOfAPoolHaveTheirClasses(t *testing.T) {
	for name, test := range map[string]struct {
		pool  *servicenetv1alpha1.LoadBalancerPool
		given string
		not   string
		count string
	}{
		"a CIDR with its edges":     {pool: balancers("p", "192.0.2.0/30"), given: "192.0.2.0 192.0.2.1 192.0.2.2 192.0.2.3", not: "192.0.2.4", count: "4"},
		"a CIDR without its edges":  {pool: balancers("p", "192.0.2.0/30", withoutEdges()), given: "192.0.2.1 192.0.2.2", not: "192.0.2.0 192.0.2.3", count: "2"},
		"a /31 has no edges":        {pool: balancers("p", "192.0.2.0/31", withoutEdges()), given: "192.0.2.0 192.0.2.1", count: "2"},
		"a /32 has no edges":        {pool: balancers("p", "192.0.2.0/32", withoutEdges()), given: "192.0.2.0", not: "192.0.2.1", count: "1"},
		"IPv6 has no edges":         {pool: balancers("p", "fd00::/126", withoutEdges()), given: "fd00:: fd00::3", count: "4"},
		"a /127 has no edges":       {pool: balancers("p", "fd00::/127", withoutEdges()), given: "fd00:: fd00::1", count: "2"},
		"a /128 has no edges":       {pool: balancers("p", "fd00::/128", withoutEdges()), given: "fd00::", count: "1"},
		"a range has no edges":      {pool: balancers("p", "192.0.2.0-192.0.2.3", withoutEdges()), given: "192.0.2.0 192.0.2.3", count: "4"},
		"a larger one has no more":  {pool: balancers("p", "192.0.2.0/23", withoutEdges()), given: "192.0.2.255 192.0.3.0", not: "192.0.2.0 192.0.3.255", count: "510"},
		"each CIDR has its own":     {pool: balancers("p", "192.0.2.0/30 192.0.2.4/30", withoutEdges()), given: "192.0.2.1 192.0.2.6", not: "192.0.2.3 192.0.2.4", count: "4"},
		"across blocks of a ledger": {pool: balancers("p", "10.0.15.254-10.0.16.1"), given: "10.0.15.254 10.0.15.255 10.0.16.0 10.0.16.1", not: "10.0.15.253 10.0.16.2", count: "4"},
		"an excluded one":           {pool: balancers("p", "192.0.2.0/30", without("192.0.2.1-192.0.2.2")), given: "192.0.2.0 192.0.2.3", not: "192.0.2.1 192.0.2.2", count: "2"},
		"as many as there can be": {
			pool: balancers("p", "fd00::/64 fd01::/64"), given: "fd00:: fd01::ffff:ffff:ffff:ffff", not: "fd00:0:0:1::", count: "36893488147419103232",
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := newBalancers(nil, test.pool)
			family := familyOf(addressesOf(test.given)[0])
			of := l.Range("p", family)
			for _, address := range addressesOf(test.given) {
				if class := classOf(of, address.String()); class != allocator.Dynamic {
					t.Errorf("%s is of class %v", address, class)
				}
			}
			for _, address := range addressesOf(test.not) {
				if class := classOf(of, address.String()); class > allocator.Excluded {
					t.Errorf("%s is of class %v", address, class)
				}
			}
			if got := l.Capacity("p", family).String(); got != test.count {
				t.Errorf("%s addresses, want %s", got, test.count)
			}
		})
	}
}

func TestPoolsOfLoadBalancersCanBeMalformed(t *testing.T) {
	for name, test := range map[string]struct {
		pool *servicenetv1alpha1.LoadBalancerPool
		want string
	}{
		"nothing at all":         {balancers("p", ""), "addresses: a pool needs either addresses or a nodeSelector"},
		"both":                   {balancersOfNodes("p", "edge", func(s *servicenetv1alpha1.LoadBalancerPoolSpec) { s.Addresses = []string{"192.0.2.0/24"} }), "addresses: a pool needs either addresses or a nodeSelector"},
		"a single address":       {balancers("p", "192.0.2.1"), `addresses: "192.0.2.1" is neither a CIDR nor a range`},
		"bits after the prefix":  {balancers("p", "192.0.2.1/24"), `addresses: "192.0.2.1/24" has bits set after its prefix`},
		"a range backwards":      {balancers("p", "192.0.2.9-192.0.2.1"), `addresses: "192.0.2.9-192.0.2.1" is no range`},
		"a range over families":  {balancers("p", "192.0.2.9-fd00::1"), `addresses: "192.0.2.9-fd00::1" is no range`},
		"too many addresses":     {balancers("p", "fd00::/63"), "addresses: fd00::-fd00::1:ffff:ffff:ffff:ffff has more than 2^64 addresses"},
		"a bad exclusion":        {balancers("p", "192.0.2.0/24", without("x")), `exclusions: "x" is no address`},
		"nothing left":           {balancers("p", "192.0.2.0/24", without("192.0.2.0/24")), "exclusions: nothing is left of 192.0.2.0/24"},
		"an edge reserved":       {balancers("p", "192.0.2.0/24", withoutEdges(), meantFor("a", "b", "192.0.2.0")), "reservations: 192.0.2.0 is excluded"},
		"reserved outside":       {balancers("p", "192.0.2.0/24", meantFor("a", "b", "192.0.3.0")), "reservations: 192.0.3.0 is not a number of the pool"},
		"an exclusion of nodes":  {balancersOfNodes("p", "edge", without("10.0.0.1")), "nodeSelector: exclusions, reservations and avoidNetworkAndBroadcast are for pools with addresses"},
		"a retain time of nodes": {balancersOfNodes("p", "edge", poolOption(func(p *servicenetv1alpha1.PoolPolicy, _ *metav1.ObjectMeta) { p.Retain = new(metav1.Duration) })), "nodeSelector: exclusive, retain and limitPerNamespace are for pools with addresses"},
		"a bad nodeSelector": {balancersOfNodes("p", "edge", func(s *servicenetv1alpha1.LoadBalancerPoolSpec) {
			s.NodeSelector.MatchExpressions = []metav1.LabelSelectorRequirement{{Key: "a", Operator: "Near"}}
		}), `nodeSelector: "Near" is not a valid label selector operator`},
	} {
		compiled := CompileLoadBalancerPool(test.pool)
		if diff := cmp.Diff([]string{test.want}, compiled.Faults); diff != "" {
			t.Errorf("%s: faults (-want +got):\n%s", name, diff)
		}
	}
}

func TestSettingsOfAPoolAreCompiled(t *testing.T) {
	plain := CompileLoadBalancerPool(balancers("p", "192.0.2.0/24"))
	if plain.IPMode != corev1.LoadBalancerIPModeVIP || !plain.AutoAssign || plain.Rehomes || plain.OfNodes() {
		t.Errorf("by default: %+v", plain)
	}
	set := CompileLoadBalancerPool(balancersOfNodes("p", "edge", onRequest(), rehoming(), func(s *servicenetv1alpha1.LoadBalancerPoolSpec) {
		s.IPMode = servicenetv1alpha1.IPModeProxy
	}))
	if set.IPMode != corev1.LoadBalancerIPModeProxy || set.AutoAssign || !set.Rehomes || !set.OfNodes() {
		t.Errorf("set: %+v", set)
	}
}

// A Service of the namespace shop, of team a, has an address when pools change.
func TestWhatBecomesOfAnAddress(t *testing.T) {
	teamA, teamB := forNamespaces("team", "a"), forNamespaces("team", "b")
	const has = "192.0.2.7"
	for name, test := range map[string]struct {
		pools   lbPools
		of      string
		address string
		want    Standing
		pool    string
	}{
		"its pool has it":                  {pools: lbPools{balancers("p", "192.0.2.0/24")}, want: Fits, pool: "p"},
		"its pool has grown":               {pools: lbPools{balancers("p", "192.0.0.0/16", rehoming())}, want: Fits, pool: "p"},
		"its pool gives on request only":   {pools: lbPools{balancers("p", "192.0.2.0/24", onRequest())}, want: Fits, pool: "p"},
		"no pool is left":                  {want: Kept},
		"its pool has shrunk":              {pools: lbPools{balancers("p", "192.0.2.128/25")}, want: Kept},
		"its pool has shrunk and rehomes":  {pools: lbPools{balancers("p", "192.0.2.128/25", rehoming())}, want: Rehomed},
		"its pool excludes it and rehomes": {pools: lbPools{balancers("p", "192.0.2.0/24", without(has), rehoming())}, want: Rehomed},
		"the pool that goes first decides, and keeps": {
			pools: lbPools{balancers("p", "192.0.2.128/25", withPriority(1)), balancers("q", "198.51.100.0/24", rehoming())}, want: Kept,
		},
		"the pool that goes first decides, and rehomes": {
			pools: lbPools{balancers("p", "192.0.2.128/25", withPriority(1), rehoming()), balancers("q", "198.51.100.0/24")}, want: Rehomed,
		},
		"one that gives nothing unasked does not decide": {
			pools: lbPools{balancers("p", "192.0.2.128/25", onRequest(), rehoming())}, want: Kept,
		},
		"one of the other family does not decide": {pools: lbPools{balancers("p", "fd00::/64", rehoming())}, want: Kept},
		"a pool of others moves nobody": {
			pools: lbPools{balancers("p", "192.0.2.0/24"), balancers("theirs", "192.0.2.0/28", teamB, isExclusive(), rehoming())}, want: Kept,
		},
		"a pool of others, and its own rehomes": {
			pools: lbPools{balancers("p", "192.0.2.0/24", rehoming()), balancers("theirs", "192.0.2.0/28", teamB, isExclusive())}, want: Rehomed,
		},
		"it is reserved for another now":      {pools: lbPools{balancers("p", "192.0.2.0/24", rehoming(), meantFor("shop", "db", has))}, want: Rehomed},
		"it is reserved for it, of another's": {pools: lbPools{balancers("p", "192.0.2.0/24", teamB, meantFor("shop", "web", has))}, want: Fits, pool: "p"},
		"another pool is asked for now": {
			pools: lbPools{balancers("p", "192.0.2.0/24"), balancers("q", "198.51.100.0/24", rehoming())}, of: "q", want: Rehomed,
		},
		"one that does not serve it is asked for": {
			pools: lbPools{balancers("p", "192.0.2.0/24"), balancers("q", "198.51.100.0/24", teamB, rehoming())}, of: "q", want: Kept,
		},
		"of its own team": {pools: lbPools{balancers("p", "192.0.2.0/24", teamA)}, want: Fits, pool: "p"},
		"of a node":       {pools: lbPools{balancersOfNodes("n", "edge")}, address: "10.0.0.1", want: Fits, pool: "n"},
		"of a node that the pool has no more": {
			pools: lbPools{balancersOfNodes("n", "edge")}, address: "10.0.0.3", want: Kept,
		},
		"of a node, of a pool that does not serve it": {pools: lbPools{balancersOfNodes("n", "edge", teamB)}, address: "10.0.0.1", want: Kept},
	} {
		t.Run(name, func(t *testing.T) {
			if test.address == "" {
				test.address = has
			}
			got, pool := newBalancers(edgeNodes(), test.pools...).Keeps(shopWeb(), test.of, netip.MustParseAddr(test.address))
			of := ""
			if pool != nil {
				of = pool.Name
			}
			if got != test.want || of != test.pool {
				t.Errorf("%v of %q, want %v of %q", got, of, test.want, test.pool)
			}
		})
	}
}

func TestPoolsOfLoadBalancersAreFound(t *testing.T) {
	l := newBalancers(edgeNodes(),
		balancers("all", "192.0.2.0/24 fd00::/64"), balancers("b", "192.0.2.16/28", forNamespaces("team", "b")), balancersOfNodes("n", "edge"))
	for address, want := range map[string]string{
		"192.0.2.1": "all", "192.0.2.17": "b", "fd00::1": "all", "198.51.100.2": "", "203.0.113.1": "",
	} {
		got := ""
		if owner := l.Owner(netip.MustParseAddr(address)); owner != nil {
			got = owner.Name
		}
		if got != want {
			t.Errorf("%s is of %q, want %q", address, got, want)
		}
	}
	if l.Pool("b") == nil || l.Pool("x") != nil || len(l.Pools()) != 3 {
		t.Error("pools are not found by their names")
	}
	if l.Serves("b", shopWeb()) || !l.Serves("all", shopWeb()) || l.Serves("x", shopWeb()) {
		t.Error("pools serve others than they should")
	}
	for pool, want := range map[string]string{"all": "192.0.2.0/28, 192.0.2.32/27, 192.0.2.64/26, 192.0.2.128/25", "b": "192.0.2.16/28", "x": "none", "n": "10.0.0.1, 198.51.100.2"} {
		got := strings.ReplaceAll(l.Describe(pool, corev1.IPv4Protocol), "192.0.2.32-192.0.2.255", "192.0.2.32/27, 192.0.2.64/26, 192.0.2.128/25")
		if got != want {
			t.Errorf("%s has %s, want %s", pool, got, want)
		}
	}
	if got := l.Capacity("n", corev1.IPv4Protocol).Int64(); got != 2 || len(l.NodeAddresses("n", corev1.IPv4Protocol)) != 2 {
		t.Errorf("the pool of nodes has %d addresses", got)
	}
	if l.Range("n", corev1.IPv4Protocol) != nil || l.NodeAddresses("x", corev1.IPv4Protocol) != nil {
		t.Error("pools have what they should not")
	}
}

func TestRangesOfLoadBalancersAreKept(t *testing.T) {
	compiled := compileBalancers(lbPools{balancers("a", "192.0.2.0/28"), balancers("b", "192.0.2.16/28")})
	before := NewLoadBalancers(compiled, nil, nil)
	after := NewLoadBalancers([]*LoadBalancerPool{compiled[0], CompileLoadBalancerPool(balancers("b", "192.0.2.16/29"))}, edgeNodes(), before)
	if before.Range("a", corev1.IPv4Protocol) != after.Range("a", corev1.IPv4Protocol) {
		t.Error("the Range of a pool that stays the same is another")
	}
	if before.Range("b", corev1.IPv4Protocol) == after.Range("b", corev1.IPv4Protocol) {
		t.Error("the Range of a pool that changes is the same")
	}
}

func TestNodesThatTakeTraffic(t *testing.T) {
	ready := func(status corev1.ConditionStatus) *corev1.Node {
		return &corev1.Node{Status: corev1.NodeStatus{
			Conditions: []corev1.NodeCondition{{Type: corev1.NodeMemoryPressure, Status: corev1.ConditionTrue}, {Type: corev1.NodeReady, Status: status}},
			Addresses:  []corev1.NodeAddress{{Type: corev1.NodeHostName, Address: "node"}, {Type: corev1.NodeInternalIP, Address: "10.0.0.1"}},
		}}
	}
	change := func(change func(*corev1.Node)) *corev1.Node {
		n := ready(corev1.ConditionTrue)
		change(n)
		return n
	}
	for name, test := range map[string]struct {
		node *corev1.Node
		want bool
	}{
		"ready":     {ready(corev1.ConditionTrue), true},
		"not ready": {ready(corev1.ConditionFalse), false},
		"unknown":   {ready(corev1.ConditionUnknown), false},
		"new":       {change(func(n *corev1.Node) { n.Status.Conditions = nil }), false},
		"left out":  {change(func(n *corev1.Node) { n.Labels = map[string]string{corev1.LabelNodeExcludeBalancers: "false"} }), false},
		"deleted":   {change(func(n *corev1.Node) { n.DeletionTimestamp = &metav1.Time{} }), false},
		"about to be removed": {
			change(func(n *corev1.Node) { n.Spec.Taints = []corev1.Taint{{Key: "ToBeDeletedByClusterAutoscaler"}} }), false,
		},
		"cordoned": {change(func(n *corev1.Node) {
			n.Spec.Unschedulable, n.Spec.Taints = true, []corev1.Taint{{Key: corev1.TaintNodeUnschedulable}}
		}), true},
	} {
		seen, takes := NodeOf(test.node)
		if takes != test.want {
			t.Errorf("%s: takes traffic is %v, want %v", name, takes, test.want)
		}
		want := []NodeAddress{{corev1.NodeInternalIP, netip.MustParseAddr("10.0.0.1")}}
		if diff := cmp.Diff(want, seen.Addresses, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); takes && diff != "" {
			t.Errorf("%s: addresses (-want +got):\n%s", name, diff)
		}
	}
}

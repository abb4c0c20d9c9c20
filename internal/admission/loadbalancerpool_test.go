// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/pool"
)

type balancerPool = servicenetv1alpha1.LoadBalancerPool

// makeBalancers returns a pool of addresses of load balancers.
func makeBalancers(addresses []string, change ...func(*balancerPool)) *balancerPool {
	p := &balancerPool{ObjectMeta: metav1.ObjectMeta{Name: "p", CreationTimestamp: metav1.NewTime(noon())}}
	p.Spec.Addresses = addresses
	for _, f := range change {
		f(p)
	}
	return p
}

// onNodes makes it a pool of the addresses of nodes with a label.
func onNodes(label string) func(*balancerPool) {
	return func(p *balancerPool) {
		p.Spec.Addresses, p.Spec.NodeSelector = nil, &metav1.LabelSelector{MatchLabels: map[string]string{label: "yes"}}
	}
}

func rehomes(p *balancerPool) { p.Spec.OnShrink = servicenetv1alpha1.ShrinkRehome }
func isForced(p *balancerPool) {
	p.Annotations = map[string]string{servicenetv1alpha1.ForceAnnotation: "true"}
}
func noEdges(p *balancerPool)      { p.Spec.AvoidNetworkAndBroadcast = true }
func shopsAlone(p *balancerPool)   { p.Spec.PoolPolicy = badPolicy("shop") }
func goesFirst(p *balancerPool)    { p.Spec.Priority = 1 }
func isOlder(p *balancerPool)      { p.CreationTimestamp.Time = noon().Add(-time.Hour) }
func called(p *balancerPool)       { p.Name = "other" }
func limitedToOne(p *balancerPool) { p.Spec.LimitPerNamespace = new(int32(1)) }

func badPolicy(team string) servicenetv1alpha1.PoolPolicy {
	return servicenetv1alpha1.PoolPolicy{
		NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"team": team}}, Exclusive: true,
	}
}

func without(list ...string) func(*balancerPool) {
	return func(p *balancerPool) { p.Spec.Exclusions = list }
}

func meantFor(name string, list ...string) func(*balancerPool) {
	return func(p *balancerPool) {
		p.Spec.Reservations = append(p.Spec.Reservations, servicenetv1alpha1.AddressReservation{Namespace: "shop", Name: name, Addresses: list})
	}
}

// What is said of a pool of addresses of load balancers. Services have 192.0.2.1,
// 192.0.2.200 and 10.0.0.1, which is that of a node with the label edge; the namespace
// shop has two of the pool.
func TestLoadBalancerPoolReview(t *testing.T) {
	whole := []string{"192.0.2.0/24"}
	plain := makeBalancers(whole)
	tests := map[string]struct {
		pool, old *balancerPool
		others    []*balancerPool
		want      []string
	}{
		"good": {pool: makeBalancers([]string{"192.0.2.0/24", "198.51.100.10-198.51.100.20", "fd00::/64"}, noEdges,
			without("192.0.2.9", "198.51.100.12-198.51.100.13"), meantFor("dns", "192.0.2.53", "fd00::53"))},
		"good, of nodes": {pool: makeBalancers(nil, onNodes("edge"))},
		"of no nodes": {pool: makeBalancers(nil, onNodes("none")), want: []string{
			"warning: the pool will not be Ready: NoNodeAddresses: no node that the pool picks is ready, takes traffic of load balancers, and has an address",
		}},

		// Malformed ones.
		"addresses that are none": {pool: makeBalancers([]string{"192.0.2.1", "x", "::ffff:192.0.2.0/120", "192.0.2.9-x"}), want: []string{
			`spec.addresses[0]: Invalid value: "192.0.2.1": must be a CIDR, or a range such as 192.0.2.10-192.0.2.20`,
			`spec.addresses[1]: Invalid value: "x": must be a CIDR, or a range such as 192.0.2.10-192.0.2.20`,
			`spec.addresses[2]: Invalid value: "::ffff:192.0.2.0/120": must be a CIDR, or a range such as 192.0.2.10-192.0.2.20`,
			`spec.addresses[3]: Invalid value: "192.0.2.9-x": must be a CIDR, or a range such as 192.0.2.10-192.0.2.20`,
		}},
		"stretches that make no sense": {pool: makeBalancers([]string{"192.0.2.7/24", "192.0.2.9-192.0.2.1", "192.0.2.1-fd00::1", "fd00::/63"}), want: []string{
			`spec.addresses[0]: Invalid value: "192.0.2.7/24": must not have bits set after its prefix; it would be 192.0.2.0/24`,
			`spec.addresses[1]: Invalid value: "192.0.2.9-192.0.2.1": the first address must not be higher than the last one`,
			`spec.addresses[2]: Invalid value: "192.0.2.1-fd00::1": must be of one family`,
			`spec.addresses[3]: Invalid value: "fd00::/63": IPv6 prefixes must be /64 or longer`,
		}},
		"a range too wide": {pool: makeBalancers([]string{"fd00::-fd00:0:0:1::"}), want: []string{
			"spec.addresses: Invalid value: fd00::-fd00:0:0:1:: has more than 2^64 addresses",
		}},
		"stretches that overlap": {pool: makeBalancers([]string{"192.0.2.0/24", "192.0.2.9-192.0.2.20", "192.0.2.20-192.0.3.1"}), want: []string{
			`spec.addresses[1]: Invalid value: "192.0.2.9-192.0.2.20": overlaps 192.0.2.0/24 of the same pool`,
			`spec.addresses[2]: Invalid value: "192.0.2.20-192.0.3.1": overlaps 192.0.2.0/24 of the same pool`,
			`spec.addresses[2]: Invalid value: "192.0.2.20-192.0.3.1": overlaps 192.0.2.9-192.0.2.20 of the same pool`,
		}},
		"exclusions outside and reservations that are wrong": {
			pool: makeBalancers(whole, noEdges, without("198.51.100.1"), meantFor("a", "198.51.100.1"), meantFor("b", "192.0.2.255"), meantFor("c", "192.0.2.3", "192.0.2.3")),
			want: []string{
				`spec.exclusions[0]: Invalid value: "198.51.100.1": the pool has none of these addresses`,
				`spec.reservations[0].addresses[0]: Invalid value: "198.51.100.1": the pool does not have this address`,
				`spec.reservations[1].addresses[0]: Invalid value: "192.0.2.255": the pool excludes this address`,
				`spec.reservations[2].addresses[1]: Duplicate value: "192.0.2.3"`,
			},
		},
		"exclusions of all": {pool: makeBalancers([]string{"192.0.2.0/30"}, noEdges, without("192.0.2.1-192.0.2.2")), want: []string{
			"spec.exclusions: Invalid value: nothing is left of 192.0.2.0/30",
		}},
		"neither addresses nor nodes": {pool: makeBalancers(nil), want: []string{
			"spec.addresses: Invalid value: a pool needs either addresses or a nodeSelector",
		}},
		"exclusions of nodes": {pool: makeBalancers(nil, onNodes("edge"), without("10.0.0.1")), want: []string{
			"spec.nodeSelector: Invalid value: exclusions, reservations and avoidNetworkAndBroadcast are for pools with addresses",
		}},
		"forced by halves": {pool: makeBalancers(whole, func(p *balancerPool) {
			p.Annotations = map[string]string{servicenetv1alpha1.ForceAnnotation: "yes"}
		}), want: []string{`metadata.annotations[servicenet.dev/force]: Unsupported value: "yes": supported values: "true", "false"`}},

		// Others have the same.
		"an older one has it": {pool: plain, others: []*balancerPool{makeBalancers([]string{"192.0.2.0/28"}, called, isOlder)}, want: []string{
			"warning: the pool will not be Ready: Overlaps: 192.0.2.0/28: the pool other has it too, and goes first",
			"spec.addresses: Forbidden: 192.0.2.0/28: the pool other has it, too; the older one would have these; give one of them another priority" + force,
		}},
		"a younger one has it": {pool: makeBalancers(whole, isOlder), others: []*balancerPool{makeBalancers([]string{"192.0.2.0/28"}, called)}, want: []string{
			"spec.addresses: Forbidden: 192.0.2.0/28: the pool other has it, too; the older one would have these; give one of them another priority" + force,
		}},
		"an older one has it, and that is forced": {pool: makeBalancers(whole, isForced), others: []*balancerPool{makeBalancers([]string{"192.0.2.0/28"}, called, isOlder)},
			want: []string{
				"warning: spec.addresses: 192.0.2.0/28: the pool other has it, too; the older one would have these; give one of them another priority",
				"warning: the pool will not be Ready: Overlaps: 192.0.2.0/28: the pool other has it too, and goes first",
			}},
		"one that goes first has it":       {pool: plain, others: []*balancerPool{makeBalancers([]string{"192.0.2.0/28"}, called, goesFirst)}},
		"one that is more specific has it": {pool: plain, others: []*balancerPool{makeBalancers([]string{"192.0.2.0/28"}, called, shopsAlone)}},
		"others of nodes have the same":    {pool: makeBalancers(nil, onNodes("edge")), others: []*balancerPool{makeBalancers(nil, called, onNodes("edge"))}},
		"a reserved one of a pool of others": {
			pool: makeBalancers(whole, meantFor("web", "192.0.2.3")), others: []*balancerPool{makeBalancers([]string{"192.0.2.0/28"}, called, shopsAlone)},
			want: []string{"warning: spec.reservations[0].addresses[0]: 192.0.2.3: belongs to a pool that does not serve this Service"},
		},

		// The cluster has the same.
		"addresses of ServiceCIDRs and pods": {pool: makeBalancers([]string{"10.96.0.0/16", "10.244.0.0/16"}), want: []string{
			"warning: spec.addresses: the ServiceCIDR 10.96.0.0/16 has some of these addresses, which are cluster IPs",
			"warning: spec.addresses: the pod CIDR 10.244.0.0/24, 10.244.1.0/24, 10.244.2.0/24, 1 more has some of these addresses, which are addresses of pods",
		}},

		// Changes.
		"nothing changes":        {pool: plain, old: plain},
		"it grows":               {pool: makeBalancers([]string{"192.0.2.0/23"}), old: plain},
		"unused ones go":         {pool: makeBalancers([]string{"192.0.2.0/25", "192.0.2.192/26"}), old: plain},
		"used ones go":           {pool: makeBalancers([]string{"192.0.2.0/25"}), old: plain, want: []string{"spec.addresses: Forbidden: 1 addresses that Services have would be outside of the pool (kubectl get services -A shows them)" + force}},
		"used ones are excluded": {pool: makeBalancers(whole, without("192.0.2.0-192.0.2.200")), old: plain, want: []string{"spec.addresses: Forbidden: 2 addresses that Services have would be outside of the pool (kubectl get services -A shows them)" + force}},
		"used ones go by force": {pool: makeBalancers([]string{"192.0.2.0/25"}, isForced), old: plain,
			want: []string{"warning: spec.addresses: 1 addresses that Services have would be outside of the pool (kubectl get services -A shows them)"}},
		"used ones go, and Services move": {pool: makeBalancers([]string{"192.0.2.0/25"}, rehomes), old: plain,
			want: []string{"warning: spec.addresses: 1 addresses that Services have would be outside of the pool: those Services move to pools that serve them and have onShrink Rehome, the others keep what they have"}},
		"it becomes one of nodes":          {pool: makeBalancers(nil, onNodes("edge")), old: plain, want: []string{"spec.nodeSelector: Forbidden: 2 addresses that Services have would be outside of the pool (kubectl get services -A shows them)" + force}},
		"none go, and Services would move": {pool: makeBalancers([]string{"192.0.2.0/23"}, rehomes), old: plain},
		"used ones become edges": {pool: makeBalancers([]string{"192.0.2.200/29"}, noEdges), old: makeBalancers([]string{"192.0.2.200/29"}),
			want: []string{"spec.addresses: Forbidden: 1 addresses that Services have would be outside of the pool (kubectl get services -A shows them)" + force}},
		"one of nodes stays so":                 {pool: makeBalancers(nil, onNodes("edge"), goesFirst), old: makeBalancers(nil, onNodes("edge"))},
		"one of nodes becomes one of addresses": {pool: makeBalancers([]string{"10.0.0.0/24"}), old: makeBalancers(nil, onNodes("edge"))},
		"a limit below what namespaces have": {pool: makeBalancers(whole, limitedToOne), old: plain,
			want: []string{"spec.limitPerNamespace: Forbidden: 1 namespaces have more numbers of the pool than that, up to 2" + force}},

		// Deletions.
		"deleted under use":              {old: plain, want: []string{"metadata.annotations[servicenet.dev/force]: Forbidden: 2 addresses that Services have would be outside of the pool (kubectl get services -A shows them)" + force}},
		"deleted by force":               {old: makeBalancers(whole, isForced), want: []string{"warning: metadata.annotations[servicenet.dev/force]: 2 addresses that Services have would be outside of the pool (kubectl get services -A shows them)"}},
		"deleted out of use":             {old: makeBalancers([]string{"198.51.100.0/24"})},
		"deleted, of nodes under use":    {old: makeBalancers(nil, onNodes("edge")), want: []string{"metadata.annotations[servicenet.dev/force]: Forbidden: 1 addresses that Services have would be outside of the pool (kubectl get services -A shows them)" + force}},
		"deleted, of nodes out of use":   {old: makeBalancers(nil, onNodes("inner"))},
		"deleted under use, and rehomes": {old: makeBalancers(whole, rehomes), want: []string{"warning: metadata.annotations[servicenet.dev/force]: 2 addresses that Services have would be outside of the pool: those Services move to pools that serve them and have onShrink Rehome, the others keep what they have"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, linesOf(ReviewLoadBalancerPool(balancerRequest(test.pool, test.old, test.others)))); diff != "" {
				t.Errorf("review (-want +got):\n%s", diff)
			}
		})
	}
}

func balancerRequest(is, was *balancerPool, others []*balancerPool) *LoadBalancerPoolRequest {
	node := func(label, address string) pool.Node {
		return pool.Node{Labels: map[string]string{label: "yes"},
			Addresses: []pool.NodeAddress{{Type: corev1.NodeInternalIP, Address: netip.MustParseAddr(address)}}}
	}
	prefixes := func(texts ...string) (all []netip.Prefix) {
		for _, text := range texts {
			all = append(all, netip.MustParsePrefix(text))
		}
		return all
	}
	request := &LoadBalancerPoolRequest{
		Pool: is, Old: was, Nodes: []pool.Node{node("edge", "10.0.0.1"), node("inner", "10.0.0.2")},
		ServiceCIDRs: prefixes("10.96.0.0/16", "fd10::/112"), PodCIDRs: prefixes("10.244.0.0/24", "10.244.1.0/24", "10.244.2.0/24", "10.244.3.0/24"),
		Usage: Usage[netip.Addr]{
			Numbers:     slices.Values([]netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.200"), netip.MustParseAddr("10.0.0.1")}),
			ByNamespace: map[string]int{"shop": 2, "depot": 1},
		},
	}
	var before []*pool.LoadBalancerPool
	for _, p := range others {
		request.Others = append(request.Others, pool.CompileLoadBalancerPool(p))
	}
	if was != nil {
		before = append(before, pool.CompileLoadBalancerPool(was))
	}
	request.Previous = pool.NewLoadBalancers(append(before, request.Others...), request.Nodes, nil)
	return request
}

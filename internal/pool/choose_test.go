// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package pool

import (
	stdcmp "cmp"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
)

// sketch returns candidates as words: "named 10.96.5.1 of tenants", "any of
// tenants", "any".
func sketch[N number[N]](candidates func(func(Candidate[N]) bool)) []string {
	var lines []string
	for candidate := range candidates {
		line := map[Source]string{Named: "named", Reserved: "reserved", Retained: "retained", Automatic: "any"}[candidate.Source]
		if candidate.Source != Automatic {
			line += fmt.Sprintf(" %v", candidate.Number)
		}
		if candidate.Pool != nil {
			line += " of " + candidate.Pool.Name
		}
		lines = append(lines, line)
	}
	return lines
}

// TestChoice asks for one IPv4 address for the Service web of the namespace shop,
// of team a and tier front.
func TestChoice(t *testing.T) {
	type pools = []*servicenetv1alpha1.ClusterIPPool
	teamA, teamB := forNamespaces("team", "a"), forNamespaces("team", "b")
	tests := map[string]struct {
		pools    pools
		cidrs    []ServiceCIDR
		named    string
		retained []string
		want     []string
		// soon tells that there will be more before long.
		soon bool
		// refused is the text of the fault.
		refused string
	}{
		"without pools, the ServiceCIDRs": {want: []string{"any"}},
		"without pools, a named one":      {named: "10.96.9.9", want: []string{"named 10.96.9.9"}},
		"without ServiceCIDRs, nothing": {
			cidrs:   []ServiceCIDR{},
			refused: "spec.clusterIPs: Forbidden: no pool serves this Service, and exclusive pools leave no IPv4 addresses to choose in the ServiceCIDRs of the cluster that are ready",
		},

		// Which pools serve.
		"a pool for all":                         {pools: pools{makePool("p", "10.96.5.0/24")}, want: []string{"any of p"}},
		"a pool for its team":                    {pools: pools{makePool("p", "10.96.5.0/24", teamA)}, want: []string{"any of p"}},
		"a pool for another team":                {pools: pools{makePool("p", "10.96.5.0/24", teamB)}, want: []string{"any"}},
		"a pool for such Services":               {pools: pools{makePool("p", "10.96.5.0/24", forServices("tier", "front"))}, want: []string{"any of p"}},
		"a pool for other Services":              {pools: pools{makePool("p", "10.96.5.0/24", forServices("tier", "back"))}, want: []string{"any"}},
		"a pool for its team and other Services": {pools: pools{makePool("p", "10.96.5.0/24", teamA, forServices("tier", "back"))}, want: []string{"any"}},
		"a pool for other teams and such Services": {
			pools: pools{makePool("p", "10.96.5.0/24", teamB, forServices("tier", "front"))}, want: []string{"any"},
		},
		"a pool of the other family":       {pools: pools{makePool("p", "fd00::/120", teamA)}, want: []string{"any"}},
		"a pool for namespaces by name":    {pools: pools{makePool("p", "10.96.5.0/24", forNamespaces(corev1.LabelMetadataName, "shop"))}, want: []string{"any of p"}},
		"a pool for one of several values": {pools: pools{makePool("p", "10.96.5.0/24", withExpression("team", metav1.LabelSelectorOpIn, "b", "a"))}, want: []string{"any of p"}},
		"a pool for all but its team":      {pools: pools{makePool("p", "10.96.5.0/24", withExpression("team", metav1.LabelSelectorOpNotIn, "a"))}, want: []string{"any"}},
		"a pool for all but another team":  {pools: pools{makePool("p", "10.96.5.0/24", withExpression("team", metav1.LabelSelectorOpNotIn, "b"))}, want: []string{"any of p"}},
		"a pool for namespaces with a label": {
			pools: pools{makePool("p", "10.96.5.0/24", withExpression("team", metav1.LabelSelectorOpExists))}, want: []string{"any of p"},
		},
		"a pool for namespaces without a label": {
			pools: pools{makePool("p", "10.96.5.0/24", withExpression("team", metav1.LabelSelectorOpDoesNotExist))}, want: []string{"any"},
		},
		"a malformed pool": {pools: pools{makePool("p", "10.96.5.0/24 x", teamA)}, want: []string{"any"}},

		// In which order.
		"a higher priority first": {
			pools: pools{makePool("a", "10.96.1.0/24", forServices("tier", "front")), makePool("b", "10.96.2.0/24", withPriority(1)), makePool("c", "10.96.3.0/24", withPriority(-1))},
			want:  []string{"any of b", "any of a", "any of c"},
		},
		"then the more specific": {
			pools: pools{makePool("a", "10.96.1.0/24"), makePool("b", "10.96.2.0/24", teamA), makePool("c", "10.96.3.0/24", forServices("tier", "front"))},
			want:  []string{"any of c", "any of b", "any of a"},
		},
		"a selector of both is as specific as one of Services": {
			pools: pools{makePool("b", "10.96.1.0/24", teamA, forServices("tier", "front")), makePool("a", "10.96.3.0/24", forServices("tier", "front"))},
			want:  []string{"any of a", "any of b"},
		},
		"then by name, whatever their age": {
			pools: pools{makePool("b", "10.96.1.0/24"), makePool("a", "10.96.2.0/24", younger(1))},
			want:  []string{"any of a", "any of b"},
		},
		"only from pools with something to choose": {
			pools: pools{makePool("a", "10.96.1.0/24"), makePool("outside", "10.97.0.0/24"), makePool("b", "10.96.2.0/24")},
			want:  []string{"any of a", "any of b"},
		},
		"pools of which nothing can be had": {
			pools:   pools{makePool("outside", "10.97.0.0/24")},
			refused: "spec.clusterIPs: Forbidden: the pools that serve this Service have no IPv4 addresses to choose in the ServiceCIDRs of the cluster that are ready",
		},

		// Exclusive pools.
		"an exclusive pool of its own":        {pools: pools{makePool("p", "10.96.5.0/24", teamA, isExclusive())}, named: "10.96.5.7", want: []string{"named 10.96.5.7 of p"}},
		"beside an exclusive pool":            {pools: pools{makePool("p", "10.96.5.0/24", teamB, isExclusive())}, want: []string{"any"}},
		"naming beside an exclusive pool":     {pools: pools{makePool("p", "10.96.5.0/24", teamB, isExclusive())}, named: "10.96.6.7", want: []string{"named 10.96.6.7"}},
		"naming what is in an exclusive pool": {pools: pools{makePool("p", "10.96.5.0/24", teamB, isExclusive())}, named: "10.96.5.7", refused: `spec.clusterIPs: Invalid value: "10.96.5.7": belongs to a pool that does not serve this Service; leave it out to get a free one`},
		"naming what is in a malformed exclusive pool": {
			pools: pools{makePool("p", "10.96.5.0/24 x", teamA, isExclusive())}, named: "10.96.5.7",
			refused: `spec.clusterIPs: Invalid value: "10.96.5.7": belongs to a pool that does not serve this Service; leave it out to get a free one`,
		},
		"nothing beside exclusive pools": {
			pools:   pools{makePool("p", "10.96.0.0/16", teamB, isExclusive())},
			refused: "spec.clusterIPs: Forbidden: no pool serves this Service, and exclusive pools leave no IPv4 addresses to choose in the ServiceCIDRs of the cluster that are ready",
		},
		"an exclusive pool inside its own": {
			pools: pools{makePool("mine", "10.96.0.0/20", withPriority(9), teamA), makePool("theirs", "10.96.5.0/24", teamB, isExclusive())},
			named: "10.96.5.7", refused: `spec.clusterIPs: Invalid value: "10.96.5.7": belongs to a pool that does not serve this Service; leave it out to get a free one`,
		},

		// Named ones.
		"naming in a pool of its own":        {pools: pools{makePool("p", "10.96.5.0/24", teamA)}, named: "10.96.5.7", want: []string{"named 10.96.5.7 of p"}},
		"naming in another's, having none":   {pools: pools{makePool("p", "10.96.5.0/24", teamB)}, named: "10.96.5.7", want: []string{"named 10.96.5.7 of p"}},
		"naming the first address of a pool": {pools: pools{makePool("p", "10.96.5.0/24", teamA)}, named: "10.96.5.0", want: []string{"named 10.96.5.0 of p"}},
		"naming outside of its pools":        {pools: pools{makePool("p", "10.96.5.0/24", teamA), makePool("q", "10.96.7.0/24 10.96.6.0/24")}, named: "10.96.9.7", refused: `spec.clusterIPs: Invalid value: "10.96.9.7": is in no pool that serves this Service (p, q): they have 10.96.5.0-10.96.7.255; leave it out to get a free one`},
		"naming outside of many pools of its own": {
			pools: pools{
				makePool("a", "10.96.5.0/26"), makePool("b", "10.96.5.64/26"), makePool("c", "10.96.5.128/26"),
				makePool("d", "10.96.5.192/26"), makePool("e", "10.96.6.0/26"),
			},
			named:   "10.96.9.7",
			refused: `spec.clusterIPs: Invalid value: "10.96.9.7": is in no pool that serves this Service (a, b, c, d, 1 more): they have 10.96.5.0-10.96.6.63; leave it out to get a free one`,
		},
		"naming in another's, having its own": {pools: pools{makePool("p", "10.96.5.0/24", teamA), makePool("secret", "10.96.6.0/24", teamB)}, named: "10.96.6.7", refused: `spec.clusterIPs: Invalid value: "10.96.6.7": is in no pool that serves this Service (p): they have 10.96.5.0/24; leave it out to get a free one`},
		"naming what another pool has first":  {pools: pools{makePool("p", "10.96.0.0/20", teamA), makePool("q", "10.96.5.0/24", teamB, withPriority(1))}, named: "10.96.5.7", want: []string{"named 10.96.5.7 of q"}},
		"naming outside the server":           {named: "10.97.0.1", refused: `spec.clusterIPs: Invalid value: "10.97.0.1": is not in the ServiceCIDRs of the cluster that are ready: 10.96.0.1-10.96.255.254; leave it out to get a free one`},
		"naming outside the server, part of which is new": {
			cidrs: []ServiceCIDR{cidr("10.96.0.0/16"), cidrSince("10.97.0.0/16", time.Second)}, named: "10.99.0.1",
			refused: `spec.clusterIPs: Invalid value: "10.99.0.1": is not in the ServiceCIDRs of the cluster that are ready: 10.96.0.1-10.96.255.254, 10.97.0.1-10.97.255.254; leave it out to get a free one`,
		},
		"naming outside of its pools, part of which others have": {
			pools: pools{makePool("p", "10.96.4.0/23", teamA), makePool("q", "10.96.4.0/24", teamB, isExclusive())}, named: "10.96.9.7",
			refused: `spec.clusterIPs: Invalid value: "10.96.9.7": is in no pool that serves this Service (p): they have 10.96.5.0/24; leave it out to get a free one`,
		},
		"naming without ServiceCIDRs": {cidrs: []ServiceCIDR{}, named: "10.97.0.1", refused: `spec.clusterIPs: Invalid value: "10.97.0.1": is not in the ServiceCIDRs of the cluster that are ready: none; leave it out to get a free one`},
		"naming a network address":    {named: "10.96.0.0", refused: `spec.clusterIPs: Invalid value: "10.96.0.0": is the network or the broadcast address of a ServiceCIDR, which nobody can have; leave it out to get a free one`},
		"naming a broadcast address":  {named: "10.96.255.255", refused: `spec.clusterIPs: Invalid value: "10.96.255.255": is the network or the broadcast address of a ServiceCIDR, which nobody can have; leave it out to get a free one`},
		"naming the edge of an inner ServiceCIDR": {
			cidrs: []ServiceCIDR{cidr("10.96.0.0/16"), cidr("10.96.5.0/24")}, named: "10.96.5.255", want: []string{"named 10.96.5.255"},
		},
		"naming what a pool excludes":           {pools: pools{makePool("p", "10.96.5.0/24", teamA, excluding("10.96.5.7"))}, named: "10.96.5.7", refused: `spec.clusterIPs: Invalid value: "10.96.5.7": is excluded, nobody can have it; leave it out to get a free one`},
		"naming what another's pool excludes":   {pools: pools{makePool("p", "10.96.5.0/24", teamB, excluding("10.96.5.0/28"))}, named: "10.96.5.7", refused: `spec.clusterIPs: Invalid value: "10.96.5.7": is excluded, nobody can have it; leave it out to get a free one`},
		"naming what one excludes, another has": {pools: pools{makePool("p", "10.96.0.0/16", excluding("10.96.5.0/24")), makePool("q", "10.96.5.0/25", withPriority(-1))}, named: "10.96.5.7", want: []string{"named 10.96.5.7 of q"}},

		// Readiness.
		"named, ready a moment ago":          {cidrs: []ServiceCIDR{cidrSince("10.96.0.0/16", time.Second)}, named: "10.96.5.7", want: []string{"named 10.96.5.7"}},
		"ready for ten seconds":              {cidrs: []ServiceCIDR{cidrSince("10.96.0.0/16", 10*time.Second)}, want: []string{"any"}},
		"named, not ready":                   {cidrs: []ServiceCIDR{notReady("10.96.0.0/16")}, named: "10.96.5.7", refused: `spec.clusterIPs: Invalid value: "10.96.5.7": is not in the ServiceCIDRs of the cluster that are ready: none; leave it out to get a free one`},
		"not ready for ten seconds yet":      {cidrs: []ServiceCIDR{cidrSince("10.96.0.0/16", 10*time.Second-1)}, soon: true},
		"a pool that is not ready for ten s": {cidrs: []ServiceCIDR{cidr("10.96.0.0/16"), cidrSince("10.97.0.0/16", time.Second)}, pools: pools{makePool("a", "10.97.0.0/24"), makePool("b", "10.96.0.0/24")}, want: []string{"any of b"}, soon: true},
		"the only pool is not ready for ten s": {
			cidrs: []ServiceCIDR{cidr("10.96.0.0/16"), cidrSince("10.97.0.0/16", time.Second)}, pools: pools{makePool("a", "10.97.0.0/24")}, soon: true,
		},
		"another's pool is not ready for ten s": {
			cidrs: []ServiceCIDR{cidr("10.96.0.0/16"), cidrSince("10.97.0.0/16", time.Second)},
			pools: pools{makePool("a", "10.97.0.0/16", teamB, isExclusive())}, want: []string{"any"},
		},
		"more outside of pools is not ready for ten s": {
			cidrs: []ServiceCIDR{cidr("10.96.0.0/16"), cidrSince("10.97.0.0/16", time.Second)}, want: []string{"any"}, soon: true,
		},
		"not ready for ten s, but in one that is": {
			cidrs: []ServiceCIDR{cidr("10.96.0.0/16"), cidrSince("10.96.5.0/24", time.Second)}, pools: pools{makePool("a", "10.96.5.0/24")},
			want: []string{"any of a"},
		},
		"the ServiceCIDR of its pool is expected": {
			cidrs: []ServiceCIDR{cidr("10.96.0.0/16"), expectedSince("10.97.0.0/24", time.Second)}, pools: pools{makePool("a", "10.97.0.0/24")}, soon: true,
		},
		"naming in what is expected": {
			cidrs: []ServiceCIDR{cidr("10.96.0.0/16"), expectedSince("10.97.0.0/24", time.Second)}, named: "10.97.0.7", soon: true,
		},
		"reserved in what is expected": {
			cidrs: []ServiceCIDR{cidr("10.96.0.0/16"), expectedSince("10.97.0.0/24", time.Second)},
			pools: pools{makePool("p", "10.97.0.0/24", reserving("shop", "web", "10.97.0.7"))}, soon: true,
		},
		"expected for ten seconds in vain": {
			cidrs: []ServiceCIDR{cidr("10.96.0.0/16"), expectedSince("10.97.0.0/24", 10*time.Second)}, pools: pools{makePool("a", "10.97.0.0/24")},
			refused: "spec.clusterIPs: Forbidden: the pools that serve this Service have no IPv4 addresses to choose in the ServiceCIDRs of the cluster that are ready",
		},
		"naming while more is to come": {
			cidrs: []ServiceCIDR{cidr("10.96.0.0/16"), cidrSince("10.97.0.0/16", time.Second)}, named: "10.96.0.7", want: []string{"named 10.96.0.7"},
		},

		// Reservations.
		"a reserved one": {pools: pools{makePool("p", "10.96.5.0/24", reserving("shop", "web", "10.96.5.7"))}, want: []string{"reserved 10.96.5.7 of p"}},
		"a reserved one, of a pool of others": {
			pools: pools{makePool("p", "10.96.5.0/24", teamB, isExclusive(), reserving("shop", "web", "10.96.5.7"))}, want: []string{"reserved 10.96.5.7 of p"},
		},
		"of two reserved ones, that of the first pool": {
			pools: pools{makePool("q", "10.96.6.0/24", reserving("shop", "web", "10.96.6.7")), makePool("p", "10.96.5.0/24", withPriority(1), reserving("shop", "web", "10.96.5.7"))},
			want:  []string{"reserved 10.96.5.7 of p"},
		},
		"naming the reserved one":            {pools: pools{makePool("p", "10.96.5.0/24", teamB, isExclusive(), reserving("shop", "web", "10.96.5.7"))}, named: "10.96.5.7", want: []string{"named 10.96.5.7 of p"}},
		"naming another than the reserved":   {pools: pools{makePool("p", "10.96.5.0/24", reserving("shop", "web", "10.96.5.7"))}, named: "10.96.5.8", want: []string{"named 10.96.5.8 of p"}},
		"naming what is reserved for others": {pools: pools{makePool("p", "10.96.5.0/24", reserving("shop", "api", "10.96.5.7"))}, named: "10.96.5.7", refused: `spec.clusterIPs: Invalid value: "10.96.5.7": is reserved for another Service; leave it out to get a free one`},
		"naming what is reserved elsewhere":  {pools: pools{makePool("p", "10.96.5.0/24", reserving("bank", "web", "10.96.5.7"))}, named: "10.96.5.7", refused: `spec.clusterIPs: Invalid value: "10.96.5.7": is reserved for another Service; leave it out to get a free one`},
		"reserved for others":                {pools: pools{makePool("p", "10.96.5.0/24", reserving("shop", "api", "10.96.5.7"))}, want: []string{"any of p"}},
		"reserved in another family":         {pools: pools{makePool("p", "10.96.5.0/24 fd00::/120", reserving("shop", "web", "fd00::7"))}, want: []string{"any of p"}},
		"reserved outside the server": {
			pools:   pools{makePool("p", "10.97.5.0/24", reserving("shop", "web", "10.97.5.7"))},
			refused: "spec.clusterIPs: Forbidden: 10.97.5.7, which is reserved for this Service, is not in the ServiceCIDRs of the cluster that are ready: 10.96.0.1-10.96.255.254",
		},
		"reserved, ready a moment ago": {
			pools: pools{makePool("p", "10.96.5.0/24", reserving("shop", "web", "10.96.5.7"))},
			cidrs: []ServiceCIDR{cidrSince("10.96.0.0/16", time.Second)}, want: []string{"reserved 10.96.5.7 of p"}, soon: true,
		},
		"reserved outside the server, part of which is new": {
			pools:   pools{makePool("p", "10.99.5.0/24", reserving("shop", "web", "10.99.5.7"))},
			cidrs:   []ServiceCIDR{cidr("10.96.0.0/16"), cidrSince("10.97.0.0/16", time.Second)},
			refused: "spec.clusterIPs: Forbidden: 10.99.5.7, which is reserved for this Service, is not in the ServiceCIDRs of the cluster that are ready: 10.96.0.1-10.96.255.254, 10.97.0.1-10.97.255.254",
		},
		"reserved by a pool whose number it is not": {
			pools: pools{makePool("p", "10.96.5.0/24", reserving("shop", "web", "10.96.5.7")), makePool("q", "10.96.5.0/24", withPriority(1))},
			want:  []string{"any of q"},
		},

		// Retained ones.
		"retained ones first":             {retained: []string{"10.96.3.3", "fd00::3", "10.96.4.4"}, want: []string{"retained 10.96.3.3", "retained 10.96.4.4", "any"}},
		"a retained one of its pool":      {pools: pools{makePool("p", "10.96.5.0/24", teamA)}, retained: []string{"10.96.5.7"}, want: []string{"retained 10.96.5.7 of p", "any of p"}},
		"retained, outside its pools now": {pools: pools{makePool("p", "10.96.5.0/24", teamA)}, retained: []string{"10.96.6.7"}, want: []string{"any of p"}},
		"retained, another's now":         {pools: pools{makePool("p", "10.96.5.0/24", teamB, isExclusive())}, retained: []string{"10.96.5.7"}, want: []string{"any"}},
		"retained, not ready long enough": {cidrs: []ServiceCIDR{cidr("10.96.0.0/16"), cidrSince("10.97.0.0/16", time.Second)}, retained: []string{"10.97.5.7"}, want: []string{"any"}, soon: true},
		"retained, but reserved":          {pools: pools{makePool("p", "10.96.5.0/24", reserving("shop", "web", "10.96.5.7"))}, retained: []string{"10.96.5.8"}, want: []string{"reserved 10.96.5.7 of p"}},
		"retained, but naming another":    {named: "10.96.5.8", retained: []string{"10.96.5.7"}, want: []string{"named 10.96.5.8"}},
		"retained, and nothing else": {
			pools: pools{makePool("p", "10.96.5.0/32", teamA, isExclusive()), makePool("rest", "10.96.0.0/16", teamB, isExclusive())}, retained: []string{"10.96.5.0"},
			cidrs: []ServiceCIDR{cidr("10.96.0.0/16"), cidr("10.96.5.0/24")}, want: []string{"retained 10.96.5.0 of p"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			cidrs := test.cidrs
			if cidrs == nil {
				cidrs = dualStack()
			}
			need := Need{Family: corev1.IPv4Protocol}
			if test.named != "" {
				need.Address = netip.MustParseAddr(test.named)
			}
			var retained []netip.Addr
			for _, text := range test.retained {
				retained = append(retained, netip.MustParseAddr(text))
			}
			choices, faults := newClusterIPs(cidrs, test.pools...).Choose(shopWeb(), []Need{need}, retained)
			if test.refused != "" {
				if len(choices) > 0 || len(faults) != 1 || faults[0].Error() != test.refused {
					t.Fatalf("faults:\n%v\nwant\n%s", faults, test.refused)
				}
				return
			}
			if len(faults) > 0 || len(choices) != 1 {
				t.Fatalf("%d choices, faults: %v", len(choices), faults)
			}
			if diff := cmp.Diff(test.want, sketch(choices[0].Candidates)); diff != "" {
				t.Errorf("candidates (-want +got):\n%s", diff)
			}
			if choices[0].Soon != test.soon {
				t.Errorf("more comes soon: %v, want %v", choices[0].Soon, test.soon)
			}
		})
	}
}

func TestEachFamilyIsChosenForByItself(t *testing.T) {
	numbers := newClusterIPs(dualStack(),
		makePool("four", "10.96.5.0/24", forNamespaces("team", "a")),
		makePool("six", "fd00::1:0/120 10.96.6.0/24", forNamespaces("team", "b"), isExclusive()))
	who := shopWeb()
	needs := []Need{{Index: 0, Family: corev1.IPv6Protocol}, {Index: 1, Family: corev1.IPv4Protocol}}
	choices, faults := numbers.Choose(who, needs, nil)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	for i, want := range []string{"any", "any of four"} {
		if got := strings.Join(sketch(choices[i].Candidates), ", "); got != want || choices[i].Index != i {
			t.Errorf("%s for %v, want %s", got, choices[i].Need, want)
		}
	}

	// All faults come in one answer.
	needs[0].Address, needs[1].Address = netip.MustParseAddr("fd01::1"), netip.MustParseAddr("10.96.6.1")
	if _, faults = numbers.Choose(who, needs, nil); len(faults) != 2 {
		t.Errorf("faults: %v, want two", faults)
	}
}

// What others have must not be told to a tenant.
func TestRefusalsNameNothingOfOthers(t *testing.T) {
	numbers := newClusterIPs(dualStack(),
		makePool("mine", "10.96.0.0/24", forNamespaces("team", "a")),
		makePool("secret", "10.96.5.0/24", forNamespaces("team", "secret"), isExclusive(), reserving("secret", "secret", "10.96.5.9")),
		makePool("secret-two", "10.96.7.0/24", forNamespaces("team", "secret"), excluding("10.96.7.7")))
	for _, address := range []string{"10.96.5.7", "10.96.5.9", "10.96.7.7", "10.96.7.8", "10.99.1.1"} {
		_, faults := numbers.Choose(shopWeb(), []Need{{Family: corev1.IPv4Protocol, Address: netip.MustParseAddr(address)}}, nil)
		if len(faults) != 1 || strings.Contains(faults.ToAggregate().Error(), "secret") {
			t.Errorf("%s: %v", address, faults)
		}
	}
}

func TestTheOwnerOfANumber(t *testing.T) {
	p := makePool("p", "10.96.5.0/24")
	p.Spec.LimitPerNamespace, p.Spec.Retain = new(int32(7)), &metav1.Duration{Duration: time.Hour}
	numbers := newClusterIPs(dualStack(), p)
	owner := numbers.Owner(netip.MustParseAddr("10.96.5.7"))
	if owner == nil || owner.Name != "p" || owner.Limit != 7 || owner.Retain != time.Hour {
		t.Errorf("owner %+v", owner)
	}
	if owner := numbers.Owner(netip.MustParseAddr("10.96.6.7")); owner != nil {
		t.Errorf("owner %+v of what is in no pool", owner)
	}
}

// Whoever has found a free number asks no further.
func TestCandidatesCanBeLeft(t *testing.T) {
	numbers := newClusterIPs(dualStack(), makePool("p", "10.96.5.0/24"), makePool("q", "10.96.6.0/24"))
	retained := []netip.Addr{netip.MustParseAddr("10.96.5.5"), netip.MustParseAddr("10.96.5.6")}
	choices, faults := numbers.Choose(shopWeb(), []Need{{Family: corev1.IPv4Protocol}}, retained)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	for stop := 1; stop <= 4; stop++ {
		seen := 0
		for range choices[0].Candidates {
			seen++
			if seen == stop {
				break
			}
		}
		if seen != stop {
			t.Errorf("%d candidates, want %d", seen, stop)
		}
	}
}

func TestTheRightToANumber(t *testing.T) {
	sorted := []*servicenetv1alpha1.ClusterIPPool{
		makePool("exclusive", "10.96.0.0/16", withPriority(-5), isExclusive()),
		makePool("high", "10.96.0.0/16", withPriority(1)),
		makePool("services", "10.96.0.0/16", forServices("a", "b"), younger(5)),
		makePool("namespaces", "10.96.0.0/16", forNamespaces("a", "b"), younger(4)),
		makePool("z-older", "10.96.0.0/16"),
		makePool("a-younger", "10.96.0.0/16", younger(1)),
		makePool("b-younger", "10.96.0.0/16", younger(1)),
	}
	for i := range sorted {
		for j := range sorted {
			a, b := CompileClusterIPPool(sorted[i]), CompileClusterIPPool(sorted[j])
			if got, want := compareRight(a.Pool, b.Pool), stdcmp.Compare(i, j); got != want {
				t.Errorf("%s and %s compare as %d, want %d", a.Name, b.Name, got, want)
			}
		}
	}
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package pool

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
)

// TestVerdicts is about the pool p.
func TestVerdicts(t *testing.T) {
	type pools = []*servicenetv1alpha1.ClusterIPPool
	teamA := forNamespaces("team", "a")
	plain := makePool("p", "10.96.5.0/24", teamA)
	tests := map[string]struct {
		pool      *servicenetv1alpha1.ClusterIPPool
		others    pools
		cidrs     []ServiceCIDR
		exhausted []corev1.IPFamily
		want      Verdict
	}{
		"all is well":                 {pool: plain, want: Verdict{true, "Available", "the pool has free numbers"}},
		"it has edges of the server":  {pool: makePool("p", "10.96.0.0/16 fd00::/112"), want: Verdict{true, "Available", "the pool has free numbers"}},
		"it is inside of another":     {pool: plain, others: pools{makePool("q", "10.96.0.0/16")}, want: Verdict{true, "Available", "the pool has free numbers"}},
		"it has one inside":           {pool: makePool("p", "10.96.0.0/16"), others: pools{makePool("q", "10.96.5.0/24", withPriority(1))}, want: Verdict{true, "Available", "the pool has free numbers"}},
		"a younger one has the same":  {pool: plain, others: pools{makePool("a", "10.96.5.0/25", teamA, younger(1))}, want: Verdict{true, "Available", "the pool has free numbers"}},
		"an exclusive one has a part": {pool: plain, others: pools{makePool("q", "10.96.5.0/25", withPriority(-1), forNamespaces("team", "b"), isExclusive())}, want: Verdict{true, "Available", "the pool has free numbers"}},
		"it is exclusive, a greater one has a part": {
			pool: makePool("p", "10.96.5.0/24", teamA, isExclusive()), others: pools{makePool("q", "10.96.5.0/25", withPriority(9))},
			want: Verdict{true, "Available", "the pool has free numbers"},
		},

		"malformed":             {pool: makePool("p", "10.97.5.0/24 x 10.1.1.1/8"), want: Verdict{false, "Malformed", `cidrs: "x" is no CIDR; cidrs: "10.1.1.1/8" has bits set after its prefix`}},
		"outside":               {pool: makePool("p", "10.96.5.0/24 10.97.5.0/24 fd01::/120 10.97.7.0/24"), want: Verdict{false, "OutsideServiceCIDR", "10.97.5.0/24, 10.97.7.0/24, fd01::/120: no ServiceCIDR has these addresses, so they are not given out"}},
		"excluded what is":      {pool: makePool("p", "10.96.0.0/15", excluding("10.97.0.0/16")), want: Verdict{true, "Available", "the pool has free numbers"}},
		"partly outside":        {pool: makePool("p", "10.96.0.0/15"), want: Verdict{false, "OutsideServiceCIDR", "10.97.0.0/16: no ServiceCIDR has these addresses, so they are not given out"}},
		"in many pieces":        {pool: makePool("p", "10.1.0.0/24 10.3.0.0/24 10.5.0.0/24 10.7.0.0/24 10.9.0.0/24 10.11.0.0/24"), want: Verdict{false, "OutsideServiceCIDR", "10.1.0.0/24, 10.3.0.0/24, 10.5.0.0/24, 10.7.0.0/24, 2 more: no ServiceCIDR has these addresses, so they are not given out"}},
		"not ready":             {pool: plain, cidrs: []ServiceCIDR{notReady("10.96.0.0/16")}, want: Verdict{false, "ServiceCIDRNotReady", "10.96.5.0/24: the ServiceCIDR of these addresses is not ready, or has not been for 10s"}},
		"not ready long enough": {pool: plain, cidrs: []ServiceCIDR{cidrSince("10.96.0.0/16", 9*time.Second)}, want: Verdict{false, "ServiceCIDRNotReady", "10.96.5.0/24: the ServiceCIDR of these addresses is not ready, or has not been for 10s"}},
		"ready in one of two":   {pool: plain, cidrs: []ServiceCIDR{notReady("10.96.5.0/24"), cidr("10.96.0.0/16")}, want: Verdict{true, "Available", "the pool has free numbers"}},

		"an older one has the same": {
			pool: plain, others: pools{makePool("q", "10.96.5.0/25 10.96.5.192/26", teamA, younger(-1))},
			want: Verdict{false, "Overlaps", "10.96.5.0/25, 10.96.5.192/26: the pool q has it too, and goes first"},
		},
		"of one age, by name": {
			pool: plain, others: pools{makePool("a", "10.96.5.0/25", teamA), makePool("q", "10.96.5.128/25", teamA)},
			want: Verdict{false, "Overlaps", "10.96.5.0/25: the pool a has it too, and goes first"},
		},
		"two older ones": {
			pool: makePool("p", "10.96.5.0/24 fd00::/120"), others: pools{makePool("r", "fd00::/121", younger(-2)), makePool("q", "10.96.5.0/25", younger(-2))},
			want: Verdict{false, "Overlaps", "10.96.5.0/25: the pool q has it too, and goes first; fd00::/121: the pool r has it too, and goes first"},
		},
		"greater ones have everything": {
			pool: plain, others: pools{makePool("q", "10.96.0.0/16", withPriority(1))},
			want: Verdict{false, "Overlaps", "10.96.5.0/24: pools that go first have all of it"},
		},
		"an older one of another standing": {
			pool: plain, others: pools{makePool("q", "10.96.5.0/25", younger(-1), forServices("a", "b"))}, want: Verdict{true, "Available", "the pool has free numbers"},
		},

		"exhausted":         {pool: plain, exhausted: []corev1.IPFamily{corev1.IPv4Protocol}, want: Verdict{false, "Exhausted", "no IPv4 address is free"}},
		"exhausted in both": {pool: plain, exhausted: []corev1.IPFamily{corev1.IPv4Protocol, corev1.IPv6Protocol}, want: Verdict{false, "Exhausted", "no IPv4 and no IPv6 address is free"}},
		"the worst first":   {pool: makePool("p", "10.97.5.0/24 x"), exhausted: []corev1.IPFamily{corev1.IPv4Protocol}, want: Verdict{false, "Malformed", `cidrs: "x" is no CIDR`}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			cidrs := test.cidrs
			if cidrs == nil {
				cidrs = dualStack()
			}
			numbers := newClusterIPs(cidrs, append(pools{test.pool}, test.others...)...)
			if got := numbers.Judge(CompileClusterIPPool(test.pool), test.exhausted...); got != test.want {
				t.Errorf("\ngot  %v\nwant %v", got, test.want)
			}
		})
	}
}

func TestVerdictsOnPorts(t *testing.T) {
	older := makePorts("q", 30050, 30060, younger(-1))
	for name, test := range map[string]struct {
		pool      *servicenetv1alpha1.NodePortPool
		exhausted bool
		want      Verdict
	}{
		"all is well":         {makePorts("p", 31000, 31099), false, Verdict{true, "Available", "the pool has free numbers"}},
		"malformed":           {makePorts("p", 31000, 30000), false, Verdict{false, "Malformed", "ranges: 31000-30000 is no range of ports"}},
		"malformed exclusion": {makePorts("p", 31000, 31099, excludingPorts(5, 1)), false, Verdict{false, "Malformed", "exclusions: 5-1 is no range of ports"}},
		"outside":             {makePorts("p", 29990, 31099), false, Verdict{false, "OutsidePortRange", "29990-29999: not in the node port range of the cluster, 30000-32767, so they are not given out"}},
		"overlaps":            {makePorts("p", 30000, 30099), false, Verdict{false, "Overlaps", "30050-30060: the pool q has it too, and goes first"}},
		"exhausted":           {makePorts("p", 31000, 31099), true, Verdict{false, "Exhausted", "no port is free"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := newNodePorts(t, test.pool, older).Judge(CompileNodePortPool(test.pool), test.exhausted); got != test.want {
				t.Errorf("\ngot  %v\nwant %v", got, test.want)
			}
		})
	}
}

func TestFaultsOfPools(t *testing.T) {
	for name, test := range map[string]struct {
		pool *servicenetv1alpha1.ClusterIPPool
		want []string
	}{
		"none": {makePool("p", "10.96.5.0/24 fd00::/64", excluding("10.96.5.1", "10.96.5.8/29", "10.96.5.20-10.96.5.29", "::1", "1.2.3.4"), reserving("shop", "web", "10.96.5.2", "fd00::2")), nil},
		"CIDRs": {makePool("p", "10.96.5.0 10.96.5.0/33 ::ffff:10.0.0.0/104 fd00::/63 fd00::1/64"), []string{
			`cidrs: "10.96.5.0" is no CIDR`, `cidrs: "10.96.5.0/33" is no CIDR`, "cidrs: ::ffff:10.0.0.0-::ffff:10.255.255.255 has IPv4-mapped addresses",
			"cidrs: fd00::-fd00::1:ffff:ffff:ffff:ffff has more than 2^64 addresses", `cidrs: "fd00::1/64" has bits set after its prefix`,
		}},
		"exclusions": {makePool("p", "10.96.5.0/24", excluding("x", "10.96.5.9-10.96.5.3", "x-10.96.5.3", "10.96.5.3-x", "10.96.5.3-fd00::1", "10.96.5.3/24", "fe80::1%eth0")), []string{
			`exclusions: "x" is no address`, `exclusions: "10.96.5.9-10.96.5.3" is no range`, `exclusions: "x" is no address`, `exclusions: "x" is no address`,
			`exclusions: "10.96.5.3-fd00::1" is no range`, `exclusions: "10.96.5.3/24" has bits set after its prefix`, `exclusions: "fe80::1%eth0" is no address`,
		}},
		"everything excluded": {makePool("p", "10.96.5.0/24 fd00::/120", excluding("10.96.5.0/25", "10.96.5.128-10.96.6.0")), []string{"exclusions: nothing is left of 10.96.5.0/24"}},
		"reservations": {
			makePool("p", "10.96.5.0/24", excluding("10.96.5.3"), reserving("shop", "web", "10.96.5.2"), reserving("shop", "api", "10.96.5.2", "fd00::1"),
				reserving("shop", "db", "x", "10.96.5.3")),
			[]string{
				`reservations: "x" is no address`, "reservations: 10.96.5.2 is reserved twice", "reservations: 10.96.5.3 is excluded",
				"reservations: fd00::1 is not a number of the pool",
			},
		},
		"selectors": {makePool("p", "10.96.5.0/24", withExpression("a", "Odd"), forServices("a", "b c")), []string{
			`namespaceSelector: "Odd" is not a valid label selector operator`,
			`serviceSelector: values[0][a]: Invalid value: "b c": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')`,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			got := CompileClusterIPPool(test.pool).Faults
			if len(got) != len(test.want) {
				t.Fatalf("faults:\n%q", got)
			}
			for i := range got {
				if got[i] != test.want[i] {
					t.Errorf("\ngot  %s\nwant %s", got[i], test.want[i])
				}
			}
		})
	}
}

// An empty selector is one that picks all, and as specific as others.
func TestEmptySelectorsPickAll(t *testing.T) {
	p := CompileClusterIPPool(makePool("p", "10.96.5.0/24", poolOption(func(p *servicenetv1alpha1.PoolPolicy, _ *metav1.ObjectMeta) {
		p.NamespaceSelector = &metav1.LabelSelector{}
	})))
	if !p.serves(&Who{}) || p.specificity != servesNamespaces {
		t.Errorf("serves %v, specificity %d", p.serves(&Who{}), p.specificity)
	}
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/pool"
)

type (
	addressPool = servicenetv1alpha1.ClusterIPPool
	portPool    = servicenetv1alpha1.NodePortPool
	portRange   = servicenetv1alpha1.PortRange
)

// makeAddresses returns a pool of addresses.
func makeAddresses(cidrs []string, change ...func(*addressPool)) *addressPool {
	p := &addressPool{ObjectMeta: metav1.ObjectMeta{Name: "p"}}
	p.Spec.CIDRs = cidrs
	for _, f := range change {
		f(p)
	}
	return p
}

func excluding(list ...string) func(*addressPool) {
	return func(p *addressPool) { p.Spec.Exclusions = list }
}

func reserving(name string, list ...string) func(*addressPool) {
	return func(p *addressPool) {
		p.Spec.Reservations = append(p.Spec.Reservations, servicenetv1alpha1.AddressReservation{Namespace: "shop", Name: name, Addresses: list})
	}
}

func limited(limit int32) func(*addressPool) {
	return func(p *addressPool) { p.Spec.LimitPerNamespace = &limit }
}

func forced(value string) func(*addressPool) {
	return func(p *addressPool) { p.Annotations = map[string]string{servicenetv1alpha1.ForceAnnotation: value} }
}

// linesOf returns a review as lines.
func linesOf(r Review) []string {
	var lines []string
	for _, w := range r.Warnings {
		lines = append(lines, "warning: "+w)
	}
	for _, f := range r.Faults {
		lines = append(lines, f.Error())
	}
	return lines
}

const force = "; to do it all the same, set the annotation servicenet.dev/force to true: Services keep what they have"

// What is said of a pool of addresses. Services have 10.96.5.1, 10.96.5.200 and
// fd00::501; the namespaces shop and depot have one and two of them.
func TestClusterIPPoolReview(t *testing.T) {
	whole := []string{"10.96.5.0/24"}
	plain := makeAddresses(whole)
	tests := map[string]struct {
		pool, old *addressPool
		others    []*addressPool
		want      []string
	}{
		"good": {pool: makeAddresses([]string{"10.96.5.0/24", "10.96.7.0/24", "fd00::500/120"},
			excluding("10.96.5.9", "10.96.7.0/28", "10.96.5.10-10.96.5.20"), reserving("dns", "10.96.5.53", "fd00::553"), reserving("web", "10.96.5.54"))},

		// Malformed ones.
		"CIDRs that are none": {pool: makeAddresses([]string{"10.96.5.0", "x", "::ffff:10.96.0.0/112"}), want: []string{
			`spec.cidrs[0]: Invalid value: "10.96.5.0": must be a CIDR, such as 10.96.5.0/24 or fd00:10:96::/112`,
			`spec.cidrs[1]: Invalid value: "x": must be a CIDR, such as 10.96.5.0/24 or fd00:10:96::/112`,
			`spec.cidrs[2]: Invalid value: "::ffff:10.96.0.0/112": must be a CIDR, such as 10.96.5.0/24 or fd00:10:96::/112`,
		}},
		"bits after the prefix": {pool: makeAddresses([]string{"10.96.5.7/24"}), want: []string{
			`spec.cidrs[0]: Invalid value: "10.96.5.7/24": must not have bits set after its prefix; it would be 10.96.5.0/24`,
		}},
		"a prefix too short": {pool: makeAddresses([]string{"fd00::/63"}), want: []string{
			`spec.cidrs[0]: Invalid value: "fd00::/63": IPv6 prefixes must be /64 or longer`,
		}},
		"CIDRs that overlap": {pool: makeAddresses([]string{"10.96.5.0/24", "10.96.5.0/25"}), want: []string{
			`spec.cidrs[1]: Invalid value: "10.96.5.0/25": overlaps 10.96.5.0/24 of the same pool`,
		}},
		"exclusions that are none": {
			pool: makeAddresses(whole, excluding("x", "10.96.5.1-x", "x-10.96.5.1", "10.96.5.9-10.96.5.1", "10.96.5.1-fd00::1", "10.96.5.1/24", "x/24", "::ffff:10.96.5.0/120")),
			want: []string{
				`spec.exclusions[0]: Invalid value: "x": must be an address, such as 10.96.5.10 or fd00:10:96::a`,
				`spec.exclusions[1]: Invalid value: "10.96.5.1-x": must be an address, a CIDR, or a range such as 10.96.5.0-10.96.5.15`,
				`spec.exclusions[2]: Invalid value: "x-10.96.5.1": must be an address, a CIDR, or a range such as 10.96.5.0-10.96.5.15`,
				`spec.exclusions[3]: Invalid value: "10.96.5.9-10.96.5.1": the first address must not be higher than the last one`,
				`spec.exclusions[4]: Invalid value: "10.96.5.1-fd00::1": must be of one family`,
				`spec.exclusions[5]: Invalid value: "10.96.5.1/24": must be a CIDR without bits set after its prefix`,
				`spec.exclusions[6]: Invalid value: "x/24": must be a CIDR without bits set after its prefix`,
				`spec.exclusions[7]: Invalid value: "::ffff:10.96.5.0/120": must be a CIDR without bits set after its prefix`,
			},
		},
		"exclusions outside, twice, and in part": {
			pool: makeAddresses(whole, excluding("10.96.9.0/24", "10.96.5.0/28", "10.96.5.15", "10.96.5.250-10.96.6.1")),
			want: []string{
				"warning: spec.exclusions[3]: the pool has only some of these addresses",
				`spec.exclusions[0]: Invalid value: "10.96.9.0/24": the pool has none of these addresses`,
				`spec.exclusions[2]: Invalid value: "10.96.5.15": overlaps another exclusion`,
			},
		},
		"exclusions of all": {pool: makeAddresses(whole, excluding("10.96.5.0/24")), want: []string{
			"spec.exclusions: Invalid value: nothing is left of 10.96.5.0/24",
		}},
		"reservations that are wrong": {
			pool: makeAddresses([]string{"10.96.5.0/24", "fd00::500/120"}, excluding("10.96.5.9"), reserving("a", "x", "fe80::1%eth0"),
				reserving("b", "10.96.6.1", "fd00::9"), reserving("c", "10.96.5.9"), reserving("d", "10.96.5.1", "10.96.5.2"),
				reserving("e", "10.96.5.1", "::ffff:10.96.5.3")),
			want: []string{
				`spec.reservations[0].addresses[0]: Invalid value: "x": must be an address, such as 10.96.5.10 or fd00:10:96::a`,
				`spec.reservations[0].addresses[1]: Invalid value: "fe80::1%eth0": must be an address, such as 10.96.5.10 or fd00:10:96::a`,
				`spec.reservations[1].addresses[0]: Invalid value: "10.96.6.1": the pool does not have this address`,
				`spec.reservations[1].addresses[1]: Invalid value: "fd00::9": the pool does not have this address`,
				`spec.reservations[2].addresses[0]: Invalid value: "10.96.5.9": the pool excludes this address`,
				`spec.reservations[3].addresses[1]: Invalid value: "10.96.5.2": a Service has one address of each family at most`,
				`spec.reservations[4].addresses[0]: Duplicate value: "10.96.5.1"`,
				`spec.reservations[4].addresses[1]: Invalid value: "::ffff:10.96.5.3": must be an address, such as 10.96.5.10 or fd00:10:96::a`,
			},
		},
		"a selector that can't be read": {
			pool: makeAddresses(whole, func(p *addressPool) {
				p.Spec.NamespaceSelector = &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "a", Operator: "Near"}}}
			}),
			want: []string{`spec.namespaceSelector: Invalid value: "Near" is not a valid label selector operator`},
		},
		"an annotation that says neither": {pool: makeAddresses(whole, forced("yes")), want: []string{
			`metadata.annotations[servicenet.dev/force]: Unsupported value: "yes": supported values: "true", "false"`,
		}},
		"an annotation that says no": {pool: makeAddresses(whole, forced("false"))},
		"bad ones that were there":   {old: makeAddresses([]string{"x"}), pool: makeAddresses([]string{"x"})},

		// Unwise ones.
		"outside of the cluster": {pool: makeAddresses([]string{"10.97.0.0/24"}), want: []string{
			"warning: the pool will not be Ready: OutsideServiceCIDR: 10.97.0.0/24: no ServiceCIDR has these addresses, so they are not given out",
		}},
		"a reservation that can't be kept": {
			pool: makeAddresses([]string{"10.96.255.0/24", "fd00::/120"}, reserving("dns", "10.96.255.255", "fd00::")),
			want: []string{
				`warning: spec.reservations[0].addresses[0]: Invalid value: "10.96.255.255": is the network or the broadcast address of a ServiceCIDR, which nobody can have; leave it out to get a free one`,
				`warning: spec.reservations[0].addresses[1]: Invalid value: "fd00::": is the network or the broadcast address of a ServiceCIDR, which nobody can have; leave it out to get a free one`,
			},
		},
		"overlapping an equal": {
			pool: plain, others: []*addressPool{makeAddresses([]string{"10.96.5.0/28"}, func(p *addressPool) { p.Name = "a" })},
			want: []string{"warning: the pool will not be Ready: Overlaps: 10.96.5.0/28: the pool a has it too, and goes first"},
		},
		"inside of a larger one": {
			pool: makeAddresses(whole, func(p *addressPool) { p.Spec.Priority = 1 }), others: []*addressPool{makeAddresses([]string{"10.96.0.0/16"}, func(p *addressPool) { p.Name = "a" })},
		},

		// Changes.
		"more":           {old: plain, pool: makeAddresses([]string{"10.96.4.0/23"})},
		"less of nobody": {old: plain, pool: makeAddresses(whole, excluding("10.96.5.2-10.96.5.199"))},
		"less of one":    {old: plain, pool: makeAddresses([]string{"10.96.5.128/25"}), want: []string{"spec.cidrs: Forbidden: 1 addresses that Services have would be outside of the pool (kubectl get services -A shows them)" + force}},
		"less of two": {
			old: plain, pool: makeAddresses(whole, excluding("10.96.5.0/25", "10.96.5.200")),
			want: []string{"spec.cidrs: Forbidden: 2 addresses that Services have would be outside of the pool (kubectl get services -A shows them)" + force},
		},
		"less, and what it did not have": {old: makeAddresses(whole, excluding("10.96.5.1")), pool: makeAddresses([]string{"10.96.5.128/25"})},
		"less by force": {
			old: plain, pool: makeAddresses([]string{"10.96.5.128/25"}, forced("true")),
			want: []string{"warning: spec.cidrs: 1 addresses that Services have would be outside of the pool (kubectl get services -A shows them)"},
		},
		"deleted":          {old: plain, want: []string{"metadata.annotations[servicenet.dev/force]: Forbidden: 2 addresses that Services have would be outside of the pool (kubectl get services -A shows them)" + force}},
		"deleted by force": {old: makeAddresses(whole, forced("true")), want: []string{"warning: metadata.annotations[servicenet.dev/force]: 2 addresses that Services have would be outside of the pool (kubectl get services -A shows them)"}},
		"deleted, unused":  {old: makeAddresses([]string{"10.96.9.0/24"})},
		"a limit that namespaces are above": {old: plain, pool: makeAddresses(whole, limited(1)), want: []string{
			"spec.limitPerNamespace: Forbidden: 1 namespaces have more numbers of the pool than that, up to 2" + force,
		}},
		"a limit that namespaces reach": {old: plain, pool: makeAddresses(whole, limited(2))},
		"a limit that is higher":        {old: makeAddresses(whole, limited(0)), pool: makeAddresses(whole, limited(1))},
		"a limit that is lower": {old: makeAddresses(whole, limited(1)), pool: makeAddresses(whole, limited(0)), want: []string{
			"spec.limitPerNamespace: Forbidden: 2 namespaces have more numbers of the pool than that, up to 2" + force,
		}},
		"a limit that stays": {old: makeAddresses(whole, limited(1)), pool: makeAddresses([]string{"10.96.4.0/23"}, limited(1))},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			request := &ClusterIPPoolRequest{Pool: test.pool, Old: test.old, CIDRs: cidrs(true), Now: noon()}
			for _, other := range test.others {
				request.Others = append(request.Others, pool.CompileClusterIPPool(other))
			}
			request.Usage.ByNamespace = map[string]int{"shop": 1, "depot": 2}
			request.Usage.Numbers = slices.Values([]netip.Addr{
				netip.MustParseAddr("10.96.5.1"), netip.MustParseAddr("10.96.5.200"), netip.MustParseAddr("fd00::501"),
			})
			if diff := cmp.Diff(test.want, linesOf(ReviewClusterIPPool(request))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// makeRanges returns a pool of ports.
func makeRanges(ranges []portRange, change ...func(*portPool)) *portPool {
	p := &portPool{ObjectMeta: metav1.ObjectMeta{Name: "p"}}
	p.Spec.Ranges = ranges
	for _, f := range change {
		f(p)
	}
	return p
}

// What is said of a pool of ports. Services have 30501 and 30509.
func TestNodePortPoolReview(t *testing.T) {
	ten := []portRange{{First: 30500, Last: 30509}}
	without := func(list ...portRange) func(*portPool) { return func(p *portPool) { p.Spec.Exclusions = list } }
	with := func(health int32, numbers ...int32) func(*portPool) {
		return func(p *portPool) {
			r := servicenetv1alpha1.PortReservation{Namespace: "shop", Name: "dns", HealthCheckNodePort: health}
			for _, number := range numbers {
				r.Ports = append(r.Ports, servicenetv1alpha1.ReservedPort{NodePort: number})
			}
			p.Spec.Reservations = append(p.Spec.Reservations, r)
		}
	}
	tests := map[string]struct {
		pool, old *portPool
		unused    bool
		want      []string
	}{
		"good": {pool: makeRanges([]portRange{{First: 30500, Last: 30509}, {First: 30600}}, without(portRange{First: 30502}, portRange{First: 30505, Last: 30506}), with(30507, 30503, 30600))},
		"ranges that are none": {pool: makeRanges([]portRange{{First: 0, Last: 30009}, {First: 30500, Last: 70000}, {First: 30400, Last: 30300}}), want: []string{
			`spec.ranges[0]: Invalid value: "0-30009": ports are from 1 to 65535`,
			`spec.ranges[1]: Invalid value: "30500-70000": ports are from 1 to 65535`,
			`spec.ranges[2]: Invalid value: "30400-30300": the first port must not be higher than the last one`,
		}},
		"ranges that overlap": {pool: makeRanges([]portRange{{First: 30500, Last: 30509}, {First: 30509}}), want: []string{
			`spec.ranges[1]: Invalid value: "30509-30509": overlaps 30500-30509 of the same pool`,
		}},
		"ranges that touch": {pool: makeRanges([]portRange{{First: 30500, Last: 30509}, {First: 30510}})},
		"ranges outside of the cluster": {pool: makeRanges([]portRange{{First: 80, Last: 29999}, {First: 30000}, {First: 32767}, {First: 32768}}), want: []string{
			`spec.ranges[0]: Invalid value: "80-29999": is outside of the node port range of the cluster, 30000-32767`,
			`spec.ranges[3]: Invalid value: "32768-32768": is outside of the node port range of the cluster, 30000-32767`,
		}},
		"a range in part outside of the cluster": {pool: makeRanges([]portRange{{First: 29990, Last: 30000}}), want: []string{
			"warning: the pool will not be Ready: OutsidePortRange: 29990-29999: not in the node port range of the cluster, 30000-32767, so they are not given out",
		}},
		"exclusions that are wrong": {
			pool: makeRanges(ten, without(portRange{First: 30509, Last: 30501}, portRange{First: 30510}, portRange{First: 30501, Last: 30503}, portRange{First: 30503})),
			want: []string{
				`spec.exclusions[0]: Invalid value: "30509-30501": the first port must not be higher than the last one`,
				`spec.exclusions[1]: Invalid value: "30510-30510": the pool has none of these ports`,
				`spec.exclusions[3]: Invalid value: "30503-30503": overlaps another exclusion`,
			},
		},
		"exclusions of all": {pool: makeRanges(ten, without(ten...)), want: []string{"spec.exclusions: Invalid value: nothing is left of 30500-30509"}},
		"reservations that are wrong": {
			pool: makeRanges([]portRange{{First: 29990, Last: 30509}}, without(portRange{First: 30501}), with(30501, 29989, 29990), with(30502, 30502)),
			want: []string{
				`spec.reservations[0].ports[0].nodePort: Invalid value: 29989: the pool does not have this port`,
				`spec.reservations[0].ports[1].nodePort: Invalid value: 29990: is outside of the node port range of the cluster, 30000-32767`,
				`spec.reservations[0].healthCheckNodePort: Invalid value: 30501: the pool excludes this port`,
				`spec.reservations[1].healthCheckNodePort: Duplicate value: 30502`,
			},
		},
		"an annotation that says neither": {pool: makeRanges(ten, func(p *portPool) { p.Annotations = map[string]string{servicenetv1alpha1.ForceAnnotation: ""} }), want: []string{
			`metadata.annotations[servicenet.dev/force]: Unsupported value: "": supported values: "true", "false"`,
		}},
		"bad ones that were there": {old: makeRanges([]portRange{{First: 80}}), pool: makeRanges([]portRange{{First: 80}})},
		"less of one": {old: makeRanges(ten), pool: makeRanges([]portRange{{First: 30501, Last: 30508}}), want: []string{
			"spec.ranges: Forbidden: 1 ports that Services have would be outside of the pool (kubectl get services -A shows them)" + force,
		}},
		"less, nobody's":                 {old: makeRanges(ten), pool: makeRanges(ten, without(portRange{First: 30502, Last: 30508}))},
		"less, and what it did not have": {old: makeRanges(ten, without(portRange{First: 30509})), pool: makeRanges([]portRange{{First: 30501, Last: 30508}})},
		"less, and nothing is known":     {unused: true, old: makeRanges(ten), pool: makeRanges([]portRange{{First: 30502}})},
		"deleted": {old: makeRanges(ten), want: []string{
			"metadata.annotations[servicenet.dev/force]: Forbidden: 2 ports that Services have would be outside of the pool (kubectl get services -A shows them)" + force,
		}},
		"deleted, unused": {old: makeRanges([]portRange{{First: 30510}})},
		"a limit that namespaces are above": {
			old: makeRanges(ten), pool: makeRanges(ten, func(p *portPool) { p.Spec.LimitPerNamespace = new(int32(1)) }),
			want: []string{"spec.limitPerNamespace: Forbidden: 1 namespaces have more numbers of the pool than that, up to 2" + force},
		},
		"overlapping an equal": {pool: makeRanges([]portRange{{First: 31000, Last: 31005}}), want: []string{
			"warning: the pool will not be Ready: Overlaps: 31005: the pool a has it too, and goes first",
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			other := makeRanges([]portRange{{First: 31005, Last: 31009}}, func(p *portPool) { p.Name = "a" })
			request := &NodePortPoolRequest{Pool: test.pool, Old: test.old, Cluster: clusterPorts(t), Others: []*pool.NodePortPool{pool.CompileNodePortPool(other)}}
			if !test.unused {
				request.Usage = Usage[pool.Port]{Numbers: slices.Values([]pool.Port{30501, 30509}), ByNamespace: map[string]int{"shop": 2}}
			}
			if diff := cmp.Diff(test.want, linesOf(ReviewNodePortPool(request))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

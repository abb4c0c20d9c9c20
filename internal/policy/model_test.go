// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/pool"
)

// dice makes pools and Services at random, in a small world where they meet.
type dice struct{ *rand.Rand }

func (d dice) pick(from ...string) string { return from[d.IntN(len(from))] }

func (d dice) policy() servicenetv1alpha1.PoolPolicy {
	p := servicenetv1alpha1.PoolPolicy{Exclusive: d.IntN(3) > 0, Priority: d.Int32N(2)}
	if d.IntN(4) > 0 {
		p.NamespaceSelector = d.selector("team")
	}
	if d.IntN(4) == 0 {
		p.ServiceSelector = d.selector("tier")
	}
	return p
}

func (d dice) selector(key string) *metav1.LabelSelector {
	if d.IntN(2) == 0 {
		return &metav1.LabelSelector{MatchLabels: map[string]string{key: d.pick("a", "b")}}
	}
	r := metav1.LabelSelectorRequirement{Key: key, Operator: metav1.LabelSelectorOperator(d.pick("In", "NotIn", "Exists", "DoesNotExist"))}
	if strings.HasSuffix(string(r.Operator), "In") {
		r.Values = []string{d.pick("a", "b"), "c"}
	}
	return &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{r}}
}

// address is one of 256 of each family.
func (d dice) address() string {
	return d.pick(fmt.Sprintf("10.0.1.%d", d.IntN(256)), fmt.Sprintf("fd00::1:%x", d.IntN(256)))
}

func (d dice) addressPool(name string) *servicenetv1alpha1.ClusterIPPool {
	p := &servicenetv1alpha1.ClusterIPPool{ObjectMeta: metav1.ObjectMeta{Name: name}}
	p.Spec.PoolPolicy = d.policy()
	for range 1 + d.IntN(2) {
		address := netip.MustParseAddr(d.address())
		prefix, _ := address.Prefix(address.BitLen() - d.IntN(9))
		p.Spec.CIDRs = append(p.Spec.CIDRs, prefix.String())
	}
	for range d.IntN(3) {
		p.Spec.Exclusions = append(p.Spec.Exclusions, d.address())
	}
	for i := range d.IntN(4) {
		within := netip.MustParsePrefix(p.Spec.CIDRs[0]).Addr()
		p.Spec.Reservations = append(p.Spec.Reservations, servicenetv1alpha1.AddressReservation{
			Namespace: d.pick("shop", "other"), Name: d.pick("web", fmt.Sprint("db", i)), Addresses: []string{within.String()},
		})
	}
	return p
}

func (d dice) portPool(name string) *servicenetv1alpha1.NodePortPool {
	p := &servicenetv1alpha1.NodePortPool{ObjectMeta: metav1.ObjectMeta{Name: name}}
	p.Spec.PoolPolicy = d.policy()
	first := 30000 + d.Int32N(64)
	p.Spec.Ranges = []servicenetv1alpha1.PortRange{{First: first, Last: first + d.Int32N(40)}}
	for range d.IntN(3) {
		p.Spec.Exclusions = append(p.Spec.Exclusions, servicenetv1alpha1.PortRange{First: first + d.Int32N(20)})
	}
	if d.IntN(2) == 0 {
		p.Spec.Reservations = []servicenetv1alpha1.PortReservation{{
			Namespace: d.pick("shop", "other"), Name: d.pick("web", "db"), HealthCheckNodePort: first + d.Int32N(4),
		}}
	}
	return p
}

// attempt is one of shop/web, with labels at random.
func (d dice) attempt(s *corev1.Service) (attempt, *pool.Who) {
	label := func(key string) map[string]string {
		if value := d.pick("", "a", "b", "c"); value != "" {
			return map[string]string{key: value, "some": "other"}
		}
		return nil
	}
	s.Labels = label("tier")
	a := attempt{service: s, labels: label("team"), user: "somebody"}
	return a, &pool.Who{Namespace: s.Namespace, Name: s.Name, NamespaceLabels: a.labels, ServiceLabels: s.Labels}
}

// keepsAway tells whether a pool refuses a number because it is for others. What
// else pools say is not the matter of policies.
func keepsAway(fault string) bool {
	return strings.Contains(fault, "belongs to a pool that does not serve this Service") ||
		strings.Contains(fault, "is reserved for another Service")
}

func TestPoliciesRefuseWhatPoolsKeepForOthersAndNothingElse(t *testing.T) {
	t.Parallel()
	d := dice{rand.New(rand.NewPCG(1, 2))}
	refused := 0
	for world := range 40 {
		var addresses []*servicenetv1alpha1.ClusterIPPool
		var ports []*servicenetv1alpha1.NodePortPool
		for i := range 1 + d.IntN(6) {
			addresses = append(addresses, d.addressPool(fmt.Sprint("p", i)))
			ports = append(ports, d.portPool(fmt.Sprint("p", i)))
		}
		ips, nodePorts := clusterIPs(addresses...), nodePorts(t, ports...)
		ofAddresses, ofPorts := newJudge(t, ForClusterIPs(ips)), newJudge(t, ForNodePorts(nodePorts, cluster(t)))
		for range 60 {
			address := netip.MustParseAddr(d.address())
			a, who := d.attempt(service(address.String()))
			need := pool.Need{Family: corev1.IPv6Protocol, Address: address}
			if address.Is4() {
				need.Family = corev1.IPv4Protocol
			}
			_, faults := ips.Choose(who, []pool.Need{need}, nil)
			want := len(faults) > 0 && keepsAway(faults[0].Error())
			if got := ofAddresses.refusals(t, a); (len(got) > 0) != want {
				t.Fatalf("world %d: %s for %+v: policies say %q, pools %v", world, address, who, got, faults)
			}

			port := pool.Port(30000 + d.Int32N(110))
			a, who = d.attempt(withPorts(int32(port)))
			_, portFaults := nodePorts.Choose(who, []pool.PortNeed{{Port: port}})
			wantPort := len(portFaults) > 0 && keepsAway(portFaults[0].Error())
			if got := ofPorts.refusals(t, a); (len(got) > 0) != wantPort {
				t.Fatalf("world %d: %d for %+v: policies say %q, pools %v", world, port, who, got, portFaults)
			}
			if want || wantPort {
				refused++
			}
		}
	}
	if refused < 200 {
		t.Errorf("%d were refused: the worlds show too little", refused)
	}
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package pool

import (
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
	netutils "k8s.io/utils/net"
)

// Cluster is what the API server was started with.
type Cluster struct {
	// Primary is the family of its first range for Services.
	Primary corev1.IPFamily
	// DualStack tells whether it has a range of either family.
	DualStack bool
}

// Families is what the API server makes of the fields of a Service that decide on
// its addresses.
type Families struct {
	// Policy and Families are the final values of ipFamilyPolicy and ipFamilies;
	// nil and none for an ExternalName.
	Policy   *corev1.IPFamilyPolicy
	Families []corev1.IPFamily
	// Needs are the addresses that are to be found, in the order of the families.
	Needs []Need
}

// Need is an address that a Service needs.
type Need struct {
	// Index is its place in spec.clusterIPs.
	Index  int
	Family corev1.IPFamily
	// Address is the one that the Service names. Without one it is not valid, and
	// one has to be chosen.
	Address netip.Addr
}

// Decide returns the families of a Service, and the addresses that it needs, as the
// API server does, or what it has against the Service. The old one is nil when the
// Service is created. Of faults, it names those that stop the server at the same
// point: when they are gone, there may be others.
func Decide(cluster Cluster, service, old *corev1.Service) (Families, field.ErrorList) {
	d := newDecision(cluster, service, old)
	if d.external {
		return Families{}, d.checkExternalName()
	}
	for _, step := range [...]func(*decision) field.ErrorList{
		(*decision).checkFields,
		(*decision).reconcile,
		(*decision).complete,
		(*decision).checkChanges,
	} {
		if d.settled {
			break
		}
		if faults := step(d); len(faults) > 0 {
			return Families{}, faults
		}
	}
	if faults := d.checkHeadless(); len(faults) > 0 {
		return Families{}, faults
	}
	return Families{Policy: d.policy, Families: d.families, Needs: d.needs()}, nil
}

// decision is the fields of a Service while they are being decided on.
type decision struct {
	cluster  Cluster
	service  *corev1.Service
	external bool
	headless bool
	// selects tells whether the Service has a selector.
	selects bool

	ip       string
	ips      []string
	policy   *corev1.IPFamilyPolicy
	families []corev1.IPFamily

	// old is the Service before the change, if it had addresses or could have.
	old *before
	// settled ends the steps: the server leaves the fields as they are.
	settled bool
}

// before is the fields of a Service as they were.
type before struct {
	service  *corev1.Service
	ips      []string
	families []corev1.IPFamily
	headless bool
}

func newDecision(cluster Cluster, service, old *corev1.Service) *decision {
	spec := &service.Spec
	d := &decision{
		cluster:  cluster,
		service:  service,
		external: spec.Type == corev1.ServiceTypeExternalName,
		selects:  len(spec.Selector) > 0,
		ip:       spec.ClusterIP,
		ips:      slices.Clone(spec.ClusterIPs),
		policy:   spec.IPFamilyPolicy,
		families: slices.Clone(spec.IPFamilies),
	}
	if old != nil {
		d.old = newBefore(cluster, old)
	}
	d.mirror()
	if d.external {
		return d
	}
	d.headless = d.ip == corev1.ClusterIPNone
	d.settled = d.keepsPreference()
	if d.policy == nil {
		d.policy = new(d.defaultPolicy())
	}
	return d
}

// newBefore returns the fields of a Service that exists. Services that are older
// than some of the fields have what the server shows in their place.
func newBefore(cluster Cluster, old *corev1.Service) *before {
	b := &before{service: old, ips: old.Spec.ClusterIPs, families: old.Spec.IPFamilies}
	if len(b.ips) == 0 && old.Spec.ClusterIP != "" {
		b.ips = []string{old.Spec.ClusterIP}
	}
	b.headless = len(b.ips) == 1 && b.ips[0] == corev1.ClusterIPNone
	if len(b.families) > 0 || b.external() {
		return b
	}
	switch {
	case b.headless && len(old.Spec.Selector) == 0:
		b.families = []corev1.IPFamily{cluster.Primary, otherFamily(cluster.Primary)}
	case b.headless:
		b.families = []corev1.IPFamily{cluster.Primary}
	default:
		for _, ip := range b.ips {
			b.families = append(b.families, familyOfText(ip))
		}
	}
	return b
}

func (b *before) external() bool { return b.service.Spec.Type == corev1.ServiceTypeExternalName }

// mirror completes one of clusterIP and clusterIPs from the other, or from the
// Service as it was, as far as clients may leave them out.
func (d *decision) mirror() {
	if d.old == nil {
		if d.ip != "" && len(d.ips) == 0 {
			d.ips = []string{d.ip}
		}
		return
	}
	was := d.old.service.Spec.ClusterIP
	if d.ip == "" && !d.external {
		d.ip = was
	}
	if len(d.ips) == 0 && (d.ip == was || !d.external) {
		d.ips = slices.Clone(d.old.ips)
	}
	if d.ip != was && slices.Equal(d.ips, d.old.ips) {
		// One alone was changed.
		d.ips = slices.DeleteFunc([]string{d.ip}, func(ip string) bool { return ip == "" })
	}
}

// keepsPreference tells whether a Service that prefers two families is left with
// what it has: the server never adds or takes a family when the cluster changes.
func (d *decision) keepsPreference() bool {
	if d.old == nil || d.old.service.Spec.Type != d.service.Spec.Type || !d.prefers() {
		return false
	}
	was := d.old.service.Spec.IPFamilyPolicy
	return (was == nil || *was == corev1.IPFamilyPolicyPreferDualStack) &&
		slices.Equal(d.ips, d.old.ips) && slices.Equal(d.families, d.old.families)
}

func (d *decision) prefers() bool {
	return d.policy != nil && *d.policy == corev1.IPFamilyPolicyPreferDualStack
}

func (d *decision) defaultPolicy() corev1.IPFamilyPolicy {
	switch {
	case d.old != nil && d.old.service.Spec.IPFamilyPolicy != nil:
		return *d.old.service.Spec.IPFamilyPolicy
	case d.headless && !d.selects:
		return corev1.IPFamilyPolicyRequireDualStack
	default:
		return corev1.IPFamilyPolicySingleStack
	}
}

func (d *decision) single() bool { return *d.policy == corev1.IPFamilyPolicySingleStack }

// reconcile makes the policy, the addresses and the families agree, as far as that
// is clear, and refuses the rest.
func (d *decision) reconcile() field.ErrorList {
	var faults field.ErrorList
	switch {
	case d.old == nil:
	case d.single():
		d.dropSecond()
	default:
		faults = d.checkReduced()
	}
	if d.single() && len(d.ips) == 2 {
		faults = append(faults, d.policyFault("several addresses need RequireDualStack or PreferDualStack"))
	}
	if d.single() && len(d.families) == 2 {
		faults = append(faults, d.policyFault("several families need RequireDualStack or PreferDualStack"))
	}
	return append(faults, d.infer()...)
}

// dropSecond drops what was second, if only the policy was changed.
func (d *decision) dropSecond() {
	if len(d.ips) > 1 && slices.Equal(d.ips, d.old.ips) {
		d.ips = d.ips[:1]
	}
	if len(d.families) > 1 && slices.Equal(d.families, d.old.families) {
		d.families = d.families[:1]
	}
}

func (d *decision) checkReduced() field.ErrorList {
	var faults field.ErrorList
	if len(d.ips) < len(d.old.ips) {
		faults = append(faults, d.policyFault("giving up the second address needs SingleStack"))
	}
	if len(d.families) > 0 && len(d.families) < len(d.old.families) {
		faults = append(faults, d.policyFault("giving up the second family needs SingleStack"))
	}
	return faults
}

// infer adds the families of the addresses that are given.
func (d *decision) infer() field.ErrorList {
	var faults field.ErrorList
	for i, ip := range d.ips {
		if ip == corev1.ClusterIPNone {
			break
		}
		if i < len(d.families) {
			continue
		}
		if family := familyOfText(ip); d.has(family) {
			d.families = append(d.families, family)
		} else {
			faults = append(faults, field.Invalid(pathIPs().Index(i), d.ips, string(family)+" is not configured on this cluster"))
		}
	}
	return faults
}

// complete adds what is missing of the families.
func (d *decision) complete() field.ErrorList {
	anyCluster := d.headless && !d.selects
	if !anyCluster {
		if faults := d.checkCluster(); len(faults) > 0 {
			return faults
		}
	}
	if len(d.families) == 0 {
		d.families = []corev1.IPFamily{d.cluster.Primary}
	}
	if len(d.families) == 1 && !d.single() && (anyCluster || d.cluster.DualStack) {
		d.families = append(d.families, otherFamily(d.families[0]))
	}
	return nil
}

// has tells whether the cluster has a family.
func (d *decision) has(family corev1.IPFamily) bool {
	return d.cluster.DualStack || family == d.cluster.Primary
}

// needs returns the addresses that the server would allocate.
func (d *decision) needs() []Need {
	first := 0
	switch {
	case d.headless:
		return nil
	case d.old != nil && !d.old.external():
		if len(d.old.families) != 1 || len(d.families) != 2 {
			return nil
		}
		first = 1
	}
	var needs []Need
	for i := first; i < len(d.families); i++ {
		need := Need{Index: i, Family: d.families[i]}
		if i < len(d.ips) {
			need.Address, _ = parseAddress(d.ips[i])
		}
		needs = append(needs, need)
	}
	return needs
}

// familyOfText returns the family of an address, also of one that is written in a
// way that is not allowed any more.
func familyOfText(ip string) corev1.IPFamily {
	if netutils.IsIPv6String(ip) {
		return corev1.IPv6Protocol
	}
	return corev1.IPv4Protocol
}

func otherFamily(family corev1.IPFamily) corev1.IPFamily {
	if family == corev1.IPv4Protocol {
		return corev1.IPv6Protocol
	}
	return corev1.IPv4Protocol
}

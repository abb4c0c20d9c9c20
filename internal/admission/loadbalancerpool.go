// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"fmt"
	"net/netip"
	"strings"

	"go4.org/netipx"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/util/validation/field"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/pool"
)

// LoadBalancerPoolRequest is a pool as a webhook sees it.
type LoadBalancerPoolRequest struct {
	// Pool is as it is to be, nil when it is deleted; Old as it is stored, nil when
	// it is created.
	Pool, Old *servicenetv1alpha1.LoadBalancerPool
	// Others are all other pools, and Nodes those that take traffic.
	Others []*pool.LoadBalancerPool
	Nodes  []pool.Node
	// ServiceCIDRs and PodCIDRs are addresses of the cluster that are for something
	// else.
	ServiceCIDRs, PodCIDRs []netip.Prefix
	// Previous is what all pools amounted to before. May be nil.
	Previous *pool.LoadBalancers
	Usage    Usage[netip.Addr]
}

// ReviewLoadBalancerPool returns what is wrong with a pool, or with its change.
func ReviewLoadBalancerPool(request *LoadBalancerPoolRequest) Review {
	var r Review
	if request.Pool == nil {
		count := lost(request.Usage.Numbers, request.had(), func(netip.Addr) bool { return false })
		r.reviewMove(request.Old, pathAnnotation(servicenetv1alpha1.ForceAnnotation), count)
		return r
	}
	meta, spec := &request.Pool.ObjectMeta, &request.Pool.Spec
	r.reviewForce(meta)
	if request.Old != nil && apiequality.Semantic.DeepEqual(&request.Old.Spec, spec) {
		return r
	}
	addresses := readBalancers(spec, &r)
	addresses.reviewReservations(spec.Reservations, &r)
	compiled := pool.CompileLoadBalancerPool(request.Pool)
	r.reviewRest(compiled.Pool)
	if len(r.Faults) > 0 {
		return r
	}
	all := append([]*pool.LoadBalancerPool{compiled}, request.Others...)
	balancers := pool.NewLoadBalancers(all, request.Nodes, request.Previous)
	if request.Old != nil {
		has := func(address netip.Addr) bool {
			return addresses.numbers.Contains(address) || balancers.HasNodeAddress(meta.Name, address)
		}
		r.reviewMove(request.Pool, pathOf(spec), lost(request.Usage.Numbers, request.had(), has))
		r.reviewLimit(meta, spec.LimitPerNamespace, request.Old.Spec.LimitPerNamespace, request.Usage.ByNamespace)
	}
	if overlaps := balancers.Overlaps(compiled); len(overlaps) > 0 {
		r.refuseUnlessForced(meta, pathSpec().Child("addresses"),
			strings.Join(overlaps, "; ")+"; the older one would have these; give one of them another priority")
	}
	r.reviewElsewhere(addresses.numbers, "the ServiceCIDR", "cluster IPs", request.ServiceCIDRs)
	r.reviewElsewhere(addresses.numbers, "the pod CIDR", "addresses of pods", request.PodCIDRs)
	r.reviewVerdict(balancers.Judge(compiled))
	r.reviewReserved(spec, balancers)
	return r
}

// had tells of an address whether the stored pool has it.
func (request *LoadBalancerPoolRequest) had() func(netip.Addr) bool {
	old := readBalancers(&request.Old.Spec, &Review{})
	return func(address netip.Addr) bool {
		return old.numbers.Contains(address) || request.Previous != nil && request.Previous.HasNodeAddress(request.Old.Name, address)
	}
}

// pathOf returns the field that says which addresses a pool has.
func pathOf(spec *servicenetv1alpha1.LoadBalancerPoolSpec) *field.Path {
	if spec.NodeSelector != nil {
		return pathSpec().Child("nodeSelector")
	}
	return pathSpec().Child("addresses")
}

// readBalancers reads the addresses of a pool, and tells the review what is wrong with
// them. Those of nodes are none of them.
func readBalancers(spec *servicenetv1alpha1.LoadBalancerPoolSpec, r *Review) *addressBook {
	written := &writtenAddresses{field: "addresses", stretches: spec.Addresses, exclusions: spec.Exclusions, read: readStretch}
	if spec.NodeSelector != nil {
		written.exclusions = nil // that there are some is wrong by itself
	}
	if spec.AvoidNetworkAndBroadcast {
		written.edges = pool.Edges(spec.Addresses)
	}
	return readAddresses(written, r)
}

// readStretch reads a CIDR or first-last, or returns what is wrong with it.
func readStretch(text string) (within netipx.IPRange, what string) {
	if strings.Contains(text, "-") {
		within, what = readRange(text)
	} else {
		var prefix netip.Prefix
		prefix, what = readPrefix(text)
		within = netipx.RangeOfPrefix(prefix)
	}
	if strings.HasPrefix(what, "must be a") {
		what = "must be a CIDR, or a range such as 192.0.2.10-192.0.2.20"
	}
	return within, what
}

// reviewMove refuses to leave addresses outside that Services have, unless they move.
func (r *Review) reviewMove(p *servicenetv1alpha1.LoadBalancerPool, path *field.Path, count int) {
	if count > 0 && p.Spec.OnShrink == servicenetv1alpha1.ShrinkRehome {
		r.warnf("%s: %d addresses that Services have would be outside of the pool: those Services move to pools that serve them"+
			" and have onShrink Rehome, the others keep what they have", path, count)
		return
	}
	r.reviewLoss(&p.ObjectMeta, path, count, "addresses")
}

// reviewElsewhere warns of addresses that are for something else.
func (r *Review) reviewElsewhere(numbers *netipx.IPSet, what, which string, prefixes []netip.Prefix) {
	var both []string
	for _, prefix := range prefixes {
		if numbers.OverlapsPrefix(prefix) {
			both = append(both, prefix.String())
		}
	}
	const shown = 3
	if len(both) > shown {
		both = append(both[:shown], fmt.Sprintf("%d more", len(both)-shown))
	}
	if len(both) > 0 {
		r.warnf("spec.addresses: %s %s has some of these addresses, which are %s", what, strings.Join(both, ", "), which)
	}
}

// reviewReserved warns of reserved addresses that are another pool's.
func (r *Review) reviewReserved(spec *servicenetv1alpha1.LoadBalancerPoolSpec, balancers *pool.LoadBalancers) {
	for i := range spec.Reservations {
		reservation := &spec.Reservations[i]
		who := &pool.Who{Namespace: reservation.Namespace, Name: reservation.Name}
		for j, text := range reservation.Addresses {
			address, _ := readAddress(text)
			need := pool.Need{Family: familyOf(address), Address: address}
			if refusal := balancers.Choose(who, "", []pool.Need{need}, nil)[0].Refusal; refusal != nil {
				r.warnf("%s: %s: %s", pathReserved(i).Child("addresses").Index(j), address, refusal.Message)
			}
		}
	}
}

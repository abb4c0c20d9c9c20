// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"fmt"
	"net/netip"
	"time"

	"go4.org/netipx"
	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/util/validation/field"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/pool"
)

// ClusterIPPoolRequest is a pool as a webhook sees it.
type ClusterIPPoolRequest struct {
	// Pool is as it is to be, nil when it is deleted; Old as it is stored, nil when
	// it is created.
	Pool, Old *servicenetv1alpha1.ClusterIPPool
	// Others are all other pools, and CIDRs the ServiceCIDRs of the cluster, now.
	Others []*pool.ClusterIPPool
	CIDRs  []pool.ServiceCIDR
	Now    time.Time
	// Previous is what they amounted to before, to be quick. May be nil.
	Previous *pool.ClusterIPs
	Usage    Usage[netip.Addr]
}

// ReviewClusterIPPool returns what is wrong with a pool, or with its change.
func ReviewClusterIPPool(request *ClusterIPPoolRequest) Review {
	var r Review
	if request.Pool == nil {
		old := readAddresses(&request.Old.Spec, &Review{})
		count := lost(request.Usage.Numbers, old.numbers.Contains, func(netip.Addr) bool { return false })
		r.reviewLoss(&request.Old.ObjectMeta, pathAnnotation(servicenetv1alpha1.ForceAnnotation), count, "addresses")
		return r
	}
	meta, spec := &request.Pool.ObjectMeta, &request.Pool.Spec
	r.reviewForce(meta)
	if request.Old != nil && apiequality.Semantic.DeepEqual(&request.Old.Spec, spec) {
		return r
	}
	addresses := readAddresses(spec, &r)
	addresses.reviewReservations(spec, &r)
	compiled := pool.CompileClusterIPPool(request.Pool)
	r.reviewRest(compiled.Pool)
	if len(r.Faults) > 0 {
		return r
	}
	if request.Old != nil {
		old := readAddresses(&request.Old.Spec, &Review{})
		count := lost(request.Usage.Numbers, old.numbers.Contains, addresses.numbers.Contains)
		r.reviewLoss(meta, pathSpec().Child("cidrs"), count, "addresses")
		r.reviewLimit(meta, spec.LimitPerNamespace, request.Old.Spec.LimitPerNamespace, request.Usage.ByNamespace)
	}
	all := append([]*pool.ClusterIPPool{compiled}, request.Others...)
	clusterIPs := pool.NewClusterIPs(all, request.CIDRs, request.Now, request.Previous)
	r.reviewVerdict(clusterIPs.Judge(compiled))
	r.reviewPromises(spec, clusterIPs)
	return r
}

// reviewPromises warns of reserved addresses that the API server would refuse.
func (r *Review) reviewPromises(spec *servicenetv1alpha1.ClusterIPPoolSpec, clusterIPs *pool.ClusterIPs) {
	for i := range spec.Reservations {
		reservation := &spec.Reservations[i]
		who := &pool.Who{Namespace: reservation.Namespace, Name: reservation.Name}
		for j, text := range reservation.Addresses {
			address, _ := readAddress(text)
			need := pool.Need{Family: corev1.IPv6Protocol, Address: address}
			if address.Is4() {
				need.Family = corev1.IPv4Protocol
			}
			for _, fault := range secondOf(clusterIPs.Choose(who, []pool.Need{need}, nil)) {
				r.warnf("%s: %s", pathReserved(i).Child("addresses").Index(j), fault.ErrorBody())
			}
		}
	}
}

func secondOf[A, B any](_ A, second B) B { return second }

// addressBook is the addresses of a pool as they are written.
type addressBook struct {
	// whole is those of its CIDRs, numbers those that are not excluded.
	whole, excluded, numbers *netipx.IPSet
}

// readAddresses reads the addresses of a pool, and tells the review what is wrong
// with them. What can't be read is left out.
func readAddresses(spec *servicenetv1alpha1.ClusterIPPoolSpec, r *Review) *addressBook {
	var whole, excluded, numbers netipx.IPSetBuilder
	var seen []netip.Prefix
	for i, text := range spec.CIDRs {
		path := pathSpec().Child("cidrs").Index(i)
		prefix, what := readPrefix(text)
		if what != "" {
			r.refuse(field.Invalid(path, text, what))
			continue
		}
		for _, other := range seen {
			if other.Overlaps(prefix) {
				r.refuse(field.Invalid(path, text, fmt.Sprintf("overlaps %s of the same pool", other)))
			}
		}
		seen = append(seen, prefix)
		whole.AddPrefix(prefix)
	}
	book := &addressBook{whole: setOf(&whole)}
	numbers.AddSet(book.whole)
	for i, text := range spec.Exclusions {
		path := pathSpec().Child("exclusions").Index(i)
		within, what := readRange(text)
		if what != "" {
			r.refuse(field.Invalid(path, text, what))
			continue
		}
		before := setOf(&excluded)
		excluded.AddRange(within)
		numbers.RemoveRange(within)
		switch {
		case !book.whole.OverlapsRange(within):
			r.refuse(field.Invalid(path, text, "the pool has none of these addresses"))
		case before.OverlapsRange(within):
			r.refuse(field.Invalid(path, text, "overlaps another exclusion"))
		case !book.whole.ContainsRange(within):
			r.warnf("%s: the pool has only some of these addresses", path)
		}
	}
	book.excluded, book.numbers = setOf(&excluded), setOf(&numbers)
	return book
}

// reviewReservations judges whom the addresses are reserved for.
func (b *addressBook) reviewReservations(spec *servicenetv1alpha1.ClusterIPPoolSpec, r *Review) {
	seen := map[netip.Addr]bool{}
	for i := range spec.Reservations {
		families := map[bool]bool{}
		for j, text := range spec.Reservations[i].Addresses {
			path := pathReserved(i).Child("addresses").Index(j)
			address, what := readAddress(text)
			switch {
			case what != "":
				r.refuse(field.Invalid(path, text, what))
			case !b.whole.Contains(address):
				r.refuse(field.Invalid(path, text, "the pool does not have this address"))
			case b.excluded.Contains(address):
				r.refuse(field.Invalid(path, text, "the pool excludes this address"))
			case seen[address]:
				r.refuse(field.Duplicate(path, text))
			case families[address.Is4()]:
				r.refuse(field.Invalid(path, text, "a Service has one address of each family at most"))
			}
			seen[address], families[address.Is4()] = true, true
		}
	}
}

func pathReserved(i int) *field.Path { return pathSpec().Child("reservations").Index(i) }

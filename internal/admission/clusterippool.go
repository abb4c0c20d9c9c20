// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"net/netip"
	"time"

	"go4.org/netipx"
	apiequality "k8s.io/apimachinery/pkg/api/equality"

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
		old := readClusterIPs(&request.Old.Spec, &Review{})
		count := lost(request.Usage.Numbers, old.numbers.Contains, func(netip.Addr) bool { return false })
		r.reviewLoss(&request.Old.ObjectMeta, pathAnnotation(servicenetv1alpha1.ForceAnnotation), count, "addresses")
		return r
	}
	meta, spec := &request.Pool.ObjectMeta, &request.Pool.Spec
	r.reviewForce(meta)
	if request.Old != nil && apiequality.Semantic.DeepEqual(&request.Old.Spec, spec) {
		return r
	}
	addresses := readClusterIPs(spec, &r)
	addresses.reviewReservations(spec.Reservations, &r)
	compiled := pool.CompileClusterIPPool(request.Pool)
	r.reviewRest(compiled.Pool)
	if len(r.Faults) > 0 {
		return r
	}
	if request.Old != nil {
		old := readClusterIPs(&request.Old.Spec, &Review{})
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
			need := pool.Need{Family: familyOf(address), Address: address}
			for _, fault := range secondOf(clusterIPs.Choose(who, []pool.Need{need}, nil)) {
				r.warnf("%s: %s", pathReserved(i).Child("addresses").Index(j), fault.ErrorBody())
			}
		}
	}
}

func secondOf[A, B any](_ A, second B) B { return second }

// readClusterIPs reads the addresses of a pool, and tells the review what is wrong with
// them.
func readClusterIPs(spec *servicenetv1alpha1.ClusterIPPoolSpec, r *Review) *addressBook {
	return readAddresses(&writtenAddresses{
		field: "cidrs", stretches: spec.CIDRs, exclusions: spec.Exclusions,
		read: func(text string) (netipx.IPRange, string) {
			prefix, what := readPrefix(text)
			return netipx.RangeOfPrefix(prefix), what
		},
	}, r)
}

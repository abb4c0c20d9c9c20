// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"fmt"

	apiequality "k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apimachinery/pkg/util/validation/field"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/allocator"
	"servicenet.dev/servicenet/internal/pool"
)

// NodePortPoolRequest is a pool as a webhook sees it.
type NodePortPoolRequest struct {
	// Pool is as it is to be, nil when it is deleted; Old as it is stored, nil when
	// it is created.
	Pool, Old *servicenetv1alpha1.NodePortPool
	// Others are all other pools, and Cluster the range of the API server.
	Others  []*pool.NodePortPool
	Cluster allocator.PortSpan
	// Previous is what they amounted to before, to be quick. May be nil.
	Previous *pool.NodePorts
	Usage    Usage[pool.Port]
}

// ReviewNodePortPool returns what is wrong with a pool, or with its change.
func ReviewNodePortPool(request *NodePortPoolRequest) Review {
	var r Review
	if request.Pool == nil {
		had := portBook{&request.Old.Spec}
		count := lost(request.Usage.Numbers, had.has, func(pool.Port) bool { return false })
		r.reviewLoss(&request.Old.ObjectMeta, pathAnnotation(servicenetv1alpha1.ForceAnnotation), count, "ports")
		return r
	}
	meta, spec := &request.Pool.ObjectMeta, &request.Pool.Spec
	r.reviewForce(meta)
	if request.Old != nil && apiequality.Semantic.DeepEqual(&request.Old.Spec, spec) {
		return r
	}
	ports := portBook{spec}
	ports.reviewRanges(&r, span(request.Cluster))
	ports.reviewExclusions(&r)
	ports.reviewReservations(&r, span(request.Cluster))
	compiled := pool.CompileNodePortPool(request.Pool)
	r.reviewRest(compiled.Pool)
	if len(r.Faults) > 0 {
		return r
	}
	if request.Old != nil {
		had := portBook{&request.Old.Spec}
		r.reviewLoss(meta, pathSpec().Child("ranges"), lost(request.Usage.Numbers, had.has, ports.has), "ports")
		r.reviewLimit(meta, spec.LimitPerNamespace, request.Old.Spec.LimitPerNamespace, request.Usage.ByNamespace)
	}
	all := append([]*pool.NodePortPool{compiled}, request.Others...)
	r.reviewVerdict(pool.NewNodePorts(all, request.Cluster, request.Previous).Judge(compiled, false))
	return r
}

// ports are those from one to another.
type ports struct{ first, last int32 }

func span(of allocator.PortSpan) ports {
	return ports{int32(of.First), int32(of.Last)} //nolint:gosec // ports
}

// portsOf returns the ports of a range as it is written.
func portsOf(written servicenetv1alpha1.PortRange) ports {
	if written.Last == 0 {
		written.Last = written.First
	}
	return ports{written.First, written.Last}
}

func (p ports) has(port int32) bool       { return p.first <= port && port <= p.last }
func (p ports) overlaps(other ports) bool { return p.first <= other.last && other.first <= p.last }

func (p ports) String() string { return fmt.Sprintf("%d-%d", p.first, p.last) }

// wrong returns what is wrong with ports by themselves.
func (p ports) wrong() string {
	switch {
	case p.first < 1 || p.last > 65535:
		return "ports are from 1 to 65535"
	case p.last < p.first:
		return "the first port must not be higher than the last one"
	}
	return ""
}

// portBook is the ports of a pool as they are written.
type portBook struct {
	*servicenetv1alpha1.NodePortPoolSpec
}

// has tells whether the pool has a port.
func (b portBook) has(port pool.Port) bool {
	return anyHas(b.Ranges, int32(port)) && !anyHas(b.Exclusions, int32(port))
}

func anyHas(list []servicenetv1alpha1.PortRange, port int32) bool {
	for _, written := range list {
		if portsOf(written).has(port) {
			return true
		}
	}
	return false
}

// anyOverlaps returns ports of a list that some share.
func anyOverlaps(list []servicenetv1alpha1.PortRange, p ports) (ports, bool) {
	for _, written := range list {
		if other := portsOf(written); other.overlaps(p) {
			return other, true
		}
	}
	return ports{}, false
}

func (b portBook) reviewRanges(r *Review, cluster ports) {
	for i, written := range b.Ranges {
		path, p := pathSpec().Child("ranges").Index(i), portsOf(written)
		other, twice := anyOverlaps(b.Ranges[:i], p)
		switch what := p.wrong(); {
		case what != "":
			r.refuse(field.Invalid(path, p.String(), what))
		case twice:
			r.refuse(field.Invalid(path, p.String(), fmt.Sprintf("overlaps %s of the same pool", other)))
		case !p.overlaps(cluster):
			r.refuse(field.Invalid(path, p.String(), fmt.Sprintf("is outside of the node port range of the cluster, %s", cluster)))
		}
	}
}

func (b portBook) reviewExclusions(r *Review) {
	for i, written := range b.Exclusions {
		path, p := pathSpec().Child("exclusions").Index(i), portsOf(written)
		_, inside := anyOverlaps(b.Ranges, p)
		_, twice := anyOverlaps(b.Exclusions[:i], p)
		switch what := p.wrong(); {
		case what != "":
			r.refuse(field.Invalid(path, p.String(), what))
		case !inside:
			r.refuse(field.Invalid(path, p.String(), "the pool has none of these ports"))
		case twice:
			r.refuse(field.Invalid(path, p.String(), "overlaps another exclusion"))
		}
	}
}

func (b portBook) reviewReservations(r *Review, cluster ports) {
	seen := sets.Set[int32]{}
	review := func(path *field.Path, port int32) {
		switch {
		case !anyHas(b.Ranges, port):
			r.refuse(field.Invalid(path, port, "the pool does not have this port"))
		case anyHas(b.Exclusions, port):
			r.refuse(field.Invalid(path, port, "the pool excludes this port"))
		case !cluster.has(port):
			r.refuse(field.Invalid(path, port, fmt.Sprintf("is outside of the node port range of the cluster, %s", cluster)))
		case seen.Has(port):
			r.refuse(field.Duplicate(path, port))
		}
		seen.Insert(port)
	}
	for i := range b.Reservations {
		reservation := &b.Reservations[i]
		for j := range reservation.Ports {
			review(pathReserved(i).Child("ports").Index(j).Child("nodePort"), reservation.Ports[j].NodePort)
		}
		if reservation.HealthCheckNodePort != 0 {
			review(pathReserved(i).Child("healthCheckNodePort"), reservation.HealthCheckNodePort)
		}
	}
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"cmp"
	"iter"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/allocator"
	"servicenet.dev/servicenet/internal/ledger"
	"servicenet.dev/servicenet/internal/pool"
)

// Plan is what is to be done for a Service.
type Plan struct {
	// Takes are the numbers that it needs: first those that it names, then those that
	// are reserved for it, so that none of them is chosen for something else.
	Takes []Take
	// Frees are the numbers that it gives up, if the change comes to be. They are
	// for reports: a number is free when a watch shows that nobody has it.
	Frees []ledger.Place
	// Warnings are for whoever asked.
	Warnings []string

	cluster *Cluster
	request *Request
	// families are those that the Service will have.
	families []corev1.IPFamily
	// finalizes tells that the Service needs the finalizer of load balancers.
	finalizes bool
}

// Take is a number that a Service needs.
type Take struct {
	// Path is the field for it.
	Path   *field.Path
	Family servicenetv1alpha1.NumberFamily
	// Slot tells it apart from others of the family that the Service has.
	Slot string
	// Named tells that the Service says which number it is.
	Named bool

	// index is that of the address in spec.clusterIPs, or of the port, or noPort
	// for that of health checks.
	index int
	// reserved tells that it is one number, and meant for the Service.
	reserved bool
	// soon tells that there will be other candidates before long.
	soon       bool
	candidates iter.Seq[Candidate]
}

// rank says when a number is to be taken.
func (t *Take) rank() int {
	switch {
	case t.Named:
		return 0
	case t.reserved:
		return 1
	default:
		return 2
	}
}

// noPort stands for the port of health checks.
const noPort = -1

// Candidate is where a number may be taken from.
type Candidate struct {
	Source pool.Source
	// Pool is the pool whose limit counts; nil outside of pools.
	Pool *pool.Pool
	// Range is what to choose from, if the source is Automatic.
	Range *allocator.Range
	// Place is the number to take, of the other sources.
	Place ledger.Place
}

// Decide returns what is to be done for a Service, or what is wrong with it. The
// plan has warnings in either case. It is empty for a name that exists, which is the
// API server's to refuse.
func Decide(cluster *Cluster, request *Request) (*Plan, field.ErrorList) {
	p := &Plan{cluster: cluster, request: request}
	if request.Old == nil && request.Exists {
		return p, nil
	}
	faults := slices.Concat(p.decideAddresses(), p.decidePorts(), p.checkExternalIPs(), checkSourceRanges(request), p.checkBalancing())
	p.warnOfAnnotations()
	if len(faults) > 0 || request.DryRun {
		p.Takes, p.Frees = nil, nil
		return p, faults
	}
	p.finalizes = p.cluster.Balancing.owns(request.Service) && !hasFinalizer(request.Service)
	slices.SortStableFunc(p.Takes, func(a, b Take) int { return cmp.Compare(a.rank(), b.rank()) })
	return p, nil
}

// madeUp tells whether the numbers of the Service are nobody's wish, and none that
// will be stored.
func (r *Request) madeUp() bool { return r.DryRun && r.Final }

// decideAddresses plans the cluster IPs.
func (p *Plan) decideAddresses() field.ErrorList {
	families, faults := pool.Decide(p.cluster.Families, p.request.Service, p.request.Old)
	p.families = families.Families
	if len(faults) > 0 || p.request.madeUp() {
		return faults
	}
	choices, faults := p.cluster.ClusterIPs.Choose(p.request.who(), families.Needs, p.request.Retained.Addresses)
	for _, choice := range choices {
		family := ledgerFamily(choice.Family)
		p.Takes = append(p.Takes, Take{
			Path: pathSpec().Child("clusterIPs"), Family: family, Named: choice.Address.IsValid(), index: choice.Index, soon: choice.Soon,
			candidates: convert(choice.Candidates, func(n netip.Addr) ledger.Place { return ledger.Address(family, n) }),
		})
	}
	had := addressesOf(p.request.old())
	p.Frees = appendAddresses(p.Frees, had[min(len(families.Families), len(had)):])
	return faults
}

// convert returns candidates with their places in the ledger.
func convert[N any](candidates iter.Seq[pool.Candidate[N]], place func(N) ledger.Place) iter.Seq[Candidate] {
	return func(yield func(Candidate) bool) {
		for c := range candidates {
			candidate := Candidate{Source: c.Source, Pool: c.Pool, Range: c.Range}
			if c.Source != pool.Automatic {
				candidate.Place = place(c.Number)
			}
			if !yield(candidate) {
				return
			}
		}
	}
}

func ledgerFamily(family corev1.IPFamily) servicenetv1alpha1.NumberFamily {
	if family == corev1.IPv4Protocol {
		return servicenetv1alpha1.ClusterIPv4
	}
	return servicenetv1alpha1.ClusterIPv6
}

func ipFamily(family servicenetv1alpha1.NumberFamily) corev1.IPFamily {
	if family == servicenetv1alpha1.ClusterIPv4 {
		return corev1.IPv4Protocol
	}
	return corev1.IPv6Protocol
}

func pathSpec() *field.Path { return field.NewPath("spec") }

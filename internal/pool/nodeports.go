// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package pool

import (
	"iter"
	"slices"

	"k8s.io/apimachinery/pkg/util/validation/field"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/allocator"
)

// HealthCheck is the use of the port for health checks. No port of a Service can
// have that name.
const HealthCheck = "/healthCheckNodePort"

// NodePortPool is a compiled one. It never changes: compile a pool anew when its
// generation changes.
type NodePortPool struct {
	*Pool
	ports *tract[Port]
}

// CompileNodePortPool compiles a pool. What is wrong with it is in its Faults.
func CompileNodePortPool(object *servicenetv1alpha1.NodePortPool) *NodePortPool {
	p := newPool(&object.ObjectMeta, &object.Spec.PoolPolicy)
	compiled := &NodePortPool{Pool: p, ports: &tract[Port]{pool: p}}
	for _, written := range object.Spec.Ranges {
		within, ports, fine := p.portSpan("ranges", written)
		if fine {
			compiled.ports.bands = append(compiled.ports.bands, band[Port]{ports, within.Static})
		}
	}
	var excluded []span[Port]
	for _, written := range object.Spec.Exclusions {
		if _, ports, fine := p.portSpan("exclusions", written); fine {
			excluded = append(excluded, ports)
		}
	}
	var reserved []reservation[Port]
	for i := range object.Spec.Reservations {
		r := &object.Spec.Reservations[i]
		for _, meant := range r.Ports {
			reserved = append(reserved, reservation[Port]{Port(meant.NodePort), reservee{r.Namespace, r.Name, meant.Name}})
		}
		if r.HealthCheckNodePort != 0 {
			reserved = append(reserved, reservation[Port]{Port(r.HealthCheckNodePort), reservee{r.Namespace, r.Name, HealthCheck}})
		}
	}
	compiled.ports.finish(excluded, reserved)
	return compiled
}

// portSpan returns the ports of a range as they are written.
func (p *Pool) portSpan(where string, written servicenetv1alpha1.PortRange) (allocator.PortSpan, span[Port], bool) {
	last := written.Last
	if last == 0 {
		last = written.First
	}
	within, err := allocator.Ports(int(written.First), int(last))
	if err != nil {
		p.faultf("%s: %v", where, err)
	}
	return within, span[Port]{Port(written.First), Port(last)}, err == nil
}

// NodePorts is all pools of node ports beside the range of the cluster. It never
// changes, and is safe for concurrent use.
type NodePorts struct {
	directory *directory
	ports     *realm[Port]
}

// NewNodePorts returns what pools, which have different names, and the range of the
// cluster amount to. Ranges that are the same as in a previous one, which may be
// nil, are taken from there.
func NewNodePorts(pools []*NodePortPool, cluster allocator.PortSpan, previous *NodePorts) *NodePorts {
	if previous == nil {
		previous = &NodePorts{}
	}
	pools = slices.SortedFunc(slices.Values(pools), func(a, b *NodePortPool) int { return compareService(a.Pool, b.Pool) })
	all, tracts := make([]*Pool, len(pools)), make([]*tract[Port], len(pools))
	for i, p := range pools {
		all[i], tracts[i] = p.Pool, p.ports
	}
	within := span[Port]{Port(cluster.First), Port(cluster.Last)} //nolint:gosec // a port
	ports := set[Port]{within}
	numbers := area[Port]{accepted: ports, settled: ports, bands: []band[Port]{{within, cluster.Static}}}
	return &NodePorts{directory: newDirectory(all), ports: newRealm(tracts, numbers, previous.ports, cookPorts)}
}

// PortNeed is a node port that a Service needs.
type PortNeed struct {
	// Path is the field for it, and Index which of the Service's ports that is in; -1
	// for health checks.
	Path  *field.Path
	Index int
	// Slot tells the needs of a Service apart: it is the same when a request for it
	// is repeated.
	Slot string
	// Name is that of the Service's port. HealthCheck needs a port for health
	// checks instead.
	Name        string
	HealthCheck bool
	// Port is the one that the Service names; 0 needs one to be chosen.
	Port Port
	// Retained are ports that are kept for it, the one to try first in front.
	Retained []Port
}

// PortChoice is what to try for a node port that a Service needs.
type PortChoice struct {
	PortNeed
	// Candidates are in the order in which to try them; at least one.
	Candidates iter.Seq[Candidate[Port]]
}

// Choose returns what to try for each of the node ports that a Service needs, or why
// it cannot have them.
func (p *NodePorts) Choose(who *Who, needs []PortNeed) ([]PortChoice, field.ErrorList) {
	var faults field.ErrorList
	choices := make([]PortChoice, 0, len(needs))
	serving := p.directory.serving(who)
	for i := range needs {
		need := &needs[i]
		a := ask[Port]{use: need.Name, named: need.Port, retained: need.Retained}
		if need.HealthCheck {
			a.use = HealthCheck
		}
		candidates, refused := p.ports.choose(who, serving, &a)
		if refused != nil {
			faults = append(faults, refused.fault(need.Path, nouns{several: "ports", home: "the node port range of the cluster"}))
			continue
		}
		choices = append(choices, PortChoice{PortNeed: *need, Candidates: candidates})
	}
	if len(faults) > 0 {
		return nil, faults
	}
	return choices, nil
}

// cookPorts makes a Range of ports, as cookAddresses does of addresses.
func cookPorts(r *recipe[Port]) *allocator.Range {
	spec := allocator.PortSpec{Excluded: toPortSpans(r.excluded), Reserved: toPortSpans(r.reserved)}
	for _, b := range r.bands {
		spec.Spans = append(spec.Spans, allocator.PortSpan{First: int(b.first), Last: int(b.last), Static: b.static})
	}
	made, err := allocator.NewPorts(spec)
	if err != nil {
		return &allocator.Range{}
	}
	return made
}

func toPortSpans(s set[Port]) []allocator.PortSpan {
	spans := make([]allocator.PortSpan, len(s))
	for i := range s {
		spans[i] = allocator.PortSpan{First: int(s[i].first), Last: int(s[i].last)}
	}
	return spans
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package pool

import (
	"iter"
	"math/big"
	"net/netip"

	"k8s.io/apimachinery/pkg/types"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
)

// AddressTally counts what the addresses of all pools are used for. It is not safe
// for concurrent use.
type AddressTally struct {
	addressTallies
	clusterIPs *ClusterIPs
}

// Tally returns a tally of no Services yet.
func (c *ClusterIPs) Tally() *AddressTally {
	return &AddressTally{addressTallies: newAddressTallies(c.ipv4, c.ipv6), clusterIPs: c}
}

// Of returns what the tally is of.
func (t *AddressTally) Of() *ClusterIPs { return t.clusterIPs }

// Set says which addresses a Service has; none if it is gone.
func (t *AddressTally) Set(who *Who, addresses []netip.Addr) {
	name := types.NamespacedName{Namespace: who.Namespace, Name: who.Name}
	var serving []int
	if len(addresses) > 0 {
		serving = t.clusterIPs.directory.serving(who)
	}
	t.set(name, who, serving, addresses)
}

// Status returns how a pool stands, without conditions, and the verdict on it.
func (t *AddressTally) Status(p *ClusterIPPool) (servicenetv1alpha1.ClusterIPPoolStatus, Verdict) {
	sums := t.sums(p.Name)
	status := servicenetv1alpha1.ClusterIPPoolStatus{
		Total: sums.total(), Used: sums.used(), Free: sums.free(), Families: sums.families(),
	}
	return status, t.clusterIPs.Judge(p, sums.exhausted()...)
}

// PortTally counts what the ports of all pools are used for. It is not safe for
// concurrent use.
type PortTally struct {
	nodePorts *NodePorts
	ports     *tally[Port]
}

// Tally returns a tally of no Services yet.
func (p *NodePorts) Tally() *PortTally {
	return &PortTally{nodePorts: p, ports: newTally(p.ports, locatePort)}
}

// Of returns what the tally is of.
func (t *PortTally) Of() *NodePorts { return t.nodePorts }

// Set says which ports a Service has; none if it is gone.
func (t *PortTally) Set(who *Who, ports []Port) {
	var serving []int
	if len(ports) > 0 {
		serving = t.nodePorts.directory.serving(who)
	}
	t.ports.set(types.NamespacedName{Namespace: who.Namespace, Name: who.Name}, who, serving, ports)
}

// Hold says which ports are kept for Services or about to be given to them, by the
// ledger. Those that the tally knows Services to have do not count.
func (t *PortTally) Hold(ports iter.Seq[Port]) { t.ports.hold(ports) }

// Status returns how a pool stands, without conditions, and the verdict on it.
func (t *PortTally) Status(p *NodePortPool) (servicenetv1alpha1.NodePortPoolStatus, Verdict) {
	u, has := t.ports.usage(p.Name)
	if !has {
		u = usage{capacity: new(big.Int), free: new(big.Int)}
	}
	status := servicenetv1alpha1.NodePortPoolStatus{
		Capacity: small(u.capacity.Int64()), Used: small(u.used), Free: small(u.free.Int64()), Held: small(u.held),
		UsedByOthers: small(int64(u.usedByOthers)), UsedOutside: small(int64(u.usedInVain)),
	}
	return status, t.nodePorts.Judge(p, has && u.free.Sign() <= 0)
}

// small returns a number of ports as the API has it.
func small(count int64) *int32 { return new(int32(count)) } //nolint:gosec // there are 65,535 ports

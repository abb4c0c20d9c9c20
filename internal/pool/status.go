// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package pool

import (
	"iter"
	"math/big"
	"net/netip"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
)

// AddressTally counts what the addresses of all pools are used for. It is not safe
// for concurrent use.
type AddressTally struct {
	clusterIPs *ClusterIPs
	ipv4, ipv6 *tally[netip.Addr]
}

// Tally returns a tally of no Services yet.
func (c *ClusterIPs) Tally() *AddressTally {
	return &AddressTally{clusterIPs: c, ipv4: newTally(c.ipv4, locateAddress), ipv6: newTally(c.ipv6, locateAddress)}
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
	t.ipv4.set(name, who, serving, ofFamily(addresses, corev1.IPv4Protocol))
	t.ipv6.set(name, who, serving, ofFamily(addresses, corev1.IPv6Protocol))
}

// Hold says which addresses are kept for Services or about to be given to them, by
// the ledger. Those that the tally knows Services to have do not count.
func (t *AddressTally) Hold(addresses iter.Seq[netip.Addr]) {
	of := func(family corev1.IPFamily) iter.Seq[netip.Addr] {
		return func(yield func(netip.Addr) bool) {
			for address := range addresses {
				if familyOf(address) == family && !yield(address) {
					return
				}
			}
		}
	}
	t.ipv4.hold(of(corev1.IPv4Protocol))
	t.ipv6.hold(of(corev1.IPv6Protocol))
}

// Status returns how a pool stands, without conditions, and the verdict on it.
func (t *AddressTally) Status(p *ClusterIPPool) (servicenetv1alpha1.ClusterIPPoolStatus, Verdict) {
	var status servicenetv1alpha1.ClusterIPPoolStatus
	var exhausted []corev1.IPFamily
	var total, used, free []string
	for _, of := range []struct {
		family corev1.IPFamily
		tally  *tally[netip.Addr]
	}{{corev1.IPv4Protocol, t.ipv4}, {corev1.IPv6Protocol, t.ipv6}} {
		u, has := of.tally.usage(p.Name)
		if !has {
			continue
		}
		status.Families = append(status.Families, servicenetv1alpha1.AddressUsage{
			Family:   string(of.family),
			Capacity: u.capacity.String(), Used: strconv.FormatInt(u.used, 10),
			Free: u.free.String(), Held: strconv.FormatInt(u.held, 10),
			UsedByOthers: strconv.Itoa(u.usedByOthers), UsedOutside: strconv.Itoa(u.usedInVain),
		})
		total, used, free = append(total, u.capacity.String()), append(used, strconv.FormatInt(u.used, 10)), append(free, u.free.String())
		if u.free.Sign() <= 0 {
			exhausted = append(exhausted, of.family)
		}
	}
	status.Total, status.Used, status.Free = strings.Join(total, "/"), strings.Join(used, "/"), strings.Join(free, "/")
	return status, t.clusterIPs.Judge(p, exhausted...)
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

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpointslice

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// AutoTopology tells whether a Service asks for zone hints in proportion to the
// zones' CPU (KEP-2433). Of the two annotations the older decides when it is
// there.
func AutoTopology(service *corev1.Service) bool {
	value, found := service.Annotations[corev1.DeprecatedAnnotationTopologyAwareHints]
	if !found {
		value = service.Annotations[corev1.AnnotationTopologyMode]
	}
	return value == "Auto" || value == "auto"
}

// ZoneShares says how much of the cluster's CPU each zone has, or why that cannot
// be said. The zero value says that nothing is known.
type ZoneShares struct {
	shares   map[string]float64 // by zone, adding up to 1; nil when they are unknown
	obstacle obstacle           // why they are unknown
}

// obstacle is why there can be no zone hints. The zero value is none.
type obstacle struct {
	cause  string // one word, the same whatever the names and numbers
	reason string // for people
}

func because(cause, format string, values ...any) obstacle {
	return obstacle{cause: cause, reason: fmt.Sprintf(format, values...)}
}

// SharesOf works out the shares from the allocatable CPU of the nodes that are
// ready, leaving out those of the control plane. A single node of which the zone
// or the CPU is not known makes all shares unknown: they would send its zone's
// traffic elsewhere.
func SharesOf(nodes []*corev1.Node) ZoneShares {
	cpu, total := map[string]int64{}, int64(0)
	for _, node := range slices.SortedFunc(slices.Values(nodes), byName) {
		if !countsForZones(node) {
			continue
		}
		zone, milli := node.Labels[corev1.LabelTopologyZone], node.Status.Allocatable.Cpu().MilliValue()
		if zone == "" {
			return ZoneShares{obstacle: because("NodeWithoutZone", "node %s has no label %s", node.Name, corev1.LabelTopologyZone)}
		}
		if milli == 0 {
			return ZoneShares{obstacle: because("NodeWithoutCPU", "node %s reports no allocatable CPU", node.Name)}
		}
		cpu[zone] += milli
		total += milli
	}
	if len(cpu) < 2 {
		return ZoneShares{obstacle: because("TooFewZones", "there are ready nodes in %d zones, and 2 are needed", len(cpu))}
	}
	shares := make(map[string]float64, len(cpu))
	for zone, milli := range cpu {
		shares[zone] = float64(milli) / float64(total)
	}
	return ZoneShares{shares: shares}
}

func byName(a, b *corev1.Node) int { return cmp.Compare(a.Name, b.Name) }

// countsForZones tells whether a node's CPU is there for workloads.
func countsForZones(node *corev1.Node) bool {
	for _, label := range []string{"node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master"} {
		if _, found := node.Labels[label]; found {
			return false
		}
	}
	return nodeReady(node)
}

func nodeReady(node *corev1.Node) bool {
	for i := range node.Status.Conditions {
		if node.Status.Conditions[i].Type == corev1.NodeReady {
			return node.Status.Conditions[i].Status == corev1.ConditionTrue
		}
	}
	return false
}

// Equal tells whether two values say the same.
func (s ZoneShares) Equal(other ZoneShares) bool {
	return s.obstacle == other.obstacle && maps.Equal(s.shares, other.shares)
}

// zones returns the zones that have a share, in order.
func (s ZoneShares) zones() []string { return slices.Sorted(maps.Keys(s.shares)) }

// overload is by how much of its fair load an endpoint may be overloaded for the
// sake of staying in its zone.
const overload = 0.2

// atLeast is how many of n endpoints a zone needs so that none is overloaded.
func atLeast(share float64, n int) int {
	return int(math.Ceil(share * float64(n) / (1 + overload)))
}

// allotment is how many endpoints a zone gets hints to.
type allotment struct {
	least, most int
	fair        float64
}

// allot divides n endpoints among the zones. When they are too few to do that
// without overloading one, it returns the obstacle instead.
func (s ZoneShares) allot(n int) (map[string]allotment, obstacle) {
	if s.shares == nil {
		return nil, cmp.Or(s.obstacle, because("NodesUnknown", "the zones of the nodes are not known"))
	}
	if n < len(s.shares) {
		return nil, because("TooFewEndpoints", "%d ready endpoints are too few for %d zones", n, len(s.shares))
	}
	allotments, spare := make(map[string]allotment, len(s.shares)), n
	for zone, share := range s.shares {
		least := atLeast(share, n)
		allotments[zone] = allotment{least: least, fair: max(share*float64(n), float64(least))}
		spare -= least
	}
	if spare < 0 {
		return nil, because("Overload",
			"no division of %d ready endpoints among %d zones leaves every endpoint within %d%% of its fair load",
			n, len(s.shares), int(overload*100))
	}
	for zone, a := range allotments {
		// Where the other zones' least are rounded up, less than a zone's fair
		// number may be left for it. It may have that all the same, rounded, as
		// transfers never takes less: a division is not made again for nothing.
		a.most = max(a.least+spare, int(math.Ceil(a.fair-0.5)))
		allotments[zone] = a
	}
	return allotments, obstacle{}
}

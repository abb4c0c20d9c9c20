// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpointslice

import (
	"maps"
	"slices"

	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/utils/ptr"
)

// ZoneHints is what became of the zone hints of one address family of a Service
// with [AutoTopology].
type ZoneHints struct {
	Family discoveryv1.AddressType
	// Before tells whether the slices had hints.
	Before bool
	// Given tells whether they have hints now.
	Given bool
	// Cause is why there are none, in one word that is the same whatever the
	// names and numbers; Reason says it to people.
	Cause, Reason string
}

// hintZones gives each ready endpoint of a family a hint for one zone, so that
// each zone gets endpoints in proportion to its share: an endpoint's own zone if
// possible. Slices that nothing else changes are left as they are, unless their
// hints no longer fit. If hints cannot be given to all, none has any.
func hintZones(family discoveryv1.AddressType, edits []*edit, shares ZoneShares) ZoneHints {
	outcome := ZoneHints{Family: family, Before: slices.ContainsFunc(edits, hadHints)}
	if obstacle := distribute(edits, shares); obstacle.cause != "" {
		outcome.Cause, outcome.Reason = obstacle.cause, obstacle.reason
		for _, e := range edits {
			removeHints(e)
		}
		return outcome
	}
	outcome.Given = true
	return outcome
}

func hadHints(e *edit) bool {
	return e.current != nil && slices.ContainsFunc(e.current.Endpoints, hinted)
}

func hinted(endpoint discoveryv1.Endpoint) bool { return endpoint.Hints != nil }

func removeHints(e *edit) {
	e.touched = e.touched || slices.ContainsFunc(e.endpoints, hinted)
	for i := range e.endpoints {
		e.endpoints[i].Hints = nil
	}
}

// distribute sets the hints of slices, or returns why it cannot.
func distribute(edits []*edit, shares ZoneShares) obstacle {
	total := 0
	for _, e := range edits {
		for i := range e.endpoints {
			if !isReady(&e.endpoints[i]) {
				continue
			}
			total++
			if ptr.Deref(e.endpoints[i].Zone, "") == "" {
				return because("EndpointWithoutZone", "the zone of endpoint %s is not known", joinAddresses(e.endpoints[i].Addresses))
			}
		}
	}
	allotments, obstacle := shares.allot(total)
	if obstacle.cause != "" {
		return obstacle
	}
	given := keepHints(edits, allotments)
	for _, e := range edits {
		if e.touched {
			hintOwnZone(e.endpoints, given)
		}
	}
	move(edits, transfers(allotments, given))
	return obstacle
}

func isReady(endpoint *discoveryv1.Endpoint) bool { return ptr.Deref(endpoint.Conditions.Ready, false) }

// keepHints goes through the slices that nothing has changed so far, and has those
// written whose hints no longer fit; what they get is never what they had. It
// returns how many endpoints each zone has from the others.
func keepHints(edits []*edit, allotments map[string]allotment) (given map[string]int) {
	given = map[string]int{}
	for _, e := range edits {
		if e.touched {
			continue
		}
		counts, usable := countHints(e.endpoints, allotments)
		for zone, n := range counts {
			usable = usable && given[zone]+n <= allotments[zone].most
		}
		if !usable {
			e.touched = true
			continue
		}
		for zone, n := range counts {
			given[zone] += n
		}
	}
	return given
}

// countHints counts the hints for each zone. They are of no use when they are not
// such as are made here: a ready endpoint has one for a zone that gets endpoints,
// and no other endpoint has any. Hints from before the Service asked for this
// topology may name nodes too, which would go on to decide.
func countHints(endpoints []discoveryv1.Endpoint, allotments map[string]allotment) (counts map[string]int, usable bool) {
	counts = map[string]int{}
	for i := range endpoints {
		endpoint := &endpoints[i]
		if !isReady(endpoint) {
			if endpoint.Hints != nil {
				return nil, false
			}
			continue
		}
		zone := onlyZone(endpoint.Hints)
		if _, found := allotments[zone]; !found {
			return nil, false
		}
		counts[zone]++
	}
	return counts, true
}

// onlyZone returns the zone of hints that name a single zone and nothing else.
func onlyZone(hints *discoveryv1.EndpointHints) string {
	if hints == nil || len(hints.ForZones) != 1 || len(hints.ForNodes) > 0 {
		return ""
	}
	return hints.ForZones[0].Name
}

func forZone(zone string) *discoveryv1.EndpointHints {
	return &discoveryv1.EndpointHints{ForZones: []discoveryv1.ForZone{{Name: zone}}}
}

// hintOwnZone is where every distribution starts from.
func hintOwnZone(endpoints []discoveryv1.Endpoint, given map[string]int) {
	for i := range endpoints {
		endpoints[i].Hints = nil
		if isReady(&endpoints[i]) {
			endpoints[i].Hints = forZone(*endpoints[i].Zone)
			given[*endpoints[i].Zone]++
		}
	}
}

// transfer lists the zones that endpoints of a zone are given to, one entry an
// endpoint.
type transfer map[string][]string

// transfers pairs zones that have more endpoints than is fair with zones that
// have fewer, the greatest need first, until moving another one would make
// matters worse. A zone without a share, because none of its nodes is ready,
// keeps none.
func transfers(allotments map[string]allotment, given map[string]int) transfer {
	surplus, need := map[string]float64{}, map[string]float64{}
	for zone, a := range allotments {
		need[zone] = a.fair - float64(given[zone])
	}
	moves := transfer{}
	for _, zone := range slices.Sorted(maps.Keys(given)) {
		if _, hasShare := allotments[zone]; hasShare {
			surplus[zone] = -need[zone]
			continue
		}
		for range given[zone] {
			to, _ := greatest(need)
			moves[zone] = append(moves[zone], to)
			need[to]--
		}
	}
	for {
		from, spare := greatest(surplus)
		to, wanted := greatest(need)
		if spare < 0.5 || wanted < 0.5 || (spare < 1 && wanted < 1) {
			return moves
		}
		moves[from] = append(moves[from], to)
		surplus[from]--
		need[to]--
	}
}

// greatest returns the zone with the greatest number; of equal ones the first by
// name.
func greatest(zones map[string]float64) (zone string, number float64) {
	for _, candidate := range slices.Sorted(maps.Keys(zones)) {
		if zone == "" || zones[candidate] > number {
			zone, number = candidate, zones[candidate]
		}
	}
	return zone, number
}

// move gives endpoints of the slices that are written anyway to other zones.
func move(edits []*edit, moves transfer) {
	for _, e := range edits {
		if !e.touched {
			continue
		}
		for i := range e.endpoints {
			endpoint := &e.endpoints[i]
			if !isReady(endpoint) || len(moves[*endpoint.Zone]) == 0 {
				continue
			}
			receivers := moves[*endpoint.Zone]
			endpoint.Hints = forZone(receivers[0])
			moves[*endpoint.Zone] = receivers[1:]
		}
	}
}

// HintsOutdated tells whether a Service with [AutoTopology] should be looked at
// again after the shares have changed: a zone's endpoints would be overloaded,
// or hints can be given now and are not there. Any other distribution is left
// as it is, since every change of hints moves traffic.
func HintsOutdated(all []*discoveryv1.EndpointSlice, shares ZoneShares) bool {
	byFamily := map[discoveryv1.AddressType][]discoveryv1.Endpoint{}
	for _, slice := range all {
		if managed(slice) {
			byFamily[slice.AddressType] = append(byFamily[slice.AddressType], slice.Endpoints...)
		}
	}
	for _, endpoints := range byFamily {
		if outdated(endpoints, shares) {
			return true
		}
	}
	return false
}

func outdated(endpoints []discoveryv1.Endpoint, shares ZoneShares) bool {
	hints, total, ready := map[string]int{}, 0, 0
	for i := range endpoints {
		if isReady(&endpoints[i]) {
			ready++
		}
		if endpoints[i].Hints != nil {
			for _, zone := range endpoints[i].Hints.ForZones {
				hints[zone.Name]++
				total++
			}
		}
	}
	if total == 0 {
		_, obstacle := shares.allot(ready)
		return obstacle.cause == ""
	}
	for zone := range hints {
		if _, found := shares.shares[zone]; !found {
			return true
		}
	}
	return slices.ContainsFunc(shares.zones(), func(zone string) bool {
		return hints[zone] < atLeast(shares.shares[zone], total)
	})
}

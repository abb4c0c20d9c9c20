// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package mirroring

import (
	"cmp"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	netutils "k8s.io/utils/net"

	"servicenet.dev/servicenet/internal/endpointslice"
)

// groupKey tells which slice endpoints belong in.
type groupKey struct {
	family discoveryv1.AddressType
	ports  endpointslice.PortsKey
}

func (k groupKey) compare(other groupKey) int {
	return cmp.Or(cmp.Compare(k.ports, other.ports), cmp.Compare(k.family, other.family))
}

// group is what one slice should list.
type group struct {
	groupKey
	portList []discoveryv1.EndpointPort
	order    []endpointslice.EndpointKey // ready ones of a subset first
	byID     map[endpointslice.EndpointKey]discoveryv1.Endpoint
}

// add puts an endpoint into the group, and tells whether there was room. Of two
// with one identity the later one stays, as with the stock controller, unless
// only the earlier one is not ready.
func (g *group) add(endpoint *discoveryv1.Endpoint, limit int) bool {
	id := endpointslice.Identify(endpoint)
	earlier, twice := g.byID[id]
	switch {
	case !twice && len(g.order) == limit:
		return false
	case !twice:
		g.order = append(g.order, id)
	case !*earlier.Conditions.Ready:
		endpoint.Conditions.Ready = new(false)
	}
	g.byID[id] = *endpoint
	return true
}

// desired is what all mirrored slices should list.
type desired struct {
	limit   int // addresses of a subset that are mirrored
	groups  map[groupKey]*group
	invalid int // addresses met that are no IP
	skipped int // addresses not mirrored, invalid or beyond the limit
}

func desire(object *corev1.Endpoints, limit int) *desired {
	d := &desired{limit: limit, groups: map[groupKey]*group{}}
	subsets := repack(object.Subsets)
	for i := range subsets {
		d.addSubset(&subsets[i])
	}
	return d
}

// sorted returns the groups in a fixed order, so that equal input gives an equal
// plan.
func (d *desired) sorted() []*group {
	return slices.SortedFunc(maps.Values(d.groups), func(a, b *group) int { return a.compare(b.groupKey) })
}

// count returns the number of endpoints.
func (d *desired) count() int {
	count := 0
	for _, g := range d.groups {
		count += len(g.order)
	}
	return count
}

// addSubset adds a subset to the groups of its ports and of the families that it
// has addresses of, ready ones first, up to the limit.
func (d *desired) addSubset(subset *corev1.EndpointSubset) {
	sets := portSets(subset.Ports)
	room := d.limit
	add := func(addresses []corev1.EndpointAddress, ready bool) {
		for i := range addresses {
			if room == 0 {
				d.skipped += len(addresses) - i
				return
			}
			endpoint, family := mirror(&addresses[i], ready)
			if endpoint == nil {
				d.invalid++
				d.skipped++
				continue
			}
			room--
			if !d.addEndpoint(endpoint, family, sets) {
				d.skipped++
			}
		}
	}
	add(subset.Addresses, true)
	add(subset.NotReadyAddresses, false)
}

// addEndpoint tells whether there was room in all groups. There may be none
// where two subsets share a group.
func (d *desired) addEndpoint(endpoint *discoveryv1.Endpoint, family discoveryv1.AddressType, sets []portSet) bool {
	room := true
	for _, ports := range sets {
		key := groupKey{family: family, ports: ports.key}
		g := d.groups[key]
		if g == nil {
			g = &group{groupKey: key, portList: ports.list, byID: map[endpointslice.EndpointKey]discoveryv1.Endpoint{}}
			d.groups[key] = g
		}
		room = g.add(endpoint.DeepCopy(), d.limit) && room
	}
	return room
}

// mirror turns an address into an endpoint of its family, nil if it is no IP.
// The IP is printed anew: Endpoints admit spellings that slices do not. What the
// endpoint points to is the address's.
func mirror(address *corev1.EndpointAddress, ready bool) (*discoveryv1.Endpoint, discoveryv1.AddressType) {
	ip := netutils.ParseIPSloppy(address.IP)
	if ip == nil {
		return nil, ""
	}
	family := discoveryv1.AddressTypeIPv6
	if ip.To4() != nil {
		family = discoveryv1.AddressTypeIPv4
	}
	endpoint := &discoveryv1.Endpoint{
		Addresses:  []string{ip.String()},
		Conditions: discoveryv1.EndpointConditions{Ready: new(ready)},
		NodeName:   address.NodeName,
		TargetRef:  address.TargetRef,
	}
	if address.Hostname != "" {
		endpoint.Hostname = &address.Hostname
	}
	return endpoint, family
}

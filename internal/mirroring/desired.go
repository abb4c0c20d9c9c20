// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

//nolint:staticcheck // deprecated as Endpoints v1 is, mirroring it is what this package is for
package mirroring

import (
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	netutils "k8s.io/utils/net"

	"servicenet.dev/servicenet/internal/endpoints"
	"servicenet.dev/servicenet/internal/endpointslice"
)

// groupKey tells which slice endpoints belong in.
type groupKey struct {
	family discoveryv1.AddressType
	ports  endpointslice.PortsKey
}

// group is what one slice should list.
type group struct {
	groupKey
	portList []discoveryv1.EndpointPort
	order    []endpointslice.EndpointKey // ready ones first
	byID     map[endpointslice.EndpointKey]discoveryv1.Endpoint
}

// add puts an endpoint into the group. Of two with one identity the later one
// stays, as with the stock controller.
func (g *group) add(endpoint *discoveryv1.Endpoint) {
	id := endpointslice.Identify(endpoint)
	if _, twice := g.byID[id]; !twice {
		g.order = append(g.order, id)
	}
	g.byID[id] = *endpoint
}

// desired is what all mirrored slices should list.
type desired struct {
	limit   int // addresses of a subset that are mirrored
	groups  []*group
	invalid int // addresses met that are no IP
	skipped int // addresses not mirrored, invalid or beyond the limit
}

// desire returns the groups of an Endpoints object in an order that depends on
// its content only.
func desire(object *corev1.Endpoints, limit int) *desired {
	d := &desired{limit: limit}
	subsets := endpoints.Canonical(object.Subsets)
	for i := range subsets {
		d.addSubset(&subsets[i])
	}
	return d
}

// count returns the number of endpoints.
func (d *desired) count() int {
	count := 0
	for _, g := range d.groups {
		count += len(g.order)
	}
	return count
}

// addSubset adds the groups of one subset, at most one a family. A family that
// the subset has no address of gets none.
func (d *desired) addSubset(subset *corev1.EndpointSubset) {
	ports := slicePorts(subset.Ports)
	key := endpointslice.KeyOfPorts(ports)
	byFamily := map[discoveryv1.AddressType]*group{}
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
			g := byFamily[family]
			if g == nil {
				g = &group{
					groupKey: groupKey{family: family, ports: key},
					portList: ports,
					byID:     map[endpointslice.EndpointKey]discoveryv1.Endpoint{},
				}
				byFamily[family] = g
				d.groups = append(d.groups, g)
			}
			g.add(endpoint)
			room--
		}
	}
	add(subset.Addresses, true)
	add(subset.NotReadyAddresses, false)
}

// mirror turns an address into an endpoint of its family, nil if it is no IP.
// The IP is printed anew: Endpoints admit spellings that slices do not.
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
		TargetRef:  address.TargetRef.DeepCopy(),
	}
	if address.NodeName != nil {
		endpoint.NodeName = new(*address.NodeName)
	}
	if address.Hostname != "" {
		endpoint.Hostname = new(address.Hostname)
	}
	return endpoint, family
}

func slicePorts(ports []corev1.EndpointPort) []discoveryv1.EndpointPort {
	list := make([]discoveryv1.EndpointPort, 0, len(ports))
	for i := range ports {
		port := ports[i].DeepCopy()
		list = append(list, discoveryv1.EndpointPort{
			Name:        &port.Name,
			Port:        &port.Port,
			Protocol:    &port.Protocol,
			AppProtocol: port.AppProtocol,
		})
	}
	return list
}

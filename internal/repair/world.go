// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package repair

import (
	"net/netip"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/types"
	netutils "k8s.io/utils/net"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/allocator"
	"servicenet.dev/servicenet/internal/ledger"
)

// World is what there is to compare. The blocks are to be older than all the rest,
// or as old: then a Service that came or went in between makes nothing look wrong
// that could not be so.
type World struct {
	// Families are what is compared. Numbers, blocks and IPAddress objects of others
	// are left alone.
	Families []servicenetv1alpha1.NumberFamily
	// Blocks is the ledger, and Broken why blocks of it can't be read.
	Blocks map[ledger.Key]*ledger.Block
	Broken map[ledger.Key]error
	// Services are all there are, of all namespaces.
	Services []Service
	// Addresses are the IPAddress objects.
	Addresses []Address

	// CIDRs are the prefixes of all ServiceCIDRs, ready or not: the API server finds
	// no fault with addresses of one that is not, or that is being deleted. While
	// none is known, no address is out of range.
	CIDRs []netip.Prefix
	// Ports is the range of NodePorts. While it is zero, no port is out of range.
	Ports allocator.PortSpan
	// Capacity is how many numbers of a family there are to be given. None is full
	// that has no entry.
	Capacity map[servicenetv1alpha1.NumberFamily]int
}

// Service is what matters of a Service.
type Service struct {
	ledger.Owner
	Created time.Time
	// Numbers are what it carries.
	Numbers []ledger.Place
	// Invalid are its ClusterIPs that are no addresses.
	Invalid []string
	// Twice are ports that it carries twice for one protocol, in Numbers as well.
	Twice []ledger.Place
}

// NewService returns what matters of a Service that carries these numbers. They
// are not copied.
func NewService(service *corev1.Service, numbers []ledger.Place) Service {
	s := Service{
		Owner: ledger.Owner{
			NamespacedName: types.NamespacedName{Namespace: service.Namespace, Name: service.Name}, UID: service.UID,
		},
		Created: service.CreationTimestamp.Time,
		Numbers: numbers,
	}
	if service.Spec.Type == corev1.ServiceTypeExternalName {
		return s
	}
	for _, text := range service.Spec.ClusterIPs {
		// Addresses as they could be written once, with zeros in front, are valid.
		if text != corev1.ClusterIPNone && netutils.ParseIPSloppy(text) == nil {
			s.Invalid = append(s.Invalid, text)
		}
	}
	s.Twice = portsTwice(&service.Spec)
	return s
}

// portsTwice returns the ports that a Service has for one protocol more than once.
// Health checks are TCP.
func portsTwice(spec *corev1.ServiceSpec) (twice []ledger.Place) {
	for i := range spec.Ports {
		port := &spec.Ports[i]
		if port.NodePort == 0 {
			continue
		}
		again := port.NodePort == spec.HealthCheckNodePort && port.Protocol == corev1.ProtocolTCP
		for j := range i {
			again = again || spec.Ports[j].NodePort == port.NodePort && spec.Ports[j].Protocol == port.Protocol
		}
		if again {
			twice = append(twice, ledger.Port(int(port.NodePort)))
		}
	}
	return twice
}

// Address is what matters of an IPAddress object.
type Address struct {
	Address netip.Addr
	UID     types.UID
	// Service is what it refers to; none if that is not a Service.
	Service types.NamespacedName
	// Managed tells that the API server made it for a Service.
	Managed bool
}

// managedByServer is the label's value of objects that the API server makes.
const managedByServer = "ipallocator.k8s.io"

// NewAddress returns what matters of an IPAddress object. It fails if the name is
// no address, which the API server does not let happen.
func NewAddress(object *networkingv1.IPAddress) (Address, error) {
	address, err := netip.ParseAddr(object.Name)
	if err != nil {
		return Address{}, err
	}
	a := Address{
		Address: address.Unmap(), UID: object.UID,
		Managed: object.Labels[networkingv1.LabelManagedBy] == managedByServer,
	}
	if parent := object.Spec.ParentRef; parent != nil && parent.Group == "" && parent.Resource == "services" {
		a.Service = types.NamespacedName{Namespace: parent.Namespace, Name: parent.Name}
	}
	return a, nil
}

// place returns the number of an IPAddress object.
func (a *Address) place() ledger.Place {
	if a.Address.Is4() {
		return ledger.Address(servicenetv1alpha1.ClusterIPv4, a.Address)
	}
	return ledger.Address(servicenetv1alpha1.ClusterIPv6, a.Address)
}

// outOfRange tells whether the cluster gives out no such number. The first address
// of a ServiceCIDR and the last IPv4 one are nobody's, as the API server has it.
func (w *World) outOfRange(place ledger.Place) bool {
	if place.Family == servicenetv1alpha1.NodePort {
		port := place.Block.Port(place.Number)
		return w.Ports != (allocator.PortSpan{}) && (port < w.Ports.First || port > w.Ports.Last)
	}
	if !isClusterIP(place.Family) || len(w.CIDRs) == 0 {
		return false
	}
	address := place.Address()
	for _, prefix := range w.CIDRs {
		if prefix.Contains(address) && address != prefix.Masked().Addr() && !isBroadcast(prefix, address) {
			return false
		}
	}
	return true
}

// isBroadcast tells whether an address is the last of an IPv4 prefix that has it.
func isBroadcast(prefix netip.Prefix, address netip.Addr) bool {
	return address.Is4() && !prefix.Contains(address.Next())
}

func isClusterIP(family servicenetv1alpha1.NumberFamily) bool {
	return family == servicenetv1alpha1.ClusterIPv4 || family == servicenetv1alpha1.ClusterIPv6
}

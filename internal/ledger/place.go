// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/allocator"
)

// Key names a block of a ledger.
type Key struct {
	Family servicenetv1alpha1.NumberFamily
	Block  allocator.Block
}

// Place is a number of a ledger: an address or a port of a family.
type Place struct {
	Key
	// Number counts from the first number of the block.
	Number int
}

// Address returns the place of an address that is of the family's kind.
func Address(family servicenetv1alpha1.NumberFamily, address netip.Addr) Place {
	block, number := allocator.Locate(address)
	return Place{Key{family, block}, number}
}

// Port returns the place of a NodePort.
func Port(port int) Place {
	block, number := allocator.LocatePort(port)
	return Place{Key{servicenetv1alpha1.NodePort, block}, number}
}

// Address returns the address of a place. It is not valid for that of a port.
func (p Place) Address() netip.Addr {
	if p.Block.IsPorts() {
		return netip.Addr{}
	}
	return p.Block.Address(p.Number)
}

// String returns the address or the port.
func (p Place) String() string {
	if p.Block.IsPorts() {
		return strconv.Itoa(p.Block.Port(p.Number))
	}
	return p.Block.Address(p.Number).String()
}

// First returns the lowest number of a block as its object names it.
func (k Key) First() string { return Place{Key: k}.String() }

// String returns the name of the block's object: the family and the first
// number, which is written in hexadecimal for IPv6, where colons are none that a
// name may have.
func (k Key) String() string {
	first := k.First()
	if address := (Place{Key: k}).Address(); address.Is6() {
		bytes := address.As16()
		first = hex.EncodeToString(bytes[:])
	}
	return strings.ToLower(string(k.Family)) + "-" + first
}

// ParseKey returns the key of the block whose object names this family and first
// number. It fails when there is no such block.
func ParseKey(family servicenetv1alpha1.NumberFamily, first string) (Key, error) {
	place, err := parsePlace(family, first)
	if err != nil || place.Number != 0 || place.First() != first {
		return Key{}, fmt.Errorf("no block of %s begins at %q", family, first)
	}
	return place.Key, nil
}

func parsePlace(family servicenetv1alpha1.NumberFamily, number string) (Place, error) {
	if family == servicenetv1alpha1.NodePort {
		port, err := strconv.ParseUint(number, 10, 16)
		return Port(int(port)), err
	}
	address, err := netip.ParseAddr(number)
	if err != nil {
		return Place{}, err
	}
	ours := address.Is4() && IsIPv4(family) || address.Is6() && isIPv6(family)
	if !ours || address.Zone() != "" || address.Is4In6() {
		return Place{}, fmt.Errorf("%s is not of %s", number, family)
	}
	return Address(family, address), nil
}

// HasTenants tells whether the numbers of a family are load-balancer addresses:
// blocks say which Services have one, and nothing but the ledger decides on that.
func HasTenants(family servicenetv1alpha1.NumberFamily) bool {
	return family == servicenetv1alpha1.LoadBalancerIPv4 || family == servicenetv1alpha1.LoadBalancerIPv6
}

// IsIPv4 tells whether the numbers of a family are IPv4 addresses.
func IsIPv4(family servicenetv1alpha1.NumberFamily) bool {
	return family == servicenetv1alpha1.ClusterIPv4 || family == servicenetv1alpha1.LoadBalancerIPv4
}

func isIPv6(family servicenetv1alpha1.NumberFamily) bool {
	return family == servicenetv1alpha1.ClusterIPv6 || family == servicenetv1alpha1.LoadBalancerIPv6
}

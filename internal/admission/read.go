// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"net/netip"
	"strings"

	"go4.org/netipx"
)

// shortestIPv6 is the shortest prefix that a pool may have of IPv6.
const shortestIPv6 = 64

// readPrefix reads a CIDR of a pool, or returns what is wrong with it.
func readPrefix(text string) (prefix netip.Prefix, what string) {
	prefix, err := netip.ParsePrefix(text)
	switch {
	case err != nil || prefix.Addr().Is4In6():
		return netip.Prefix{}, "must be a CIDR, such as 10.96.5.0/24 or fd00:10:96::/112"
	case prefix != prefix.Masked():
		return netip.Prefix{}, "must not have bits set after its prefix; it would be " + prefix.Masked().String()
	case prefix.Addr().Is6() && prefix.Bits() < shortestIPv6:
		return netip.Prefix{}, "IPv6 prefixes must be /64 or longer"
	}
	return prefix, ""
}

// readAddress reads an address, or returns what is wrong with it.
func readAddress(text string) (address netip.Addr, what string) {
	address, err := netip.ParseAddr(text)
	if err != nil || address.Zone() != "" || address.Is4In6() {
		return netip.Addr{}, "must be an address, such as 10.96.5.10 or fd00:10:96::a"
	}
	return address, ""
}

// readRange reads an address, a CIDR or first-last, or returns what is wrong with it.
func readRange(text string) (within netipx.IPRange, what string) {
	if first, last, isRange := strings.Cut(text, "-"); isRange {
		from, wrongFirst := readAddress(first)
		to, wrongLast := readAddress(last)
		switch {
		case wrongFirst != "" || wrongLast != "":
			return netipx.IPRange{}, "must be an address, a CIDR, or a range such as 10.96.5.0-10.96.5.15"
		case from.Is4() != to.Is4():
			return netipx.IPRange{}, "must be of one family"
		case to.Less(from):
			return netipx.IPRange{}, "the first address must not be higher than the last one"
		}
		return netipx.IPRangeFrom(from, to), ""
	}
	if strings.Contains(text, "/") {
		prefix, err := netip.ParsePrefix(text)
		if err != nil || prefix.Addr().Is4In6() || prefix != prefix.Masked() {
			return netipx.IPRange{}, "must be a CIDR without bits set after its prefix"
		}
		return netipx.RangeOfPrefix(prefix), ""
	}
	address, what := readAddress(text)
	return netipx.IPRangeFrom(address, address), what
}

// setOf returns what is in a builder so far. What it was given has been read before,
// so that nothing can be wrong with it.
func setOf(builder *netipx.IPSetBuilder) *netipx.IPSet {
	set, _ := builder.IPSet()
	return set
}

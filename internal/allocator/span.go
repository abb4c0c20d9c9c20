// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package allocator

import (
	"fmt"
	"math"
	"net/netip"

	"go4.org/netipx"
)

// Span is a stretch of addresses to give out, both ends included. The zero Span
// has none.
type Span struct {
	First, Last netip.Addr
	// Static is how many of the lowest addresses are the static band, which
	// automatic choice enters last. The functions that make a Span set it as the
	// API server does; a pool that wants no such band sets it to 0.
	Static int
}

// ServiceCIDR returns the addresses of a prefix that the API server gives out as
// ClusterIPs: all but the network address and, of IPv4, the broadcast address.
// A prefix of one or two addresses may have none.
func ServiceCIDR(prefix netip.Prefix) (Span, error) {
	span, err := Prefix(prefix)
	if err != nil {
		return Span{}, err
	}
	first, last := span.First.Next(), span.Last
	if last.Is4() {
		last = last.Prev()
	}
	if !first.IsValid() || !last.IsValid() || last.Less(first) {
		return Span{}, nil
	}
	return Span{First: first, Last: last, Static: span.Static}, nil
}

// Prefix returns all addresses of a prefix, its edges too: those of a prefix
// inside a ServiceCIDR are addresses like all others.
func Prefix(prefix netip.Prefix) (Span, error) {
	if !prefix.IsValid() {
		return Span{}, fmt.Errorf("%v is no prefix", prefix)
	}
	within := netipx.RangeOfPrefix(prefix.Masked())
	return Addresses(within.From(), within.To())
}

// Addresses returns the addresses from one to another. There may be 2^64 of
// them, as many as a /64 has.
func Addresses(first, last netip.Addr) (Span, error) {
	switch {
	case !netipx.IPRangeFrom(first, last).IsValid() || first.Zone() != "":
		return Span{}, fmt.Errorf("%v-%v is no range of addresses", first, last)
	case first.Is4In6() || last.Is4In6():
		return Span{}, fmt.Errorf("%v-%v has IPv4-mapped addresses", first, last)
	}
	apart := widen(last).minus(widen(first))
	if apart.high != 0 {
		return Span{}, fmt.Errorf("%v-%v has more than 2^64 addresses", first, last)
	}
	// Of the size only what is small matters for the band.
	size := int(min(apart.low, math.MaxInt32)) + 1
	return Span{First: first, Last: last, Static: staticBand(size, 16, 256)}, nil
}

func (s Span) empty() bool { return s == Span{} }

// static returns the addresses of the static band. It may be none, but not of
// an empty span.
func (s Span) static() (band netipx.IPRange, some bool) {
	if s.Static <= 0 {
		return netipx.IPRange{}, false
	}
	count := uint64(s.Static)
	if apart := widen(s.Last).minus(widen(s.First)); count > apart.low {
		return netipx.IPRangeFrom(s.First, s.Last), true
	}
	last := widen(s.First).plus(wide{low: count - 1}).address(s.First)
	return netipx.IPRangeFrom(s.First, last), true
}

// staticBand returns how many numbers at the low end of a stretch automatic
// choice leaves to explicit requests for as long as it can: a share of the size,
// within limits, and none of what is too small to be divided. It is the rule of
// KEP-3070 for ClusterIPs and of KEP-3668 for NodePorts.
func staticBand(size, share, most int) int {
	const least = 16
	if size <= least {
		return 0
	}
	return min(max(least, size/share), most)
}

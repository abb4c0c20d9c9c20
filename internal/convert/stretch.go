// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package convert

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"go4.org/netipx"
)

// shortestPrefix is the length of the widest IPv6 prefixes that pools take.
const shortestPrefix = 64

// stretch is addresses without a gap. It may be written as a prefix.
type stretch struct {
	netipx.IPRange

	// prefix is valid if it was one.
	prefix netip.Prefix
}

func (s stretch) String() string {
	if s.prefix.IsValid() {
		return s.prefix.String()
	}
	return s.From().String() + "-" + s.To().String()
}

func ofPrefix(prefix netip.Prefix) stretch {
	return stretch{netipx.RangeOfPrefix(prefix.Masked()), prefix.Masked()}
}

// parseStretch reads a CIDR, whose address may have bits set after the prefix, or two
// addresses with a dash, and spaces around it.
func parseStretch(text string) (stretch, error) {
	if first, last, isRange := strings.Cut(text, "-"); isRange {
		return parseRange(first, last)
	}
	prefix, err := netip.ParsePrefix(strings.TrimSpace(text))
	if err != nil {
		return stretch{}, fmt.Errorf("%q is neither a CIDR nor a range", text)
	}
	return ofPrefix(prefix), nil
}

func parseRange(first, last string) (stretch, error) {
	from, err := netip.ParseAddr(strings.TrimSpace(first))
	if err != nil {
		return stretch{}, fmt.Errorf("%q is no address", first)
	}
	to, err := netip.ParseAddr(strings.TrimSpace(last))
	if err != nil {
		return stretch{}, fmt.Errorf("%q is no address", last)
	}
	within := netipx.IPRangeFrom(from, to)
	if !within.IsValid() {
		return stretch{}, fmt.Errorf("%s-%s is no range", from, to)
	}
	return stretch{IPRange: within}, nil
}

// narrow returns what pools can take of a stretch, if that is less: of a wide one of
// IPv6 the first 2^64 addresses, which their former owner gave out first, and the /64
// of each address that is in use.
func (s stretch) narrow(used []netip.Addr) (parts []stretch, narrowed bool) {
	end := lastOf(s.From())
	if !s.From().Is6() || s.To().Compare(end) <= 0 {
		return []stretch{s}, false
	}
	parts = append(parts, stretch{IPRange: netipx.IPRangeFrom(s.From(), end)})
	for _, address := range used {
		if !s.Contains(address) || slices.ContainsFunc(parts, func(p stretch) bool { return p.Contains(address) }) {
			continue
		}
		around := netipx.RangeOfPrefix(netip.PrefixFrom(address, shortestPrefix).Masked())
		if around.To().Compare(s.To()) > 0 {
			around = netipx.IPRangeFrom(around.From(), s.To())
		}
		parts = append(parts, stretch{IPRange: around})
	}
	for i := range parts {
		if prefix, is := parts[i].Prefix(); is {
			parts[i].prefix = prefix
		}
	}
	return parts, true
}

// lastOf returns the last address of the /64 of an address.
func lastOf(address netip.Addr) netip.Addr {
	if address.Is4() {
		return address
	}
	return netipx.PrefixLastIP(netip.PrefixFrom(address, shortestPrefix).Masked())
}

// edges returns the first and the last address of a prefix that has more than two.
func (s stretch) edges() []netip.Addr {
	if !s.prefix.IsValid() || s.prefix.Addr().BitLen()-s.prefix.Bits() < 2 {
		return nil
	}
	return []netip.Addr{s.From(), s.To()}
}

// confusing returns the addresses of a stretch of IPv4 that end in 0 or 255, at most so
// many stretches of them.
func (s stretch) confusing(most int) []stretch {
	const last = 255
	var found []stretch
	for at := s.From(); at.Is4() && s.Contains(at) && len(found) <= most; {
		block := at.As4()
		switch block[3] {
		case 0:
			found = append(found, stretch{IPRange: netipx.IPRangeFrom(at, at)})
			at = at.Next()
		case last:
			to := at
			if next := at.Next(); next.IsValid() && s.Contains(next) {
				to = next
			}
			found = append(found, stretch{IPRange: netipx.IPRangeFrom(at, to)})
			at = to.Next()
		default:
			block[3] = last
			at = netip.AddrFrom4(block)
		}
	}
	return found
}

// texts writes stretches as pools have them, an address alone as itself.
func texts(of []stretch) []string {
	var written []string
	for _, s := range of {
		text := s.String()
		if s.From() == s.To() {
			text = s.From().String()
		}
		if !slices.Contains(written, text) {
			written = append(written, text)
		}
	}
	return written
}

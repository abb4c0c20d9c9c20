// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package allocator

import (
	"math"
	"net/netip"
	"testing"
)

// The API server's own numbers: k8s.io/kubernetes/pkg/registry/core/service,
// where a prefix of 16 addresses has no static band, and half a million has 256.
func TestServiceCIDRIsWhatTheServerGivesOut(t *testing.T) {
	for prefix, want := range map[string]Span{
		"10.96.0.0/12":       {addr("10.96.0.1"), addr("10.111.255.254"), 256},
		"10.96.0.0/16":       {addr("10.96.0.1"), addr("10.96.255.254"), 256},
		"10.96.0.0/20":       {addr("10.96.0.1"), addr("10.96.15.254"), 256},
		"10.96.0.0/21":       {addr("10.96.0.1"), addr("10.96.7.254"), 128},
		"10.96.0.0/22":       {addr("10.96.0.1"), addr("10.96.3.254"), 64},
		"10.96.0.0/24":       {addr("10.96.0.1"), addr("10.96.0.254"), 16},
		"10.96.0.77/24":      {addr("10.96.0.1"), addr("10.96.0.254"), 16},
		"10.96.0.32/27":      {addr("10.96.0.33"), addr("10.96.0.62"), 16},
		"10.96.0.32/28":      {addr("10.96.0.33"), addr("10.96.0.46"), 0},
		"10.96.0.4/30":       {addr("10.96.0.5"), addr("10.96.0.6"), 0},
		"10.96.0.4/31":       {},
		"10.96.0.4/32":       {},
		"0.0.0.0/32":         {},
		"255.0.0.0/8":        {addr("255.0.0.1"), addr("255.255.255.254"), 256},
		"255.255.255.255/32": {},
		"fd00::/64":          {addr("fd00::1"), addr("fd00::ffff:ffff:ffff:ffff"), 256},
		"fd00::/108":         {addr("fd00::1"), addr("fd00::f:ffff"), 256},
		"fd00::/112":         {addr("fd00::1"), addr("fd00::ffff"), 256},
		"fd00::/123":         {addr("fd00::1"), addr("fd00::1f"), 16},
		"fd00::/124":         {addr("fd00::1"), addr("fd00::f"), 0},
		"fd00::/127":         {addr("fd00::1"), addr("fd00::1"), 0},
		"fd00::/128":         {},
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128": {},
	} {
		t.Run(prefix, func(t *testing.T) {
			got, err := ServiceCIDR(netip.MustParsePrefix(prefix))
			if err != nil || got != want {
				t.Errorf("%v, %v, want %v", got, err, want)
			}
		})
	}
}

func TestPrefixHasItsEdges(t *testing.T) {
	for prefix, want := range map[string]Span{
		"192.0.2.0/24":    {addr("192.0.2.0"), addr("192.0.2.255"), 16},
		"192.0.2.10/32":   {addr("192.0.2.10"), addr("192.0.2.10"), 0},
		"2001:db8::/64":   {addr("2001:db8::"), addr("2001:db8::ffff:ffff:ffff:ffff"), 256},
		"2001:db8::5/128": {addr("2001:db8::5"), addr("2001:db8::5"), 0},
	} {
		t.Run(prefix, func(t *testing.T) {
			got, err := Prefix(netip.MustParsePrefix(prefix))
			if err != nil || got != want {
				t.Errorf("%v, %v, want %v", got, err, want)
			}
		})
	}
}

func TestSpansThatAreNoneAreRefused(t *testing.T) {
	prefix := func(s string) func() error {
		return func() error {
			_, err := ServiceCIDR(netip.MustParsePrefix(s))
			return err
		}
	}
	addresses := func(first, last string) func() error {
		return func() error {
			_, err := Addresses(addr(first), addr(last))
			return err
		}
	}
	ports := func(first, last int) func() error {
		return func() error {
			_, err := Ports(first, last)
			return err
		}
	}
	for name, test := range map[string]struct {
		make func() error
		want bool
	}{
		"a /64":                         {prefix("fd00::/64"), true},
		"a /63":                         {prefix("fd00::/63"), false},
		"an IPv4-mapped prefix":         {prefix("::ffff:10.0.0.0/120"), false},
		"no prefix":                     {func() error { _, err := Prefix(netip.Prefix{}); return err }, false},
		"no addresses":                  {func() error { _, err := Addresses(netip.Addr{}, netip.Addr{}); return err }, false},
		"one address":                   {addresses("10.0.0.9", "10.0.0.9"), true},
		"last before first":             {addresses("10.0.0.9", "10.0.0.8"), false},
		"two families":                  {addresses("10.0.0.9", "fd00::1"), false},
		"a zone":                        {addresses("fe80::1%a", "fe80::2%a"), false},
		"IPv4-mapped addresses":         {addresses("::ffff:10.0.0.1", "::ffff:10.0.0.2"), false},
		"from below to IPv4-mapped":     {addresses("::1", "::ffff:10.0.0.2"), false},
		"2^64 addresses over two /64":   {addresses("fd00::1", "fd00:0:0:1::"), true},
		"2^64+1 addresses":              {addresses("fd00::1", "fd00:0:0:1::1"), false},
		"the default range of ports":    {ports(30000, 32767), true},
		"all ports":                     {ports(1, 65535), true},
		"port 0":                        {ports(0, 100), false},
		"port 65536":                    {ports(1, 65536), false},
		"ports, the last before first":  {ports(30001, 30000), false},
		"ports, the last far before it": {ports(math.MaxInt, math.MinInt), false},
	} {
		t.Run(name, func(t *testing.T) {
			if err := test.make(); (err == nil) != test.want {
				t.Errorf("error %v, want success %v", err, test.want)
			}
		})
	}
}

func TestStaticBandOfPorts(t *testing.T) {
	for _, test := range []struct{ first, last, want int }{
		{30000, 32767, 86},
		{30000, 30015, 0},
		{30000, 30016, 16},
		{30000, 30511, 16},
		{30000, 30543, 17},
		{1, 65535, 128},
	} {
		if span, err := Ports(test.first, test.last); err != nil || span.Static != test.want {
			t.Errorf("%d of %d-%d are static (%v), want %d", span.Static, test.first, test.last, err, test.want)
		}
	}
}

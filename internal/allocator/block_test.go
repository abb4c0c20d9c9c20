// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package allocator

import (
	"net/netip"
	"testing"
)

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

func TestAddressIsInOneBlock(t *testing.T) {
	for address, want := range map[string]struct {
		block  string
		number int
	}{
		"10.0.0.0":                  {"10.0.0.0/20", 0},
		"10.0.15.255":               {"10.0.0.0/20", 4095},
		"10.0.16.1":                 {"10.0.16.0/20", 1},
		"10.0.31.2":                 {"10.0.16.0/20", 0xf02},
		"0.0.0.0":                   {"0.0.0.0/20", 0},
		"255.255.255.255":           {"255.255.240.0/20", 4095},
		"::ffff:10.0.16.1":          {"10.0.16.0/20", 1},
		"fd00::":                    {"fd00::/116", 0},
		"fd00::fff":                 {"fd00::/116", 4095},
		"fd00::1:2345":              {"fd00::1:2000/116", 0x345},
		"fd00::1:2345%eth0":         {"fd00::1:2000/116", 0x345},
		"fd00::ffff:ffff:ffff:ffff": {"fd00::ffff:ffff:ffff:f000/116", 4095},
	} {
		t.Run(address, func(t *testing.T) {
			block, number := Locate(addr(address))
			if block.String() != want.block || number != want.number {
				t.Errorf("in %v at %d, want in %s at %d", block, number, want.block, want.number)
			}
			if back := block.Address(number); back != addr(address).Unmap().WithZone("") {
				t.Errorf("address %v", back)
			}
			if !block.Prefix().Contains(block.Address(0)) {
				t.Errorf("prefix %v", block.Prefix())
			}
			if again, _ := Locate(block.Prefix().Addr()); again != block {
				t.Errorf("the prefix leads to block %v", again)
			}
		})
	}
}

func TestPortsAreInBlocksOfTheirOwn(t *testing.T) {
	for port, want := range map[int]string{
		0: "ports 0-4095", 1: "ports 0-4095", 28671: "ports 24576-28671", 28672: "ports 28672-32767",
		30000: "ports 28672-32767", 32767: "ports 28672-32767", 65535: "ports 61440-65535",
	} {
		block, number := LocatePort(port)
		if block.String() != want || block.Port(number) != port || !block.IsPorts() || block.Prefix().IsValid() {
			t.Errorf("%d is %d of %v, with prefix %v", port, block.Port(number), block, block.Prefix())
		}
	}
}

func TestZeroBlockIsNone(t *testing.T) {
	if none := (Block{}); none.IsPorts() || none.Prefix().IsValid() || none.String() != "no block" {
		t.Errorf("the zero Block is %v", none)
	}
}

func TestBlocksAreInOrder(t *testing.T) {
	for name, test := range map[string]struct {
		block string
		count uint64
		want  string
	}{
		"none":                      {"10.0.0.0", 0, "10.0.0.0"},
		"the next":                  {"10.0.0.0", 1, "10.0.16.0"},
		"to the last":               {"0.0.0.0", 1<<20 - 1, "255.255.240.0"},
		"the next IPv6":             {"fd00::", 1, "fd00::1000"},
		"to the last of a /64":      {"fd00::", 1<<52 - 1, "fd00::ffff:ffff:ffff:f000"},
		"beyond a /64":              {"fd00::", 1 << 52, "fd00:0:0:1::"},
		"far beyond a /64":          {"fd00::5000", 3<<52 + 2, "fd00:0:0:3::7000"},
		"over a carry":              {"fd00::ffff:ffff:ffff:f000", 1, "fd00:0:0:1::"},
		"over a carry, and further": {"fd00::ffff:ffff:ffff:f000", 1<<52 + 2, "fd00:0:0:2::1000"},
	} {
		t.Run(name, func(t *testing.T) {
			from, _ := Locate(addr(test.block))
			want, _ := Locate(addr(test.want))
			if got := from.plus(test.count); got != want {
				t.Errorf("plus %d is %v, want %v", test.count, got, want)
			}
			if got := from.until(want); got != test.count {
				t.Errorf("%d blocks until %v, want %d", got, want, test.count)
			}
			if (from.Compare(want) < 0) != (test.count > 0) || want.Compare(from) < 0 {
				t.Errorf("%v and %v are not in order", from, want)
			}
		})
	}
	v4, _ := Locate(addr("255.0.0.0"))
	v6, _ := Locate(addr("::"))
	if v4.Compare(v6) >= 0 {
		t.Error("IPv6 before IPv4")
	}
	low, _ := LocatePort(1)
	high, _ := LocatePort(30000)
	if low.Compare(high) >= 0 || high.Compare(v4) >= 0 {
		t.Error("ports out of order")
	}
}

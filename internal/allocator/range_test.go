// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package allocator

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"go4.org/netipx"

	"servicenet.dev/servicenet/internal/bitmap"
)

func serviceCIDR(tb testing.TB, prefix string) Span {
	tb.Helper()
	span, err := ServiceCIDR(netip.MustParsePrefix(prefix))
	if err != nil {
		tb.Fatal(err)
	}
	return span
}

func span(tb testing.TB, first, last string) Span {
	tb.Helper()
	made, err := Addresses(addr(first), addr(last))
	if err != nil {
		tb.Fatal(err)
	}
	return made
}

func ranges(texts ...string) []netipx.IPRange {
	var all []netipx.IPRange
	for _, text := range texts {
		all = append(all, netipx.MustParseIPRange(text))
	}
	return all
}

func addressRange(tb testing.TB, spec AddressSpec) *Range {
	tb.Helper()
	r, err := NewAddresses(spec)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

func portRange(tb testing.TB, spec PortSpec) *Range {
	tb.Helper()
	r, err := NewPorts(spec)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// classOf returns a letter for the class of an address.
func classOf(r *Range, address string) string {
	block, number := Locate(addr(address))
	return letter(r.ClassOf(block, number))
}

func letter(class Class) string { return string("oxrsd"[class]) }

func TestEachAddressHasItsClass(t *testing.T) {
	for name, test := range map[string]struct {
		spec AddressSpec
		want map[string]string
	}{
		"a ServiceCIDR": {
			AddressSpec{Spans: []Span{serviceCIDR(t, "10.0.0.0/24")}},
			map[string]string{
				"9.255.255.255": "o", "10.0.0.0": "o", "10.0.0.1": "s", "10.0.0.16": "s", "10.0.0.17": "d",
				"10.0.0.254": "d", "10.0.0.255": "o", "10.0.1.0": "o", "fd00::1": "o",
			},
		},
		"many blocks": {
			AddressSpec{Spans: []Span{serviceCIDR(t, "10.96.0.0/12")}},
			map[string]string{
				"10.96.0.0": "o", "10.96.0.1": "s", "10.96.1.0": "s", "10.96.1.1": "d", "10.96.15.255": "d",
				"10.96.16.0": "d", "10.100.0.0": "d", "10.111.255.254": "d", "10.111.255.255": "o", "10.112.0.0": "o",
			},
		},
		"a ServiceCIDR of IPv6, whose last address is one": {
			AddressSpec{Spans: []Span{serviceCIDR(t, "fd00::/64")}},
			map[string]string{
				"fd00::": "o", "fd00::1": "s", "fd00::100": "s", "fd00::101": "d",
				"fd00::ffff:ffff:ffff:ffff": "d", "fd00:0:0:1::": "o", "fcff::": "o",
			},
		},
		"a prefix inside another, where edges are addresses": {
			AddressSpec{Spans: []Span{serviceCIDR(t, "10.0.0.0/16"), serviceCIDR(t, "10.0.8.0/24")}},
			map[string]string{"10.0.8.0": "d", "10.0.8.1": "s", "10.0.8.16": "s", "10.0.8.17": "d", "10.0.8.255": "d"},
		},
		"a prefix next to another, where edges are none": {
			AddressSpec{Spans: []Span{serviceCIDR(t, "10.0.1.0/24"), serviceCIDR(t, "10.0.0.0/24")}},
			map[string]string{"10.0.0.254": "d", "10.0.0.255": "o", "10.0.1.0": "o", "10.0.1.1": "s"},
		},
		"excluded and reserved": {
			AddressSpec{
				Spans:    []Span{serviceCIDR(t, "10.0.0.0/20")},
				Excluded: ranges("10.0.4.0-10.0.5.255", "10.0.0.1-10.0.0.2", "11.0.0.0-11.0.0.9", "fd00::-fd00::1"),
				Reserved: ranges("10.0.0.2-10.0.0.3", "10.0.5.255-10.0.6.0", "10.0.15.255-10.0.16.1"),
			},
			map[string]string{
				"10.0.0.0": "o", "10.0.0.1": "x", "10.0.0.2": "x", "10.0.0.3": "r", "10.0.0.4": "s", "10.0.1.0": "s", "10.0.1.1": "d",
				"10.0.3.255": "d", "10.0.4.0": "x", "10.0.5.255": "x", "10.0.6.0": "r", "10.0.6.1": "d",
				"10.0.15.254": "d", "10.0.15.255": "o", "10.0.16.1": "o", "11.0.0.1": "o", "fd00::1": "o",
			},
		},
		"first to last": {
			AddressSpec{Spans: []Span{span(t, "192.0.2.250", "192.0.3.5"), span(t, "192.0.2.10", "192.0.2.40")}},
			map[string]string{
				"192.0.2.9": "o", "192.0.2.10": "s", "192.0.2.25": "s", "192.0.2.26": "d", "192.0.2.40": "d", "192.0.2.41": "o",
				"192.0.2.249": "o", "192.0.2.250": "d", "192.0.2.255": "d", "192.0.3.0": "d", "192.0.3.5": "d", "192.0.3.6": "o",
			},
		},
		"no static band": {
			AddressSpec{Spans: []Span{{First: addr("10.0.0.0"), Last: addr("10.0.0.255")}}},
			map[string]string{"10.0.0.0": "d", "10.0.0.255": "d"},
		},
		"nothing but a static band": {
			AddressSpec{Spans: []Span{{First: addr("10.0.0.7"), Last: addr("10.0.0.9"), Static: 5}}},
			map[string]string{"10.0.0.6": "o", "10.0.0.7": "s", "10.0.0.9": "s", "10.0.0.10": "o"},
		},
		"a static band up to the last": {
			AddressSpec{Spans: []Span{{First: addr("10.0.0.7"), Last: addr("10.0.0.9"), Static: 3}}},
			map[string]string{"10.0.0.9": "s", "10.0.0.10": "o"},
		},
		"all of IPv4": {
			AddressSpec{Spans: []Span{{First: addr("0.0.0.0"), Last: addr("255.255.255.255")}}},
			map[string]string{"0.0.0.0": "d", "255.255.255.255": "d"},
		},
		"from the second address of a block to the second of another, one between": {
			AddressSpec{Spans: []Span{{First: addr("10.0.0.1"), Last: addr("10.0.32.1")}}},
			map[string]string{"10.0.0.0": "o", "10.0.0.1": "d", "10.0.16.0": "d", "10.0.31.255": "d", "10.0.32.1": "d", "10.0.32.2": "o"},
		},
		"nothing": {
			AddressSpec{Spans: []Span{serviceCIDR(t, "10.0.0.0/32")}},
			map[string]string{"10.0.0.0": "o"},
		},
		"nothing, and something": {
			AddressSpec{Spans: []Span{serviceCIDR(t, "10.0.0.0/32"), serviceCIDR(t, "10.0.1.0/24")}},
			map[string]string{"10.0.0.0": "o", "10.0.1.1": "s"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := addressRange(t, test.spec)
			for address, want := range test.want {
				if got := classOf(r, address); got != want {
					t.Errorf("%s is %s, want %s", address, got, want)
				}
			}
		})
	}
}

func TestEachPortHasItsClass(t *testing.T) {
	r := portRange(t, PortSpec{
		Spans:    []PortSpan{{30000, 32767, 86}, {33000, 33000, 0}, {33002, 33003, 9}},
		Excluded: []PortSpan{{31000, 31099, 0}, {1, 100, 0}},
		Reserved: []PortSpan{{30000, 30000, 0}, {31099, 31100, 0}},
	})
	for port, want := range map[int]string{
		0: "o", 50: "o", 29999: "o", 30000: "r", 30001: "s", 30085: "s", 30086: "d", 30999: "d", 31000: "x", 31099: "x",
		31100: "r", 31101: "d", 32767: "d", 32768: "o", 33000: "d", 33001: "o", 33002: "s", 33003: "s", 33004: "o", 65535: "o",
	} {
		if got := letter(r.ClassOf(LocatePort(port))); got != want {
			t.Errorf("%d is %s, want %s", port, got, want)
		}
	}
}

func TestCapacityIsCounted(t *testing.T) {
	three := []Span{
		serviceCIDR(t, "fd00::/64"), serviceCIDR(t, "fd00:0:0:1::/64"), span(t, "fd00:0:0:8::", "fd00:0:0:8:ffff:ffff:ffff:ffff"),
	}
	for name, test := range map[string]struct {
		made *Range
		want string // excluded, reserved, static, dynamic
	}{
		"a /12":   {addressRange(t, AddressSpec{Spans: []Span{serviceCIDR(t, "10.96.0.0/12")}}), "0 0 256 1048318"},
		"a /28":   {addressRange(t, AddressSpec{Spans: []Span{serviceCIDR(t, "10.96.0.0/28")}}), "0 0 0 14"},
		"a /64":   {addressRange(t, AddressSpec{Spans: []Span{serviceCIDR(t, "fd00::/64")}}), "0 0 256 18446744073709551359"},
		"three":   {addressRange(t, AddressSpec{Spans: three}), "0 0 768 55340232221128654078"},
		"nothing": {addressRange(t, AddressSpec{}), "0 0 0 0"},
		"with holes": {addressRange(t, AddressSpec{
			Spans:    []Span{serviceCIDR(t, "10.96.0.0/16")},
			Excluded: ranges("10.96.0.0-10.96.0.9", "10.96.64.0-10.96.127.255"),
			Reserved: ranges("10.96.0.9-10.96.0.12", "10.96.3.3-10.96.3.3"),
		}), "16393 4 244 48893"},
		"ports": {portRange(t, PortSpec{Spans: []PortSpan{{30000, 32767, 86}}, Excluded: []PortSpan{{30080, 30089, 0}}}), "10 0 80 2678"},
	} {
		t.Run(name, func(t *testing.T) {
			var counts []string
			for class := Excluded; class <= Dynamic; class++ {
				counts = append(counts, test.made.Capacity(class).String())
			}
			if got := strings.Join(counts, " "); got != test.want {
				t.Errorf("capacities are %s, want %s", got, test.want)
			}
			if outside := test.made.Capacity(Outside); outside.Sign() != 0 {
				t.Errorf("%v outside", outside)
			}
		})
	}
}

func TestSpecsThatMakeNoSenseAreRefused(t *testing.T) {
	many := AddressSpec{}
	for i := range uint64(1025) {
		first := widen(addr("fd00::")).plus(wide{high: i})
		many.Spans = append(many.Spans, Span{
			First: first.address(addr("::")),
			Last:  first.plus(widen(addr("::ffff:ffff:ffff:ffff"))).address(addr("::")),
		})
	}
	fine := AddressSpec{Spans: many.Spans[:1024]}
	last := many.Spans[1024]
	last.Last = last.First
	oneMore := AddressSpec{Spans: append(slices.Clone(fine.Spans), last)}
	v4 := serviceCIDR(t, "10.0.0.0/24")
	for name, test := range map[string]struct {
		make func() error
		want string
	}{
		"as many /64 as can be counted":  {refuse(fine), ""},
		"more /64 than can be counted":   {refuse(many), "too many"},
		"one address more than can be":   {refuse(oneMore), "too many"},
		"two families":                   {refuse(AddressSpec{Spans: []Span{v4, {}, serviceCIDR(t, "fd00::/64")}}), "different families"},
		"a span backwards":               {refuse(AddressSpec{Spans: []Span{{First: v4.Last, Last: v4.First}}}), "no range"},
		"half a span":                    {refuse(AddressSpec{Spans: []Span{{First: v4.First}}}), "no range"},
		"an exclusion that is none":      {refuse(AddressSpec{Spans: []Span{v4}, Excluded: []netipx.IPRange{{}}}), "no range"},
		"a reservation that is none":     {refuse(AddressSpec{Spans: []Span{v4}, Reserved: []netipx.IPRange{{}}}), "no range"},
		"ports that are none":            {refusePorts(PortSpec{Spans: []PortSpan{{0, 1, 0}}}), "0-1"},
		"excluded ports that are none":   {refusePorts(PortSpec{Excluded: []PortSpan{{5, 1, 0}}}), "excluded"},
		"reserved ports that are none":   {refusePorts(PortSpec{Reserved: []PortSpan{{5, 65536, 0}}}), "reserved"},
		"ports with less than no static": {refusePorts(PortSpec{Spans: []PortSpan{{5, 10, -3}}}), ""},
	} {
		t.Run(name, func(t *testing.T) {
			switch err := test.make(); {
			case test.want == "" && err != nil:
				t.Error(err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Errorf("error %v, want %q in it", err, test.want)
			}
		})
	}
}

func refuse(spec AddressSpec) func() error {
	return func() error {
		_, err := NewAddresses(spec)
		return err
	}
}

func refusePorts(spec PortSpec) func() error {
	return func() error {
		_, err := NewPorts(spec)
		return err
	}
}

func TestNothingIsPickedOutsideARange(t *testing.T) {
	r := addressRange(t, AddressSpec{Spans: []Span{serviceCIDR(t, "10.0.0.0/24")}})
	rng := rand.New(rand.NewPCG(1, 1))
	for _, address := range []string{"10.0.16.0", "9.0.0.0", "fd00::"} {
		block, _ := Locate(addr(address))
		if number, found := r.Pick(rng, Dynamic, block, bitmap.New(BlockSize)); found {
			t.Errorf("picked %d of %v", number, block)
		}
	}
}

func TestPickIsUniform(t *testing.T) {
	r := addressRange(t, AddressSpec{
		Spans:    []Span{serviceCIDR(t, "10.0.0.0/21")},
		Excluded: ranges("10.0.3.0-10.0.3.255"),
		Reserved: ranges("10.0.1.5-10.0.1.5"),
	})
	block, _ := Locate(addr("10.0.0.0"))
	taken := bitmap.New(BlockSize)
	for number := 0; number < BlockSize; number += 3 {
		taken.Take(number)
	}
	for class, numbers := range map[Class]int{Static: 86, Dynamic: 1108} {
		rng := rand.New(rand.NewPCG(5, 5))
		counts := map[int]int{}
		for range 200 * numbers {
			number, _ := r.Pick(rng, class, block, taken)
			counts[number]++
		}
		for number := range counts {
			if got := r.ClassOf(block, number); got != class || taken.Has(number) {
				t.Errorf("picked %d of class %s, taken %v", number, letter(got), taken.Has(number))
			}
		}
		checkUniform(t, counts, numbers, 200)
	}
}

func TestRangeTouchesTheBlocksOfItsNumbers(t *testing.T) {
	r := addressRange(t, AddressSpec{
		Spans:    []Span{{First: addr("10.0.15.255"), Last: addr("10.0.48.0")}},
		Excluded: []netipx.IPRange{netipx.IPRangeFrom(addr("10.0.15.0"), addr("10.0.15.255"))},
	})
	for address, want := range map[string]bool{
		"10.0.0.1": true, "10.0.16.1": true, "10.0.47.1": true, "10.0.63.9": true, "10.0.64.1": false, "9.255.255.1": false,
	} {
		if block, _ := Locate(addr(address)); r.Touches(block) != want {
			t.Errorf("%v: %v, want %v", block, !want, want)
		}
	}
	if block, _ := LocatePort(30000); r.Touches(block) {
		t.Error("a range of addresses touches a block of ports")
	}
}

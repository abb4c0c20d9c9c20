// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"net"
	"net/netip"
	"strconv"
	"testing"

	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/kubernetes/pkg/registry/core/service/ipallocator"
	"k8s.io/kubernetes/pkg/registry/core/service/portallocator"

	"servicenet.dev/servicenet/internal/allocator"
	"servicenet.dev/servicenet/internal/bitmap"
)

// What upstream's bitmaps give out, in two parts: dynamic numbers first, static
// ones when there are no others. IPv6 prefixes of more than 65,536 addresses are
// left out, of which they know the first ones only.
func TestBandsAreUpstreams(t *testing.T) {
	for _, cidr := range []string{
		"10.0.0.0/16", "10.0.0.0/19", "10.0.0.0/20", "10.0.0.0/21", "10.0.0.0/22", "10.0.0.0/23", "10.0.0.0/24",
		"10.0.0.0/25", "10.0.0.0/26", "10.0.0.32/27", "10.0.0.16/28", "10.0.0.8/29", "10.0.0.4/30", "10.0.0.2/31", "10.0.0.1/32",
		"fd00::/112", "fd00::/113", "fd00::/120", "fd00::/122", "fd00::/123", "fd00::/124", "fd00::/127", "fd00::/128",
	} {
		t.Run(cidr, func(t *testing.T) {
			_, network, err := net.ParseCIDR(cidr)
			if err != nil {
				t.Fatal(err)
			}
			upstream, err := ipallocator.NewInMemory(network)
			if err != nil {
				t.Fatal(err)
			}
			o := newOurs(cidr)
			classes := o.drain(t, func(at allocator.Block, number int) {
				if err := upstream.Allocate(at.Address(number).AsSlice()); err != nil {
					t.Fatalf("%v is none to upstream: %v", at.Address(number), err)
				}
				if err := upstream.Release(at.Address(number).AsSlice()); err != nil {
					t.Fatal(err)
				}
			})
			for _, class := range classes {
				address, err := upstream.AllocateNext()
				if err != nil {
					t.Fatalf("upstream is full, where a number of class %d is left", class)
				}
				at, _ := netip.AddrFromSlice(address)
				if got := o.of.ClassOf(allocator.Locate(at)); got != class {
					t.Fatalf("upstream took %v, of class %d, want class %d", at, got, class)
				}
			}
			if free := upstream.Free(); free != 0 {
				t.Errorf("upstream has %d left, where all is taken", free)
			}
		})
	}
}

func TestBandsOfPortsAreUpstreams(t *testing.T) {
	for _, size := range []int{2768, 1, 15, 16, 17, 18, 100, 511, 512, 543, 544, 5000} {
		t.Run(strconv.Itoa(size), func(t *testing.T) {
			upstream, err := portallocator.NewInMemory(utilnet.PortRange{Base: 30000, Size: size})
			if err != nil {
				t.Fatal(err)
			}
			span, err := allocator.Ports(30000, 30000+size-1)
			if err != nil {
				t.Fatal(err)
			}
			of, err := allocator.NewPorts(allocator.PortSpec{Spans: []allocator.PortSpan{span}})
			if err != nil {
				t.Fatal(err)
			}
			o := newOurs("10.0.0.0/16")
			o.of, o.index, o.blocks = of, allocator.NewIndex(of), map[allocator.Block]*bitmap.Set{}
			for _, class := range o.drain(t, func(allocator.Block, int) {}) {
				port, err := upstream.AllocateNext()
				if err != nil {
					t.Fatalf("upstream is full, where a number of class %d is left", class)
				}
				if got := of.ClassOf(allocator.LocatePort(port)); got != class {
					t.Fatalf("upstream took %d, of class %d, want class %d", port, got, class)
				}
			}
			if free := upstream.Free(); free != 0 {
				t.Errorf("upstream has %d left, where all is taken", free)
			}
		})
	}
}

// drain takes all numbers and returns their classes in the order they came.
func (o *ours) drain(t *testing.T, visit func(allocator.Block, int)) []allocator.Class {
	t.Helper()
	var classes []allocator.Class
	for {
		if _, found := o.index.Choose(o.rng, o.active); !found {
			return classes
		}
		block, number := o.take()
		visit(block, number)
		classes = append(classes, o.of.ClassOf(block, number))
	}
}

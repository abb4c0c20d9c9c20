// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"net"
	"net/netip"
	"runtime"

	"k8s.io/kubernetes/pkg/registry/core/service/ipallocator"

	"servicenet.dev/servicenet/internal/allocator"
)

// compareTake finds and takes one address, and gives it back so that the next
// finds the same.
func (b bench) compareTake() [][]string {
	rows := [][]string{{"find, take and free", "ours", "upstream's bitmap", "ratio"}}
	for _, test := range []struct {
		cidr, free string
	}{
		{"10.96.0.0/12", ""}, {"10.96.0.0/12", "10.100.0.7"}, {"10.96.0.0/16", "10.96.100.7"},
	} {
		o := newOurs(test.cidr)
		upstream := newUpstreamBitmap(test.cidr)
		name := "empty " + test.cidr
		if test.free != "" {
			name = "one free in " + test.cidr
			o.fill(test.cidr, netip.MustParseAddr(test.free))
			upstream.fill(test.free)
		}
		ourResult := b.measure(func() { o.free(o.take()) })
		upstreamResult := b.measure(func() { upstream.free(upstream.take()) })
		rows = append(rows, []string{name, ourResult.String(), upstreamResult.String(), ratio(upstreamResult, ourResult)})
	}
	return rows
}

func ratio(theirs, our result) string {
	return fmt.Sprintf("%.1f", theirs.nanoseconds/our.nanoseconds)
}

// compareMemory fills a /12.
func compareMemory() [][]string {
	const cidr = "10.96.0.0/12"
	o, upstream := newOurs(cidr), newUpstreamBitmap(cidr)
	bitmaps := retained(func() any {
		o.fill(cidr, netip.Addr{})
		return o
	})
	o.index = nil
	index := retained(func() any {
		o.index = allocator.NewIndex(o.of)
		for block, taken := range o.blocks {
			o.index.Update(block, taken)
		}
		return o
	})
	theirs := retained(func() any {
		upstream.fill("10.100.0.7")
		return upstream
	})
	return [][]string{
		{"memory", "ours, with map and index", "of it the index", "upstream's bitmap"},
		{"full /12", kib(bitmaps), kib(index), kib(theirs)},
	}
}

func kib(bytes float64) string { return fmt.Sprintf("%.0f KiB", bytes/1024) }

// retained returns how many bytes are held by what is made.
func retained(fill func() any) float64 {
	before := heap()
	held := fill()
	after := heap()
	runtime.KeepAlive(held)
	return after - before
}

// heap returns how many bytes are in use. A second collection frees what the
// first one only found out about.
func heap() float64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return float64(stats.HeapAlloc)
}

// upstreamBitmap is a Range of the API server's earlier allocator.
type upstreamBitmap struct {
	network *net.IPNet
	of      *ipallocator.Range
}

func newUpstreamBitmap(cidr string) *upstreamBitmap {
	_, network, err := net.ParseCIDR(cidr)
	try(err)
	return &upstreamBitmap{network, must(ipallocator.NewInMemory(network))}
}

// fill takes all addresses but one.
func (u *upstreamBitmap) fill(but string) {
	ones, size := u.network.Mask.Size()
	bits := make([]byte, 1<<(size-ones)/8)
	for i := range bits {
		bits[i] = 0xff
	}
	bits[0] = 0x3f // the network's first and last address have no bit
	try(u.of.Restore(u.network, bits))
	try(u.of.Release(net.ParseIP(but)))
}

func (u *upstreamBitmap) take() net.IP { return must(u.of.AllocateNext()) }

func (u *upstreamBitmap) free(address net.IP) { try(u.of.Release(address)) }

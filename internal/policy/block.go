// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"fmt"
	"net/netip"

	"go4.org/netipx"

	"servicenet.dev/servicenet/internal/pool"
)

// block is numbers that are looked up together.
type block struct {
	// key is what a number's block is called in the table.
	key  string
	kind kind
	// size is the length of the prefix of addresses, the number of ports.
	size int
}

// kind is what numbers are called alike.
type kind int

const (
	ipv4 kind = iota
	ipv6
	ports
)

// addressBlocks cuts addresses into CIDRs.
func addressBlocks(first, last netip.Addr) []block {
	var blocks []block
	for _, prefix := range netipx.IPRangeFrom(first, last).Prefixes() {
		of := block{prefix.String(), ipv6, prefix.Bits()}
		if first.Is4() {
			of.kind = ipv4
		}
		blocks = append(blocks, of)
	}
	return blocks
}

// portBlocks cuts ports into powers of two at multiples of themselves.
func portBlocks(first, last pool.Port) []block {
	var blocks []block
	for at, end := int(first), int(last)+1; at < end; {
		size := 1 << 16
		for at%size != 0 || at+size > end {
			size /= 2
		}
		blocks = append(blocks, block{fmt.Sprintf("%d+%d", at, size), ports, size})
		at += size
	}
	return blocks
}

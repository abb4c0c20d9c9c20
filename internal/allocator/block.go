// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package allocator

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
)

const (
	// BlockSize is how many addresses a block has.
	BlockSize = 1 << blockBits
	// PortBlockSize is how many ports the block of the ports has: all there are,
	// so that nothing moves when the cluster's range changes. A port is its own
	// number in the block.
	PortBlockSize = 1 << 16

	blockBits = 12
)

// Block is an aligned stretch of numbers that is stored as one: BlockSize
// addresses of one family, or all ports. Within it numbers count from 0. Blocks
// compare with == and can be keys of maps. The zero Block is the one of ports.
type Block struct {
	first netip.Addr
}

// Locate returns the block of a valid address and the number of the address in
// it. A zone counts for nothing, an IPv4-mapped address is the IPv4 address.
func Locate(address netip.Addr) (block Block, number int) {
	address = address.Unmap()
	block.first = netip.PrefixFrom(address, address.BitLen()-blockBits).Masked().Addr()
	bytes := address.As16()
	return block, int(binary.BigEndian.Uint16(bytes[14:])) % BlockSize
}

// PortBlock returns the block of all ports.
func PortBlock() Block { return Block{} }

// Size returns how many numbers a block has.
func (b Block) Size() int {
	if b.first.IsValid() {
		return BlockSize
	}
	return PortBlockSize
}

// Prefix returns the addresses of a block. It is not valid for the block of
// ports.
func (b Block) Prefix() netip.Prefix {
	return netip.PrefixFrom(b.first, b.first.BitLen()-blockBits)
}

// Address returns the address that has a number in a block of addresses.
func (b Block) Address(number int) netip.Addr {
	at := widen(b.first)
	at.low |= uint64(number) % BlockSize //nolint:gosec // a number of the block
	return at.address(b.first)
}

// Compare orders blocks as their addresses, IPv4 first.
func (b Block) Compare(other Block) int { return b.first.Compare(other.first) }

func (b Block) String() string {
	if b.first.IsValid() {
		return b.Prefix().String()
	}
	return "ports"
}

// plus returns the block that is count blocks further on. Nothing comes after
// the block of ports.
func (b Block) plus(count uint64) Block {
	if count == 0 {
		return b
	}
	at := widen(b.first).plus(wide{high: count >> (64 - blockBits), low: count << blockBits})
	return Block{first: at.address(b.first)}
}

// until returns how many blocks there are from one up to, but not including, a
// later one. Within a Range that fits.
func (b Block) until(later Block) uint64 {
	apart := widen(later.first).minus(widen(b.first))
	return apart.high<<(64-blockBits) | apart.low>>blockBits
}

// wide is an address as a number of 128 bits.
type wide struct {
	high, low uint64
}

func widen(address netip.Addr) wide {
	bytes := address.As16()
	return wide{high: binary.BigEndian.Uint64(bytes[:8]), low: binary.BigEndian.Uint64(bytes[8:])}
}

// address returns the address of the same family as like.
func (w wide) address(like netip.Addr) netip.Addr {
	var bytes [16]byte
	binary.BigEndian.PutUint64(bytes[:8], w.high)
	binary.BigEndian.PutUint64(bytes[8:], w.low)
	if like.Is4() {
		return netip.AddrFrom16(bytes).Unmap()
	}
	return netip.AddrFrom16(bytes)
}

func (w wide) plus(other wide) wide {
	low, carry := bits.Add64(w.low, other.low, 0)
	high, _ := bits.Add64(w.high, other.high, carry)
	return wide{high: high, low: low}
}

func (w wide) minus(other wide) wide {
	low, borrow := bits.Sub64(w.low, other.low, 0)
	high, _ := bits.Sub64(w.high, other.high, borrow)
	return wide{high: high, low: low}
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package allocator

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math/bits"
	"net/netip"
)

const (
	// BlockSize is how many numbers a block has.
	BlockSize = 1 << blockBits

	blockBits = 12
	portCount = 1 << 16
)

// Block is an aligned stretch of BlockSize numbers that is stored as one:
// addresses of one family, or ports. Within it numbers count from 0. It depends
// on the number alone, so that nothing moves when ranges change. The API
// server's default range of NodePorts, 30000-32767, lies in one block.
//
// Blocks compare with == and can be keys of maps. The zero Block is none.
type Block struct {
	first netip.Addr
	// ports counts the blocks of ports from 1.
	ports uint8
}

// Locate returns the block of a valid address and the number of the address in
// it. A zone counts for nothing, an IPv4-mapped address is the IPv4 address.
func Locate(address netip.Addr) (block Block, number int) {
	address = address.Unmap()
	block.first = netip.PrefixFrom(address, address.BitLen()-blockBits).Masked().Addr()
	bytes := address.As16()
	return block, int(binary.BigEndian.Uint16(bytes[14:])) % BlockSize
}

// LocatePort returns the block of a port, from 0 to 65535, and the number of the
// port in it.
func LocatePort(port int) (block Block, number int) {
	return Block{ports: uint8(port%portCount/BlockSize) + 1}, port % BlockSize //nolint:gosec // at most 16
}

// Prefix returns the addresses of a block. It is not valid for a block of ports.
func (b Block) Prefix() netip.Prefix {
	return netip.PrefixFrom(b.first, b.first.BitLen()-blockBits)
}

// Address returns the address that has a number in a block of addresses.
func (b Block) Address(number int) netip.Addr {
	at := widen(b.first)
	at.low |= uint64(number) % BlockSize //nolint:gosec // a number of the block
	return at.address(b.first)
}

// Port returns the port that has a number in a block of ports.
func (b Block) Port(number int) int { return (int(b.ports)-1)*BlockSize + number%BlockSize }

// IsPorts tells whether a block is one of ports.
func (b Block) IsPorts() bool { return b.ports > 0 }

// Compare orders blocks as their numbers: ports, IPv4, IPv6.
func (b Block) Compare(other Block) int {
	return cmp.Or(b.first.Compare(other.first), cmp.Compare(b.ports, other.ports))
}

func (b Block) String() string {
	switch {
	case b.first.IsValid():
		return b.Prefix().String()
	case b.IsPorts():
		return fmt.Sprintf("ports %d-%d", b.Port(0), b.Port(BlockSize-1))
	default:
		return "no block"
	}
}

// plus returns the block of addresses that is count blocks further on.
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

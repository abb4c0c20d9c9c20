// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
)

// A block is written as
//
//	version   1 byte: which release wrote it
//	oldest    1 byte: the oldest version whose release can read it
//	sections  each a tag and a length, as unsigned varints, and its content
//	checksum  4 bytes, little endian: CRC-32 (IEEE) of all before
//
// with the sections in the order of their tags. A release reads what names it or
// an older one as the oldest, and keeps sections that it does not know, so that
// neighbouring releases can share a ledger while one replaces the other.
const (
	version = 1

	tagSerial = 1
	tagTaken  = 2
	tagLoans  = 3
	tagHolds  = 4
	// tagTenants is there if any number has tenants. Releases that do not know it
	// keep it, and take the numbers for used. They never give numbers of the families
	// that have tenants to anybody.
	tagTenants = 5

	headerBytes   = 2
	checksumBytes = 4
)

// MaxEncoded is how many bytes the encoding of a block has at most. In an object,
// in base64 and with its metadata, that stays below 256 KiB.
const MaxEncoded = 190_000

// section is a part of an encoding.
type section struct {
	tag     uint64
	content []byte
}

// ErrNewer says that a block was written by a release so much newer that this
// one can't read it.
var ErrNewer = errors.New("written by a newer release that this one can't read")

// Encode returns the encoding of a block. Equal blocks have equal encodings.
func (b *Block) Encode() ([]byte, error) {
	taken, err := b.taken.AppendBinary(nil)
	if err != nil {
		return nil, err
	}
	data := b.encode(taken, MaxEncoded)
	if len(data) > MaxEncoded {
		// With a digest for every name there is room for as much more.
		bare := len(b.encode(taken, 0))
		data = b.encode(taken, max(0, MaxEncoded-bare))
	}
	if len(data) > MaxEncoded {
		return nil, fmt.Errorf("the record of a block has %d bytes, more than %d", len(data), MaxEncoded)
	}
	return data, nil
}

// encode spends at most so many bytes on names.
func (b *Block) encode(taken []byte, names int) []byte {
	w := &writer{names: names}
	sections := []section{
		{tagSerial, binary.AppendUvarint(nil, uint64(b.serial))},
		{tagTaken, taken},
		{tagLoans, w.loans(b.loans)},
		{tagHolds, w.holds(b.holds)},
	}
	tenants := w.tenants(&b.tenants)
	size := headerBytes + checksumBytes + sizeOf(tenants...)
	for _, s := range slices.Concat(sections, b.unknown) {
		size += len(s.content) + 2*binary.MaxVarintLen64
	}
	data := append(make([]byte, 0, size), version, version)
	data = appendSections(data, sections)
	if len(tenants) > 0 {
		// They are most of a block that has any, and not copied once more.
		data = appendNumber(binary.AppendUvarint(data, tagTenants), sizeOf(tenants...))
		for _, part := range tenants {
			data = append(data, part...)
		}
	}
	data = appendSections(data, b.unknown)
	return binary.LittleEndian.AppendUint32(data, crc32.ChecksumIEEE(data))
}

func appendSections(data []byte, sections []section) []byte {
	for _, s := range sections {
		data = appendBytes(binary.AppendUvarint(data, s.tag), s.content)
	}
	return data
}

func sizeOf(parts ...[]byte) (size int) {
	for _, part := range parts {
		size += len(part)
	}
	return size
}

// Decode returns the block that Encode wrote, here or in a neighbouring release.
// Anything else is an error, ErrNewer if it comes from a release further off.
func Decode(data []byte) (*Block, error) {
	if len(data) < headerBytes+checksumBytes {
		return nil, errors.New("the record of a block is cut off")
	}
	body := data[:len(data)-checksumBytes]
	if crc32.ChecksumIEEE(body) != binary.LittleEndian.Uint32(data[len(body):]) {
		return nil, errors.New("the record of a block is damaged: its checksum differs")
	}
	if oldest := body[1]; oldest > version {
		return nil, ErrNewer
	}
	b := NewBlock(0)
	if err := b.decodeSections(&reader{left: body[headerBytes:]}); err != nil {
		return nil, fmt.Errorf("the record of a block is damaged: %w", err)
	}
	if err := b.check(); err != nil {
		return nil, err
	}
	return b, nil
}

func (b *Block) decodeSections(r *reader) error {
	last, known := uint64(0), 0
	for len(r.left) > 0 {
		s := section{tag: r.number(), content: r.bytes()}
		if r.err == nil && s.tag <= last {
			r.err = errors.New("sections are out of order")
		}
		if r.err != nil {
			return r.err
		}
		last = s.tag
		if s.tag <= tagHolds {
			known++
		}
		if err := b.decodeSection(s); err != nil {
			return err
		}
	}
	// A number that a lost section told of would look free, and be given twice.
	if known < tagHolds {
		return errors.New("a section is missing")
	}
	return nil
}

func (b *Block) decodeSection(s section) (err error) {
	r := &reader{left: s.content}
	switch s.tag {
	case tagSerial:
		b.serial = r.short()
	case tagTaken:
		return b.decodeTaken(s.content)
	case tagLoans:
		b.loans = decodeLoans(r)
	case tagHolds:
		b.holds = decodeHolds(r)
	case tagTenants:
		return b.decodeTenants(r)
	default:
		s.content = slices.Clone(s.content)
		b.unknown = append(b.unknown, s)
		return nil
	}
	return r.end()
}

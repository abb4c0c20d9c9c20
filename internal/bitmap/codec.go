// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package bitmap

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// A set is written as
//
//	version   1 byte
//	form      1 byte
//	size      unsigned varint
//	numbers   in one of the two forms
//	checksum  4 bytes, little endian: CRC-32 (IEEE) of all before
//
// in the form that is shorter, bands if they are equal. A set has exactly one
// encoding, so that what did not change is not written anew.
const (
	version = 1
	// formBands lists what is taken as bands: for each, as unsigned varints, the
	// free numbers since the last one and the length.
	formBands = 0
	// formBits has a bit for each number, the lowest bit of the first byte for
	// number 0, up to the last byte that is not zero.
	formBits = 1

	checksumBytes = 4
)

// AppendBinary appends the encoding of the set to a slice. It fails for the zero
// Set alone, which has none. It is an encoding.BinaryAppender.
func (s *Set) AppendBinary(data []byte) ([]byte, error) {
	if s.size == 0 {
		return data, errors.New("bitmap: a set of size 0 has no encoding")
	}
	start := len(data)
	data = append(data, version, formBands)
	data = appendNumber(data, s.size)
	data = s.appendNumbers(data, start+1)
	return binary.LittleEndian.AppendUint32(data, crc32.ChecksumIEEE(data[start:])), nil
}

// appendNumbers appends what is taken in the shorter form, which it notes at an
// index of the slice.
func (s *Set) appendNumbers(data []byte, form int) []byte {
	start, end := len(data), 0
	byteCount := (s.last() + 8) / 8
	for band := range s.Bands() {
		data = appendNumber(data, band.From-end)
		data = appendNumber(data, band.Len())
		end = band.To
		if len(data)-start > byteCount {
			data[form] = formBits
			return s.appendBits(data[:start], byteCount)
		}
	}
	return data
}

func (s *Set) appendBits(data []byte, count int) []byte {
	start := len(data)
	for _, word := range s.words[:(count+7)/8] {
		data = binary.LittleEndian.AppendUint64(data, word)
	}
	return data[:start+count]
}

func appendNumber(data []byte, number int) []byte {
	return binary.AppendUvarint(data, uint64(number)) //nolint:gosec // never negative
}

// readNumber returns the number at the start of a slice, at most MaxSize, and
// what follows it.
func readNumber(data []byte) (number int, rest []byte, err error) {
	value, n := binary.Uvarint(data)
	if n <= 0 || value > MaxSize {
		return 0, nil, fmt.Errorf("bitmap: a number does not end, or is larger than %d", MaxSize)
	}
	return int(value), data[n:], nil
}

// Decode returns the set that AppendBinary wrote. Anything else, were it a bit
// that differs, a byte too many, or a version of later days, is an error.
func Decode(data []byte) (*Set, error) {
	if len(data) == 0 {
		return nil, errors.New("bitmap: no data")
	}
	if data[0] != version {
		return nil, fmt.Errorf("bitmap: version %d is unknown, this program reads version %d", data[0], version)
	}
	end := len(data) - checksumBytes
	if end < 2 || crc32.ChecksumIEEE(data[:end]) != binary.LittleEndian.Uint32(data[end:]) {
		return nil, errors.New("bitmap: the checksum is wrong")
	}
	s, err := decodeBody(data[1], data[2:end])
	if err != nil {
		return nil, err
	}
	if again, err := s.AppendBinary(make([]byte, 0, len(data))); err != nil || !bytes.Equal(again, data) {
		return nil, errors.New("bitmap: not encoded as this version does")
	}
	return s, nil
}

func decodeBody(form byte, data []byte) (*Set, error) {
	size, data, err := readNumber(data)
	if err != nil {
		return nil, err
	}
	if size == 0 {
		return nil, errors.New("bitmap: the size is 0")
	}
	s := New(size)
	switch form {
	case formBands:
		err = s.decodeBands(data)
	case formBits:
		err = s.decodeBits(data)
	default:
		err = fmt.Errorf("bitmap: form %d is unknown", form)
	}
	return s, err
}

func (s *Set) decodeBands(data []byte) error {
	for at := 0; len(data) > 0; {
		var gap, length int
		var err error
		if gap, data, err = readNumber(data); err != nil {
			return err
		}
		if length, data, err = readNumber(data); err != nil {
			return err
		}
		if at+gap+length > s.size {
			return errors.New("bitmap: a band reaches beyond the size")
		}
		for number := at + gap; number < at+gap+length; number++ {
			s.Take(number)
		}
		at += gap + length
	}
	return nil
}

func (s *Set) decodeBits(data []byte) error {
	for i, value := range data {
		if i/8 >= len(s.words) {
			return errors.New("bitmap: more bits than the set is large")
		}
		s.words[i/8] |= uint64(value) << (i % 8 * 8)
	}
	if s.last() >= s.size {
		return errors.New("bitmap: more bits than the set is large")
	}
	s.recount()
	return nil
}

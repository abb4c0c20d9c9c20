// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"encoding/binary"
	"errors"
	"math"

	"servicenet.dev/servicenet/internal/allocator"
)

func appendNumber(data []byte, number int) []byte {
	return binary.AppendUvarint(data, uint64(number)) //nolint:gosec // lengths and distances, none is negative
}

func appendBytes(data, content []byte) []byte {
	return append(appendNumber(data, len(content)), content...)
}

// reader takes an encoding apart. After the first error it returns zeros.
type reader struct {
	left []byte
	err  error
}

func (r *reader) fail(reason string) {
	if r.err == nil {
		r.err = errors.New(reason)
	}
	r.left = nil
}

// end returns the error, or one if something is left.
func (r *reader) end() error {
	if len(r.left) > 0 {
		r.fail("bytes are left over")
	}
	return r.err
}

func (r *reader) number() uint64 {
	value, length := binary.Uvarint(r.left)
	if length <= 0 {
		r.fail("it is cut off")
		return 0
	}
	r.left = r.left[length:]
	return value
}

func (r *reader) signed() int64 {
	value, length := binary.Varint(r.left)
	if length <= 0 {
		r.fail("it is cut off")
		return 0
	}
	r.left = r.left[length:]
	return value
}

// short returns a number of 32 bits.
func (r *reader) short() uint32 {
	value := r.number()
	if value > math.MaxUint32 {
		r.fail("a number is too large")
		return 0
	}
	return uint32(value)
}

// next returns the number of the block that comes after the last one.
func (r *reader) next(last int) int {
	distance := r.number()
	if distance >= allocator.BlockSize || last+int(distance) >= allocator.BlockSize {
		r.fail("a number lies outside the block")
		return 0
	}
	return last + int(distance)
}

// count returns how many holders follow.
func (r *reader) count() int {
	value := r.number()
	if value > 2*allocator.BlockSize {
		r.fail("a count is wrong")
		return 0
	}
	return int(value)
}

// flags returns a byte that has no bits but those known.
func (r *reader) flags(known byte) byte {
	content := r.take(1)
	if content == nil {
		return 0
	}
	if content[0]&^known != 0 {
		r.fail("a flag is unknown")
		return 0
	}
	return content[0]
}

func (r *reader) octet() byte {
	content := r.take(1)
	if content == nil {
		return 0
	}
	return content[0]
}

func (r *reader) word() uint64 {
	content := r.take(8)
	if content == nil {
		return 0
	}
	return binary.BigEndian.Uint64(content)
}

func (r *reader) half() uint16 {
	content := r.take(2)
	if content == nil {
		return 0
	}
	return binary.BigEndian.Uint16(content)
}

func (r *reader) digest() (digest Digest) {
	copy(digest[:], r.take(len(digest)))
	return digest
}

func (r *reader) bytes() []byte {
	length := r.number()
	if length > uint64(len(r.left)) {
		r.fail("it is cut off")
		return nil
	}
	return r.take(int(length)) //nolint:gosec // not longer than what is left
}

func (r *reader) take(length int) []byte {
	if length > len(r.left) {
		r.fail("it is cut off")
		return nil
	}
	content := r.left[:length]
	r.left = r.left[length:]
	return content
}

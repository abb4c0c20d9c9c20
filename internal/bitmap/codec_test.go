// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package bitmap

import (
	"bytes"
	"encoding"
	"encoding/binary"
	"hash/crc32"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var _ encoding.BinaryAppender = &Set{}

func encode(tb testing.TB, s *Set) []byte {
	tb.Helper()
	data, err := s.AppendBinary(nil)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// sum appends the right checksum.
func sum(data ...byte) []byte {
	return binary.LittleEndian.AppendUint32(data, crc32.ChecksumIEEE(data))
}

func full(size int) *Set {
	s := New(size)
	s.TakeBand(s.Whole())
	return s
}

func with(size int, numbers ...int) *Set {
	s := New(size)
	for _, number := range numbers {
		s.Take(number)
	}
	return s
}

// everyOther returns what no form makes shorter than its bits.
func everyOther(size int) *Set {
	s := New(size)
	for number := 0; number < size; number += 2 {
		s.Take(number)
	}
	return s
}

// The format may not change without a new version: blocks that were stored
// before an upgrade are read after it.
func TestFormatIsFixed(t *testing.T) {
	for name, test := range map[string]struct {
		set  *Set
		want []byte
	}{
		"empty":           {New(4096), sum(1, 0, 0x80, 0x20)},
		"full":            {full(4096), sum(1, 0, 0x80, 0x20, 0, 0x80, 0x20)},
		"largest":         {New(65536), sum(1, 0, 0x80, 0x80, 0x04)},
		"smallest":        {with(1, 0), sum(1, 1, 1, 1)},
		"two bands":       {with(100, 7, 8, 9, 99), sum(1, 0, 100, 7, 3, 89, 1)},
		"bits":            {with(20, 0, 2, 4, 11, 13), sum(1, 1, 20, 0b10101, 0b101000)},
		"equally long":    {with(20, 10), sum(1, 0, 20, 10, 1)},
		"bits are fewer":  {with(20, 3), sum(1, 1, 20, 0b1000)},
		"a gap of 2 byte": {with(4096, 2000), sum(1, 0, 0x80, 0x20, 0xd0, 0x0f, 1)},
	} {
		t.Run(name, func(t *testing.T) {
			data := encode(t, test.set)
			if diff := cmp.Diff(test.want, data); diff != "" {
				t.Errorf("encoding (-want +got):\n%s", diff)
			}
			set, err := Decode(data)
			if err != nil {
				t.Fatal(err)
			}
			if !set.Equal(test.set) {
				t.Errorf("decoded another set")
			}
		})
	}
}

func TestEncodingIsNeverMuchLongerThanItsBits(t *testing.T) {
	for _, size := range []int{4096, 65536} {
		if got, limit := len(encode(t, everyOther(size))), size/8+9; got > limit {
			t.Errorf("%d bytes for size %d, want at most %d", got, size, limit)
		}
	}
}

func TestNothingElseIsDecoded(t *testing.T) {
	for name, test := range map[string]struct {
		data []byte
		want string
	}{
		"nothing":                       {nil, "no data"},
		"a later version":               {sum(2, 0, 1), "version 2 is unknown"},
		"version 0":                     {sum(0, 0, 1), "version 0 is unknown"},
		"only a version":                {[]byte{1}, "checksum"},
		"no form":                       {sum(1), "checksum"},
		"a checksum alone":              {[]byte{1, 0, 0, 0, 0}, "checksum"},
		"a wrong checksum":              {append([]byte{1, 0, 100}, 0, 0, 0, 0), "checksum"},
		"no size":                       {sum(1, 0), "does not end"},
		"size 0":                        {sum(1, 0, 0), "size is 0"},
		"a size too large":              {sum(1, 0, 0x81, 0x80, 0x04), "larger than"},
		"a size that does not end":      {sum(1, 0, 0x80), "does not end"},
		"a size of many bytes":          {sum(1, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1), "larger than"},
		"a size longer than needed":     {sum(1, 0, 0xe4, 0), "not encoded as"},
		"an unknown form":               {sum(1, 2, 100), "form 2 is unknown"},
		"a gap without a length":        {sum(1, 0, 100, 7), "does not end"},
		"a gap that does not end":       {sum(1, 0, 100, 0x80), "does not end"},
		"a gap beyond all sizes":        {sum(1, 0, 100, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 1), "larger than"},
		"a length beyond all sizes":     {sum(1, 0, 100, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1), "larger than"},
		"a band beyond the size":        {sum(1, 0, 100, 99, 2), "beyond the size"},
		"a second band beyond the size": {sum(1, 0, 100, 10, 50, 20, 21), "beyond the size"},
		"an empty band":                 {sum(1, 0, 100, 7, 0), "not encoded as"},
		"bands that touch":              {sum(1, 0, 100, 7, 3, 0, 3), "not encoded as"},
		"bands where bits are shorter":  {sum(1, 0, 20, 3, 1), "not encoded as"},
		"bits where bands are shorter":  {sum(1, 1, 100, 0, 0, 0, 1), "not encoded as"},
		"bits with a zero at the end":   {sum(1, 1, 20, 0b10101, 0), "not encoded as"},
		"bits beyond the size":          {sum(1, 1, 20, 0, 0, 0b10000), "more bits"},
		"words beyond the size":         {sum(append([]byte{1, 1, 20}, make([]byte, 9)...)...), "more bits"},
	} {
		t.Run(name, func(t *testing.T) {
			set, err := Decode(test.data)
			if set != nil || err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("decoded %v with error %v, want an error with %q", set, err, test.want)
			}
		})
	}
}

func TestDamagedEncodingIsRefused(t *testing.T) {
	data := encode(t, with(4096, 3, 4, 5, 700, 4095))
	for i := range data {
		for at := range 8 {
			damaged := bytes.Clone(data)
			damaged[i] ^= 1 << at
			if _, err := Decode(damaged); err == nil {
				t.Errorf("bit %d of byte %d turned, and still decoded", at, i)
			}
		}
		if _, err := Decode(data[:i]); err == nil {
			t.Errorf("cut after byte %d, and still decoded", i)
		}
	}
	if _, err := Decode(append(data, 0)); err == nil {
		t.Errorf("a byte too many, and still decoded")
	}
}

func TestZeroSetHasNoEncoding(t *testing.T) {
	if _, err := (&Set{}).AppendBinary(nil); err == nil {
		t.Error("encoded a set of size 0")
	}
}

// FuzzDecode feeds the decoder with bytes as they are, and with bytes that have
// a right checksum, which chance alone would not find.
func FuzzDecode(f *testing.F) {
	for _, set := range []*Set{New(1), full(4096), everyOther(200), with(65536, 1, 65535), with(20, 3)} {
		data := encode(f, set)
		f.Add(data)
		f.Add(data[:len(data)-checksumBytes])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, input := range [][]byte{data, sum(bytes.Clone(data)...)} {
			set, err := Decode(input)
			if err != nil {
				if set != nil {
					t.Fatalf("decoded a set and failed: %v", err)
				}
				continue
			}
			checkWhole(t, set)
			if again := encode(t, set); !bytes.Equal(again, input) {
				t.Fatalf("decoded from %x, encoded as %x", input, again)
			}
		}
	})
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package allocator

import (
	"errors"
	"fmt"
	"slices"

	"go4.org/netipx"
)

// AddressSpec says what a Range of addresses has. Where spans overlap, an
// address is in the static band if it is in that of any of them.
type AddressSpec struct {
	// Spans are of one family.
	Spans []Span
	// Excluded is never given out.
	Excluded []netipx.IPRange
	// Reserved is given to those it is meant for, on request. What is excluded
	// as well is excluded.
	Reserved []netipx.IPRange
}

// maxBlocks bounds a Range, so that its blocks can be counted: 1,024 spans of
// 2^64 addresses.
const maxBlocks = 1 << 62

// NewAddresses returns the Range of a spec. It fails when a span or a range is
// none, when spans are of different families, and when they are too many and too
// wide.
func NewAddresses(spec AddressSpec) (*Range, error) {
	if err := spec.check(); err != nil {
		return nil, err
	}
	var all, static []netipx.IPRange
	for _, span := range spec.Spans {
		if span.empty() {
			continue
		}
		all = append(all, netipx.IPRangeFrom(span.First, span.Last))
		if band, some := span.static(); some {
			static = append(static, band)
		}
	}
	sets := classify(addressSet(all), addressSet(spec.Excluded), addressSet(spec.Reserved), addressSet(static), splitAddresses)
	r := &Range{}
	for class, set := range sets {
		for _, within := range set.Ranges() {
			r.classes[class].addAddresses(within.From(), within.To())
		}
	}
	return r, nil
}

func (s AddressSpec) check() error {
	blocks, family := uint64(0), 0
	for _, span := range s.Spans {
		if span.empty() {
			continue
		}
		if _, err := Addresses(span.First, span.Last); err != nil {
			return err
		}
		if family != 0 && family != span.First.BitLen() {
			return errors.New("spans are of different families")
		}
		family = span.First.BitLen()
		first, _ := Locate(span.First)
		last, _ := Locate(span.Last)
		if blocks += first.until(last) + 1; blocks > maxBlocks {
			return errors.New("spans are too many and too wide")
		}
	}
	for _, within := range slices.Concat(s.Excluded, s.Reserved) {
		if !within.IsValid() {
			return fmt.Errorf("%v, excluded or reserved, is no range of addresses", within)
		}
	}
	return nil
}

// addressSet returns the addresses of ranges, which are valid: nothing can fail.
func addressSet(ranges []netipx.IPRange) *netipx.IPSet {
	var builder netipx.IPSetBuilder
	for _, within := range ranges {
		builder.AddRange(within)
	}
	set, _ := builder.IPSet()
	return set
}

func splitAddresses(set, by *netipx.IPSet) (in, out *netipx.IPSet) {
	var inside, outside netipx.IPSetBuilder
	inside.AddSet(set)
	inside.Intersect(by)
	outside.AddSet(set)
	outside.RemoveSet(by)
	// Sets are made of valid ranges, as above.
	in, _ = inside.IPSet()
	out, _ = outside.IPSet()
	return in, out
}

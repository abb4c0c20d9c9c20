// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package allocator

import (
	"fmt"

	"servicenet.dev/servicenet/internal/bitmap"
)

// PortSpan is a stretch of ports to give out, both ends included.
type PortSpan struct {
	First, Last int
	// Static is how many of the lowest ports are the static band, as for Span.
	Static int
}

// Ports returns the ports from one to another, with the API server's static
// band.
func Ports(first, last int) (PortSpan, error) {
	span := PortSpan{First: first, Last: last, Static: staticBand(last-first+1, 32, 128)}
	return span, span.check()
}

func (s PortSpan) check() error {
	if s.First < 1 || s.Last >= portCount || s.Last < s.First {
		return fmt.Errorf("%d-%d is no range of ports", s.First, s.Last)
	}
	return nil
}

func (s PortSpan) band() bitmap.Band { return bitmap.Band{From: s.First, To: s.Last + 1} }

// static returns the ports of the static band, which may be none.
func (s PortSpan) static() bitmap.Band {
	return bitmap.Band{From: s.First, To: min(s.First+s.Static, s.Last+1)}
}

// PortSpec says what a Range of ports has, as AddressSpec does of addresses. The
// static bands of what is excluded or reserved count for nothing.
type PortSpec struct {
	Spans    []PortSpan
	Excluded []PortSpan
	Reserved []PortSpan
}

// NewPorts returns the Range of a spec. It fails when a span is none.
func NewPorts(spec PortSpec) (*Range, error) {
	all, err := portSet(spec.Spans)
	if err != nil {
		return nil, err
	}
	excluded, err := portSet(spec.Excluded)
	if err != nil {
		return nil, fmt.Errorf("excluded: %w", err)
	}
	reserved, err := portSet(spec.Reserved)
	if err != nil {
		return nil, fmt.Errorf("reserved: %w", err)
	}
	static := bitmap.New(portCount)
	for _, span := range spec.Spans {
		static.TakeBand(span.static())
	}
	r := &Range{}
	for class, set := range classify(all, excluded, reserved, static, splitPorts) {
		for band := range set.Bands() {
			r.classes[class].addPorts(band)
		}
	}
	return r, nil
}

func portSet(spans []PortSpan) (*bitmap.Set, error) {
	set := bitmap.New(portCount)
	for _, span := range spans {
		if err := span.check(); err != nil {
			return nil, err
		}
		set.TakeBand(span.band())
	}
	return set, nil
}

func splitPorts(set, by *bitmap.Set) (in, out *bitmap.Set) {
	out = set.Clone()
	out.Subtract(by)
	in = set.Clone()
	in.Subtract(out)
	return in, out
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package pool

import (
	"fmt"
	"net/netip"
	"strings"

	"go4.org/netipx"
)

// shown is how many spans or names a message lists.
const shown = 4

// String lists the numbers of a set, the first few of many spans.
func (s set[N]) String() string {
	var words []string
	for i, part := range s {
		if i == shown {
			words = append(words, fmt.Sprintf("%d more", len(s)-shown))
			break
		}
		words = append(words, part.String())
	}
	return strings.Join(words, ", ")
}

// enumerate lists the first few of many names.
func enumerate(names []string) string {
	if len(names) > shown {
		names = append(names[:shown:shown], fmt.Sprintf("%d more", len(names)-shown))
	}
	return strings.Join(names, ", ")
}

// String returns a number, a CIDR, or first-last.
func (s span[N]) String() string {
	if s.first == s.last {
		return fmt.Sprint(s.first)
	}
	if addresses, ok := any(s).(span[netip.Addr]); ok {
		if prefix, ok := toIPRange(addresses).Prefix(); ok {
			return prefix.String()
		}
	}
	return fmt.Sprintf("%v-%v", s.first, s.last)
}

func toIPRange(s span[netip.Addr]) netipx.IPRange { return netipx.IPRangeFrom(s.first, s.last) }

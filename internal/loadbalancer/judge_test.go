// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package loadbalancer

import (
	"net/netip"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func TestJudge(t *testing.T) {
	t.Parallel()
	full := Refusal{PoolExhausted, "pool blue has no free address"}
	taken := Refusal{AddressInUse, "192.0.2.5 is in use"}
	tests := map[string]struct {
		anyFamily bool
		has       []netip.Addr
		unmet     []Unmet
		allocated bool
		reason    string
		says      []string
	}{
		"all it asks for": {has: addrs("192.0.2.1", "2001:db8::1"), allocated: true, reason: Allocated, says: []string{"has 192.0.2.1, 2001:db8::1"}},
		"nothing":         {unmet: []Unmet{{Need{}, full}}, reason: PoolExhausted, says: []string{"pool blue"}},
		"one of two families": {
			has: addrs("192.0.2.1"), unmet: []Unmet{{Need{Family: corev1.IPv6Protocol}, full}},
			reason: PoolExhausted, says: []string{"pool blue", "it has 192.0.2.1 meanwhile"},
		},
		"one of two families, which is enough": {
			anyFamily: true, has: addrs("192.0.2.1"), unmet: []Unmet{{Need{Family: corev1.IPv6Protocol}, full}},
			allocated: true, reason: Allocated, says: []string{"has 192.0.2.1"},
		},
		"none of two families, of which one is enough": {
			anyFamily: true, unmet: []Unmet{{Need{Family: corev1.IPv4Protocol}, full}, {Need{Family: corev1.IPv6Protocol}, full}},
			reason: PoolExhausted, says: []string{"pool blue has no free address"},
		},
		"one of two families is enough, but the other one is named": {
			anyFamily: true, has: addrs("2001:db8::1"), unmet: []Unmet{{Need{Named: netip.MustParseAddr("192.0.2.5")}, taken}},
			reason: AddressInUse, says: []string{"192.0.2.5 is in use"},
		},
		"what can be mended comes first": {
			unmet:  []Unmet{{Need{Family: corev1.IPv4Protocol}, full}, {Need{Family: corev1.IPv6Protocol}, taken}},
			reason: AddressInUse, says: []string{"pool blue", "192.0.2.5"},
		},
		"it has to move, and can't": {
			has: addrs("192.0.2.1"), unmet: []Unmet{{Need{InsteadOf: addrs("192.0.2.1"), Rehomes: true}, full}},
			allocated: true, reason: Rehoming, says: []string{"192.0.2.1 is in no pool", "pool blue", "it has 192.0.2.1 meanwhile"},
		},
		"it wants to move, and can't": {
			anyFamily: true, has: addrs("192.0.2.1"), unmet: []Unmet{{Need{InsteadOf: addrs("192.0.2.1")}, full}},
			reason: PoolExhausted, says: []string{"pool blue", "it has 192.0.2.1 meanwhile"},
		},
		"it has to move, and misses another": {
			has: addrs("192.0.2.1"), unmet: []Unmet{{Need{InsteadOf: addrs("192.0.2.1"), Rehomes: true}, full}, {Need{}, full}},
			reason: PoolExhausted,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := Judge(&Request{AnyFamily: test.anyFamily}, test.has, test.unmet)
			if got.True != test.allocated || got.Reason != test.reason {
				t.Errorf("the verdict is %+v, want %v %s", got, test.allocated, test.reason)
			}
			for _, text := range test.says {
				if strings.Count(got.Message, text) != 1 {
					t.Errorf("it says %q, want once %q", got.Message, text)
				}
			}
		})
	}
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package convert

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestStretchesAreReadAsTheirToolsWriteThem(t *testing.T) {
	for text, want := range map[string]string{
		"192.0.2.0/24":            "192.0.2.0/24",
		"192.0.2.77/24":           "192.0.2.0/24",
		"192.0.2.1 -  192.0.2.9":  "192.0.2.1-192.0.2.9",
		"2001:db8::5-2001:db8::5": "2001:db8::5-2001:db8::5",
		"192.0.2.9-192.0.2.1":     "",
		"192.0.2.1-2001:db8::1":   "",
		"192.0.2.1":               "",
		"192.0.2.0/33":            "",
		"192.0.2.1-here":          "",
		"here-192.0.2.1":          "",
	} {
		got, err := parseStretch(text)
		switch {
		case want == "" && err == nil:
			t.Errorf("%q is read as %s", text, got)
		case want != "" && (err != nil || got.String() != want):
			t.Errorf("%q is %s, %v, want %s", text, got, err, want)
		}
	}
}

func TestAddressesThatConfuseRoutersAreFound(t *testing.T) {
	for text, want := range map[string]string{
		"192.0.2.0/24":          "192.0.2.0 192.0.2.255",
		"192.0.2.128/25":        "192.0.2.255",
		"192.0.2.1-192.0.2.254": "",
		"192.0.2.0/32":          "192.0.2.0",
		"192.0.2.255/32":        "192.0.2.255",
		"192.0.2.250-192.0.4.9": "192.0.2.255-192.0.3.0 192.0.3.255-192.0.4.0",
		"255.255.255.0/24":      "255.255.255.0 255.255.255.255",
		"2001:db8::/64":         "",
	} {
		s, err := parseStretch(text)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, strings.Join(texts(s.confusing(mostExclusions)), " ")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}

func TestWideStretchesKeepWhatIsInUse(t *testing.T) {
	used := []netip.Addr{
		netip.MustParseAddr("2001:db8:0:7::1"), netip.MustParseAddr("2001:db8:0:7::2"),
		netip.MustParseAddr("2001:db8::9"), netip.MustParseAddr("2001:db9::1"), netip.MustParseAddr("192.0.2.1"),
	}
	for text, want := range map[string]string{
		"192.0.0.0/8":                 "192.0.0.0/8",
		"2001:db8::/64":               "2001:db8::/64",
		"2001:db8::5-2001:db8::9":     "2001:db8::5-2001:db8::9",
		"2001:db8::/48":               "2001:db8::/64 2001:db8:0:7::/64",
		"2001:db8::5-2001:db8:0:7::1": "2001:db8::5-2001:db8::ffff:ffff:ffff:ffff 2001:db8:0:7::/127",
	} {
		s, err := parseStretch(text)
		if err != nil {
			t.Fatal(err)
		}
		parts, narrowed := s.narrow(used)
		if diff := cmp.Diff(want, strings.Join(addressTexts(parts), " ")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
		if narrowed != (want != s.String()) {
			t.Errorf("%s is told to be narrowed: %v", text, narrowed)
		}
	}
}

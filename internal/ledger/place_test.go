// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/validation"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/allocator"
)

func families() []servicenetv1alpha1.NumberFamily {
	return []servicenetv1alpha1.NumberFamily{
		servicenetv1alpha1.ClusterIPv4, servicenetv1alpha1.ClusterIPv6, servicenetv1alpha1.NodePort,
		servicenetv1alpha1.LoadBalancerIPv4, servicenetv1alpha1.LoadBalancerIPv6,
	}
}

// placeOf returns a place of a family.
func placeOf(rng *rand.Rand, family servicenetv1alpha1.NumberFamily) Place {
	var bytes [16]byte
	binary.BigEndian.PutUint64(bytes[:8], rng.Uint64())
	binary.BigEndian.PutUint64(bytes[8:], rng.Uint64())
	switch {
	case family == servicenetv1alpha1.NodePort:
		return Port(rng.IntN(1 << 16))
	case IsIPv4(family):
		return Address(family, netip.AddrFrom4([4]byte(bytes[:4])))
	default:
		return Address(family, netip.AddrFrom16(bytes))
	}
}

func TestPlaceIsNamedAsItsNumber(t *testing.T) {
	for _, test := range []struct {
		place              Place
		text, first, block string
		number             int
	}{
		{Port(0), "0", "0", "nodeport-0", 0},
		{Port(30080), "30080", "28672", "nodeport-28672", 1408},
		{Port(65535), "65535", "61440", "nodeport-61440", 4095},
		{
			Address(servicenetv1alpha1.ClusterIPv4, netip.MustParseAddr("10.96.17.3")),
			"10.96.17.3", "10.96.16.0", "clusteripv4-10.96.16.0", 259,
		},
		{
			Address(servicenetv1alpha1.ClusterIPv4, netip.MustParseAddr("::ffff:10.96.17.3")),
			"10.96.17.3", "10.96.16.0", "clusteripv4-10.96.16.0", 259,
		},
		{
			Address(servicenetv1alpha1.LoadBalancerIPv4, netip.MustParseAddr("255.255.255.255")),
			"255.255.255.255", "255.255.240.0", "loadbalanceripv4-255.255.240.0", 4095,
		},
		{
			Address(servicenetv1alpha1.ClusterIPv6, netip.MustParseAddr("FD00::1:2345")),
			"fd00::1:2345", "fd00::1:2000", "clusteripv6-fd000000000000000000000000012000", 0x345,
		},
		{
			Address(servicenetv1alpha1.LoadBalancerIPv6, netip.MustParseAddr("::1")),
			"::1", "::", "loadbalanceripv6-00000000000000000000000000000000", 1,
		},
	} {
		t.Run(test.text, func(t *testing.T) {
			p := test.place
			if p.String() != test.text || p.First() != test.first || p.Key.String() != test.block || p.Number != test.number {
				t.Errorf("%v is %d of %v, which begins with %s", p, p.Number, p.Key, p.First())
			}
			address := p.Address()
			if p.Block.IsPorts() == address.IsValid() || address.IsValid() && address.String() != test.text {
				t.Errorf("its address is %v", address)
			}
		})
	}
}

func TestBlocksHaveNamesOfTheirOwnThatObjectsMayHave(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	names := map[string]Key{}
	for _, family := range families() {
		for range 500 {
			key := placeOf(rng, family).Key
			name := key.String()
			if faults := validation.NameIsDNSSubdomain(name, false); len(faults) > 0 {
				t.Errorf("%s: %v", name, faults)
			}
			if other, known := names[name]; known && other != key {
				t.Errorf("%v and %v are both named %s", key, other, name)
			}
			names[name] = key
		}
	}
}

func TestBlockIsFoundByItsFirstNumber(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, family := range families() {
		for range 500 {
			p := placeOf(rng, family)
			key, err := ParseKey(family, p.First())
			if err != nil || key != p.Key || len(p.First()) > 45 {
				t.Errorf("%s of %v: %v, error %v", p.First(), p.Key, key, err)
			}
			if p.Family != family {
				t.Errorf("%v is of %s, want %s", p, p.Family, family)
			}
		}
	}
	for port := range 1 << 16 {
		_, err := ParseKey(servicenetv1alpha1.NodePort, strconv.Itoa(port))
		if found := err == nil; found != (port%allocator.BlockSize == 0) {
			t.Fatalf("a block begins at port %d: %t", port, found)
		}
	}
}

func TestWhatIsNoBlockIsRefused(t *testing.T) {
	for family, firsts := range map[servicenetv1alpha1.NumberFamily][]string{
		servicenetv1alpha1.NodePort: {
			"", " ", "0 ", "+0", "-0", "-4096", "00", "028672", "0x1000", "28_672", "4097", "30000", "65535", "65536", "69632",
			"18446744073709551616", "10.96.0.0", "fd00::", "none",
		},
		servicenetv1alpha1.ClusterIPv4: {
			"", "0", "4096", "10.96.0", "10.96.0.1", "10.96.8.0", "010.96.0.0", "10.96.016.0", "10.96.0.0/20", " 10.96.0.0",
			"fd00::", "::", "::ffff:10.96.0.0", "10.96.0.0%eth0", "256.0.0.0",
		},
		servicenetv1alpha1.LoadBalancerIPv4: {"", "10.96.0.1", "fd00::", "::ffff:10.96.0.0", "28672"},
		servicenetv1alpha1.ClusterIPv6: {
			"", "0", "fd00::1", "fd00::800", "FD00::", "fd00:0::", "fd00:0:0:0:0:0:0:0", "fd00::0", "0fd00::", "fd00::%eth0", "fd00::/116",
			"10.96.0.0", "::ffff:10.96.0.0", "::ffff:0a60:0000", "28672",
		},
		servicenetv1alpha1.LoadBalancerIPv6: {"", "fd00::1", "10.96.0.0", "::ffff:10.96.0.0"},
		"":                                  {"", "0", "10.96.0.0", "fd00::"},
		"ClusterIPv5":                       {"0", "10.96.0.0", "fd00::"},
	} {
		for _, first := range firsts {
			key, err := ParseKey(family, first)
			if err == nil || key != (Key{}) || !strings.Contains(err.Error(), fmt.Sprintf("%q", first)) {
				t.Errorf("%s begins at %q: %v, error %v", family, first, key, err)
			}
		}
	}
}

func TestFamilyTellsItsAddresses(t *testing.T) {
	for family, want := range map[servicenetv1alpha1.NumberFamily]bool{
		servicenetv1alpha1.ClusterIPv4: true, servicenetv1alpha1.LoadBalancerIPv4: true,
		servicenetv1alpha1.ClusterIPv6: false, servicenetv1alpha1.LoadBalancerIPv6: false, servicenetv1alpha1.NodePort: false, "": false,
	} {
		if got := IsIPv4(family); got != want {
			t.Errorf("%q is of IPv4: %t, want %t", family, got, want)
		}
	}
}

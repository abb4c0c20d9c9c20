// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package pool

import (
	"iter"
	"net/netip"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
)

// addressTallies count what addresses of both families are used for.
type addressTallies struct {
	ipv4, ipv6 *tally[netip.Addr]
}

func newAddressTallies(ipv4, ipv6 *realm[netip.Addr]) addressTallies {
	return addressTallies{ipv4: newTally(ipv4, locateAddress), ipv6: newTally(ipv6, locateAddress)}
}

// set says which addresses a Service has. serving are the pools that serve it.
func (t *addressTallies) set(name types.NamespacedName, who *Who, serving []int, addresses []netip.Addr) {
	t.ipv4.set(name, who, serving, ofFamily(addresses, corev1.IPv4Protocol))
	t.ipv6.set(name, who, serving, ofFamily(addresses, corev1.IPv6Protocol))
}

// Hold says which addresses are kept for Services or about to be given to them, by
// the ledger. Those that the tally knows Services to have do not count.
func (t *addressTallies) Hold(addresses iter.Seq[netip.Addr]) {
	of := func(family corev1.IPFamily) iter.Seq[netip.Addr] {
		return func(yield func(netip.Addr) bool) {
			for address := range addresses {
				if familyOf(address) == family && !yield(address) {
					return
				}
			}
		}
	}
	t.ipv4.hold(of(corev1.IPv4Protocol))
	t.ipv6.hold(of(corev1.IPv6Protocol))
}

// sums returns how a pool stands in each family that it has addresses of.
func (t *addressTallies) sums(pool string) addressSums {
	var sums addressSums
	for _, of := range []struct {
		family corev1.IPFamily
		tally  *tally[netip.Addr]
	}{{corev1.IPv4Protocol, t.ipv4}, {corev1.IPv6Protocol, t.ipv6}} {
		if u, has := of.tally.usage(pool); has {
			sums = append(sums, addressSum{family: of.family, usage: u})
		}
	}
	return sums
}

// addressSum is how a pool stands in a family.
type addressSum struct {
	family corev1.IPFamily
	usage
	// shared addresses never run out.
	shared bool
}

type addressSums []addressSum

// families returns the sums as a status has them.
func (s addressSums) families() []servicenetv1alpha1.AddressUsage {
	var all []servicenetv1alpha1.AddressUsage
	for i := range s {
		u := &s[i].usage
		all = append(all, servicenetv1alpha1.AddressUsage{
			Family:   string(s[i].family),
			Capacity: u.capacity.String(), Used: strconv.FormatInt(u.used, 10),
			Free: u.free.String(), Held: strconv.FormatInt(u.held, 10),
			UsedByOthers: strconv.Itoa(u.usedByOthers), UsedOutside: strconv.Itoa(u.usedInVain),
		})
	}
	return all
}

// exhausted returns the families without a free address.
func (s addressSums) exhausted() []corev1.IPFamily {
	var none []corev1.IPFamily
	for i := range s {
		if !s[i].shared && s[i].free.Sign() <= 0 {
			none = append(none, s[i].family)
		}
	}
	return none
}

// total, used and free are the sums in short, as kubectl shows them.
func (s addressSums) total() string {
	return s.short(func(u *usage) string { return u.capacity.String() })
}

func (s addressSums) used() string {
	return s.short(func(u *usage) string { return strconv.FormatInt(u.used, 10) })
}

func (s addressSums) free() string {
	return s.short(func(u *usage) string { return u.free.String() })
}

func (s addressSums) short(of func(*usage) string) string {
	words := make([]string, len(s))
	for i := range s {
		words[i] = of(&s[i].usage)
	}
	return strings.Join(words, "/")
}

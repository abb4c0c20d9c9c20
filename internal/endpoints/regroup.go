// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoints

import (
	"cmp"
	"encoding/binary"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// regroup states the same endpoints in as few subsets as can be: ports that
// the same addresses listen on, in the same state, share one. An address that is
// both ready and not on a port is not. Of two addresses with the same IP and
// target the first is taken. Subsets that say the same give an equal result, in
// an order that costs little; see inStockOrder for the one that is stored.
//
// The second result tells whether nothing was dropped on the way: a repeated or
// contradicting entry may mislead a reader who does not regroup.
//
// The result shares no list with the argument, but node names and targets.
func regroup(subsets []corev1.EndpointSubset) (grouped []corev1.EndpointSubset, exact bool) {
	all, exact := collect(subsets)
	members := all.members(subsets)
	position := make(map[string]int, len(members))
	for _, port := range slices.SortedFunc(maps.Keys(members), portKey.compare) {
		listeners, once := settle(members[port])
		exact = exact && once
		id := fingerprint(listeners)
		i, shared := position[id]
		if !shared {
			i = len(grouped)
			position[id] = i
			grouped = append(grouped, all.subset(listeners))
		}
		switch {
		case !port.none():
			grouped[i].Ports = append(grouped[i].Ports, port.port())
		case shared: // the same addresses, without ports and with some
			exact = false
		}
	}
	return grouped, exact
}

// addressKey tells addresses apart. Pods on the host's network share an IP.
type addressKey struct {
	ip     string
	target types.UID
}

func keyOf(address *corev1.EndpointAddress) addressKey {
	key := addressKey{ip: address.IP}
	if address.TargetRef != nil {
		key.target = address.TargetRef.UID
	}
	return key
}

func (k addressKey) compare(other addressKey) int {
	return cmp.Or(strings.Compare(k.ip, other.ip), cmp.Compare(k.target, other.target))
}

// addressBook holds the addresses of some subsets, each once, in the order in
// which they are stored. An address's rank is its place in it.
type addressBook struct {
	addresses []corev1.EndpointAddress
	ranks     map[addressKey]int
}

// collect makes the book of some subsets, and tells whether all that they say of
// one address is the same.
func collect(subsets []corev1.EndpointSubset) (book addressBook, agree bool) {
	first := make(map[addressKey]*corev1.EndpointAddress, countAddresses(subsets))
	agree = true
	for i := range subsets {
		for _, list := range [][]corev1.EndpointAddress{subsets[i].Addresses, subsets[i].NotReadyAddresses} {
			for j := range list {
				key := keyOf(&list[j])
				if seen, found := first[key]; found {
					agree = agree && sameAddress(seen, &list[j])
				} else {
					first[key] = &list[j]
				}
			}
		}
	}
	book = addressBook{
		addresses: make([]corev1.EndpointAddress, 0, len(first)),
		ranks:     make(map[addressKey]int, len(first)),
	}
	for rank, key := range slices.SortedFunc(maps.Keys(first), addressKey.compare) {
		book.addresses = append(book.addresses, *first[key])
		book.ranks[key] = rank
	}
	return book, agree
}

// listener is an address's rank and its state on a port, in a form that sorts by
// rank, and of one rank the state that prevails last.
type listener int

func newListener(rank int, ready bool) listener {
	l := listener(rank) << 1
	if !ready {
		l |= 1
	}
	return l
}

func (l listener) rank() int   { return int(l >> 1) }
func (l listener) ready() bool { return l&1 == 0 }

// members returns who listens on each port.
func (b *addressBook) members(subsets []corev1.EndpointSubset) map[portKey][]listener {
	members := map[portKey][]listener{}
	for i := range subsets {
		subset := &subsets[i]
		listeners := make([]listener, 0, len(subset.Addresses)+len(subset.NotReadyAddresses))
		for j := range subset.Addresses {
			listeners = append(listeners, newListener(b.ranks[keyOf(&subset.Addresses[j])], true))
		}
		for j := range subset.NotReadyAddresses {
			listeners = append(listeners, newListener(b.ranks[keyOf(&subset.NotReadyAddresses[j])], false))
		}
		if len(listeners) == 0 {
			continue // a subset without addresses says nothing
		}
		for _, port := range portKeys(subset.Ports) {
			members[port] = append(members[port], listeners...)
		}
	}
	return members
}

// subset returns a subset of the given addresses and no ports yet.
func (b *addressBook) subset(listeners []listener) corev1.EndpointSubset {
	var subset corev1.EndpointSubset
	for _, l := range listeners {
		if l.ready() {
			subset.Addresses = append(subset.Addresses, b.addresses[l.rank()])
		} else {
			subset.NotReadyAddresses = append(subset.NotReadyAddresses, b.addresses[l.rank()])
		}
	}
	return subset
}

// settle sorts the listeners of one port, leaves each address one state, and
// tells whether each had one only.
func settle(listeners []listener) (settled []listener, once bool) {
	slices.Sort(listeners)
	for i, l := range listeners {
		if i+1 == len(listeners) || listeners[i+1].rank() != l.rank() {
			settled = append(settled, l)
		}
	}
	return settled, len(settled) == len(listeners)
}

// fingerprint is equal for equal lists and for no others.
func fingerprint(listeners []listener) string {
	bytes := make([]byte, 0, 2*len(listeners))
	for _, l := range listeners {
		bytes = binary.AppendVarint(bytes, int64(l))
	}
	return string(bytes)
}

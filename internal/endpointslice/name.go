// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpointslice

import (
	"hash/fnv"
	"strconv"

	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The API server makes names from generateName by cutting the prefix to 58
// characters and adding five of this alphabet; names made here look the same.
const (
	nameAlphabet     = "bcdfghjklmnpqrstvwxz2456789"
	nameSuffixLength = 5
	namePrefixLength = 63 - nameSuffixLength
)

// GenerateName is the prefix of the names of an owner's slices. The owner is a
// Service, or the Endpoints that are mirrored.
func GenerateName(owner metav1.Object) string { return owner.GetName() + "-" }

// Namer gives new slices their names: the first of a fixed sequence that no
// slice of the Service has. Because the sequence is fixed, a create that is
// repeated after a crash, a lost answer, or by a second replica with a stale
// cache meets AlreadyExists instead of making a second copy.
type Namer struct {
	owner metav1.Object
	taken func(name string) bool
	given map[string]bool
	tried map[discoveryv1.AddressType]int // names of the sequence looked at
}

// NewNamer returns a namer for the slices of an owner that avoids the names of
// those that exist.
func NewNamer(owner metav1.Object, existing []*discoveryv1.EndpointSlice) *Namer {
	taken := make(map[string]bool, len(existing))
	for _, slice := range existing {
		taken[slice.Name] = true
	}
	return newNamer(owner, func(name string) bool { return taken[name] })
}

func newNamer(owner metav1.Object, taken func(name string) bool) *Namer {
	return &Namer{owner: owner, taken: taken, given: map[string]bool{}, tried: map[discoveryv1.AddressType]int{}}
}

// Next returns the name of the next slice of an address family.
func (n *Namer) Next(family discoveryv1.AddressType) string {
	for {
		name := sliceName(n.owner, family, n.tried[family])
		n.tried[family]++
		if !n.taken(name) && !n.given[name] {
			n.given[name] = true
			return name
		}
	}
}

// sliceName is the i-th name of the sequence for an owner and address family.
// The owner's UID is part of it, so that a re-created Service does not want the
// names its predecessor's slices still hold.
func sliceName(owner metav1.Object, family discoveryv1.AddressType, i int) string {
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(string(owner.GetUID()) + "/" + string(family) + "/" + strconv.Itoa(i)))
	sum := hash.Sum64()
	suffix := make([]byte, nameSuffixLength)
	for at := range suffix {
		suffix[at] = nameAlphabet[sum%uint64(len(nameAlphabet))]
		sum /= uint64(len(nameAlphabet))
	}
	prefix := GenerateName(owner)
	return prefix[:min(len(prefix), namePrefixLength)] + string(suffix)
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpointslice

import (
	"hash/fnv"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
)

// The API server makes names from generateName by cutting the prefix to 58
// characters and adding five of this alphabet; names made here look the same.
const (
	nameAlphabet     = "bcdfghjklmnpqrstvwxz2456789"
	nameSuffixLength = 5
	namePrefixLength = 63 - nameSuffixLength
)

// generateName is the prefix of the names of a Service's slices.
func generateName(service *corev1.Service) string { return service.Name + "-" }

// namer gives new slices their names: the first of a fixed sequence that no
// slice of the Service has. Because the sequence is fixed, a create that is
// repeated after a crash, a lost answer, or by a second replica with a stale
// cache meets AlreadyExists instead of making a second copy.
type namer struct {
	service *corev1.Service
	taken   map[string]bool
	tried   map[discoveryv1.AddressType]int // names of the sequence looked at
}

func newNamer(service *corev1.Service, existing []*discoveryv1.EndpointSlice) *namer {
	taken := make(map[string]bool, len(existing))
	for _, slice := range existing {
		taken[slice.Name] = true
	}
	return &namer{service: service, taken: taken, tried: map[discoveryv1.AddressType]int{}}
}

func (n *namer) next(family discoveryv1.AddressType) string {
	for {
		name := sliceName(n.service, family, n.tried[family])
		n.tried[family]++
		if !n.taken[name] {
			n.taken[name] = true
			return name
		}
	}
}

// sliceName is the i-th name of the sequence for a Service and address family.
// The Service's UID is part of it, so that a re-created Service does not want
// the names its predecessor's slices still hold.
func sliceName(service *corev1.Service, family discoveryv1.AddressType, i int) string {
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(string(service.UID) + "/" + string(family) + "/" + strconv.Itoa(i)))
	sum := hash.Sum64()
	suffix := make([]byte, nameSuffixLength)
	for at := range suffix {
		suffix[at] = nameAlphabet[sum%uint64(len(nameAlphabet))]
		sum /= uint64(len(nameAlphabet))
	}
	prefix := generateName(service)
	return prefix[:min(len(prefix), namePrefixLength)] + string(suffix)
}

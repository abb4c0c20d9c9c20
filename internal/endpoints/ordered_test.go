// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoints

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// Members stay in order, none is lost and none is there twice, through every split
// of a chunk and the end of one.
func TestOrderedMembersStayInOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 0))
	all := make([]*member, 3000)
	for i := range all {
		all[i] = &member{name: strconv.Itoa(i), address: address{addressKey: addressKey{ip: strconv.Itoa(random.IntN(2000))}}}
	}
	o := newOrdered(slices.Clone(all[:1000]))
	for _, m := range all[1000:] {
		o.insert(m)
	}
	expect := func(want []*member) {
		t.Helper()
		want = slices.SortedFunc(slices.Values(want), compareMembers)
		if !slices.Equal(want, o.all()) || o.length != len(want) || !slices.Equal(want[:min(10, len(want))], o.first(10)) {
			t.Errorf("%d members are not in order; want %d", len(o.all()), len(want))
		}
	}
	expect(all)
	random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for _, m := range all[:2500] {
		o.remove(m)
		o.remove(m)
	}
	expect(all[2500:])
	for _, m := range all[2500:] {
		o.remove(m)
	}
	expect(nil)
}

func TestCanonicalSubsets(t *testing.T) {
	a, b, c := at("10.0.0.1"), at("10.0.0.2"), at("10.0.0.3")
	list := func(addresses ...corev1.EndpointAddress) []corev1.EndpointAddress { return addresses }
	for name, test := range map[string]struct {
		subset corev1.EndpointSubset
		want   bool
	}{
		"in order":        {corev1.EndpointSubset{Addresses: list(a, c), NotReadyAddresses: list(b)}, true},
		"not in order":    {corev1.EndpointSubset{Addresses: list(b, a)}, false},
		"one twice":       {corev1.EndpointSubset{NotReadyAddresses: list(a, a)}, false},
		"ready and not":   {corev1.EndpointSubset{Addresses: list(a, b), NotReadyAddresses: list(b, c)}, false},
		"last of both":    {corev1.EndpointSubset{Addresses: list(a, c), NotReadyAddresses: list(b, c)}, false},
		"a port twice":    {corev1.EndpointSubset{Addresses: list(a), Ports: ports(port("a", 1), port("a", 1))}, false},
		"an invalid port": {corev1.EndpointSubset{Addresses: list(a), Ports: ports(port("a", 1), port("b", 0))}, false},
	} {
		if got := canonical(&test.subset); got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

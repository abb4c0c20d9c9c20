// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package pool

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// A pool is described by what it has to give out, no pool by what the API server has.
func TestDescribe(t *testing.T) {
	addresses := newClusterIPs(dualStack(), makePool("p", "10.96.5.0/24 10.97.0.0/24", excluding("10.96.5.0/25")),
		makePool("q", "10.96.5.192/26", withPriority(1)), makePool("far", "10.98.0.0/24"))
	ports := newNodePorts(t, makePorts("p", 29990, 30010))
	for want, got := range map[string]string{
		"10.96.5.128/26":          addresses.Describe(&Pool{Name: "p"}, corev1.IPv4Protocol),
		"none":                    addresses.Describe(&Pool{Name: "p"}, corev1.IPv6Protocol) + addresses.Describe(&Pool{Name: "far"}, corev1.IPv4Protocol)[4:],
		"10.96.0.1-10.96.255.254": addresses.Describe(nil, corev1.IPv4Protocol),
		"fd00::1-fd00::ffff":      addresses.Describe(nil, corev1.IPv6Protocol),
		"30000-30010":             ports.Describe(&Pool{Name: "p"}),
		"30000-32767":             ports.Describe(nil),
	} {
		if got != want {
			t.Errorf("described as %q, want %q", got, want)
		}
	}
}

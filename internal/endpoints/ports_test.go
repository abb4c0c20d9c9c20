// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoints

import (
	"cmp"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// The order of ports decides which subset comes first, so that two objects are
// compared side by side: no two ports may be level.
func TestPortsHaveOneOrder(t *testing.T) {
	tcp := portKey{number: 80, name: "a", protocol: corev1.ProtocolTCP}
	ordered := []portKey{{number: 81, name: "a"}, tcp, tcp, tcp, tcp, {number: 80, name: "b"}, {}}
	ordered[2].hasAppProtocol = true
	ordered[3].appProtocol, ordered[3].hasAppProtocol = "http", true
	ordered[4].protocol = corev1.ProtocolUDP
	for i, a := range ordered {
		for j, b := range ordered {
			if got := a.compare(b); got != cmp.Compare(i, j) {
				t.Errorf("%+v to %+v is %d, want %d", a, b, got, cmp.Compare(i, j))
			}
		}
	}
}

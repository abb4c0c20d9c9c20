// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package loadbalancer

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
)

func TestClaimsOfTheOldestComeFirst(t *testing.T) {
	t.Parallel()
	services := []*corev1.Service{
		balanced("young", age(20), shows("192.0.2.1")),
		balanced("b", age(10), shows("198.51.100.1", "192.0.2.3", "192.0.2.1")),
		balanced("known", age(5), shows("192.0.2.2")),
		balanced("a", age(10), shows("192.0.2.1")),
		balanced("none"),
	}
	has := func(service *corev1.Service, _ netip.Addr) bool { return service.Name == "known" }
	for range services {
		var got []string
		for _, claim := range Claims(services, ourNetwork, has) {
			got = append(got, claim.Service.Name+" "+claim.Address.String())
		}
		want := []string{"a 192.0.2.1", "b 192.0.2.3", "b 192.0.2.1", "young 192.0.2.1"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("the claims are not as wanted (-want +got):\n%s", diff)
		}
		services = append(services[1:], services[0])
	}
	if got := Claims(slices.Clone(services[:0]), ourNetwork, has); got != nil {
		t.Errorf("nobody claims %v", got)
	}
}

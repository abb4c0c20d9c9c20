// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpointslice

import (
	"fmt"
	"strconv"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// The cost of one pod that turns ready or unready, with the plan for it and the
// slice that shows it, must not depend on how many others the Service has.
func BenchmarkOnePodChanges(b *testing.B) {
	for _, n := range []int{100, 1_000, 10_000, 100_000} {
		b.Run(fmt.Sprintf("%d endpoints", n), func(b *testing.B) {
			service := makeService()
			pods := makePods(0, n)
			state := NewState(DefaultMaxEndpoints)
			state.Reset(service, pods, nil, testZones)
			for _, slice := range state.Plan(ZoneShares{}, at(0)).Create {
				state.SetSlice(slice)
			}
			state.Published()
			state.Plan(ZoneShares{}, at(0))
			flips := []*corev1.Pod{makePod(n / 2), makePod(n/2, unready)}
			version := 0
			b.ReportAllocs()
			for b.Loop() {
				version++
				state.SetPod(flips[version%2], testZones)
				changes := state.Plan(ZoneShares{}, state.Trigger())
				if len(changes.Update) != 1 || len(changes.Create)+len(changes.Delete) > 0 {
					b.Fatalf("%d updates", len(changes.Update))
				}
				changes.Update[0].ResourceVersion = strconv.Itoa(version)
				state.SetSlice(changes.Update[0])
				state.Published()
			}
		})
	}
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoints

import (
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// Costs of a plan at full size: with nothing to do, as at a restart, and with
// one pod that changed.
func BenchmarkPlan(b *testing.B) {
	one := makeService()
	several := makeService(withPorts(numbered("a", 1), named("b", "web"), named("c", "web")))
	kinds := func(from, to int) []*corev1.Pod {
		return append(makePods(from, (from+to)/2, declaring("web", 81)), makePods((from+to)/2, to)...)
	}
	for _, bench := range []struct {
		name    string
		service *corev1.Service
		before  []*corev1.Pod
		after   []*corev1.Pod
	}{
		{"unchanged/1 subset", one, makePods(0, 1000), makePods(0, 1000)},
		{"unchanged/2 subsets", several, kinds(0, 500), kinds(0, 500)},
		{"unchanged/over capacity", one, makePods(0, 1500), makePods(0, 1500)},
		{"changed/1 subset", one, makePods(0, 1000), makePods(1, 1000)},
		{"changed/2 subsets", several, kinds(0, 500), kinds(2, 500)},
	} {
		current := Plan(Input{Service: bench.service, Pods: bench.before}).Create
		in := Input{Service: bench.service, Pods: bench.after, Current: current}
		b.Run(fmt.Sprintf("%s/%d pods", bench.name, len(bench.after)), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Plan(in)
			}
		})
	}
}

// The cost of one pod that turns ready or unready. It is bounded by what the object
// lists, and does not depend on what the Service has beyond that.
func BenchmarkOnePodChanges(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000} {
		b.Run(fmt.Sprintf("%d endpoints", n), func(b *testing.B) {
			state := NewState()
			state.Reset(makeService(), makePods(0, n))
			current := state.Plan(nil, time.Time{}).Create
			flips := []*corev1.Pod{makePod(500), makePod(500, unready)}
			turn := 0
			b.ReportAllocs()
			for b.Loop() {
				turn++
				state.SetPod(flips[turn%2])
				current = state.Plan(current, time.Time{}).Update
			}
		})
	}
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpointslice

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// history is a Service with pods that change at random, and slices that are
// planned, and now and then edited by somebody else.
type history struct {
	*world
	random  *rand.Rand
	service *corev1.Service
	pods    map[int]*corev1.Pod
	limit   int
}

func (h *history) input() Input {
	in := makeInput(h.service, slices.Collect(maps.Values(h.pods)))
	in.MaxEndpoints = h.limit
	return in
}

func (h *history) randomPod(i int) *corev1.Pod {
	options := []podOption{
		withIPs(fmt.Sprintf("10.1.0.%d", i+1), fmt.Sprintf("fd00::%x", i+1)),
		withNamedPort("web", 8080+h.random.Int32N(2)),
		onNode([]string{"node-a", "node-a", "node-b", "node-zoneless", "node-gone"}[h.random.IntN(5)]),
	}
	for _, chance := range []podOption{unready, terminating, withPhase(corev1.PodFailed), withIPs(), withHostname("h", "web")} {
		if h.random.IntN(6) == 0 {
			options = append(options, chance)
		}
	}
	return makePod(i, options...)
}

func (h *history) step() {
	switch h.random.IntN(12) {
	case 0:
		h.service = makeService(withPorts(named("web")), withFamilies([][]corev1.IPFamily{
			{corev1.IPv4Protocol}, {corev1.IPv6Protocol}, {corev1.IPv4Protocol, corev1.IPv6Protocol},
		}[h.random.IntN(3)]...))
	case 1:
		h.service = h.service.DeepCopy()
		h.service.Spec.Ports[0].TargetPort = []intstr.IntOrString{intstr.FromString("web"), intstr.FromInt32(9090)}[h.random.IntN(2)]
	case 2:
		h.service = h.service.DeepCopy()
		h.service.Spec.PublishNotReadyAddresses = !h.service.Spec.PublishNotReadyAddresses
	case 3:
		h.tamper()
	default:
		for range h.random.IntN(12) {
			i := h.random.IntN(40)
			if h.random.IntN(3) == 0 {
				delete(h.pods, i)
			} else {
				h.pods[i] = h.randomPod(i)
			}
		}
	}
}

// tamper does to a slice what a user may do.
func (h *history) tamper() {
	all := h.list()
	if len(all) == 0 {
		return
	}
	slice := all[h.random.IntN(len(all))].DeepCopy()
	switch h.random.IntN(4) {
	case 0:
		delete(h.slices, slice.Name)
		return
	case 1:
		slice.Name, slice.UID = slice.Name+"-copy", ""
	case 2:
		slice.Endpoints = slice.Endpoints[:len(slice.Endpoints)/2]
	case 3:
		slice.Ports = nil
	}
	h.store(slice)
}

// expected lists the pods that should be in the slices of a family, straight
// from the rules and without the planner.
func (h *history) expected(family discoveryv1.AddressType) []string {
	var names []string
	if !slices.Contains(AddressTypes(h.service), family) {
		return nil
	}
	for _, pod := range h.pods {
		_, exists := testZones(pod.Spec.NodeName)
		if len(pod.Status.PodIPs) == 2 && pod.Status.Phase == corev1.PodRunning && (exists || h.service.Spec.PublishNotReadyAddresses) {
			names = append(names, pod.Name+" "+portList(resolvePorts(h.service, pod)))
		}
	}
	slices.Sort(names)
	return names
}

func (h *history) check() {
	h.t.Helper()
	for _, family := range []discoveryv1.AddressType{ipv4, ipv6} {
		if diff := cmp.Diff(h.expected(family), h.listed(family)); diff != "" {
			h.t.Fatalf("endpoints of %s (-want +got):\n%s", family, diff)
		}
	}
	for _, slice := range h.slices {
		if len(slice.Endpoints) > h.limit {
			h.t.Fatalf("slice %s holds %d endpoints, more than %d", slice.Name, len(slice.Endpoints), h.limit)
		}
	}
}

// crash carries out only the first writes of a plan, and checks after each that
// no endpoint is unlisted that was listed before and still should be.
func (h *history) crash() {
	h.t.Helper()
	in := h.input()
	in.Slices = h.list()
	stay := podNames(h.listed(ipv4))
	wanted := podNames(h.expected(ipv4))
	maps.DeleteFunc(stay, func(pod string, _ bool) bool { return !wanted[pod] })
	writes := h.writes(Plan(in))
	for _, write := range writes[:h.random.IntN(len(writes)+1)] {
		write()
		listed := podNames(h.listed(ipv4))
		for pod := range stay {
			if !listed[pod] {
				h.t.Fatalf("%s is in no slice for a moment", pod)
			}
		}
	}
}

func podNames(listed []string) map[string]bool {
	names := map[string]bool{}
	for _, entry := range listed {
		pod, _, _ := strings.Cut(entry, " ")
		names[pod] = true
	}
	return names
}

// After any history, each endpoint that should be listed is in exactly one
// slice of its family and ports, no slice is over the limit, and a second plan
// has nothing to do. That holds when the controller dies between any two writes,
// and on the way no endpoint goes missing that stays.
func TestRandomHistories(t *testing.T) {
	const histories, steps = 300, 30
	for seed := range uint64(histories) {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 0))
			h := &history{
				world: newWorld(t), random: random, pods: map[int]*corev1.Pod{},
				service: makeService(withPorts(named("web"))), limit: 1 + random.IntN(12),
			}
			for range steps {
				h.step()
				h.crash()
				h.plan(h.input())
				h.check()
			}
		})
	}
}

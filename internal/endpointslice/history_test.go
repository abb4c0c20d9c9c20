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
	"k8s.io/utils/ptr"
)

// history is a Service with pods that change at random, and slices that are
// planned, and now and then edited by somebody else.
type history struct {
	*world
	random  *rand.Rand
	service *corev1.Service
	pods    map[int]*corev1.Pod
	nodes   []string // where pods may run
	shares  ZoneShares
	limit   int
}

func (h *history) input() Input {
	in := makeInput(h.service, slices.Collect(maps.Values(h.pods)))
	in.MaxEndpoints, in.Shares = h.limit, h.shares
	return in
}

func (h *history) randomPod(i int) *corev1.Pod {
	options := []podOption{
		withIPs(fmt.Sprintf("10.1.0.%d", i+1), fmt.Sprintf("fd00::%x", i+1)),
		withNamedPort("web", 8080+h.random.Int32N(2)),
		onNode(h.nodes[h.random.IntN(len(h.nodes))]),
	}
	for _, chance := range []podOption{unready, terminating, withPhase(corev1.PodFailed), withIPs(), withHostname("h", "web")} {
		if h.random.IntN(6) == 0 {
			options = append(options, chance)
		}
	}
	return makePod(i, options...)
}

func (h *history) step() {
	switch h.random.IntN(14) {
	case 0:
		h.service = h.service.DeepCopy()
		withFamilies([][]corev1.IPFamily{
			{corev1.IPv4Protocol}, {corev1.IPv6Protocol}, {corev1.IPv4Protocol, corev1.IPv6Protocol},
		}[h.random.IntN(3)]...)(h.service)
	case 1:
		h.service = h.service.DeepCopy()
		h.service.Spec.Ports[0].TargetPort = []intstr.IntOrString{intstr.FromString("web"), intstr.FromInt32(9090)}[h.random.IntN(2)]
	case 2:
		h.service = h.service.DeepCopy()
		h.service.Spec.PublishNotReadyAddresses = !h.service.Spec.PublishNotReadyAddresses
	case 3:
		h.tamper()
	case 4:
		h.service = h.service.DeepCopy()
		h.service.Annotations = nil
		if h.random.IntN(3) > 0 {
			autoTopology(h.service)
		}
		withTrafficDistribution([]string{"", "PreferSameZone", "PreferSameNode"}[h.random.IntN(3)])(h.service)
	case 5:
		h.shares = randomShares(h.random)
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

// randomShares are those of two to four zones, the last of which has no pod, or
// unknown.
func randomShares(random *rand.Rand) ZoneShares {
	var milliCPU []int64
	for range 1 + random.IntN(4) {
		milliCPU = append(milliCPU, 100*(1+random.Int64N(40)))
	}
	return makeShares(milliCPU...)
}

// tamper does to a slice what a user may do.
func (h *history) tamper() {
	all := h.list()
	if len(all) == 0 {
		return
	}
	slice := all[h.random.IntN(len(all))].DeepCopy()
	switch h.random.IntN(5) {
	case 0:
		delete(h.slices, slice.Name)
		return
	case 1:
		slice.Name, slice.UID = slice.Name+"-copy", ""
	case 2:
		slice.Endpoints = slice.Endpoints[:len(slice.Endpoints)/2]
	case 3:
		slice.Ports = nil
	case 4:
		for i := range slice.Endpoints {
			slice.Endpoints[i].Hints = []*discoveryv1.EndpointHints{
				nil, forZone("zone-b"), forZone("zone-x"),
				{ForZones: []discoveryv1.ForZone{{Name: "zone-a"}, {Name: "zone-b"}}},
				{ForZones: []discoveryv1.ForZone{{Name: "zone-a"}}, ForNodes: []discoveryv1.ForNode{{Name: "node-a"}}},
			}[h.random.IntN(5)]
		}
	}
	h.store(slice)
}

func (h *history) expected(family discoveryv1.AddressType) []string {
	return expectedEndpoints(h.service, slices.Collect(maps.Values(h.pods)), family)
}

// expectedEndpoints lists the pods that should be in the slices of a family,
// straight from the rules and without the planner, as [world.listed] does.
func expectedEndpoints(service *corev1.Service, pods []*corev1.Pod, family discoveryv1.AddressType) []string {
	var names []string
	if !slices.Contains(AddressTypes(service), family) {
		return nil
	}
	ofFamily := func(ip corev1.PodIP) bool { return strings.Contains(ip.IP, ":") == (family == ipv6) }
	for _, pod := range pods {
		_, exists := testZones(pod.Spec.NodeName)
		if slices.ContainsFunc(pod.Status.PodIPs, ofFamily) && pod.Status.Phase == corev1.PodRunning &&
			(exists || service.Spec.PublishNotReadyAddresses) {
			names = append(names, pod.Name+" "+portList(resolvePorts(service, pod)))
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
		checkHints(h.t, h.service, h.shares, family, h.list())
	}
	for _, slice := range h.slices {
		if len(slice.Endpoints) > h.limit {
			h.t.Fatalf("slice %s holds %d endpoints, more than %d", slice.Name, len(slice.Endpoints), h.limit)
		}
	}
}

// checkHints checks the hints of one family: with Auto topology all ready
// endpoints have one, for a zone that has a share, or none has any; without it
// they are those of the traffic distribution.
func checkHints(
	t *testing.T, service *corev1.Service, shares ZoneShares, family discoveryv1.AddressType, all []*discoveryv1.EndpointSlice,
) {
	t.Helper()
	auto, hinted, ready := AutoTopology(service), 0, 0
	for _, slice := range all {
		if slice.AddressType != family {
			continue
		}
		for i := range slice.Endpoints {
			endpoint := &slice.Endpoints[i]
			if *endpoint.Conditions.Ready {
				ready++
			}
			want := endpoint.Hints
			switch {
			case !*endpoint.Conditions.Ready:
				want = nil
			case !auto:
				want = hints(service, endpoint, &pointees{ready: true, node: ptr.Deref(endpoint.NodeName, ""), zone: ptr.Deref(endpoint.Zone, "")})
			case want != nil:
				hinted++
				if len(want.ForZones) != 1 || shares.shares[want.ForZones[0].Name] == 0 || want.ForNodes != nil {
					t.Fatalf("%v has hints %v, and the shares are %v", endpoint.Addresses, want, shares)
				}
			}
			if diff := cmp.Diff(want, endpoint.Hints); diff != "" {
				t.Fatalf("hints of %v (-want +got):\n%s", endpoint.Addresses, diff)
			}
		}
	}
	if hinted != 0 && hinted != ready {
		t.Fatalf("%d of %d ready endpoints have hints", hinted, ready)
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
				shares: randomShares(random), nodes: []string{"node-a", "node-a", "node-b", "node-c"},
			}
			if random.IntN(2) == 0 {
				h.nodes = append(h.nodes, "node-zoneless", "node-gone")
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

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package mirroring

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// history is an Endpoints object that changes at random, with slices that are
// planned, and now and then edited by somebody else.
type history struct {
	*world
	random    *rand.Rand
	endpoints *corev1.Endpoints
	limit     int
}

func (h *history) input() Input {
	in := makeInput(h.endpoints, h.list()...)
	in.MaxEndpointsPerSubset = h.limit
	return in
}

func (h *history) randomSubset() endpointsOption {
	var numbers []int
	for range h.random.IntN(8) {
		number := 1 + h.random.IntN(8)
		if h.random.IntN(3) == 0 {
			number += firstIPv6
		}
		if h.random.IntN(4) == 0 {
			number = -number
		}
		numbers = append(numbers, number)
	}
	ports := []int32{[]int32{80, 81, 90, 91}[h.random.IntN(4)]}
	for _, port := range []int32{100, 101, 110} {
		if h.random.IntN(3) == 0 {
			ports = append(ports, port)
		}
	}
	return withSubset(tcp(ports...), numbers...)
}

func (h *history) step() {
	h.endpoints = h.endpoints.DeepCopy()
	subsets := h.endpoints.Subsets
	switch h.random.IntN(10) {
	case 0:
		withLabels(map[string]string{"team": strconv.Itoa(h.random.IntN(2))})(h.endpoints)
	case 1:
		withAnnotations(map[string]string{"note": strconv.Itoa(h.random.IntN(2)), corev1.LastAppliedConfigAnnotation: "x"})(h.endpoints)
	case 2:
		withUID(types.UID(fmt.Sprint("uid-", h.random.IntN(3))))(h.endpoints)
	case 3:
		h.tamper()
	case 4:
		for i := range subsets {
			for j := range subsets[i].Ports {
				subsets[i].Ports[j] = tcp(subsets[i].Ports[j].Port ^ 1)[0]
			}
		}
	default:
		if len(subsets) > 0 && h.random.IntN(3) > 0 {
			at := h.random.IntN(len(subsets))
			h.endpoints.Subsets = slices.Delete(subsets, at, at+1)
		}
		for range h.random.IntN(3) {
			h.randomSubset()(h.endpoints)
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
	switch h.random.IntN(6) {
	case 0:
		delete(h.slices, slice.Name)
		return
	case 1:
		slice.Name, slice.UID = slice.Name+"-copy", ""
	case 2:
		slice.Endpoints = slice.Endpoints[:len(slice.Endpoints)/2]
	case 3:
		slice.Ports = slice.Ports[:len(slice.Ports)/2]
	case 4:
		slice.DeletionTimestamp, slice.Finalizers = &metav1.Time{}, []string{"example.com/wait"}
	case 5:
		slice.OwnerReferences = nil
	}
	h.store(slice)
}

// expected tells, of each address and port there should be, whether it is ready,
// straight from the rules and without the planner.
func (h *history) expected() map[string]bool {
	ready := map[string]bool{}
	note := func(addresses []corev1.EndpointAddress, ports []corev1.EndpointPort, isReady bool) {
		for _, address := range addresses {
			for _, port := range ports {
				key := fmt.Sprintf("%s %d", address.IP, port.Port)
				was, known := ready[key]
				ready[key] = isReady && (was || !known)
			}
		}
	}
	for i := range h.endpoints.Subsets {
		subset := &h.endpoints.Subsets[i]
		note(subset.Addresses, subset.Ports, true)
		note(subset.NotReadyAddresses, subset.Ports, false)
	}
	return ready
}

// check compares what is mirrored with what should be.
func (h *history) check() {
	h.t.Helper()
	listed := map[string]bool{}
	for name, slice := range h.slices {
		if len(slice.Endpoints) > h.limit {
			h.t.Fatalf("slice %s holds %d endpoints, more than %d", name, len(slice.Endpoints), h.limit)
		}
		if slice.DeletionTimestamp != nil {
			continue
		}
		for i := range slice.Endpoints {
			for _, port := range slice.Ports {
				key := fmt.Sprintf("%s %d", slice.Endpoints[i].Addresses[0], *port.Port)
				if _, twice := listed[key]; twice {
					h.t.Fatalf("%s is in two slices, one of them %s", key, name)
				}
				listed[key] = *slice.Endpoints[i].Conditions.Ready
			}
		}
	}
	if diff := cmp.Diff(h.expected(), listed); h.limit == DefaultMaxEndpointsPerSubset && diff != "" {
		h.t.Fatalf("ready by address and port (-want +got):\n%s", diff)
	}
}

// carryOutElsewhere tries the present plan on a copy.
func (h *history) carryOutElsewhere() {
	h.t.Helper()
	changes := Plan(h.input())
	h.clone().carryOut(&changes)
}

// crash carries out only the first writes of a plan.
func (h *history) crash() {
	h.t.Helper()
	changes := Plan(h.input())
	writes := h.writes(&changes.Changes)
	for _, write := range writes[:h.random.IntN(len(writes)+1)] {
		write()
	}
}

// After any history the slices are what the rules say, none is over the limit,
// and a second plan has nothing to do. That holds when the controller dies
// between any two writes, and on the way nothing goes missing that stays.
func TestRandomHistories(t *testing.T) {
	const histories, steps = 150, 25
	for seed := range uint64(histories) {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 0))
			h := &history{world: newWorld(t), random: random, endpoints: makeEndpoints(), limit: DefaultMaxEndpointsPerSubset}
			if seed%3 == 0 {
				h.limit = 1 + random.IntN(4)
			}
			for range steps {
				h.step()
				h.carryOutElsewhere()
				h.crash()
				h.carryOutElsewhere()
				h.plan(h.input())
				h.check()
			}
		})
	}
}

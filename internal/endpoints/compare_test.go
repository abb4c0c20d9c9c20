// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoints

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// settled returns a Service with pods, and the object that lists them.
func settled(t *testing.T) (Input, *corev1.Endpoints) {
	t.Helper()
	service := makeService(withPorts(named("http", "web"), numbered("b", 9)), withLabels(map[string]string{"team": "a"}))
	pods := []*corev1.Pod{makePod(0, declaring("web", 81)), makePod(1), makePod(2, unready, withHostname("h", "web"))}
	in := Input{Service: service, Pods: pods}
	s := &server{t: t}
	s.plan(in)
	return in, s.current
}

func TestWhatIsEqualIsNotWritten(t *testing.T) {
	for name, change := range map[string]func(*corev1.Endpoints){
		"nothing":                 func(*corev1.Endpoints) {},
		"the order of subsets":    func(e *corev1.Endpoints) { slices.Reverse(e.Subsets) },
		"the order of addresses":  func(e *corev1.Endpoints) { slices.Reverse(e.Subsets[1].Addresses) },
		"subsets cut up":          func(e *corev1.Endpoints) { cutUp(e, 1) },
		"a target's version":      func(e *corev1.Endpoints) { e.Subsets[0].Addresses[0].TargetRef.ResourceVersion = "77" },
		"an annotation of others": func(e *corev1.Endpoints) { e.Annotations = map[string]string{"note": "x"} },
		"a finalizer":             func(e *corev1.Endpoints) { e.Finalizers = []string{"example.com/x"} },
	} {
		t.Run(name, func(t *testing.T) {
			in, current := settled(t)
			change(current)
			in.Current = current
			if changes := Plan(in); !changes.Empty() {
				t.Errorf("wrote %v over %v", sketch(changes.Update.Subsets), sketch(current.Subsets))
			}
		})
	}
}

// cutUp moves the last address of a subset into one of its own.
func cutUp(e *corev1.Endpoints, i int) {
	subset := &e.Subsets[i]
	last := len(subset.Addresses) - 1
	e.Subsets = append(e.Subsets, corev1.EndpointSubset{Addresses: subset.Addresses[last:], Ports: subset.Ports})
	e.Subsets[i].Addresses = subset.Addresses[:last:last]
}

func TestWhatDiffersIsCorrected(t *testing.T) {
	for name, change := range map[string]func(*corev1.Endpoints){
		"a label missing":    func(e *corev1.Endpoints) { delete(e.Labels, "team") },
		"a label too many":   func(e *corev1.Endpoints) { e.Labels["x"] = "y" },
		"a label changed":    func(e *corev1.Endpoints) { e.Labels["team"] = "b" },
		"another manager":    func(e *corev1.Endpoints) { e.Labels[LabelManagedBy] = "me" },
		"a headless label":   func(e *corev1.Endpoints) { e.Labels[corev1.IsHeadlessService] = "" },
		"a capacity warning": func(e *corev1.Endpoints) { e.Annotations = map[string]string{corev1.EndpointsOverCapacity: "warning"} },
		"truncated, wrongly": func(e *corev1.Endpoints) {
			e.Annotations = map[string]string{corev1.EndpointsOverCapacity: "truncated"}
		},
		"no subsets":             func(e *corev1.Endpoints) { e.Subsets = nil },
		"a subset missing":       func(e *corev1.Endpoints) { e.Subsets = e.Subsets[:1] },
		"an address missing":     func(e *corev1.Endpoints) { e.Subsets[1].Addresses = e.Subsets[1].Addresses[:1] },
		"another IP":             func(e *corev1.Endpoints) { e.Subsets[0].Addresses[0].IP = "10.0.0.77" },
		"another node":           func(e *corev1.Endpoints) { e.Subsets[0].Addresses[0].NodeName = new("node-b") },
		"no node":                func(e *corev1.Endpoints) { e.Subsets[0].Addresses[0].NodeName = nil },
		"another hostname":       func(e *corev1.Endpoints) { e.Subsets[0].Addresses[0].Hostname = "x" },
		"another target":         func(e *corev1.Endpoints) { e.Subsets[0].Addresses[0].TargetRef.Name = "x" },
		"no target":              func(e *corev1.Endpoints) { e.Subsets[0].Addresses[0].TargetRef = nil },
		"another port":           func(e *corev1.Endpoints) { e.Subsets[0].Ports[0].Port = 7 },
		"another application":    func(e *corev1.Endpoints) { e.Subsets[0].Ports[0].AppProtocol = new("http") },
		"not ready taken for it": promote,
		"ready as well": func(e *corev1.Endpoints) {
			other := e.DeepCopy()
			promote(other)
			e.Subsets = append(e.Subsets, other.Subsets...)
		},
		"listed twice":             func(e *corev1.Endpoints) { e.Subsets = append(e.Subsets, e.Subsets[0]) },
		"a second, different copy": func(e *corev1.Endpoints) { last := len(e.Subsets) - 1; e.Subsets[last].Addresses[0].Hostname = "x" },
		"a copy without ports":     func(e *corev1.Endpoints) { portlessCopy(e, 0) },
		"the last without ports":   func(e *corev1.Endpoints) { portlessCopy(e, len(e.Subsets)-1) },
		"an address without ports": func(e *corev1.Endpoints) {
			e.Subsets = append(e.Subsets, corev1.EndpointSubset{Addresses: addresses(at("10.0.0.9"))})
		},
	} {
		t.Run(name, func(t *testing.T) {
			in, current := settled(t)
			want := current.DeepCopy()
			change(current)
			in.Current = current
			changes := Plan(in)
			if changes.Update == nil {
				t.Fatalf("not corrected: %v", sketch(current.Subsets))
			}
			s := &server{t: t, current: current}
			s.apply(&changes)
			if !slices.Equal(sketch(s.current.Subsets), sketch(want.Subsets)) {
				t.Errorf("corrected to %v, want %v", sketch(s.current.Subsets), sketch(want.Subsets))
			}
		})
	}
}

// promote lists not ready addresses as ready.
func promote(e *corev1.Endpoints) {
	for i := range e.Subsets {
		subset := &e.Subsets[i]
		subset.Addresses, subset.NotReadyAddresses = append(subset.Addresses, subset.NotReadyAddresses...), nil
	}
}

func portlessCopy(e *corev1.Endpoints, i int) {
	extra := e.Subsets[i].DeepCopy()
	extra.Ports = nil
	e.Subsets = append(e.Subsets, *extra)
}

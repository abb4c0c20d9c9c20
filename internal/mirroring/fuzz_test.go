// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package mirroring

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"servicenet.dev/servicenet/internal/endpointslice"
)

// program reads a test case from bytes; beyond the end all are zero.
type program struct {
	left []byte
}

func (p *program) next(below int) int {
	if len(p.left) == 0 {
		return 0
	}
	value := int(p.left[0]) % below
	p.left = p.left[1:]
	return value
}

func (p *program) endpoints() *corev1.Endpoints {
	endpoints := makeEndpoints()
	switch p.next(8) {
	case 1:
		endpoints.UID = "another"
	case 2:
		endpoints.Labels = map[string]string{"team": "shop", discoveryv1.LabelManagedBy: "me"}
	case 3:
		endpoints.Annotations = map[string]string{"note": "x", corev1.LastAppliedConfigAnnotation: "x"}
	case 4:
		deleting(endpoints)
	}
	for range p.next(5) {
		endpoints.Subsets = append(endpoints.Subsets, p.subset())
	}
	return endpoints
}

func (p *program) subset() corev1.EndpointSubset {
	var subset corev1.EndpointSubset
	for range p.next(4) {
		port := tcp([]int32{80, 81, 82, 83}[p.next(4)])[0]
		switch p.next(4) {
		case 1:
			port.AppProtocol = new("http")
		case 2:
			port.Protocol = corev1.ProtocolUDP
		}
		subset.Ports = append(subset.Ports, port)
	}
	for range p.next(6) {
		subset.Addresses = append(subset.Addresses, p.address())
	}
	for range p.next(4) {
		subset.NotReadyAddresses = append(subset.NotReadyAddresses, p.address())
	}
	return subset
}

func (p *program) address() corev1.EndpointAddress {
	address := corev1.EndpointAddress{IP: []string{
		"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.04", "fd00::1", "FD00::2", "::ffff:10.0.0.5", "none",
	}[p.next(8)]}
	switch p.next(6) {
	case 1:
		address.Hostname = "first"
	case 2:
		address.NodeName = new("node-a")
	case 3, 4:
		address.TargetRef = &corev1.ObjectReference{Kind: "Pod", Name: "web", UID: types.UID([]string{"", "a", "b"}[p.next(3)])}
	}
	return address
}

// world returns the slices of earlier Endpoints, some of them edited.
func (p *program) world(t *testing.T, limit int) *world {
	t.Helper()
	w := newWorld(t)
	in := makeInput(p.endpoints())
	in.MaxEndpointsPerSubset = limit
	w.plan(in)
	for _, slice := range w.list() {
		edited := slice.DeepCopy()
		switch p.next(8) {
		case 1:
			edited.Labels[discoveryv1.LabelManagedBy] = "me"
		case 2:
			edited.DeletionTimestamp = &metav1.Time{}
		case 3:
			edited.Ports = edited.Ports[:len(edited.Ports)/2]
		case 4:
			edited.Endpoints = append(edited.Endpoints, edited.Endpoints...)
		case 5:
			edited.Name, edited.UID = edited.Name+"-copy", ""
		case 6:
			edited.Annotations, edited.Finalizers = map[string]string{"foreign": "x"}, []string{"example.com/wait"}
		case 7:
			edited.OwnerReferences[0].UID = "other"
		}
		w.store(edited)
	}
	return w
}

func copyInput(in *Input) Input {
	copied := *in
	copied.Endpoints, copied.Service, copied.Slices = in.Endpoints.DeepCopy(), in.Service.DeepCopy(), nil
	for _, slice := range in.Slices {
		copied.Slices = append(copied.Slices, slice.DeepCopy())
	}
	return copied
}

// checkMirror checks that of all that the Endpoints list, what is wanted under
// the limit is listed once, and nothing else.
func checkMirror(t *testing.T, in *Input, w *world) {
	t.Helper()
	wanted := desire(in.Endpoints, in.MaxEndpointsPerSubset)
	identities := map[string]bool{}
	ofPorts := map[endpointslice.PortsKey]int{}
	for _, slice := range mirroredSlices(w.list()) {
		key := keyOf(slice)
		ofPorts[key.ports] += len(slice.Endpoints)
		if len(slice.Endpoints) > in.MaxEndpointsPerSubset {
			t.Errorf("slice %s lists %d endpoints, more than %d", slice.Name, len(slice.Endpoints), in.MaxEndpointsPerSubset)
		}
		for i := range slice.Endpoints {
			id := fmt.Sprint(key, endpointslice.Identify(&slice.Endpoints[i]))
			if identities[id] {
				t.Errorf("%s is listed twice", id)
			}
			identities[id] = true
		}
	}
	limits := map[endpointslice.PortsKey]int{} // of all subsets that share the ports
	for _, subset := range repack(in.Endpoints.Subsets) {
		for _, set := range portSets(subset.Ports) {
			limits[set.key] += in.MaxEndpointsPerSubset
		}
	}
	for ports, count := range ofPorts {
		if count > limits[ports] {
			t.Errorf("%d endpoints with ports %q, more than %d", count, ports, limits[ports])
		}
	}
	if in.Endpoints.DeletionTimestamp != nil {
		return // gets no new slices
	}
	if len(identities) != wanted.count() {
		t.Errorf("listed %d endpoints, want %d", len(identities), wanted.count())
	}
	if wanted.skipped > wanted.invalid {
		return
	}
	listed := w.listings()
	for i := range in.Endpoints.Subsets {
		subset := &in.Endpoints.Subsets[i]
		for _, address := range append(append([]corev1.EndpointAddress{}, subset.Addresses...), subset.NotReadyAddresses...) {
			endpoint, _ := mirror(&address, true)
			if endpoint != nil && !listed[listing{address: endpoint.Addresses[0]}] {
				t.Errorf("%s is in no slice", address.IP)
			}
			for at := range subset.Ports {
				key := portSets(subset.Ports[at : at+1])[0].key
				if endpoint != nil && !listed[listing{endpoint.Addresses[0], key}] {
					t.Errorf("%s is in no slice with port %s", address.IP, key)
				}
			}
		}
	}
}

func FuzzPlan(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz"))
	f.Add([]byte("00200111210$01101111"))
	f.Add([]byte{9, 0, 2, 1, 0, 0, 2, 0, 0, 1, 0, 0, 1, 1, 0, 1, 2, 0, 0, 0, 0, 0, 2, 1, 0, 0, 1, 2, 0, 0, 1, 1, 0, 2, 0, 0, 1, 0, 0})
	f.Add([]byte{1, 4, 4, 3, 2, 1, 3, 2, 4, 5, 4, 0, 3, 2, 1, 1, 1, 5, 2, 0, 1, 1, 2, 2, 3, 3, 4, 4, 2, 6, 0, 7, 1, 3, 3, 3, 3, 2, 2, 2, 5, 6, 7})
	f.Fuzz(func(t *testing.T, data []byte) {
		p := &program{left: data}
		limit := 1 + p.next(12)
		w := p.world(t, limit)
		in := makeInput(p.endpoints(), w.list()...)
		in.MaxEndpointsPerSubset = limit
		before := copyInput(&in)

		changes := Plan(in)
		if diff := cmp.Diff(before, in); diff != "" {
			t.Errorf("input (-before +after):\n%s", diff)
		}
		if diff := cmp.Diff(changes, Plan(before)); diff != "" {
			t.Errorf("equal inputs give different plans:\n%s", diff)
		}
		if in.Endpoints.DeletionTimestamp == nil {
			w.clone().carryOut(&changes)
		} else if len(changes.Create) > 0 {
			t.Errorf("creates %d slices of Endpoints on their way out", len(changes.Create))
		}
		w.plan(in)
		checkMirror(t, &in, w)
	})
}

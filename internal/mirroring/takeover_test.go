// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package mirroring

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// stockSlice is what the stock controller stores for fullEndpoints with two
// more hosts: a name the server made, and endpoints in any order.
func stockSlice() *discoveryv1.EndpointSlice {
	return &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: testNamespace, Name: "web-x7k2p", GenerateName: "web-", UID: "slice-uid", ResourceVersion: "12", Generation: 1,
			Labels: map[string]string{
				"team": "shop", corev1.IsHeadlessService: "",
				discoveryv1.LabelServiceName: "web", discoveryv1.LabelManagedBy: ManagedBy,
			},
			Annotations: map[string]string{"example.com/note": "mine", corev1.EndpointsOverCapacity: "truncated"},
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: "v1", Kind: "Endpoints", Name: "web", UID: "endpoints-uid", Controller: new(true), BlockOwnerDeletion: new(true),
			}},
		},
		AddressType: ipv4,
		Ports: []discoveryv1.EndpointPort{{
			Name: new("p80"), Port: new(int32(80)), Protocol: new(corev1.ProtocolTCP), AppProtocol: new("http"),
		}},
		Endpoints: []discoveryv1.Endpoint{
			{Addresses: []string{"10.0.0.9"}, Conditions: discoveryv1.EndpointConditions{Ready: new(false)}},
			{
				Addresses: []string{"10.0.0.1"}, Conditions: discoveryv1.EndpointConditions{Ready: new(true)},
				Hostname: new("first"), NodeName: new("node-a"),
				TargetRef: &corev1.ObjectReference{Kind: "Pod", Namespace: testNamespace, Name: "web-1", UID: "pod-uid", ResourceVersion: "4"},
			},
			{Addresses: []string{"10.0.0.8"}, Conditions: discoveryv1.EndpointConditions{Ready: new(true)}, NodeName: new("node-b")},
		},
	}
}

func takenOver() *corev1.Endpoints {
	endpoints := fullEndpoints()
	subset := &endpoints.Subsets[0]
	subset.Addresses = append(subset.Addresses, corev1.EndpointAddress{IP: "10.0.0.8", NodeName: new("node-b")})
	subset.NotReadyAddresses = []corev1.EndpointAddress{{IP: "10.0.0.9"}}
	return endpoints
}

func TestSlicesOfTheStockControllerAreTakenOverUnchanged(t *testing.T) {
	if changes := Plan(makeInput(takenOver(), stockSlice())); !changes.Empty() {
		t.Errorf("created %v, updated %v, deleted %v", changes.Create, changes.Update, changes.Delete)
	}
}

func TestNoAnnotationsAreNoDifferenceToEmptyOnes(t *testing.T) {
	for name, annotations := range map[string]map[string]string{
		"none":             nil,
		"empty":            {},
		"none to mirror":   {corev1.LastAppliedConfigAnnotation: "{}"},
		"trigger time too": {corev1.LastAppliedConfigAnnotation: "{}", corev1.EndpointsLastChangeTriggerTime: "x"},
	} {
		t.Run(name, func(t *testing.T) {
			endpoints := makeEndpoints(withSubset(tcp(80), 1), withAnnotations(annotations))
			for _, stored := range []map[string]string{nil, {}} {
				slice := mirrored(t, withSubset(tcp(80), 1)).only().DeepCopy()
				slice.Annotations = stored
				if changes := Plan(makeInput(endpoints, slice)); !changes.Empty() {
					t.Errorf("annotations %#v were written again", stored)
				}
			}
		})
	}
}

func TestForeignEditsAreReverted(t *testing.T) {
	for name, edit := range map[string]func(*discoveryv1.EndpointSlice){
		"endpoint removed":    func(s *discoveryv1.EndpointSlice) { s.Endpoints = s.Endpoints[1:] },
		"endpoint added":      func(s *discoveryv1.EndpointSlice) { s.Endpoints[0].Addresses = []string{"192.0.2.1"} },
		"endpoint doubled":    func(s *discoveryv1.EndpointSlice) { s.Endpoints = append(s.Endpoints, s.Endpoints[0]) },
		"one doubled for two": func(s *discoveryv1.EndpointSlice) { s.Endpoints[1] = s.Endpoints[0] },
		"condition flipped":   func(s *discoveryv1.EndpointSlice) { s.Endpoints[0].Conditions.Ready = new(true) },
		"condition added":     func(s *discoveryv1.EndpointSlice) { s.Endpoints[0].Conditions.Serving = new(true) },
		"zone added":          func(s *discoveryv1.EndpointSlice) { s.Endpoints[0].Zone = new("zone-x") },
		"node removed":        func(s *discoveryv1.EndpointSlice) { s.Endpoints[1].NodeName = nil },
		"hostname removed":    func(s *discoveryv1.EndpointSlice) { s.Endpoints[1].Hostname = nil },
		"hints added": func(s *discoveryv1.EndpointSlice) {
			s.Endpoints[0].Hints = &discoveryv1.EndpointHints{ForZones: []discoveryv1.ForZone{{Name: "z"}}}
		},
		"target's UID edited": func(s *discoveryv1.EndpointSlice) { s.Endpoints[1].TargetRef.UID = "x" },
		"port changed":        func(s *discoveryv1.EndpointSlice) { s.Ports[0].Port = new(int32(1)) },
		"protocol removed":    func(s *discoveryv1.EndpointSlice) { s.Ports[0].AppProtocol = nil },
		"ports removed":       func(s *discoveryv1.EndpointSlice) { s.Ports = nil },
		"label added":         func(s *discoveryv1.EndpointSlice) { s.Labels["x"] = "y" },
		"label removed":       func(s *discoveryv1.EndpointSlice) { delete(s.Labels, "team") },
		"service's label":     func(s *discoveryv1.EndpointSlice) { s.Labels[discoveryv1.LabelServiceName] = "other" },
		"annotation added":    func(s *discoveryv1.EndpointSlice) { s.Annotations["example.com/more"] = "x" },
		"annotation removed":  func(s *discoveryv1.EndpointSlice) { s.Annotations = nil },
		"trigger time added":  func(s *discoveryv1.EndpointSlice) { s.Annotations[corev1.EndpointsLastChangeTriggerTime] = "x" },
		"owner removed":       func(s *discoveryv1.EndpointSlice) { s.OwnerReferences = nil },
		"owner doubled": func(s *discoveryv1.EndpointSlice) {
			s.OwnerReferences = append(s.OwnerReferences, s.OwnerReferences[0])
		},
		"owner of the same name": func(s *discoveryv1.EndpointSlice) { s.OwnerReferences[0].UID = "earlier" },
		"other Endpoints as owner": func(s *discoveryv1.EndpointSlice) {
			s.OwnerReferences = append(s.OwnerReferences, metav1.OwnerReference{APIVersion: "v1", Kind: "Endpoints", Name: "other", UID: "other"})
		},
		"owner no controller":       func(s *discoveryv1.EndpointSlice) { s.OwnerReferences[0].Controller = nil },
		"another is the controller": func(s *discoveryv1.EndpointSlice) { s.OwnerReferences[0].Kind, s.OwnerReferences[0].UID = "Job", "job" },
	} {
		t.Run(name, func(t *testing.T) {
			want := stockSlice()
			edited := want.DeepCopy()
			edit(edited)
			w := newWorld(t, edited)
			w.plan(makeInput(takenOver()))
			if got, want := w.counts(), "0 created, 1 updated, 0 deleted"; got != want {
				t.Errorf("%s, want %s", got, want)
			}
			got := w.only()
			byAddress := func(a, b discoveryv1.Endpoint) int { return slices.Compare(a.Addresses, b.Addresses) }
			slices.SortFunc(got.Endpoints, byAddress)
			slices.SortFunc(want.Endpoints, byAddress)
			got.ResourceVersion, want.ResourceVersion = "", ""
			want.Endpoints[0].TargetRef.ResourceVersion = "5"
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("slice (-want +got):\n%s", diff)
			}
		})
	}
}

func TestUpdatesKeepWhatOthersPutOnASlice(t *testing.T) {
	for name, endpoints := range map[string]*corev1.Endpoints{
		"kept":     makeEndpoints(withSubset(tcp(80), 1, 3)),
		"recycled": makeEndpoints(withSubset(tcp(443), 7)),
	} {
		t.Run(name, func(t *testing.T) {
			w := mirrored(t, withSubset(tcp(80), 1, 2))
			decorated := w.only().DeepCopy()
			decorated.Finalizers = []string{"example.com/wait"}
			extra := metav1.OwnerReference{APIVersion: "v1", Kind: "ConfigMap", Name: "extra", UID: "extra", Controller: new(false)}
			decorated.OwnerReferences = append([]metav1.OwnerReference{extra}, decorated.OwnerReferences...)
			w.store(decorated)
			if changes := Plan(makeInput(makeEndpoints(withSubset(tcp(80), 1, 2)), w.list()...)); !changes.Empty() {
				t.Error("a finalizer and another owner are reason for a write")
			}
			w.plan(makeInput(endpoints))
			got := w.only()
			if diff := cmp.Diff(decorated.OwnerReferences, got.OwnerReferences); diff != "" {
				t.Errorf("owners (-want +got):\n%s", diff)
			}
			if len(got.Finalizers) != 1 || got.UID != decorated.UID {
				t.Errorf("lost a finalizer or the object itself: %v", got.ObjectMeta)
			}
		})
	}
}

func TestEndpointsMadeAnewTakeTheirSlicesOver(t *testing.T) {
	w := mirrored(t, withSubset(tcp(80), 1, 2), withSubset(tcp(443), 3))
	w.plan(makeInput(makeEndpoints(withSubset(tcp(80), 1, 2), withSubset(tcp(443), 3), withUID("next-uid"))))
	if got, want := w.counts(), "0 created, 2 updated, 0 deleted"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	for _, slice := range w.list() {
		if len(slice.OwnerReferences) != 1 || slice.OwnerReferences[0].UID != "next-uid" {
			t.Errorf("%s is owned by %v", slice.Name, slice.OwnerReferences)
		}
	}
}

func TestSlicesOfOthersAreLeftAlone(t *testing.T) {
	for name, change := range map[string]func(*discoveryv1.EndpointSlice){
		"another manager": func(s *discoveryv1.EndpointSlice) { s.Labels[discoveryv1.LabelManagedBy] = "me" },
		"no manager":      func(s *discoveryv1.EndpointSlice) { delete(s.Labels, discoveryv1.LabelManagedBy) },
		"being deleted": func(s *discoveryv1.EndpointSlice) {
			s.DeletionTimestamp, s.Finalizers = &metav1.Time{}, []string{"example.com/wait"}
		},
	} {
		t.Run(name, func(t *testing.T) {
			theirs := mirrored(t, withSubset(tcp(80), 1)).only().DeepCopy()
			change(theirs)
			w := newWorld(t, theirs)
			w.plan(makeInput(makeEndpoints(withSubset(tcp(80), 1))))
			if got, want := w.counts(), "1 created, 0 updated, 0 deleted"; got != want {
				t.Errorf("%s, want %s", got, want)
			}
			w.plan(Input{})
			if diff := cmp.Diff(theirs.Name, w.only().Name); diff != "" {
				t.Errorf("left (-want +got):\n%s", diff)
			}
		})
	}
}

func TestOfSeveralCopiesOneIsKept(t *testing.T) {
	w := mirrored(t, withSubset(tcp(80), 1, 2))
	kept := w.only().Name
	for _, name := range []string{"web-zzzzy", "web-zzzzz"} {
		copied := w.slices[kept].DeepCopy()
		copied.Name, copied.UID = name, ""
		w.store(copied)
	}
	w.plan(makeInput(makeEndpoints(withSubset(tcp(80), 1, 2))))
	if got, want := w.counts(), "0 created, 0 updated, 2 deleted"; got != want || w.only().Name != kept {
		t.Errorf("%s and kept %s, want %s and %s", got, w.only().Name, want, kept)
	}
}

func TestEndpointsThatStayKeepTheirOrder(t *testing.T) {
	w := newWorld(t, stockSlice()) // .9 not ready, .1, .8
	w.plan(makeInput(makeEndpoints(func(e *corev1.Endpoints) {
		e.Subsets = takenOver().Subsets
		e.Subsets[0].Addresses[1].IP = "10.0.0.2"
	})))
	if diff := cmp.Diff([]string{"IPv4 [80] !10.0.0.9 10.0.0.1 10.0.0.2"}, w.contents()); diff != "" {
		t.Errorf("slice (-want +got):\n%s", diff)
	}
}

func TestPlansShareNoMemory(t *testing.T) {
	w := newWorld(t, stockSlice())
	copied := stockSlice()
	copied.Name, copied.UID, copied.Endpoints = "web-a", "", copied.Endpoints[1:]
	w.store(copied)
	endpoints := takenOver()
	endpoints.Subsets = append(endpoints.Subsets, *endpoints.Subsets[0].DeepCopy())
	endpoints.Subsets[1].Addresses[0].IP = "fd00::1"
	endpoints.Subsets[1].Ports = append(httpPort(80), httpPort(81)...)
	endpoints.Subsets[1].Ports[1].Name = "p80" // so that its addresses are in two slices
	in := makeInput(endpoints, w.list()...)
	slices.Reverse(in.Slices)
	before := Input{Endpoints: endpoints.DeepCopy(), Service: in.Service.DeepCopy()}
	for _, slice := range in.Slices {
		before.Slices = append(before.Slices, slice.DeepCopy())
	}
	changes := Plan(in)
	if len(changes.Create) == 0 || len(changes.Update) == 0 {
		t.Fatalf("want a plan that creates and updates, got %v", changes)
	}
	written := slices.Concat(changes.Create, changes.Update)
	for i, slice := range written {
		others := slices.Delete(slices.Clone(written), i, i+1)
		var untouched []*discoveryv1.EndpointSlice
		for _, other := range others {
			untouched = append(untouched, other.DeepCopy())
		}
		scribble(slice)
		if diff := cmp.Diff(untouched, others); diff != "" {
			t.Errorf("two slices share memory (-before +after):\n%s", diff)
		}
	}
	if diff := cmp.Diff(before, in); diff != "" {
		t.Errorf("input (-before +after):\n%s", diff)
	}
}

// scribble changes all that a client's decoder may write to.
func scribble(slice *discoveryv1.EndpointSlice) {
	maps.DeleteFunc(slice.Labels, func(string, string) bool { return true })
	maps.DeleteFunc(slice.Annotations, func(string, string) bool { return true })
	slice.OwnerReferences[0].UID = "scribbled"
	*slice.OwnerReferences[0].Controller = false
	for i := range slice.Ports {
		*slice.Ports[i].Port = -1
		*slice.Ports[i].AppProtocol = "scribbled"
	}
	for i := range slice.Endpoints {
		endpoint := &slice.Endpoints[i]
		endpoint.Addresses[0] = "scribbled"
		if endpoint.NodeName != nil {
			*endpoint.NodeName = "scribbled"
		}
		if endpoint.TargetRef != nil {
			endpoint.TargetRef.Name = "scribbled"
		}
	}
}

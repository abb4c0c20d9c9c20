// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpointslice

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

func TestNothingToDoAtFirstLook(t *testing.T) {
	w := planned(t, makeService(), makePods(0, 250)...)
	pods := makePods(0, 250)
	slices.Reverse(pods)
	if changes := Plan(makeInput(makeService(), pods, w.list()...)); !changes.Empty() {
		t.Errorf("the order of the pods changes the plan: %d updates", len(changes.Update))
	}
}

func TestPlaceholderPerFamily(t *testing.T) {
	service := makeService(withFamilies(corev1.IPv4Protocol, corev1.IPv6Protocol))
	w := planned(t, service)
	if len(w.list()) != 2 {
		t.Fatalf("want a placeholder for each family, got %d slices", len(w.list()))
	}
	for _, slice := range w.list() {
		if len(slice.Endpoints) != 0 || len(slice.Ports) != 0 {
			t.Errorf("the placeholder of %s has %d endpoints and %d ports", slice.AddressType, len(slice.Endpoints), len(slice.Ports))
		}
	}
	w.plan(makeInput(service, makePods(0, 2))) // pods with IPv4 only
	if diff := cmp.Diff([]int{2, 0}, w.sizes()); diff != "" {
		t.Errorf("sizes (-want +got):\n%s", diff)
	}
}

func TestDualStackListsEachAddressInItsFamily(t *testing.T) {
	service := makeService(withFamilies(corev1.IPv6Protocol, corev1.IPv4Protocol))
	w := planned(t, service, makePod(1, withIPs("10.0.0.1", "fd00::1")), makePod(2, withIPs("fd00::2")))
	if diff := cmp.Diff([]string{"web-0001 http:8080"}, w.listed(ipv4)); diff != "" {
		t.Errorf("IPv4 (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"web-0001 http:8080", "web-0002 http:8080"}, w.listed(ipv6)); diff != "" {
		t.Errorf("IPv6 (-want +got):\n%s", diff)
	}
}

func TestDroppedFamilyIsDeleted(t *testing.T) {
	both := makeService(withFamilies(corev1.IPv4Protocol, corev1.IPv6Protocol))
	w := planned(t, both, makePod(1, withIPs("10.0.0.1", "fd00::1")))
	w.plan(makeInput(makeService(), []*corev1.Pod{makePod(1, withIPs("10.0.0.1", "fd00::1"))}))
	if slice := w.only(); slice.AddressType != ipv4 {
		t.Errorf("kept the slice of type %s", slice.AddressType)
	}
}

func TestSlicesOfOthersAreLeftAlone(t *testing.T) {
	foreign := func(change func(*discoveryv1.EndpointSlice)) *discoveryv1.EndpointSlice {
		slice := planned(t, makeService(), makePod(9)).only().DeepCopy()
		slice.Name = "theirs"
		change(slice)
		return slice
	}
	for name, theirs := range map[string]*discoveryv1.EndpointSlice{
		"another manager": foreign(func(s *discoveryv1.EndpointSlice) { s.Labels[discoveryv1.LabelManagedBy] = "me" }),
		"no manager":      foreign(func(s *discoveryv1.EndpointSlice) { delete(s.Labels, discoveryv1.LabelManagedBy) }),
		"being deleted": foreign(func(s *discoveryv1.EndpointSlice) {
			s.DeletionTimestamp, s.Finalizers = &metav1.Time{}, []string{"example.com/wait"}
		}),
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, theirs)
			before := w.slices["theirs"]
			w.plan(makeInput(makeService(), makePods(0, 2)))
			if w.slices["theirs"] != before {
				t.Error("it was written")
			}
			if got, want := w.counts(), "1 created, 0 updated, 0 deleted"; got != want {
				t.Errorf("%s, want %s", got, want)
			}
		})
	}
}

func TestRecreatedServiceReplacesSlices(t *testing.T) {
	w := planned(t, makeService(), makePods(0, 2)...)
	old := w.only().Name
	w.resetCounts()
	w.plan(makeInput(makeService(func(s *corev1.Service) { s.UID = "next-uid" }), makePods(0, 2)))
	if got, want := w.counts(), "1 created, 0 updated, 1 deleted"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if slice := w.only(); slice.Name == old || slice.OwnerReferences[0].UID != "next-uid" {
		t.Errorf("slice %s is owned by %s", slice.Name, slice.OwnerReferences[0].UID)
	}
}

func TestServiceOnItsWayOut(t *testing.T) {
	service := makeService(serviceDeleting)
	if changes := Plan(makeInput(service, makePods(0, 2))); len(changes.Create) != 0 {
		t.Errorf("created %d slices for the garbage collector to remove", len(changes.Create))
	}
	w := planned(t, makeService(), makePods(0, 101)...)
	changes := Plan(makeInput(service, makePods(0, 50), w.list()...))
	if len(changes.Update) != 1 || len(changes.Delete) != 1 {
		t.Errorf("got %d updates and %d deletes, want one of each", len(changes.Update), len(changes.Delete))
	}
}

func TestUpdatesKeepWhatOthersPutOnASlice(t *testing.T) {
	for name, pods := range map[string][]*corev1.Pod{
		"ordinary":              makePods(0, 4),
		"recycled":              makePods(7, 9),
		"turned to placeholder": nil,
	} {
		t.Run(name, func(t *testing.T) {
			w := planned(t, makeService(), makePods(0, 3)...)
			decorated := w.only().DeepCopy()
			decorated.Annotations = map[string]string{"example.com/note": "mine", corev1.EndpointsLastChangeTriggerTime: "2020-01-01T00:00:00Z"}
			decorated.Finalizers = []string{"example.com/wait"}
			decorated.OwnerReferences = append(decorated.OwnerReferences, metav1.OwnerReference{
				APIVersion: "v1", Kind: "ConfigMap", Name: "extra", UID: "extra", Controller: new(false),
			})
			w.store(decorated)
			w.plan(makeInput(makeService(), pods))
			got := w.only()
			if diff := cmp.Diff(map[string]string{"example.com/note": "mine"}, got.Annotations); diff != "" {
				t.Errorf("annotations (-want +got):\n%s", diff)
			}
			if len(got.Finalizers) != 1 || len(got.OwnerReferences) != 2 || got.UID != decorated.UID {
				t.Errorf("lost a finalizer, an owner or the object itself: %v", got.ObjectMeta)
			}
		})
	}
}

func TestForeignEditsAreReverted(t *testing.T) {
	for name, edit := range map[string]func(*discoveryv1.EndpointSlice){
		"endpoint removed":  func(s *discoveryv1.EndpointSlice) { s.Endpoints = s.Endpoints[1:] },
		"endpoint added":    func(s *discoveryv1.EndpointSlice) { s.Endpoints[0].Addresses = []string{"192.0.2.1"} },
		"condition flipped": func(s *discoveryv1.EndpointSlice) { s.Endpoints[0].Conditions.Ready = new(false) },
		"condition dropped": func(s *discoveryv1.EndpointSlice) { s.Endpoints[0].Conditions.Serving = nil },
		"zone changed":      func(s *discoveryv1.EndpointSlice) { s.Endpoints[0].Zone = new("zone-x") },
		"node changed":      func(s *discoveryv1.EndpointSlice) { s.Endpoints[0].NodeName = new("node-x") },
		"hostname added":    func(s *discoveryv1.EndpointSlice) { s.Endpoints[0].Hostname = new("me") },
		"hints added": func(s *discoveryv1.EndpointSlice) {
			s.Endpoints[0].Hints = &discoveryv1.EndpointHints{ForZones: []discoveryv1.ForZone{{Name: "z"}}}
		},
		"target removed":      func(s *discoveryv1.EndpointSlice) { s.Endpoints[0].TargetRef = nil },
		"target's UID edited": func(s *discoveryv1.EndpointSlice) { s.Endpoints[0].TargetRef.UID = "x" },
		"port changed":        func(s *discoveryv1.EndpointSlice) { s.Ports[0].Port = new(int32(1)) },
		"ports removed":       func(s *discoveryv1.EndpointSlice) { s.Ports = nil },
		"label added":         func(s *discoveryv1.EndpointSlice) { s.Labels["x"] = "y" },
		"headless label":      func(s *discoveryv1.EndpointSlice) { s.Labels[corev1.IsHeadlessService] = "" },
	} {
		t.Run(name, func(t *testing.T) {
			w := planned(t, makeService(), makePods(0, 3)...)
			want := w.only().DeepCopy()
			edited := want.DeepCopy()
			edit(edited)
			w.store(edited)
			w.plan(makeInput(makeService(), makePods(0, 3)))
			got := w.only()
			byAddress := func(a, b discoveryv1.Endpoint) int { return slices.Compare(a.Addresses, b.Addresses) }
			slices.SortFunc(got.Endpoints, byAddress)
			slices.SortFunc(want.Endpoints, byAddress)
			got.ResourceVersion, want.ResourceVersion = "", ""
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("slice (-want +got):\n%s", diff)
			}
		})
	}
}

func TestATargetsResourceVersionIsNoDifference(t *testing.T) {
	w := planned(t, makeService(), makePods(0, 3)...)
	slice := w.only().DeepCopy()
	slice.Endpoints[0].TargetRef.ResourceVersion = "42"
	w.store(slice)
	if changes := Plan(makeInput(makeService(), makePods(0, 3), w.list()...)); !changes.Empty() {
		t.Error("the slice was written")
	}
}

func TestNamesAreFixed(t *testing.T) {
	first := Plan(makeInput(makeService(), makePods(0, 250)))
	again := Plan(makeInput(makeService(), makePods(0, 250)))
	var names []string
	for i, slice := range first.Create {
		names = append(names, slice.Name)
		if slice.Name != again.Create[i].Name {
			t.Errorf("slice %d is named %s, then %s", i, slice.Name, again.Create[i].Name)
		}
	}
	if unique := slices.Compact(slices.Sorted(slices.Values(names))); len(unique) != 3 {
		t.Errorf("names are not unique: %v", names)
	}
}

func TestNamesDifferByServiceAndFamily(t *testing.T) {
	name := sliceName(makeService(), ipv4, 0)
	recreated := makeService(func(s *corev1.Service) { s.UID = "next-uid" })
	if name == sliceName(recreated, ipv4, 0) || name == sliceName(makeService(), ipv6, 0) {
		t.Errorf("%s is the name of another Service's or family's slice too", name)
	}
}

func TestNamesAvoidEverySliceOfTheService(t *testing.T) {
	name := Plan(makeInput(makeService(), nil)).Create[0].Name
	theirs := &discoveryv1.EndpointSlice{
		ObjectMeta:  metav1.ObjectMeta{Namespace: "shop", Name: name, Labels: map[string]string{discoveryv1.LabelServiceName: "web"}},
		AddressType: ipv4,
	}
	if next := Plan(makeInput(makeService(), nil, theirs)).Create[0].Name; next == name {
		t.Errorf("%s is taken, and was chosen again", name)
	}
}

func TestLongServiceNamesAreCutAsTheServerDoes(t *testing.T) {
	const long = "a-service-whose-name-has-the-sixty-three-characters-it-can-have"
	service := makeService(func(s *corev1.Service) { s.Name = long })
	slice := Plan(makeInput(service, nil)).Create[0]
	if want := 63; len(slice.Name) != want {
		t.Errorf("%s has %d characters, want %d", slice.Name, len(slice.Name), want)
	}
	if slice.GenerateName != long+"-" || slice.Labels[discoveryv1.LabelServiceName] != long {
		t.Errorf("generateName %q, labels %v", slice.GenerateName, slice.Labels)
	}
}

func TestInputIsNotChanged(t *testing.T) {
	port := servicePort("http", 80, intstr.FromInt32(8080))
	port.AppProtocol = new("http")
	w := planned(t, makeService(withPorts(port)), makePods(0, 150)...)
	in := makeInput(makeService(withLabels(map[string]string{"new": "label"}), withPorts(port)), makePods(50, 300, unready), w.list()...)
	var copies Input
	copies.Service = in.Service.DeepCopy()
	for _, pod := range in.Pods {
		copies.Pods = append(copies.Pods, pod.DeepCopy())
	}
	for _, slice := range in.Slices {
		copies.Slices = append(copies.Slices, slice.DeepCopy())
	}
	changes := Plan(in)
	for _, slice := range slices.Concat(changes.Create, changes.Update) {
		scribble(slice)
	}
	if diff := cmp.Diff(copies, Input{Service: in.Service, Pods: in.Pods, Slices: in.Slices}); diff != "" {
		t.Errorf("input (-before +after):\n%s", diff)
	}
}

// scribble changes all that a client's decoder may write to.
func scribble(slice *discoveryv1.EndpointSlice) {
	maps.DeleteFunc(slice.Labels, func(string, string) bool { return true })
	maps.DeleteFunc(slice.Annotations, func(string, string) bool { return true })
	for i := range slice.OwnerReferences {
		slice.OwnerReferences[i].UID = "scribbled"
	}
	for i := range slice.Ports {
		scribbleOn(slice.Ports[i].Port, -1)
		scribbleOn(slice.Ports[i].AppProtocol, "scribbled")
	}
	for i := range slice.Endpoints {
		endpoint := &slice.Endpoints[i]
		endpoint.Addresses[0] = "scribbled"
		scribbleOn(endpoint.TargetRef, corev1.ObjectReference{Name: "scribbled"})
		for _, text := range []*string{endpoint.NodeName, endpoint.Zone, endpoint.Hostname} {
			scribbleOn(text, "scribbled")
		}
		for _, condition := range []*bool{endpoint.Conditions.Ready, endpoint.Conditions.Serving, endpoint.Conditions.Terminating} {
			if condition != nil {
				*condition = !*condition
			}
		}
		if endpoint.Hints != nil {
			for zone := range endpoint.Hints.ForZones {
				endpoint.Hints.ForZones[zone].Name = "scribbled"
			}
		}
	}
}

func scribbleOn[T any](field *T, value T) {
	if field != nil {
		*field = value
	}
}

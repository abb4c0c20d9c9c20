// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoints

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestANewObjectIsTheServicesOwn(t *testing.T) {
	service := makeService(withLabels(map[string]string{"team": "a"}))
	changes := Plan(Input{Service: service, Pods: makePods(1, 2)})
	want := &corev1.Endpoints{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "shop", Name: "web",
			Labels:      map[string]string{"team": "a", "endpoints.kubernetes.io/managed-by": "endpoint-controller"},
			Annotations: map[string]string{},
		},
		Subsets: []corev1.EndpointSubset{{
			Addresses: []corev1.EndpointAddress{{
				IP: "10.0.0.2", NodeName: new("node-a"),
				TargetRef: &corev1.ObjectReference{Kind: "Pod", Namespace: "shop", Name: "web-1", UID: "web-1"},
			}},
			Ports: []corev1.EndpointPort{{Name: "http", Port: 8080, Protocol: corev1.ProtocolTCP}},
		}},
	}
	if diff := cmp.Diff(want, changes.Create); diff != "" || changes.Update != nil {
		t.Errorf("update %v, created (-want +got):\n%s", changes.Update, diff)
	}
}

func TestAServiceWithoutEndpointsHasAnEmptyObject(t *testing.T) {
	if got := planned(t, makeService()); len(got.Subsets) != 0 || got.Name != "web" {
		t.Errorf("got %s with %v", got.Name, sketch(got.Subsets))
	}
}

func TestServicesThatAreLeftAlone(t *testing.T) {
	for name, service := range map[string]*corev1.Service{
		"no selector":    makeService(withoutSelector),
		"external name":  makeService(externalName),
		"empty selector": makeService(func(s *corev1.Service) { s.Spec.Selector = map[string]string{} }),
	} {
		t.Run(name, func(t *testing.T) {
			byHand := &corev1.Endpoints{ObjectMeta: metav1.ObjectMeta{Name: "web"}}
			for _, current := range []*corev1.Endpoints{nil, byHand} {
				changes := Plan(Input{Service: service, Pods: makePods(0, 2), Current: current})
				if !changes.Empty() {
					t.Errorf("got %+v, want no change", changes)
				}
			}
		})
	}
}

func TestLabels(t *testing.T) {
	const headless, managedBy = "service.kubernetes.io/headless", "endpoints.kubernetes.io/managed-by"
	own := map[string]string{managedBy: "endpoint-controller"}
	for name, test := range map[string]struct {
		service *corev1.Service
		want    map[string]string
	}{
		"none":                {makeService(), own},
		"headless":            {makeService(withClusterIP("None")), map[string]string{managedBy: "endpoint-controller", headless: ""}},
		"no cluster IP yet":   {makeService(withClusterIP("")), map[string]string{managedBy: "endpoint-controller", headless: ""}},
		"the Service's":       {makeService(withLabels(map[string]string{"a": "b"})), map[string]string{managedBy: "endpoint-controller", "a": "b"}},
		"reserved, set":       {makeService(withLabels(map[string]string{managedBy: "me", headless: ""})), own},
		"headless, own value": {makeService(withClusterIP("None"), withLabels(map[string]string{headless: "yes"})), map[string]string{managedBy: "endpoint-controller", headless: ""}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, planned(t, test.service).Labels); diff != "" {
				t.Errorf("labels (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAnUpdateKeepsWhatOthersPutOnTheObject(t *testing.T) {
	s := &server{t: t}
	foreign := &corev1.Endpoints{ObjectMeta: metav1.ObjectMeta{
		Namespace: "shop", Name: "web", UID: "endpoints-uid",
		Labels:          map[string]string{"mine": "gone"},
		Annotations:     map[string]string{"note": "keep"},
		Finalizers:      []string{"example.com/keep"},
		OwnerReferences: []metav1.OwnerReference{{Kind: "Keep", Name: "me"}},
	}}
	s.store(foreign)
	s.plan(Input{Service: makeService(), Pods: makePods(1, 2)})
	want := foreign.ObjectMeta
	want.ResourceVersion = "2"
	want.Labels = map[string]string{LabelManagedBy: ManagedBy}
	if diff := cmp.Diff(want, s.current.ObjectMeta); diff != "" {
		t.Errorf("metadata (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"http:8080 at 10.0.0.2/web-1"}, sketch(s.current.Subsets)); diff != "" {
		t.Errorf("subsets (-want +got):\n%s", diff)
	}
}

func TestTriggerTimeIsThatOfTheWrite(t *testing.T) {
	s := &server{t: t}
	at := time.Date(2026, 5, 1, 12, 0, 0, 5000, time.FixedZone("east", 3600))
	s.plan(Input{Service: makeService(), Pods: makePods(0, 1), TriggerTime: at})
	if got := s.current.Annotations[corev1.EndpointsLastChangeTriggerTime]; got != "2026-05-01T11:00:00.000005Z" {
		t.Errorf("trigger time is %q", got)
	}
	if changes := s.plan(Input{Service: makeService(), Pods: makePods(0, 1), TriggerTime: at.Add(time.Hour)}); !changes.Empty() {
		t.Error("a trigger time alone was written")
	}
	s.plan(Input{Service: makeService(), Pods: makePods(0, 2)})
	if got, found := s.current.Annotations[corev1.EndpointsLastChangeTriggerTime]; found {
		t.Errorf("a write without a trigger time keeps %q", got)
	}
}

// A client decodes the server's answer into the object it sends: what it shares
// with the caches, or one address with another, would change under a reader.
func TestAWriteSharesNothing(t *testing.T) {
	service := makeService(withPorts(numbered("a", 1), named("b", "web")))
	service.Spec.Ports[0].AppProtocol = new("http")
	pods := []*corev1.Pod{makePod(0, declaring("web", 80)), makePod(1)}
	s := &server{t: t}
	s.store(&corev1.Endpoints{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web", Annotations: map[string]string{"note": "keep"}}})
	in := Input{Service: service, Pods: pods, Current: s.current}
	wantService, wantPod, wantCurrent := service.DeepCopy(), pods[0].DeepCopy(), s.current.DeepCopy()

	written := Plan(in).Update
	written.Annotations["note"], written.Labels["x"] = "changed", "y"
	var nodes []*string
	for i := range written.Subsets {
		for j := range written.Subsets[i].Addresses {
			address := &written.Subsets[i].Addresses[j]
			if slices.Contains(nodes, address.NodeName) {
				t.Error("two addresses share a node name")
			}
			nodes = append(nodes, address.NodeName)
			*address.NodeName, address.TargetRef.Name = "changed", "changed"
		}
		for j := range written.Subsets[i].Ports {
			if app := written.Subsets[i].Ports[j].AppProtocol; app != nil {
				*app = "changed"
			}
		}
	}
	if diff := cmp.Diff(wantService, service) + cmp.Diff(wantPod, pods[0]) + cmp.Diff(wantCurrent, s.current); diff != "" {
		t.Errorf("the input changed (-before +after):\n%s", diff)
	}
}

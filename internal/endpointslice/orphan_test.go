// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpointslice

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestOrphansAreTheSlicesOfALostSelector(t *testing.T) {
	noSelector := func(s *corev1.Service) { s.Spec.Selector = nil }
	external := func(s *corev1.Service) { s.Spec.Type = corev1.ServiceTypeExternalName }
	for name, test := range map[string]struct {
		change serviceOption
		edit   func(*discoveryv1.EndpointSlice)
		want   int
	}{
		"selector removed":     {noSelector, func(*discoveryv1.EndpointSlice) {}, 2},
		"became ExternalName":  {external, func(*discoveryv1.EndpointSlice) {}, 2},
		"selector still there": {func(*corev1.Service) {}, func(*discoveryv1.EndpointSlice) {}, 0},
		"mirrored": {noSelector, func(s *discoveryv1.EndpointSlice) {
			s.Labels[discoveryv1.LabelManagedBy] = "endpointslicemirroring-controller.k8s.io"
		}, 0},
		"made by hand":            {noSelector, func(s *discoveryv1.EndpointSlice) { delete(s.Labels, discoveryv1.LabelManagedBy) }, 0},
		"being deleted":           {noSelector, func(s *discoveryv1.EndpointSlice) { s.DeletionTimestamp = &metav1.Time{} }, 0},
		"of no owner":             {noSelector, func(s *discoveryv1.EndpointSlice) { s.OwnerReferences = nil }, 0},
		"of an earlier Service":   {noSelector, func(s *discoveryv1.EndpointSlice) { s.OwnerReferences[0].UID = "earlier" }, 0},
		"of another kind's owner": {noSelector, func(s *discoveryv1.EndpointSlice) { s.OwnerReferences[0].Kind = "Endpoints" }, 0},
		"of another group's kind": {noSelector, func(s *discoveryv1.EndpointSlice) { s.OwnerReferences[0].APIVersion = "serving.knative.dev/v1" }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			var all []*discoveryv1.EndpointSlice
			for _, slice := range planned(t, makeService(), makePods(0, 150)...).list() {
				edited := slice.DeepCopy()
				test.edit(edited)
				all = append([]*discoveryv1.EndpointSlice{edited}, all...)
			}
			got := Orphans(makeService(test.change), all)
			if len(got) != test.want {
				t.Errorf("got %d orphans, want %d", len(got), test.want)
			}
			if len(got) == 2 && got[0].Name > got[1].Name {
				t.Error("they are not in order")
			}
		})
	}
}

func TestWhoWroteAnObject(t *testing.T) {
	for name, test := range map[string]struct {
		managers []string
		want     bool
	}{
		"nobody on record":        {nil, false},
		"this program":            {[]string{"servicenet"}, true},
		"the stock controllers":   {[]string{"kube-controller-manager"}, true},
		"one after the other":     {[]string{"kube-controller-manager", "servicenet"}, true},
		"a user":                  {[]string{"kubectl-edit"}, false},
		"a user after us":         {[]string{"servicenet", "kubectl-annotate"}, false},
		"a user before us":        {[]string{"curl", "servicenet"}, false},
		"somebody without a name": {[]string{"servicenet", ""}, false},
	} {
		t.Run(name, func(t *testing.T) {
			object := &discoveryv1.EndpointSlice{}
			for _, manager := range test.managers {
				object.ManagedFields = append(object.ManagedFields, metav1.ManagedFieldsEntry{Manager: manager})
			}
			if got := WrittenByControllers(object); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
	if diff := cmp.Diff("servicenet", FieldManager); diff != "" {
		t.Errorf("the name under which earlier versions wrote has changed (-want +got):\n%s", diff)
	}
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
)

func TestServicesSelecting(t *testing.T) {
	service := func(namespace, name string, selector map[string]string) *corev1.Service {
		return &corev1.Service{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
			Spec:       corev1.ServiceSpec{Selector: selector},
		}
	}
	external := service("shop", "external", map[string]string{"app": "web"})
	external.Spec.Type = corev1.ServiceTypeExternalName
	reader := fake.NewClientBuilder().WithIndex(&corev1.Service{}, selectorPairIndex, selectorPair).WithObjects(
		service("shop", "web", map[string]string{"app": "web"}),
		service("shop", "web-stable", map[string]string{"app": "web", "track": "stable"}),
		service("shop", "stable", map[string]string{"track": "stable"}),
		service("shop", "by-hand", nil),
		external,
		service("other", "web", map[string]string{"app": "web"}),
	).Build()
	for name, test := range map[string]struct {
		labels map[string]string
		want   []string
	}{
		"none":              {nil, nil},
		"one":               {map[string]string{"app": "web"}, []string{"web"}},
		"all":               {map[string]string{"app": "web", "track": "stable", "x": "y"}, []string{"stable", "web", "web-stable"}},
		"same key":          {map[string]string{"app": "db"}, nil},
		"half of two pairs": {map[string]string{"track": "stable"}, []string{"stable"}},
	} {
		t.Run(name, func(t *testing.T) {
			found, err := servicesSelecting(t.Context(), reader, "shop", test.labels)
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, key := range found {
				if key.Namespace != "shop" {
					t.Errorf("found %s", key)
				}
				names = append(names, key.Name)
			}
			slices.Sort(names)
			if diff := cmp.Diff(test.want, names); diff != "" {
				t.Errorf("services (-want +got):\n%s", diff)
			}
		})
	}
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// A change of a pod concerns its Service from the moment that the Service is known,
// be its first reconcile still to come, and until it is forgotten.
func TestPodsConcernServicesThatAreKnown(t *testing.T) {
	known := newStates(func() int { return 0 })
	pod, service := benchPod(corev1.ConditionTrue), benchService(17, nil)
	key, external := simKey("shop", "web-17"), benchService(17, nil)
	external.Name, external.Spec.Type = "external", corev1.ServiceTypeExternalName
	other := benchService(17, map[string]string{"a-team": "b"})
	for _, step := range []struct {
		name  string
		do    func()
		want  []types.NamespacedName
		noted int
	}{
		{"before anything is known", func() {}, nil, 0},
		{"introduced", func() { known.introduce(service); known.introduce(external) }, []types.NamespacedName{key}, 0},
		{"taken", func() { known.take(service) }, []types.NamespacedName{key}, 1},
		{"an event behind what was taken", func() { known.introduce(other) }, []types.NamespacedName{key}, 1},
		{"taken with another selector", func() { known.take(other) }, nil, 0},
		{"forgotten", func() { known.forget(key) }, nil, 0},
		{"introduced again", func() { known.introduce(service) }, []types.NamespacedName{key}, 0},
	} {
		step.do()
		if diff := cmp.Diff(step.want, known.notePod(pod)); diff != "" {
			t.Errorf("%s: Services (-want +got):\n%s", step.name, diff)
		}
		noted := 0
		if of := known.services[key]; of != nil {
			noted = len(of.noted.pods)
		}
		if noted != step.noted {
			t.Errorf("%s: %d pods are noted, want %d", step.name, noted, step.noted)
		}
	}
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpointslice

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
)

// Pods of one template share their labels and ports, and no others do.
func TestPodsShareWhatIsEqual(t *testing.T) {
	strip := NewPodStripper()
	pod := func(number int32, pairs map[string]string, options ...podOption) *corev1.Pod {
		stripped := strip(makePod(0, append(options, withNamedPort("web", number), labelled(pairs))...))
		want := StripPod(makePod(0, append(options, withNamedPort("web", number), labelled(pairs))...))
		if diff := cmp.Diff(want, stripped); diff != "" {
			t.Errorf("sharing changes a pod (-want +got):\n%s", diff)
		}
		return stripped
	}
	one := pod(8080, map[string]string{"app": "web", "tier": "a"})
	for name, test := range map[string]struct {
		other         *corev1.Pod
		labels, ports bool // are shared
	}{
		"of the same template":      {pod(8080, map[string]string{"tier": "a", "app": "web"}), true, true},
		"with another value":        {pod(8080, map[string]string{"app": "web", "tier": "b"}), false, true},
		"with a label more":         {pod(8080, map[string]string{"app": "web", "tier": "a", "x": ""}), false, true},
		"with none":                 {pod(8080, nil), false, true},
		"with another port":         {pod(8081, map[string]string{"app": "web", "tier": "a"}), true, false},
		"with a port more":          {pod(8080, map[string]string{"app": "web", "tier": "a"}, withNamedPort("admin", 9000)), true, false},
		"with a container for jobs": {pod(8080, map[string]string{"app": "web", "tier": "a"}, sidecar("admin", 9000)), true, true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := same(one.Labels, test.other.Labels); got != test.labels {
				t.Errorf("labels are shared: %v", got)
			}
			if got := &one.Spec.Containers[0] == &test.other.Spec.Containers[0]; got != test.ports {
				t.Errorf("ports are shared: %v", got)
			}
		})
	}
}

// same tells whether two maps are one.
func same(a, b map[string]string) bool { return fmt.Sprintf("%p", a) == fmt.Sprintf("%p", b) }

func TestTemplatesAreForgottenWhenThereAreTooMany(t *testing.T) {
	some := templates[int]{}
	for i := range 3 * mostTemplates {
		some.share(strconv.Itoa(i), i)
		if len(some) > mostTemplates {
			t.Fatalf("%d are remembered", len(some))
		}
	}
	if got := some.share(strconv.Itoa(3*mostTemplates-1), -1); got != 3*mostTemplates-1 {
		t.Errorf("the last one is forgotten")
	}
}

func labelled(pairs map[string]string) podOption { return func(p *corev1.Pod) { p.Labels = pairs } }

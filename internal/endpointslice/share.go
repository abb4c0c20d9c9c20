// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpointslice

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unique"

	corev1 "k8s.io/api/core/v1"
)

// mostTemplates is how many different sets of labels, and of ports, are remembered.
const mostTemplates = 10_000

// NewPodStripper returns a [StripPod] after which pods share what is equal in them:
// labels and ports, as pods of one template have them, and the names of their node
// and namespace: a third of what is kept of a pod. Nobody may change what is shared.
func NewPodStripper() func(*corev1.Pod) *corev1.Pod {
	var mu sync.Mutex
	labels, ports := templates[map[string]string]{}, templates[[]corev1.Container]{}
	return func(pod *corev1.Pod) *corev1.Pod {
		StripPod(pod)
		pod.Namespace = unique.Make(pod.Namespace).Value()
		pod.Spec.NodeName = unique.Make(pod.Spec.NodeName).Value()
		mu.Lock()
		defer mu.Unlock()
		pod.Labels = labels.share(keyOfLabels(pod.Labels), pod.Labels)
		pod.Spec.Containers = ports.share(keyOfContainers(pod.Spec.Containers), pod.Spec.Containers)
		return pod
	}
}

// templates hold one value of all that have the same key.
type templates[T any] map[string]T

// share returns the value that is remembered under a key, or else remembers the
// given one. When there are too many, all are forgotten, and soon those are back
// that are in use.
func (t templates[T]) share(key string, value T) T {
	if known, found := t[key]; found {
		return known
	}
	if len(t) >= mostTemplates {
		clear(t)
	}
	t[key] = value
	return value
}

// keyOfLabels is equal for equal labels, and for no others: neither names nor values
// hold the separators.
func keyOfLabels(labels map[string]string) string {
	var key strings.Builder
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		key.WriteString(name)
		key.WriteByte('=')
		key.WriteString(labels[name])
		key.WriteByte(',')
	}
	return key.String()
}

// keyOfContainers is equal for containers with the same ports, and for no others: all
// else that is left of them is nothing or the restart policy.
func keyOfContainers(containers []corev1.Container) string {
	var key strings.Builder
	for i := range containers {
		if policy := containers[i].RestartPolicy; policy != nil {
			key.WriteString(string(*policy))
		}
		for _, port := range containers[i].Ports {
			key.WriteByte(',')
			key.WriteString(port.Name)
			key.WriteByte('=')
			key.WriteString(strconv.Itoa(int(port.ContainerPort)))
			key.WriteString(string(port.Protocol))
		}
		key.WriteByte(';')
	}
	return key.String()
}

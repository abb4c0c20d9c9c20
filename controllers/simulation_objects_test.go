// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// simPodCount is how many names of pods there are. The last two are of another
// namespace.
const simPodCount = 8

// changePod makes, changes or removes one pod.
func (w *simWorld) changePod() {
	i := w.random.IntN(simPodCount)
	key := client.ObjectKey{Namespace: "shop", Name: fmt.Sprintf("pod-%d", i)}
	if i >= simPodCount-2 {
		key.Namespace = "other"
	}
	existing, exists := simFind[*corev1.Pod](w.api.simStore, key)
	if !exists {
		w.create(w.newPod(key, i))
		return
	}
	pod := existing.DeepCopy()
	switch w.random.IntN(14) {
	case 0, 1, 2:
		w.removeGracefully(pod)
		return
	case 3:
		w.remove(pod)
		return
	case 4:
		w.remove(pod)
		w.create(w.successor(pod, i))
		return
	case 5:
		pod.Labels = w.podLabels()
	case 6:
		pod.Status.PodIPs = w.podIPs(i)
		w.schedule(pod)
	case 7:
		pod.Status.Phase = pick(w, corev1.PodFailed, corev1.PodSucceeded)
		w.setReady(pod, false)
	case 8:
		pod.Annotations = map[string]string{"heartbeat": w.api.nextVersion()}
	default:
		w.setReady(pod, !isReady(pod))
	}
	w.update(pod)
}

// newPod often has the address that its predecessor of that name had, and now
// and then another pod's.
func (w *simWorld) newPod(key client.ObjectKey, i int) *corev1.Pod {
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name, Labels: w.podLabels()},
		Status:     corev1.PodStatus{Phase: corev1.PodPending},
	}
	if w.chance(3) {
		pod.Spec.Hostname, pod.Spec.Subdomain = "host", pick(w, "web", "elsewhere")
	}
	port := corev1.ContainerPort{Name: "http", ContainerPort: 8080 + w.random.Int32N(2), Protocol: corev1.ProtocolTCP}
	switch w.random.IntN(4) {
	case 0:
	case 1:
		always := corev1.ContainerRestartPolicyAlways
		pod.Spec.InitContainers = []corev1.Container{
			{Name: "setup", Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 1, Protocol: corev1.ProtocolTCP}}},
			{Name: "sidecar", Ports: []corev1.ContainerPort{port}, RestartPolicy: &always},
		}
	default:
		pod.Spec.Containers = []corev1.Container{{Name: "main", Ports: []corev1.ContainerPort{port}}}
	}
	if !w.chance(4) {
		pod.Status.PodIPs = w.podIPs(i)
		w.schedule(pod)
		w.setReady(pod, !w.chance(4))
	}
	return pod
}

// successor returns a pod of the same name, which may differ from the old one in
// nothing but what the server gives it and the ports of its containers.
func (w *simWorld) successor(old *corev1.Pod, i int) *corev1.Pod {
	pod := w.newPod(client.ObjectKeyFromObject(old), i)
	if w.chance(2) {
		pod.Labels, pod.Status, pod.Spec.NodeName = old.Labels, old.Status, old.Spec.NodeName
		pod.Spec.Hostname, pod.Spec.Subdomain = old.Spec.Hostname, old.Spec.Subdomain
	}
	return pod
}

// schedule gives a pod a node, which need not exist, and lets it run.
func (w *simWorld) schedule(pod *corev1.Pod) {
	if pod.Spec.NodeName == "" {
		pod.Spec.NodeName = w.nodeName()
		pod.Status.Phase = corev1.PodRunning
	}
}

func (w *simWorld) podLabels() map[string]string {
	if w.zonal && !w.chance(4) {
		return map[string]string{"app": "web"}
	}
	return pick(w, map[string]string{"app": "web"}, map[string]string{"app": "web"},
		map[string]string{"app": "web", "track": "stable"}, map[string]string{"app": "api"}, nil)
}

func (w *simWorld) podIPs(i int) []corev1.PodIP {
	v4, v6 := fmt.Sprintf("10.0.0.%d", i+1), fmt.Sprintf("fd00::%d", i+1)
	if w.zonal && !w.chance(4) {
		return []corev1.PodIP{{IP: v4}, {IP: v6}}
	}
	return pick(w, []corev1.PodIP{{IP: v4}}, []corev1.PodIP{{IP: v4}, {IP: v6}}, []corev1.PodIP{{IP: v4}, {IP: v6}},
		[]corev1.PodIP{{IP: "10.0.0.1"}}, []corev1.PodIP{{IP: "FD00:0::9"}}, nil)
}

func (w *simWorld) setReady(pod *corev1.Pod, ready bool) {
	status := corev1.ConditionFalse
	if ready {
		status = corev1.ConditionTrue
	}
	pod.Status.Conditions = []corev1.PodCondition{
		{Type: corev1.PodInitialized, Status: corev1.ConditionTrue}, {Type: corev1.PodReady, Status: status, LastTransitionTime: metav1.NewTime(w.clock.Now())},
	}
}

func isReady(pod *corev1.Pod) bool {
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodReady {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}

func (w *simWorld) nodeName() string { return pick(w, "node-a", "node-b", "node-c") }

// changeNode makes, changes or removes one node.
func (w *simWorld) changeNode() {
	name := w.nodeName()
	existing, exists := simFind[*corev1.Node](w.api.simStore, simKey("", name))
	if exists && w.chance(4) {
		w.remove(existing)
		return
	}
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if exists {
		node = existing.DeepCopy()
	}
	zone := map[string]string{corev1.LabelTopologyZone: pick(w, "zone-1", "zone-2")}
	cpu := corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(pick(w, "1", "2", "4"))}
	ready := []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}
	switch field := w.random.IntN(8); {
	case !exists || field == 0 || w.zonal && !w.chance(4):
		node.Labels, node.Status.Allocatable, node.Status.Conditions = zone, cpu, ready
	case field < 3:
		node.Labels = pick(w, zone, zone, nil)
	case field < 5:
		node.Status.Allocatable = pick(w, cpu, cpu, nil)
	default:
		node.Status.Conditions = pick(w, ready, nil)
	}
	if !exists {
		w.create(node)
		return
	}
	w.update(node)
}

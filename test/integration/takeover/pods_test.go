// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package takeover

import (
	"context"
	"fmt"
	"strconv"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// app is the label by which Services select pods.
const app = "app.kubernetes.io/name"

// podEdit changes a pod before it is written, given its number.
type podEdit func(number int, pod *corev1.Pod)

// newPod describes a ready pod that has an address of each family.
func (w *world) newPod(label string, number int, edits ...podEdit) *corev1.Pod {
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("%s-%d", label, number), Labels: map[string]string{app: label}},
		Spec: corev1.PodSpec{
			NodeName: "node-" + strconv.Itoa(number%nodes),
			Containers: []corev1.Container{{
				Name: "main", Image: "example.com/main",
				Ports: []corev1.ContainerPort{{Name: "web", ContainerPort: 8080}, {Name: "dns", ContainerPort: 5353, Protocol: corev1.ProtocolUDP}},
			}},
		},
		Status: corev1.PodStatus{
			Phase:      corev1.PodRunning,
			PodIPs:     w.newAddresses(),
			Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: metav1.Now()}},
		},
	}
	for _, edit := range edits {
		edit(number, pod)
	}
	return pod
}

// newAddresses returns an address of each family that no other pod has.
func (w *world) newAddresses() []corev1.PodIP {
	number := w.addresses.Add(1)
	high, low := number>>8&0xff, number&0xff
	return []corev1.PodIP{{IP: fmt.Sprintf("10.1.%d.%d", high, low)}, {IP: fmt.Sprintf("fd00:10:244::1:%x", number)}}
}

// run writes pods with their status, from number first on: label-first, ...
func (in space) run(ctx context.Context, label string, first, count int, edits ...podEdit) {
	GinkgoHelper()
	pods := make([]*corev1.Pod, count)
	for i := range pods {
		pods[i] = in.newPod(label, first+i, edits...)
	}
	Expect(inParallel(ctx, pods, in.runPod)).To(Succeed())
}

func (in space) runPod(ctx context.Context, pod *corev1.Pod) error {
	status := pod.Status
	pod.Namespace = in.name
	if err := in.api.Create(ctx, pod); err != nil {
		return err
	}
	pod.Status = status
	if len(status.PodIPs) > 0 {
		pod.Status.PodIP = status.PodIPs[0].IP
	}
	return in.api.Status().Update(ctx, pod)
}

// unready makes pods that are not ready.
func unready(_ int, pod *corev1.Pod) { pod.Status.Conditions[0].Status = corev1.ConditionFalse }

// onlyIPv4 makes pods without an IPv6 address.
func onlyIPv4(_ int, pod *corev1.Pod) { pod.Status.PodIPs = pod.Status.PodIPs[:1] }

// phase makes pods that are in a phase.
func phase(of corev1.PodPhase) podEdit {
	return func(_ int, pod *corev1.Pod) { pod.Status.Phase = of }
}

// on makes pods that run on one node.
func on(node string) podEdit {
	return func(_ int, pod *corev1.Pod) { pod.Spec.NodeName = node }
}

// webAt makes pods whose port "web" has another number.
func webAt(port int32) podEdit {
	return func(_ int, pod *corev1.Pod) { pod.Spec.Containers[0].Ports[0].ContainerPort = port }
}

// named makes pods with the names that a headless Service publishes in DNS.
func named(service string) podEdit {
	return func(number int, pod *corev1.Pod) {
		pod.Spec.Hostname = fmt.Sprintf("host-%d", number)
		pod.Spec.Subdomain = service
	}
}

// setReady turns a pod ready or not, as its kubelet would.
func (in space) setReady(ctx context.Context, name string, ready bool) {
	GinkgoHelper()
	status := corev1.ConditionFalse
	if ready {
		status = corev1.ConditionTrue
	}
	in.patchStatus(ctx, name, fmt.Sprintf(`{"status":{"conditions":[{"type":"Ready","status":%q,"lastTransitionTime":%q}]}}`,
		status, metav1.Now().UTC().Format("2006-01-02T15:04:05Z")))
}

// patchStatus merges JSON into a pod's status.
func (in space) patchStatus(ctx context.Context, name, json string) {
	GinkgoHelper()
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: in.name, Name: name}}
	Expect(in.api.Status().Patch(ctx, pod, mergePatch(json))).To(Succeed())
}

// terminate deletes a pod and leaves it at that: nobody is there to end it.
func (in space) terminate(ctx context.Context, name string) {
	GinkgoHelper()
	in.delete(ctx, &corev1.Pod{}, name)
}

// remove deletes a pod at once.
func (in space) remove(ctx context.Context, name string) {
	GinkgoHelper()
	in.delete(ctx, &corev1.Pod{}, name, client.GracePeriodSeconds(0))
}

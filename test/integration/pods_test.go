// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"fmt"
	"strconv"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// app is the label by which Services select pods.
const app = "app.kubernetes.io/name"

// newPod describes a pod that runs on a simulated node at once, without the
// scheduler.
func (in space) newPod(name, label string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: string(in),
			Name:      name,
			Labels:    map[string]string{app: label},
		},
		Spec: corev1.PodSpec{
			NodeName:   "node-0",
			Containers: []corev1.Container{{Name: label, Image: "example.com/" + label}},
		},
	}
}

// runPods creates such pods, named label-0, label-1, ...
func (in space) runPods(ctx context.Context, label string, count int) {
	GinkgoHelper()
	for i := range count {
		pod := in.newPod(fmt.Sprintf("%s-%d", label, i), label)
		pod.Spec.NodeName = fmt.Sprintf("node-%d", i%nodes)
		Expect(api.Create(ctx, pod)).To(Succeed())
	}
}

// runByHand creates a pod on a node that nobody simulates, and says itself that
// it runs, has long been ready and has an address.
func (in space) runByHand(ctx context.Context, name, label, node, ip string) {
	GinkgoHelper()
	DeferCleanup(in.clearNode, node)
	pod := in.newPod(name, label)
	pod.Spec.NodeName = node
	Expect(api.Create(ctx, pod)).To(Succeed())
	in.patchStatus(ctx, name, fmt.Sprintf(`{"status":{"phase":"Running","podIP":%q,"podIPs":[{"ip":%q}],
		"conditions":[{"type":"Ready","status":"True","lastTransitionTime":"2026-01-01T00:00:00Z"}]}}`, ip, ip))
}

// clearNode removes the pods of a node that nobody simulates. When the node is gone, the
// control plane's collector of pods would, a minute later and one by one, and other specs
// would see their Services change.
func (in space) clearNode(ctx context.Context, node string) {
	GinkgoHelper()
	on := client.MatchingFields{"spec.nodeName": node}
	Expect(api.DeleteAllOf(ctx, &corev1.Pod{}, client.InNamespace(in), on, client.GracePeriodSeconds(0))).To(Succeed())
}

// pods lists the pods with an app label.
func (in space) pods(ctx context.Context, label string) []corev1.Pod {
	GinkgoHelper()
	var list corev1.PodList
	Expect(api.List(ctx, &list, client.InNamespace(in), client.MatchingLabels{app: label})).To(Succeed())
	return list.Items
}

// annotate sets an annotation of a pod, for the simulated kubelet.
func (in space) annotate(ctx context.Context, pod, annotation, value string) {
	GinkgoHelper()
	in.patch(ctx, &corev1.Pod{}, pod, fmt.Sprintf(`{"metadata":{"annotations":{%q:%q}}}`, annotation, value))
}

// setReady lets the simulated kubelet turn a pod ready or not.
func (in space) setReady(ctx context.Context, pod string, ready bool) {
	GinkgoHelper()
	in.annotate(ctx, pod, "kwok.servicenet.dev/ready", strconv.FormatBool(ready))
}

// scale sets the replicas of a Deployment.
func (in space) scale(ctx context.Context, deployment string, replicas int) {
	GinkgoHelper()
	in.patch(ctx, &appsv1.Deployment{}, deployment, fmt.Sprintf(`{"spec":{"replicas":%d}}`, replicas))
}

func isReady(pod *corev1.Pod) bool {
	for i := range pod.Status.Conditions {
		if pod.Status.Conditions[i].Type == corev1.PodReady {
			return pod.Status.Conditions[i].Status == corev1.ConditionTrue
		}
	}
	return false
}

// patchStatus merges JSON into a pod's status.
func (in space) patchStatus(ctx context.Context, pod, json string) {
	GinkgoHelper()
	Expect(api.Status().Patch(ctx, in.newPod(pod, ""), mergePatch(json))).To(Succeed())
}

// addCondition adds a condition that is true to a pod's status.
func (in space) addCondition(ctx context.Context, pod string, condition corev1.PodConditionType) {
	GinkgoHelper()
	patch := fmt.Sprintf(`{"status":{"conditions":[{"type":%q,"status":"True"}]}}`, condition)
	merge := client.RawPatch(types.StrategicMergePatchType, []byte(patch))
	Expect(api.Status().Patch(ctx, in.newPod(pod, ""), merge)).To(Succeed())
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// stripNamespace leaves of a namespace what selectors of pools see.
func stripNamespace(namespace *corev1.Namespace) *corev1.Namespace {
	return &corev1.Namespace{ObjectMeta: bareMeta(&namespace.ObjectMeta)}
}

// stripBalancingNode leaves of a node what pools of node addresses see of it, and the
// addresses of its pods, which no pool should have.
func stripBalancingNode(node *corev1.Node) *corev1.Node {
	stripped := &corev1.Node{
		ObjectMeta: bareMeta(&node.ObjectMeta),
		Spec:       corev1.NodeSpec{Taints: node.Spec.Taints, PodCIDRs: node.Spec.PodCIDRs},
		Status:     corev1.NodeStatus{Addresses: node.Status.Addresses},
	}
	for i := range node.Status.Conditions {
		if condition := &node.Status.Conditions[i]; condition.Type == corev1.NodeReady {
			stripped.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: condition.Status}}
		}
	}
	return stripped
}

// bareMeta returns what tells objects and their versions apart, and the labels.
func bareMeta(meta *metav1.ObjectMeta) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Namespace: meta.Namespace, Name: meta.Name, UID: meta.UID, ResourceVersion: meta.ResourceVersion,
		CreationTimestamp: meta.CreationTimestamp, DeletionTimestamp: meta.DeletionTimestamp, Labels: meta.Labels,
	}
}

// stripManaged removes from an object the record of who wrote what.
func stripManaged[T client.Object](object T) T {
	object.SetManagedFields(nil)
	return object
}

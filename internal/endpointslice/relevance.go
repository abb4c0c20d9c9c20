// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpointslice

import (
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// PodMatters tells whether a change of a pod can change the slices of a Service
// that selects it, before or after. Most updates of a pod cannot: a heartbeat, a
// container's restart count, an annotation, all that happens before it has an
// address. After a broken watch an update may join a pod and its successor of
// the same name, which has another UID and may have other ports.
func PodMatters(before, after *corev1.Pod) bool {
	if !Listable(before) && !Listable(after) {
		return false
	}
	return before.UID != after.UID ||
		Ready(before) != Ready(after) ||
		terminal(before) != terminal(after) ||
		(before.DeletionTimestamp == nil) != (after.DeletionTimestamp == nil) ||
		before.Spec.NodeName != after.Spec.NodeName ||
		before.Spec.Hostname != after.Spec.Hostname ||
		before.Spec.Subdomain != after.Spec.Subdomain ||
		!slices.Equal(before.Status.PodIPs, after.Status.PodIPs) ||
		!maps.Equal(before.Labels, after.Labels)
}

// TakesAway tells whether a change of a pod can take an endpoint away, or a part of
// it, from a Service that selected it before: it is not ready any more, on its way
// out, gone, or another pod.
func TakesAway(before, after *corev1.Pod) bool {
	return Listable(before) && (!Listable(after) ||
		before.UID != after.UID ||
		Ready(before) && !Ready(after) ||
		before.DeletionTimestamp == nil && after.DeletionTimestamp != nil ||
		!slices.Equal(before.Status.PodIPs, after.Status.PodIPs) ||
		!maps.Equal(before.Labels, after.Labels))
}

// ServiceMatters tells whether a change of a Service can change its slices. The
// status, which a load balancer may write often, cannot.
func ServiceMatters(before, after *corev1.Service) bool {
	return before.UID != after.UID ||
		(before.DeletionTimestamp == nil) != (after.DeletionTimestamp == nil) ||
		AutoTopology(before) != AutoTopology(after) ||
		!maps.Equal(before.Labels, after.Labels) ||
		!apiequality.Semantic.DeepEqual(before.Spec, after.Spec)
}

// NodeMatters tells whether a change of a node can change the slices that list
// its pods.
func NodeMatters(before, after *corev1.Node) bool {
	return before.Labels[corev1.LabelTopologyZone] != after.Labels[corev1.LabelTopologyZone]
}

// StripPod reduces a pod to what this package and label selectors read, and
// returns it. Most of a pod's size is elsewhere: volumes, environment, field
// ownership.
func StripPod(pod *corev1.Pod) *corev1.Pod {
	stripMeta(&pod.ObjectMeta)
	pod.Annotations, pod.OwnerReferences, pod.Finalizers = nil, nil, nil
	pod.Spec = corev1.PodSpec{
		NodeName:       pod.Spec.NodeName,
		Hostname:       pod.Spec.Hostname,
		Subdomain:      pod.Spec.Subdomain,
		Containers:     namedPorts(pod.Spec.Containers),
		InitContainers: namedPorts(pod.Spec.InitContainers),
	}
	pod.Status = corev1.PodStatus{
		Phase:      pod.Status.Phase,
		PodIPs:     pod.Status.PodIPs,
		Conditions: readyOnly(pod.Status.Conditions),
	}
	return pod
}

func readyOnly(conditions []corev1.PodCondition) []corev1.PodCondition {
	for i := range conditions {
		if conditions[i].Type == corev1.PodReady {
			return []corev1.PodCondition{{
				Type: corev1.PodReady, Status: conditions[i].Status, LastTransitionTime: conditions[i].LastTransitionTime,
			}}
		}
	}
	return nil
}

// namedPorts keeps of containers what a named target port can refer to.
func namedPorts(containers []corev1.Container) []corev1.Container {
	var kept []corev1.Container
	for i := range containers {
		var ports []corev1.ContainerPort
		for _, port := range containers[i].Ports {
			if port.Name != "" {
				ports = append(ports, corev1.ContainerPort{Name: port.Name, ContainerPort: port.ContainerPort, Protocol: port.Protocol})
			}
		}
		if len(ports) > 0 {
			kept = append(kept, corev1.Container{Ports: ports, RestartPolicy: containers[i].RestartPolicy})
		}
	}
	return kept
}

// SharesMatter tells whether a change of a node can change the zones' shares of
// the cluster's CPU. Either is nil for a node that comes or goes.
func SharesMatter(before, after *corev1.Node) bool {
	if before == nil || after == nil {
		return true
	}
	return countsForZones(before) != countsForZones(after) || NodeMatters(before, after) ||
		before.Status.Allocatable.Cpu().Cmp(*after.Status.Allocatable.Cpu()) != 0
}

// StripNode reduces a node to its name and labels and what [SharesOf] reads, and
// returns it. A node's status alone, with its list of images, is larger than all
// its pods are here.
func StripNode(node *corev1.Node) *corev1.Node {
	stripMeta(&node.ObjectMeta)
	node.Annotations, node.OwnerReferences, node.Finalizers = nil, nil, nil
	status := corev1.NodeStatus{Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionFalse}}}
	if nodeReady(node) {
		status.Conditions[0].Status = corev1.ConditionTrue
	}
	if cpu, found := node.Status.Allocatable[corev1.ResourceCPU]; found {
		status.Allocatable = corev1.ResourceList{corev1.ResourceCPU: cpu}
	}
	node.Spec, node.Status = corev1.NodeSpec{}, status
	return node
}

// StripSlice drops a slice's field ownership and returns it. All else is
// written back on an update; the server keeps the ownership it has.
func StripSlice(slice *discoveryv1.EndpointSlice) *discoveryv1.EndpointSlice {
	stripMeta(&slice.ObjectMeta)
	return slice
}

// StripService drops a Service's field ownership, status and all annotations that
// do not concern endpoints, and returns it.
func StripService(service *corev1.Service) *corev1.Service {
	stripMeta(&service.ObjectMeta)
	maps.DeleteFunc(service.Annotations, func(key, _ string) bool {
		return key != corev1.AnnotationTopologyMode && key != corev1.DeprecatedAnnotationTopologyAwareHints
	})
	service.Status = corev1.ServiceStatus{}
	return service
}

func stripMeta(meta *metav1.ObjectMeta) { meta.ManagedFields = nil }

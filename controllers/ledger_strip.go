// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"slices"
	"sync"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// stripNumbers leaves of a Service what says which numbers it has, and which pools
// serve it.
func stripNumbers(service *corev1.Service) *corev1.Service {
	ports := slices.DeleteFunc(service.Spec.Ports, func(port corev1.ServicePort) bool { return port.NodePort == 0 })
	bare := &corev1.Service{
		ObjectMeta: bareMeta(&service.ObjectMeta),
		Spec: corev1.ServiceSpec{
			Type:                service.Spec.Type,
			ClusterIPs:          service.Spec.ClusterIPs,
			HealthCheckNodePort: service.Spec.HealthCheckNodePort,
		},
	}
	for i := range ports {
		bare.Spec.Ports = append(bare.Spec.Ports, corev1.ServicePort{
			Name: ports[i].Name, Protocol: ports[i].Protocol, Port: ports[i].Port, NodePort: ports[i].NodePort,
		})
	}
	return bare
}

// stripNamespace leaves of a namespace what selectors of pools see.
func stripNamespace(namespace *corev1.Namespace) *corev1.Namespace {
	return &corev1.Namespace{ObjectMeta: bareMeta(&namespace.ObjectMeta)}
}

// newIPAddressStripper returns what leaves of an address whose it is. Those that the
// API server made, which is nearly all of them, share their labels.
func newIPAddressStripper() func(*networkingv1.IPAddress) *networkingv1.IPAddress {
	var labels sync.Map
	return func(address *networkingv1.IPAddress) *networkingv1.IPAddress {
		bare := &networkingv1.IPAddress{ObjectMeta: bareMeta(&address.ObjectMeta), Spec: address.Spec}
		by := address.Labels[networkingv1.LabelManagedBy]
		shared, _ := labels.LoadOrStore(by, map[string]string{networkingv1.LabelManagedBy: by})
		bare.Labels, _ = shared.(map[string]string)
		return bare
	}
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

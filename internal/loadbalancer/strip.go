// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package loadbalancer

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// annotationPrefix is that of all annotations that matter here.
const annotationPrefix = "servicenet.dev/"

// Strip returns what matters of a Service. It shares nothing that would keep the rest
// of it in memory.
func Strip(service *corev1.Service) *corev1.Service {
	stripped := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: service.Namespace, Name: service.Name, UID: service.UID,
			ResourceVersion: service.ResourceVersion, Generation: service.Generation,
			CreationTimestamp: service.CreationTimestamp, DeletionTimestamp: service.DeletionTimestamp,
			Labels: service.Labels, Finalizers: service.Finalizers,
		},
		Spec: corev1.ServiceSpec{
			Type: service.Spec.Type, LoadBalancerClass: service.Spec.LoadBalancerClass,
			LoadBalancerIP: service.Spec.LoadBalancerIP, IPFamilies: service.Spec.IPFamilies,
			IPFamilyPolicy: service.Spec.IPFamilyPolicy, Selector: service.Spec.Selector,
			ExternalTrafficPolicy: service.Spec.ExternalTrafficPolicy,
		},
		Status: service.Status,
	}
	for key, value := range service.Annotations {
		if strings.HasPrefix(key, annotationPrefix) {
			if stripped.Annotations == nil {
				stripped.Annotations = map[string]string{}
			}
			stripped.Annotations[key] = value
		}
	}
	for i := range service.Spec.Ports {
		port := &service.Spec.Ports[i]
		stripped.Spec.Ports = append(stripped.Spec.Ports, corev1.ServicePort{Protocol: port.Protocol, Port: port.Port})
	}
	return stripped
}

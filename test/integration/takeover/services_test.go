// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package takeover

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// serviceEdit changes a Service before it is written.
type serviceEdit func(*corev1.Service)

// newService describes a Service that selects the pods labelled with its name.
func newService(name string, edits ...serviceEdit) *corev1.Service {
	service := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: corev1.ServiceSpec{
			Selector: map[string]string{app: name},
			Ports:    []corev1.ServicePort{{Name: "http", Port: 80, TargetPort: intstr.FromInt32(8080)}},
		},
	}
	for _, edit := range edits {
		edit(service)
	}
	return service
}

// expose creates such a Service.
func (in space) expose(ctx context.Context, name string, edits ...serviceEdit) *corev1.Service {
	GinkgoHelper()
	service := newService(name, edits...)
	in.create(ctx, service)
	return service
}

func headless(service *corev1.Service) { service.Spec.ClusterIP = corev1.ClusterIPNone }

func withoutPorts(service *corev1.Service) { service.Spec.Ports = nil }

func withoutSelector(service *corev1.Service) { service.Spec.Selector = nil }

func publishingUnready(service *corev1.Service) { service.Spec.PublishNotReadyAddresses = true }

// dualStack asks for the families that a policy gives.
func dualStack(policy corev1.IPFamilyPolicy) serviceEdit {
	return func(service *corev1.Service) { service.Spec.IPFamilyPolicy = &policy }
}

// ofFamily asks for one family.
func ofFamily(family corev1.IPFamily) serviceEdit {
	return func(service *corev1.Service) { service.Spec.IPFamilies = []corev1.IPFamily{family} }
}

// toPort sends port 80 to another port of the pods.
func toPort(target intstr.IntOrString) serviceEdit {
	return func(service *corev1.Service) { service.Spec.Ports[0].TargetPort = target }
}

// andPort adds a port.
func andPort(port corev1.ServicePort) serviceEdit {
	return func(service *corev1.Service) { service.Spec.Ports = append(service.Spec.Ports, port) }
}

// ofType makes a Service of a type.
func ofType(of corev1.ServiceType) serviceEdit {
	return func(service *corev1.Service) { service.Spec.Type = of }
}

// selecting selects pods by the label of another Service.
func selecting(label string) serviceEdit {
	return func(service *corev1.Service) { service.Spec.Selector = map[string]string{app: label} }
}

// preferring distributes traffic in a way.
func preferring(distribution string) serviceEdit {
	return func(service *corev1.Service) { service.Spec.TrafficDistribution = &distribution }
}

func annotated(key, value string) serviceEdit {
	return func(service *corev1.Service) { metav1.SetMetaDataAnnotation(&service.ObjectMeta, key, value) }
}

func labelled(key, value string) serviceEdit {
	return func(service *corev1.Service) { metav1.SetMetaDataLabel(&service.ObjectMeta, key, value) }
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package hosts

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Finalizer is the one of all cloud controllers: it keeps a Service that is deleted
// until its load balancer is
// (https://kubernetes.io/docs/tasks/access-application-cluster/create-external-load-balancer/).
const Finalizer = "service.kubernetes.io/load-balancer-cleanup"

// Terms say which Services are the provider's.
type Terms struct {
	// Class is the loadBalancerClass of its Services. Empty means those without one.
	Class string
}

// Ours tells whether a Service is to have a load balancer of the provider.
func (t Terms) Ours(service *corev1.Service) bool {
	return service.Spec.Type == corev1.ServiceTypeLoadBalancer && t.classIsOurs(service)
}

// Foreign tells whether a Service has a load balancer from somebody else.
func (t Terms) Foreign(service *corev1.Service) bool {
	return service.Spec.Type == corev1.ServiceTypeLoadBalancer && !t.classIsOurs(service)
}

func (t Terms) classIsOurs(service *corev1.Service) bool {
	if class := service.Spec.LoadBalancerClass; class != nil {
		return *class == t.Class
	}
	return t.Class == ""
}

// Duty is what is owed to a Service.
type Duty int

// The duties.
const (
	// Nothing: it was never the provider's, or has nothing of it any more.
	Nothing Duty = iota
	// Serve: it is to have its load balancer.
	Serve
	// CleanUp: it is to lose its load balancer and the finalizer.
	CleanUp
)

// Duty returns what is owed to a Service.
//
// Others use the same finalizer. On a Service of a class that is not the provider's it
// may be theirs, which shows when the provider is asked.
func (t Terms) Duty(service *corev1.Service) Duty {
	switch {
	case service.DeletionTimestamp == nil && t.Ours(service):
		return Serve
	case HasFinalizer(service):
		return CleanUp
	default:
		return Nothing
	}
}

// Departed tells that the Service for which the provider was called is gone, or is its
// Service no more, without the finalizer having had a say. service is what is there
// under its name now, nil if there is nothing.
func (t Terms) Departed(record *Record, service *corev1.Service) bool {
	return record != nil && (service == nil || service.UID != record.Service.UID || !t.Matters(service))
}

// Matters tells whether a Service is the provider's or may have been.
func (t Terms) Matters(service *corev1.Service) bool {
	return t.Ours(service) || HasFinalizer(service)
}

// News tells whether an update of a Service is reason to look at it.
func (t Terms) News(before, after *corev1.Service) bool {
	switch {
	case t.Ours(before) != t.Ours(after):
		return true
	case !t.Matters(after):
		return false
	case t.Duty(after) != Serve || !HasFinalizer(after):
		return true
	default:
		return Changed(before, after) || !sameIngress(before.Status.LoadBalancer.Ingress, after.Status.LoadBalancer.Ingress)
	}
}

// HasFinalizer tells whether a Service has the finalizer of cloud controllers.
func HasFinalizer(service *corev1.Service) bool {
	return slices.Contains(service.Finalizers, Finalizer)
}

// Strip returns what matters of a Service: all of one that is or may be the provider's,
// since nobody knows what a provider reads, and next to nothing of others.
func (t Terms) Strip(service *corev1.Service) *corev1.Service {
	service.ManagedFields = nil
	if t.Matters(service) {
		return service
	}
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: service.Namespace, Name: service.Name, UID: service.UID, ResourceVersion: service.ResourceVersion,
		},
		Spec: corev1.ServiceSpec{Type: service.Spec.Type, LoadBalancerClass: service.Spec.LoadBalancerClass},
	}
}

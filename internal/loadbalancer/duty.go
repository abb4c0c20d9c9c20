// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package loadbalancer

import (
	"slices"

	corev1 "k8s.io/api/core/v1"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
)

// Terms say which Services are ours.
type Terms struct {
	// Class is the loadBalancerClass of our Services.
	Class string
	// Default tells that those without a class are ours, too.
	Default bool
}

// Ours tells whether a Service is to have addresses from us.
func (t Terms) Ours(service *corev1.Service) bool {
	if service.Spec.Type != corev1.ServiceTypeLoadBalancer {
		return false
	}
	if service.Spec.LoadBalancerClass == nil {
		return t.Default
	}
	return *service.Spec.LoadBalancerClass == t.Class
}

// Duty is what is owed to a Service.
type Duty int

// The duties.
const (
	// Nothing: it was never ours, or is so no more and has nothing of ours.
	Nothing Duty = iota
	// Serve: it is to have its addresses.
	Serve
	// CleanUp: it is to lose its addresses and our finalizer.
	CleanUp
)

// Duty returns what is owed to a Service. has tells whether the ledger has addresses
// of it: then there is something to clean up even if somebody took our finalizer off.
func (t Terms) Duty(service *corev1.Service, has bool) Duty {
	switch {
	case service.DeletionTimestamp == nil && t.Ours(service):
		return Serve
	case HasFinalizer(service) || has:
		return CleanUp
	default:
		return Nothing
	}
}

// Matters tells whether a Service is ours or may have been.
func (t Terms) Matters(service *corev1.Service) bool {
	return t.Ours(service) || HasFinalizer(service)
}

// HasFinalizer tells whether a Service has our finalizer.
func HasFinalizer(service *corev1.Service) bool {
	return slices.Contains(service.Finalizers, servicenetv1alpha1.LoadBalancerFinalizer)
}

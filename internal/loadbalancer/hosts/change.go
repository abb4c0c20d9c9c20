// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package hosts

import (
	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
)

// Changed tells whether two versions of a Service differ in what load balancers are
// made from: all that the service controller of k8s.io/cloud-provider looks at. Labels,
// the selector and the status are no part of it.
func Changed(before, after *corev1.Service) bool {
	if before.UID != after.UID || !apiequality.Semantic.DeepEqual(before.Annotations, after.Annotations) {
		return true
	}
	return !apiequality.Semantic.DeepEqual(shape(&before.Spec), shape(&after.Spec))
}

// shape returns of a specification what load balancers are made from.
func shape(of *corev1.ServiceSpec) *corev1.ServiceSpec {
	return &corev1.ServiceSpec{
		Type: of.Type, LoadBalancerClass: of.LoadBalancerClass, Ports: of.Ports,
		SessionAffinity: of.SessionAffinity, SessionAffinityConfig: of.SessionAffinityConfig,
		LoadBalancerIP: of.LoadBalancerIP, LoadBalancerSourceRanges: of.LoadBalancerSourceRanges, ExternalIPs: of.ExternalIPs,
		ExternalTrafficPolicy: of.ExternalTrafficPolicy, HealthCheckNodePort: of.HealthCheckNodePort,
		// The first can't change, so that their number says all.
		IPFamilies: of.IPFamilies,
	}
}

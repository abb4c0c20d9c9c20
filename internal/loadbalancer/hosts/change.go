// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package hosts

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
)

// Changed tells whether two versions of a Service differ in what load balancers are
// made from: all that the service controller of k8s.io/cloud-provider looks at. Labels,
// the selector and the status are no part of it.
func Changed(before, after *corev1.Service) bool {
	was, is := &before.Spec, &after.Spec
	return before.UID != after.UID ||
		was.Type != is.Type ||
		was.SessionAffinity != is.SessionAffinity ||
		was.LoadBalancerIP != is.LoadBalancerIP || //nolint:staticcheck // deprecated, and what providers read
		was.ExternalTrafficPolicy != is.ExternalTrafficPolicy ||
		was.HealthCheckNodePort != is.HealthCheckNodePort ||
		len(was.IPFamilies) != len(is.IPFamilies) ||
		!slices.Equal(was.ExternalIPs, is.ExternalIPs) ||
		!slices.Equal(was.LoadBalancerSourceRanges, is.LoadBalancerSourceRanges) ||
		!apiequality.Semantic.DeepEqual(was.LoadBalancerClass, is.LoadBalancerClass) ||
		!apiequality.Semantic.DeepEqual(was.SessionAffinityConfig, is.SessionAffinityConfig) ||
		!apiequality.Semantic.DeepEqual(was.Ports, is.Ports) ||
		!apiequality.Semantic.DeepEqual(before.Annotations, after.Annotations)
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package badinput

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
)

const (
	balancerField = "spec.loadBalancerIP"
	ipsKey        = "metadata.annotations[" + servicenetv1alpha1.LoadBalancerIPsAnnotation + "]"
	poolKey       = "metadata.annotations[" + servicenetv1alpha1.LoadBalancerPoolKey + "]"
	modeKey       = "metadata.annotations[" + servicenetv1alpha1.IPModeAnnotation + "]"
	crossKey      = "metadata.annotations[" + servicenetv1alpha1.SharingCrossNamespaceAnnotation + "]"
)

// balanced returns a Service of the namespace shop that gets addresses of pools.
func balanced(options ...Option) *corev1.Service {
	class := func(s *corev1.Service) { s.Spec.LoadBalancerClass = new(servicenetv1alpha1.LoadBalancerClass) }
	return Make("shop", "web", loadBalancer, append([]Option{class}, options...)...)
}

// wants sets spec.loadBalancerIP.
func wants(address string) Option {
	return func(s *corev1.Service) { s.Spec.LoadBalancerIP = address }
}

// says sets an annotation.
func says(key, value string) Option {
	return func(s *corev1.Service) { metav1.SetMetaDataAnnotation(&s.ObjectMeta, key, value) }
}

// several names addresses in the annotation.
func several(list string) Option { return says(servicenetv1alpha1.LoadBalancerIPsAnnotation, list) }

// bears sets a label.
func bears(key, value string) Option {
	return func(s *corev1.Service) { metav1.SetMetaDataLabel(&s.ObjectMeta, key, value) }
}

// balancerCases are about what a Service asks for of load-balancer addresses.
func balancerCases() []Case {
	return []Case{
		{
			Name: "a load-balancer address outside of its pools", Service: balanced(wants("198.51.100.7")),
			Want: because(invalid, balancerField,
				"is in no pool that serves this Service (shop, shop-more): they have 192.0.2.0-192.0.2.8"),
			Stock: accepted(),
		}, {
			Name: "load-balancer addresses outside of its pools", Service: balanced(several("192.0.2.7,198.51.100.7")),
			Want:  because(invalid, ipsKey, `"198.51.100.7": is in no pool that serves this Service (shop, shop-more)`),
			Stock: accepted(),
		}, {
			Name: "a load-balancer address of an exclusive pool of others", Service: balanced(wants("192.0.2.200")),
			Want:  because(invalid, balancerField, "belongs to a pool that does not serve this Service"),
			Stock: accepted(),
		}, {
			Name: "a load-balancer address that is reserved", Service: balanced(wants("192.0.2.53")),
			Want: because(invalid, balancerField, "is reserved for another Service"), Stock: accepted(),
		}, {
			Name: "a load-balancer address that its pool excludes", Service: balanced(wants("192.0.2.9")),
			Want: because(invalid, balancerField, "is excluded in the pool shop"), Stock: accepted(),
		}, {
			Name:    "a load-balancer address of another pool than it asks for",
			Service: balanced(wants("192.0.2.7"), bears(servicenetv1alpha1.LoadBalancerPoolKey, "shop-more")),
			Want:    because(invalid, balancerField, "is in no pool that serves this Service (shop-more): they have 203.0.113.0/28"),
			Stock:   accepted(),
		},
	}
}

// balancerWritingCases are about how it asks for them.
func balancerWritingCases() []Case {
	return []Case{
		{
			Name: "what is no load-balancer address", Service: balanced(wants("gateway")),
			Want: because(invalid, balancerField, "must be an address"), Stock: accepted(),
		}, {
			Name: "what are no load-balancer addresses", Service: balanced(several("192.0.2.7 192.0.2.8")),
			Want: because(invalid, ipsKey, "must be an address"), Stock: accepted(),
		}, {
			Name: "a load-balancer address of a family that it does not have", Service: balanced(wants("2001:db8::7")),
			Want:  because(invalid, balancerField, "is an IPv6 address, and the Service has none: its families are IPv4"),
			Stock: accepted(),
		}, {
			Name: "load-balancer addresses that contradict each other", Service: balanced(wants("192.0.2.7"), several("192.0.2.8")),
			Want:  because(invalid, balancerField, "is none of the addresses that the annotation"),
			Stock: accepted(),
		}, {
			Name: "two pools of load balancers",
			Service: balanced(says(servicenetv1alpha1.LoadBalancerPoolKey, "shop"),
				bears(servicenetv1alpha1.LoadBalancerPoolKey, "other")),
			Want:  because(invalid, poolKey, "the label of this name says other"),
			Stock: accepted(),
		}, {
			Name:    "a pool of load balancers that can't be",
			Service: balanced(says(servicenetv1alpha1.LoadBalancerPoolKey, "a pool")),
			Want:    because(invalid, poolKey, "is no name that a pool can have"), Stock: accepted(),
		}, {
			Name: "odd annotations of load balancers",
			Service: balanced(says(servicenetv1alpha1.IPModeAnnotation, "NAT"),
				says(servicenetv1alpha1.SharingCrossNamespaceAnnotation, "yes")),
			Want: []metav1.StatusCause{
				{Type: notSupported, Field: modeKey, Message: `"NAT": supported values: "VIP", "Proxy"`},
				{Type: notSupported, Field: crossKey, Message: `"yes": supported values: "true", "false"`},
			},
			Stock: accepted(),
		},
	}
}

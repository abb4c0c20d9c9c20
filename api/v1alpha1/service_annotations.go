// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// LoadBalancerClass is the class of the Services that get their addresses from
// LoadBalancerPools, unless the manager is told another.
const LoadBalancerClass = "servicenet.dev/pool"

// LoadBalancerFinalizer is on Services that have an address of a pool, so that they
// give it back before they go.
const LoadBalancerFinalizer = "servicenet.dev/load-balancer-cleanup"

// Annotations of Services of type LoadBalancer.
const (
	// LoadBalancerIPsAnnotation names the addresses that the Service is to have,
	// separated by commas. It takes the place of spec.loadBalancerIP, which has room
	// for one.
	LoadBalancerIPsAnnotation = "servicenet.dev/load-balancer-ips"
	// LoadBalancerPoolKey names the pool that its addresses are to be of. It may be
	// an annotation or a label.
	LoadBalancerPoolKey = "servicenet.dev/load-balancer-pool"
	// SharingKeyAnnotation lets the Service share addresses with others that have the
	// same key, as long as their ports are different.
	SharingKeyAnnotation = "servicenet.dev/sharing-key"
	// SharingCrossNamespaceAnnotation with the value "true" lets it share them with
	// Services of other namespaces that say so, too.
	SharingCrossNamespaceAnnotation = "servicenet.dev/sharing-cross-namespace"
	// IPModeAnnotation is VIP or Proxy, and goes before the ipMode of the pool.
	IPModeAnnotation = "servicenet.dev/ip-mode"
)

// ConditionAddressAllocated is the type of the condition of Services that says
// whether they have the addresses that they ask for, and if not, why.
const ConditionAddressAllocated = "servicenet.dev/AddressAllocated"

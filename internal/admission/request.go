// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"net/netip"
	"time"

	corev1 "k8s.io/api/core/v1"

	"servicenet.dev/servicenet/internal/pool"
)

// Cluster is which numbers a cluster has to give out, and on what terms. All of
// it must be set, but Balancing.
type Cluster struct {
	Families   pool.Cluster
	ClusterIPs *pool.ClusterIPs
	NodePorts  *pool.NodePorts
	// ExternalIPs is what may be in spec.externalIPs.
	ExternalIPs ExternalIPs
	// Balancing is what Services of type LoadBalancer get.
	Balancing Balancing
	// Now is the time of all this.
	Now time.Time
}

// Request is a Service as a webhook sees it, with the API server's defaults.
type Request struct {
	Service *corev1.Service
	// Old is the Service that is stored, nil when one is created.
	Old *corev1.Service
	// NamespaceLabels are those of its namespace.
	NamespaceLabels map[string]string
	// Exists tells, when one is created, that there is one of this name.
	Exists bool
	// DryRun asks for the answer only. Nothing is to be taken then.
	DryRun bool
	// Final tells that the API server has given its numbers to the Service already,
	// as a validating webhook sees it. In a dry run it made them up.
	Final bool
	// Retained are the numbers that are kept for a Service of this name.
	Retained Retained
	// Used returns how many numbers of a pool with a limit the namespace has, those
	// kept for its deleted Services included. Without it there are no limits.
	Used func(*pool.Pool) int
}

// Retained are numbers that are kept for the name of a Service.
type Retained struct {
	Addresses []netip.Addr
	// Ports are by the name of the Service's port, or pool.HealthCheck.
	Ports map[string][]pool.Port
}

func (r *Request) who() *pool.Who {
	return &pool.Who{
		Namespace: r.Service.Namespace, Name: r.Service.Name,
		NamespaceLabels: r.NamespaceLabels, ServiceLabels: r.Service.Labels,
	}
}

// old returns the spec of the Service that is stored. That of none, or of an
// ExternalName, has no numbers: what an ExternalName has in these fields was never
// given to it.
func (r *Request) old() *corev1.ServiceSpec {
	if r.Old == nil || r.Old.Spec.Type == corev1.ServiceTypeExternalName {
		return &corev1.ServiceSpec{Type: corev1.ServiceTypeExternalName}
	}
	return &r.Old.Spec
}

// addressesOf returns the addresses of a stored Service. One that is older than the
// field clusterIPs has but clusterIP.
func addressesOf(spec *corev1.ServiceSpec) []string {
	if len(spec.ClusterIPs) == 0 && spec.ClusterIP != "" {
		return []string{spec.ClusterIP}
	}
	return spec.ClusterIPs
}

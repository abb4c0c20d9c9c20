// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package pool

import corev1 "k8s.io/api/core/v1"

// Describe lists the addresses of a family that a pool has to give out, for people.
// Without a pool it lists those that the API server accepts.
func (c *ClusterIPs) Describe(p *Pool, family corev1.IPFamily) string {
	return c.realm(family).describe(p)
}

// Describe lists the ports that a pool has to give out, for people. Without a pool
// it lists the range of the cluster.
func (p *NodePorts) Describe(pool *Pool) string { return p.ports.describe(pool) }

func (r *realm[N]) describe(p *Pool) string {
	if p == nil {
		return r.accepted.or("none")
	}
	if h := r.find(p.Name); h != nil {
		return h.own.minus(h.excluded).within(r.accepted).or("none")
	}
	return "none"
}

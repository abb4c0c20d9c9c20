// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package badinput

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
)

// NamespaceLabels returns the labels of a namespace of the table.
func NamespaceLabels(namespace string) map[string]string { return map[string]string{"team": namespace} }

// Namespaces returns the namespaces of the table.
func Namespaces() []string { return []string{"free", "shop", "depot", "small", "full"} }

// ClusterIPPools returns the pools of addresses.
func ClusterIPPools() []*servicenetv1alpha1.ClusterIPPool {
	shop := addresses("shop", "10.96.5.0/24", "fd00::500/120")
	shop.Spec.Exclusions = []string{"10.96.5.9"}
	shop.Spec.Reservations = []servicenetv1alpha1.AddressReservation{{Namespace: "shop", Name: "dns", Addresses: []string{"10.96.5.53"}}}
	depot := addresses("depot", "10.96.6.0/24")
	depot.Spec.Exclusive = true
	small := addresses("small", "10.96.7.0/29")
	small.Spec.LimitPerNamespace = new(int32(1))
	return []*servicenetv1alpha1.ClusterIPPool{shop, depot, small, addresses("full", "10.96.8.8/32")}
}

func addresses(name string, cidrs ...string) *servicenetv1alpha1.ClusterIPPool {
	p := &servicenetv1alpha1.ClusterIPPool{ObjectMeta: metav1.ObjectMeta{Name: name}}
	p.Spec.CIDRs, p.Spec.PoolPolicy = cidrs, policy(name)
	return p
}

// NodePortPools returns the pools of ports.
func NodePortPools() []*servicenetv1alpha1.NodePortPool {
	shop := ports("shop", 30500, 30509)
	shop.Spec.Reservations = []servicenetv1alpha1.PortReservation{{
		Namespace: "shop", Name: "dns", Ports: []servicenetv1alpha1.ReservedPort{{Name: "dns", NodePort: 30503}},
	}}
	depot := ports("depot", 30600, 30609)
	depot.Spec.Exclusive = true
	small := ports("small", 30700, 30709)
	small.Spec.LimitPerNamespace = new(int32(1))
	return []*servicenetv1alpha1.NodePortPool{shop, depot, small, ports("full", 30808, 30808)}
}

func ports(name string, first, last int32) *servicenetv1alpha1.NodePortPool {
	p := &servicenetv1alpha1.NodePortPool{ObjectMeta: metav1.ObjectMeta{Name: name}}
	p.Spec.Ranges, p.Spec.PoolPolicy = []servicenetv1alpha1.PortRange{{First: first, Last: last}}, policy(name)
	return p
}

func policy(team string) servicenetv1alpha1.PoolPolicy {
	return servicenetv1alpha1.PoolPolicy{NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"team": team}}}
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package badinput

import (
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
)

// theShop is a namespace, and the name of its pools.
const theShop = "shop"

// NamespaceLabels returns the labels of a namespace of the table.
func NamespaceLabels(namespace string) map[string]string { return map[string]string{"team": namespace} }

// Namespaces returns the namespaces of the table.
func Namespaces() []string { return []string{"free", theShop, "depot", "small", "full"} }

// ClusterIPPools returns the pools of addresses.
func ClusterIPPools() []*servicenetv1alpha1.ClusterIPPool {
	shop := addresses(theShop, "10.96.5.0/24", "fd00::500/120")
	shop.Spec.Exclusions = []string{"10.96.5.9"}
	shop.Spec.Reservations = []servicenetv1alpha1.AddressReservation{{Namespace: theShop, Name: "dns", Addresses: []string{"10.96.5.53"}}}
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
	shop := ports(theShop, 30500, 30509)
	shop.Spec.Reservations = []servicenetv1alpha1.PortReservation{{
		Namespace: theShop, Name: "dns", Ports: []servicenetv1alpha1.ReservedPort{{Name: "dns", NodePort: 30503}},
	}}
	depot := ports("depot", 30600, 30609)
	depot.Spec.Exclusive = true
	small := ports("small", 30700, 30709)
	small.Spec.LimitPerNamespace = new(int32(1))
	return []*servicenetv1alpha1.NodePortPool{shop, depot, small, ports("full", 30808, 30808)}
}

// LoadBalancerPools returns the pools of load-balancer addresses.
func LoadBalancerPools() []*servicenetv1alpha1.LoadBalancerPool {
	shop := balancers(theShop, "192.0.2.0/24", "2001:db8::/64")
	shop.Spec.Exclusions = []string{"192.0.2.9"}
	shop.Spec.Reservations = []servicenetv1alpha1.AddressReservation{{Namespace: theShop, Name: "vpn", Addresses: []string{"192.0.2.53"}}}
	depot := balancers("depot", "192.0.2.128/25")
	depot.Spec.Exclusive = true
	return []*servicenetv1alpha1.LoadBalancerPool{
		shop, depot, balancers("depot-more", "198.51.100.0/24"), balancers("shop-more", "203.0.113.0/28"),
	}
}

func balancers(name string, addresses ...string) *servicenetv1alpha1.LoadBalancerPool {
	p := &servicenetv1alpha1.LoadBalancerPool{ObjectMeta: metav1.ObjectMeta{Name: name}}
	team, _, _ := strings.Cut(name, "-")
	p.Spec.Addresses, p.Spec.PoolPolicy = addresses, policy(team)
	return p
}

func ports(name string, first, last int32) *servicenetv1alpha1.NodePortPool {
	p := &servicenetv1alpha1.NodePortPool{ObjectMeta: metav1.ObjectMeta{Name: name}}
	p.Spec.Ranges, p.Spec.PoolPolicy = []servicenetv1alpha1.PortRange{{First: first, Last: last}}, policy(name)
	return p
}

func policy(team string) servicenetv1alpha1.PoolPolicy {
	return servicenetv1alpha1.PoolPolicy{NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"team": team}}}
}

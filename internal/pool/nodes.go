// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package pool

import (
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
)

// Node is what pools see of a node that takes traffic of load balancers.
type Node struct {
	Labels    map[string]string
	Addresses []NodeAddress
}

// NodeAddress is an address of a node.
type NodeAddress struct {
	Type    corev1.NodeAddressType
	Address netip.Addr
}

// aboutToGo is the taint of nodes that the cluster autoscaler is about to remove.
const aboutToGo = "ToBeDeletedByClusterAutoscaler"

// NodeOf returns what pools see of a node; false if it takes no traffic of load
// balancers: it is not ready, about to go, or labelled to be left out (KEP-1143).
func NodeOf(node *corev1.Node) (Node, bool) {
	_, leftOut := node.Labels[corev1.LabelNodeExcludeBalancers]
	if leftOut || node.DeletionTimestamp != nil || !isReady(node) ||
		slices.ContainsFunc(node.Spec.Taints, func(taint corev1.Taint) bool { return taint.Key == aboutToGo }) {
		return Node{}, false
	}
	seen := Node{Labels: node.Labels}
	for _, of := range node.Status.Addresses {
		if address, err := parseAddress(of.Address); err == nil {
			seen.Addresses = append(seen.Addresses, NodeAddress{of.Type, address})
		}
	}
	return seen, true
}

func isReady(node *corev1.Node) bool {
	return slices.ContainsFunc(node.Status.Conditions, func(condition corev1.NodeCondition) bool {
		return condition.Type == corev1.NodeReady && condition.Status == corev1.ConditionTrue
	})
}

// nodePicker is which addresses of which nodes a pool has.
type nodePicker struct {
	selector selector
	// types are in the order in which they count.
	types []corev1.NodeAddressType
}

// newNodePicker returns that of a pool, and tells the pool what is wrong.
func newNodePicker(p *Pool, spec *servicenetv1alpha1.LoadBalancerPoolSpec) *nodePicker {
	picker := &nodePicker{types: []corev1.NodeAddressType{corev1.NodeExternalIP, corev1.NodeInternalIP}}
	var err error
	if picker.selector, err = compileSelector(spec.NodeSelector); err != nil {
		p.faultf("nodeSelector: %v", err)
	}
	if len(spec.NodeAddressTypes) > 0 {
		picker.types = nil
	}
	for _, of := range spec.NodeAddressTypes {
		picker.types = append(picker.types, corev1.NodeAddressType(of))
	}
	if len(spec.Exclusions) > 0 || len(spec.Reservations) > 0 || spec.AvoidNetworkAndBroadcast {
		p.faultf("nodeSelector: exclusions, reservations and avoidNetworkAndBroadcast are for pools with addresses")
	}
	if spec.Exclusive || spec.Retain != nil || spec.LimitPerNamespace != nil {
		p.faultf("nodeSelector: exclusive, retain and limitPerNamespace are for pools with addresses")
	}
	return picker
}

// pick returns the addresses of a family that a pool has of nodes, in their order,
// each once.
func (p *nodePicker) pick(nodes []Node, family corev1.IPFamily) []netip.Addr {
	var all []netip.Addr
	for i := range nodes {
		if p.selector.matches(nodes[i].Labels) {
			all = append(all, p.of(&nodes[i], family)...)
		}
	}
	slices.SortFunc(all, netip.Addr.Compare)
	return slices.Compact(all)
}

// of returns the addresses of the first type that a node has any of.
func (p *nodePicker) of(node *Node, family corev1.IPFamily) []netip.Addr {
	for _, wanted := range p.types {
		var found []netip.Addr
		for _, has := range node.Addresses {
			if has.Type == wanted && familyOf(has.Address) == family {
				found = append(found, has.Address)
			}
		}
		if len(found) > 0 {
			return found
		}
	}
	return nil
}

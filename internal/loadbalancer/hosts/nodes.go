// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package hosts

import (
	"cmp"
	"crypto/sha256"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// DeletionTaint is put by the cluster autoscaler on a node that it is about to remove.
const DeletionTaint = "ToBeDeletedByClusterAutoscaler"

// Policy says what of a node is reason to tell the provider.
type Policy struct {
	// Readiness has the provider told when a node becomes ready or ceases to be. The
	// nodes are the same: health checks, not this, keep traffic from a node.
	Readiness bool
}

// ID stands for a set of nodes: two are equal when the provider has nothing to be told
// of the difference.
type ID [sha256.Size]byte

// Set is the nodes that load balancers lead to, by name.
type Set struct {
	Nodes []*corev1.Node
	ID    ID
}

// Of returns the nodes of a cluster that load balancers lead to.
func (p Policy) Of(all []*corev1.Node) Set {
	set := Set{Nodes: slices.DeleteFunc(slices.Clone(all), func(node *corev1.Node) bool { return !Included(node) })}
	slices.SortFunc(set.Nodes, func(a, b *corev1.Node) int { return cmp.Compare(a.Name, b.Name) })
	var marks strings.Builder
	for _, node := range set.Nodes {
		marks.WriteString(p.mark(node) + "\n")
	}
	set.ID = sha256.Sum256([]byte(marks.String()))
	return set
}

// Changed tells whether a change of a node makes another set of it.
func (p Policy) Changed(before, after *corev1.Node) bool {
	return p.mark(before) != p.mark(after)
}

// mark is what counts of a node, as a line; empty if load balancers do not lead to it.
func (p Policy) mark(node *corev1.Node) string {
	if !Included(node) {
		return ""
	}
	mark := node.Name + " " + strconv.Quote(node.Spec.ProviderID)
	if p.Readiness && Ready(node) {
		mark += " ready"
	}
	return mark
}

// Included tells whether load balancers lead to a node: it is not being deleted, is not
// labelled node.kubernetes.io/exclude-from-external-load-balancers (a value that means
// "false" is as none), and the cluster autoscaler is not about to remove it.
func Included(node *corev1.Node) bool {
	if node.DeletionTimestamp != nil {
		return false
	}
	if value, labelled := node.Labels[corev1.LabelNodeExcludeBalancers]; labelled {
		if excluded, err := strconv.ParseBool(value); err != nil || excluded {
			return false
		}
	}
	return !slices.ContainsFunc(node.Spec.Taints, func(taint corev1.Taint) bool { return taint.Key == DeletionTaint })
}

// Ready tells whether a node says that it is.
func Ready(node *corev1.Node) bool {
	return slices.ContainsFunc(node.Status.Conditions, func(condition corev1.NodeCondition) bool {
		return condition.Type == corev1.NodeReady && condition.Status == corev1.ConditionTrue
	})
}

// StripNode takes from a node what no provider has a use for and what is large.
func StripNode(node *corev1.Node) *corev1.Node {
	node.ManagedFields, node.Status.Images = nil, nil
	return node
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoints

import (
	"bytes"
	"hash/fnv"
	"io"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/dump"
)

// Canonical states the same endpoints as the given subsets in the stock layout:
// ports with the same addresses share a subset, no address is listed twice for a
// port, not ready prevails over ready, and everything is in stock order. The
// result shares no list with the argument, but node names and targets.
func Canonical(subsets []corev1.EndpointSubset) []corev1.EndpointSubset {
	grouped, _ := regroup(subsets)
	return inStockOrder(grouped)
}

// inStockOrder sorts the ports of regrouped subsets, then the subsets, in place,
// and returns them. The order has no meaning: it is that of a hash over a dump
// of the Go value, which the stock controller settled on. Other programs compare
// objects as they are, so it is kept.
func inStockOrder(subsets []corev1.EndpointSubset) []corev1.EndpointSubset {
	for i := range subsets {
		sortByHash(subsets[i].Ports)
	}
	sortByHash(subsets)
	return subsets
}

// sortByHash hashes each item once, and none where there is nothing to sort:
// dumping a thousand addresses takes longer than all else in a plan.
func sortByHash[T any](items []T) {
	if len(items) < 2 {
		return
	}
	type hashed struct {
		item T
		hash []byte
	}
	all := make([]hashed, 0, len(items))
	for _, item := range items {
		all = append(all, hashed{item, hash(item)})
	}
	slices.SortFunc(all, func(a, b hashed) int { return bytes.Compare(a.hash, b.hash) })
	for i := range all {
		items[i] = all[i].item
	}
}

func hash(item any) []byte {
	hasher := fnv.New128a()
	_, _ = io.WriteString(hasher, dump.ForHash(item)) // a hash.Hash never fails
	return hasher.Sum(nil)
}

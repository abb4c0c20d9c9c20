// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package hosts

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
)

// asStored returns entries as the API server stores them: those with an IP have a mode.
func asStored(entries []corev1.LoadBalancerIngress) []corev1.LoadBalancerIngress {
	var stored []corev1.LoadBalancerIngress
	for i := range entries {
		entry := *entries[i].DeepCopy()
		if entry.IP != "" && entry.IPMode == nil {
			entry.IPMode = new(corev1.LoadBalancerIPModeVIP)
		}
		stored = append(stored, entry)
	}
	return stored
}

// merge returns a list with all that is wanted: what is there of it keeps its place,
// as does what is neither wanted nor own; own that is not wanted goes.
func merge(list, own, wanted []corev1.LoadBalancerIngress) []corev1.LoadBalancerIngress {
	var merged []corev1.LoadBalancerIngress
	for i := range list {
		switch at := find(wanted, &list[i]); {
		case at >= 0 && find(merged, &list[i]) < 0:
			merged = append(merged, wanted[at])
		case at < 0 && find(own, &list[i]) < 0:
			merged = append(merged, list[i])
		}
	}
	for i := range wanted {
		if find(merged, &wanted[i]) < 0 {
			merged = append(merged, wanted[i])
		}
	}
	return merged
}

// overlap tells whether two lists have an entry in common.
func overlap(a, b []corev1.LoadBalancerIngress) bool {
	return slices.ContainsFunc(a, func(entry corev1.LoadBalancerIngress) bool { return find(b, &entry) >= 0 })
}

// find returns where a list has the address of an entry, -1 if nowhere.
func find(list []corev1.LoadBalancerIngress, entry *corev1.LoadBalancerIngress) int {
	return slices.IndexFunc(list, func(other corev1.LoadBalancerIngress) bool {
		return other.IP == entry.IP && other.Hostname == entry.Hostname
	})
}

func sameIngress(a, b []corev1.LoadBalancerIngress) bool { return apiequality.Semantic.DeepEqual(a, b) }

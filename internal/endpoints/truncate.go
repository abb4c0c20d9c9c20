// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoints

import (
	"math"
	"slices"

	corev1 "k8s.io/api/core/v1"
)

func countAddresses(subsets []corev1.EndpointSubset) int {
	return countListed(subsets, ready) + countListed(subsets, notReady)
}

func countListed(subsets []corev1.EndpointSubset, list addressList) int {
	var count int
	for i := range subsets {
		count += len(*list(&subsets[i]))
	}
	return count
}

// addressList is one of the two lists of a subset.
type addressList func(*corev1.EndpointSubset) *[]corev1.EndpointAddress

func ready(subset *corev1.EndpointSubset) *[]corev1.EndpointAddress { return &subset.Addresses }

func notReady(subset *corev1.EndpointSubset) *[]corev1.EndpointAddress {
	return &subset.NotReadyAddresses
}

// truncate shortens subsets that are in stock order to MaxAddresses in total, in
// place, and returns them: ready addresses stay before others, and each subset
// keeps its share. A subset left without addresses goes, because the API server
// refuses one, and with it the object.
func truncate(subsets []corev1.EndpointSubset) []corev1.EndpointSubset {
	if readyOnes := countListed(subsets, ready); readyOnes > MaxAddresses {
		shorten(subsets, ready, MaxAddresses)
		shorten(subsets, notReady, 0)
	} else {
		shorten(subsets, notReady, MaxAddresses-readyOnes)
	}
	return slices.DeleteFunc(subsets, func(subset corev1.EndpointSubset) bool {
		return len(subset.Addresses)+len(subset.NotReadyAddresses) == 0
	})
}

// shorten cuts one list of all subsets to a length in total that is not above
// what there is. Shares are rounded up, so the last subsets may get less than
// theirs.
func shorten(subsets []corev1.EndpointSubset, list addressList, room int) {
	total := max(countListed(subsets, list), 1) // of nothing, any share is nothing
	left := room
	for i := range subsets {
		addresses := list(&subsets[i])
		// In floating point a share may round up where the exact one is whole. The
		// stock controller computes it so, and must get the same.
		share := math.Ceil(float64(len(*addresses)) / float64(total) * float64(room))
		keep := min(int(share), left)
		*addresses = (*addresses)[:keep]
		left -= keep
	}
}

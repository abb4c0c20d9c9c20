// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package pool

import (
	"slices"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
)

// directory finds the pools that may serve a Service without a look at each. It
// knows a pool by its index, and files it under a label that a namespace or a
// Service must have to be served.
type directory struct {
	namespaces, services index
	// rest is the pools that no single label leads to.
	rest []int
}

// index is pools by a label that is needed.
type index struct {
	pairs map[pair][]int
	keys  map[string][]int
}

type pair struct {
	key, value string
}

func newDirectory(pools []*Pool) *directory {
	d := &directory{namespaces: newIndex(), services: newIndex()}
	for i, p := range pools {
		if !d.namespaces.file(p.namespaces, i) && !d.services.file(p.services, i) {
			d.rest = append(d.rest, i)
		}
	}
	return d
}

func newIndex() index { return index{pairs: map[pair][]int{}, keys: map[string][]int{}} }

// file files a pool under a label that its selector needs, if there is one.
func (x index) file(selector labels.Selector, pool int) bool {
	if selector == nil {
		return false
	}
	requirements, _ := selector.Requirements()
	for i := range requirements {
		key := requirements[i].Key()
		switch requirements[i].Operator() {
		case selection.In, selection.Equals, selection.DoubleEquals:
			for value := range requirements[i].Values() {
				x.pairs[pair{key, value}] = append(x.pairs[pair{key, value}], pool)
			}
			return true
		case selection.Exists:
			x.keys[key] = append(x.keys[key], pool)
			return true
		default:
			// A label that must not be there leads nowhere.
		}
	}
	return false
}

// find appends the pools filed under one of the labels.
func (x index) find(found []int, set map[string]string) []int {
	for key, value := range set {
		found = append(found, x.pairs[pair{key, value}]...)
		found = append(found, x.keys[key]...)
	}
	return found
}

// find returns the pools that may serve a Service, each once, in their order.
func (d *directory) find(who *Who) []int {
	found := d.namespaces.find(nil, who.NamespaceLabels)
	found = d.services.find(found, who.ServiceLabels)
	if len(found) == 0 {
		return d.rest
	}
	found = append(found, d.rest...)
	slices.Sort(found)
	return found
}

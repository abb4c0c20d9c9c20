// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package pool

import "slices"

// directory finds the pools that serve a Service without a look at each. It knows
// a pool by its index, and files it under a label that a namespace or a Service
// must have to be served.
type directory struct {
	pools                []*Pool
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
	d := &directory{pools: pools, namespaces: newIndex(), services: newIndex()}
	for i, p := range pools {
		if !d.namespaces.file(p.namespaces, i) && !d.services.file(p.services, i) {
			d.rest = append(d.rest, i)
		}
	}
	return d
}

func newIndex() index { return index{pairs: map[pair][]int{}, keys: map[string][]int{}} }

// file files a pool under a label that its selector needs, if there is one.
func (x index) file(s selector, pool int) bool {
	i := slices.IndexFunc(s, func(r requirement) bool { return !r.not })
	if i < 0 {
		return false
	}
	key := s[i].key
	if len(s[i].values) == 0 {
		x.keys[key] = append(x.keys[key], pool)
	}
	for _, value := range s[i].values {
		x.pairs[pair{key, value}] = append(x.pairs[pair{key, value}], pool)
	}
	return true
}

// find appends the pools filed under one of the labels.
func (x index) find(found []int, set map[string]string) []int {
	for key, value := range set {
		found = append(found, x.pairs[pair{key, value}]...)
		found = append(found, x.keys[key]...)
	}
	return found
}

// candidates returns the pools that may serve a Service, each once, in their order.
func (d *directory) candidates(who *Who) []int {
	found := d.namespaces.find(nil, who.NamespaceLabels)
	found = d.services.find(found, who.ServiceLabels)
	if len(found) == 0 {
		return d.rest
	}
	found = append(found, d.rest...)
	slices.Sort(found)
	return found
}

// serving returns the pools that serve a Service, in their order.
func (d *directory) serving(who *Who) []int {
	found := d.candidates(who)
	serving := make([]int, 0, len(found))
	for _, i := range found {
		if d.pools[i].serves(who) {
			serving = append(serving, i)
		}
	}
	return serving
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"maps"

	"k8s.io/apimachinery/pkg/types"
)

// selectors find the Services that select a pod, without a look at the others. A
// Service is filed under one label of its selector, which a pod that it selects has
// to bear: the one under which the fewest others of the namespace are filed, so that
// a label that all of them share does not bring them together.
type selectors struct {
	filed   map[types.NamespacedName]filing
	drawers map[drawer]map[types.NamespacedName]map[string]string // selectors by their Service
}

// drawer is where the Services with a label in their selector are filed.
type drawer struct{ namespace, key, value string }

// filing is how a Service is filed.
type filing struct {
	in       drawer
	selector map[string]string
}

func newSelectors() selectors {
	return selectors{filed: map[types.NamespacedName]filing{}, drawers: map[drawer]map[types.NamespacedName]map[string]string{}}
}

// file files a Service by its selector, which is not empty, or files it anew if that
// has changed.
func (s *selectors) file(service types.NamespacedName, selector map[string]string) {
	if maps.Equal(s.filed[service].selector, selector) {
		return
	}
	s.remove(service)
	in, fewest := drawer{}, -1
	for key, value := range selector {
		d := drawer{namespace: service.Namespace, key: key, value: value}
		if n := len(s.drawers[d]); fewest < 0 || n < fewest {
			in, fewest = d, n
		}
	}
	if s.drawers[in] == nil {
		s.drawers[in] = map[types.NamespacedName]map[string]string{}
	}
	s.drawers[in][service] = selector
	s.filed[service] = filing{in: in, selector: selector}
}

func (s *selectors) remove(service types.NamespacedName) {
	in := s.filed[service].in
	delete(s.filed, service)
	delete(s.drawers[in], service)
	if len(s.drawers[in]) == 0 {
		delete(s.drawers, in)
	}
}

// selecting returns the Services whose selector matches a pod's labels, in no order.
func (s *selectors) selecting(namespace string, labels map[string]string) []types.NamespacedName {
	var found []types.NamespacedName
	for key, value := range labels {
		for service, selector := range s.drawers[drawer{namespace: namespace, key: key, value: value}] {
			if matches(selector, labels) {
				found = append(found, service)
			}
		}
	}
	return found
}

func matches(selector, labels map[string]string) bool {
	for key, value := range selector {
		if got, found := labels[key]; !found || got != value {
			return false
		}
	}
	return true
}

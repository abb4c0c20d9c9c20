// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"
)

func TestSelectorsFindServices(t *testing.T) {
	s := newSelectors()
	s.file(simKey("shop", "web"), map[string]string{"app": "web"})
	s.file(simKey("shop", "web-stable"), map[string]string{"app": "web", "track": "stable"})
	s.file(simKey("shop", "stable"), map[string]string{"track": "stable"})
	s.file(simKey("other", "web"), map[string]string{"app": "web"})
	s.file(simKey("shop", "moved"), map[string]string{"app": "web"})
	s.file(simKey("shop", "moved"), map[string]string{"app": "db"})
	s.file(simKey("shop", "gone"), map[string]string{"app": "web"})
	s.remove(simKey("shop", "gone"))
	s.remove(simKey("shop", "never there"))
	for name, test := range map[string]struct {
		labels map[string]string
		want   []string
	}{
		"none":              {nil, nil},
		"one":               {map[string]string{"app": "web"}, []string{"web"}},
		"all":               {map[string]string{"app": "web", "track": "stable", "x": "y"}, []string{"stable", "web", "web-stable"}},
		"the new selector":  {map[string]string{"app": "db"}, []string{"moved"}},
		"same key":          {map[string]string{"app": "cache"}, nil},
		"half of two pairs": {map[string]string{"track": "stable"}, []string{"stable"}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, namesSelecting(t, &s, test.labels)); diff != "" {
				t.Errorf("services (-want +got):\n%s", diff)
			}
		})
	}
}

func namesSelecting(t *testing.T, s *selectors, labels map[string]string) []string {
	t.Helper()
	var names []string
	for _, key := range s.selecting("shop", labels) {
		if key.Namespace != "shop" {
			t.Errorf("found %s", key)
		}
		names = append(names, key.Name)
	}
	slices.Sort(names)
	return names
}

// Labels that many selectors have in common bring few Services together, as long as
// another label tells them apart.
func TestServicesAreFiledUnderARareLabel(t *testing.T) {
	s := newSelectors()
	for i := range 1000 {
		s.file(simKey("shop", strconv.Itoa(i)), map[string]string{"a-team": "a", "app": strconv.Itoa(i), "tier": strconv.Itoa(i % 3), "zone": "z"})
	}
	for in, services := range s.drawers {
		if len(services) > 1 {
			t.Errorf("%d Services are filed under %v", len(services), in)
		}
	}
}

// After any changes, the Services found are those whose selector matches, and nothing
// is left of those that went.
func TestSelectorsFollowServices(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	someLabels := func(most int) map[string]string {
		labels := map[string]string{}
		for range 1 + random.IntN(most) {
			labels[fmt.Sprint("key-", random.IntN(4))] = strconv.Itoa(random.IntN(3))
		}
		return labels
	}
	s, known := newSelectors(), map[types.NamespacedName]map[string]string{}
	for range 2000 {
		key := simKey("shop", strconv.Itoa(random.IntN(40)))
		if random.IntN(3) == 0 {
			s.remove(key)
			delete(known, key)
		} else {
			known[key] = someLabels(3)
			s.file(key, known[key])
		}
		labels := someLabels(4)
		var want []string
		for service, selector := range known {
			if matches(selector, labels) {
				want = append(want, service.Name)
			}
		}
		slices.Sort(want)
		if diff := cmp.Diff(want, namesSelecting(t, &s, labels)); diff != "" {
			t.Fatalf("services (-want +got):\n%s", diff)
		}
	}
	for key := range maps.Clone(known) {
		s.remove(key)
	}
	if len(s.filed) > 0 || len(s.drawers) > 0 {
		t.Errorf("%d Services and %d drawers are left", len(s.filed), len(s.drawers))
	}
}

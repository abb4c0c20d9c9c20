// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package endpointslice

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	corev1 "k8s.io/api/core/v1"
)

func TestAutoTopology(t *testing.T) {
	const newer, older = corev1.AnnotationTopologyMode, corev1.DeprecatedAnnotationTopologyAwareHints
	for name, test := range map[string]struct {
		options []serviceOption
		want    bool
	}{
		"no annotation":            {nil, false},
		"Auto":                     {[]serviceOption{withAnnotation(newer, "Auto")}, true},
		"auto":                     {[]serviceOption{withAnnotation(newer, "auto")}, true},
		"AUTO":                     {[]serviceOption{withAnnotation(newer, "AUTO")}, false},
		"Disabled":                 {[]serviceOption{withAnnotation(newer, "Disabled")}, false},
		"older Auto":               {[]serviceOption{withAnnotation(older, "Auto")}, true},
		"older auto":               {[]serviceOption{withAnnotation(older, "auto")}, true},
		"older wins with Auto":     {[]serviceOption{withAnnotation(older, "Auto"), withAnnotation(newer, "Disabled")}, true},
		"older wins with Disabled": {[]serviceOption{withAnnotation(older, "Disabled"), withAnnotation(newer, "Auto")}, false},
		"older wins when empty":    {[]serviceOption{withAnnotation(older, ""), withAnnotation(newer, "Auto")}, false},
		"a distribution is no ask": {[]serviceOption{withTrafficDistribution("PreferClose")}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := AutoTopology(makeService(test.options...)); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestSharesOfNodes(t *testing.T) {
	noCondition := func(n *corev1.Node) { n.Status.Conditions = nil }
	noLabel := func(n *corev1.Node) { n.Labels = nil }
	noCPU := func(n *corev1.Node) { n.Status.Allocatable = nil }
	a, b := makeNode("a", "zone-a", 1000), makeNode("b", "zone-b", 3000)
	for name, test := range map[string]struct {
		nodes  []*corev1.Node
		want   map[string]float64
		reason string // part of it
	}{
		"two zones":                     {[]*corev1.Node{a, b}, map[string]float64{"zone-a": 0.25, "zone-b": 0.75}, ""},
		"nodes of a zone add up":        {[]*corev1.Node{a, b, makeNode("c", "zone-a", 2000)}, map[string]float64{"zone-a": 0.5, "zone-b": 0.5}, ""},
		"three zones":                   {[]*corev1.Node{a, b, makeNode("c", "zone-c", 4000)}, map[string]float64{"zone-a": 0.125, "zone-b": 0.375, "zone-c": 0.5}, ""},
		"unready nodes do not count":    {[]*corev1.Node{a, b, makeNode("c", "zone-c", 4000, nodeUnready)}, map[string]float64{"zone-a": 0.25, "zone-b": 0.75}, ""},
		"nor those of unknown state":    {[]*corev1.Node{a, b, makeNode("c", "zone-c", 4000, noCondition)}, map[string]float64{"zone-a": 0.25, "zone-b": 0.75}, ""},
		"nor the control plane":         {[]*corev1.Node{a, b, makeNode("c", "zone-c", 4000, withNodeLabel("node-role.kubernetes.io/control-plane"))}, map[string]float64{"zone-a": 0.25, "zone-b": 0.75}, ""},
		"nor the old master":            {[]*corev1.Node{a, b, makeNode("c", "zone-c", 4000, withNodeLabel("node-role.kubernetes.io/master"))}, map[string]float64{"zone-a": 0.25, "zone-b": 0.75}, ""},
		"zoneless control plane":        {[]*corev1.Node{a, b, makeNode("c", "", 0, withNodeLabel("node-role.kubernetes.io/control-plane"))}, map[string]float64{"zone-a": 0.25, "zone-b": 0.75}, ""},
		"zoneless, not ready":           {[]*corev1.Node{a, b, makeNode("c", "", 0, nodeUnready)}, map[string]float64{"zone-a": 0.25, "zone-b": 0.75}, ""},
		"node without a zone":           {[]*corev1.Node{a, b, makeNode("c", "zone-c", 1, noLabel)}, nil, "node c has no label topology.kubernetes.io/zone"},
		"node with an empty zone":       {[]*corev1.Node{a, b, makeNode("c", "", 1)}, nil, "node c has no label topology.kubernetes.io/zone"},
		"node without CPU":              {[]*corev1.Node{a, b, makeNode("c", "zone-c", 1, noCPU)}, nil, "node c reports no allocatable CPU"},
		"node with no CPU left":         {[]*corev1.Node{a, b, makeNode("c", "zone-c", 0)}, nil, "node c reports no allocatable CPU"},
		"the first by name is named":    {[]*corev1.Node{makeNode("d", "", 1), makeNode("c", "", 1), a, b}, nil, "node c has"},
		"one zone":                      {[]*corev1.Node{a, makeNode("c", "zone-a", 1000)}, nil, "ready nodes in 1 zones, and 2 are needed"},
		"one zone with the others gone": {[]*corev1.Node{a, makeNode("b", "zone-b", 1000, nodeUnready)}, nil, "ready nodes in 1 zones, and 2 are needed"},
		"no node":                       {nil, nil, "ready nodes in 0 zones, and 2 are needed"},
	} {
		t.Run(name, func(t *testing.T) {
			got := SharesOf(test.nodes)
			if diff := cmp.Diff(test.want, got.shares, cmpopts.EquateApprox(0, 1e-9)); diff != "" {
				t.Errorf("shares (-want +got):\n%s", diff)
			}
			if (got.obstacle.reason == "") != (test.reason == "") || !strings.Contains(got.obstacle.reason, test.reason) {
				t.Errorf("the reason is %q, want one with %q", got.obstacle.reason, test.reason)
			}
			reversed := slices.Clone(test.nodes)
			slices.Reverse(reversed)
			if !SharesOf(reversed).Equal(got) {
				t.Error("the order of the nodes changes the shares")
			}
		})
	}
}

func TestSharesAreEqualWhenTheySayTheSame(t *testing.T) {
	for name, test := range map[string]struct {
		a, b ZoneShares
		want bool
	}{
		"same shares":             {makeShares(1000, 1000), makeShares(2000, 2000), true},
		"other shares":            {makeShares(1000, 1000), makeShares(1000, 2000), false},
		"other zones":             {makeShares(1000, 1000), makeShares(1000, 1000, 1000), false},
		"same reason":             {makeShares(1000), makeShares(2000), true},
		"other reason":            {makeShares(1000), makeShares(), false},
		"known and unknown":       {makeShares(1000, 1000), makeShares(1000), false},
		"nothing known, a reason": {ZoneShares{}, makeShares(), false},
		"nothing known":           {ZoneShares{}, ZoneShares{}, true},
	} {
		if got := test.a.Equal(test.b); got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package convert

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestOnlyPoolsThatGiveNothingUnaskedSaySo(t *testing.T) {
	for value, want := range map[string]*bool{
		"": nil, ", autoAssign: true": nil, ", autoAssign: false": new(false),
	} {
		r := From(MetalLB, objects(t, metalPool("one", "addresses: [192.0.2.0/24]"+value)))
		if diff := cmp.Diff(want, r.Pools[0].Spec.AutoAssign); diff != "" {
			t.Errorf("%q (-want +got):\n%s", value, diff)
		}
	}
}

func TestHowPoolsOfMetalLBAreAnnouncedIsTold(t *testing.T) {
	for spec, want := range map[string]int{
		"": 0, ", protocol: layer2": 1, ", bgpAdvertisements: [{localPref: 100}]": 1,
	} {
		r := From(MetalLB, objects(t, metalPool("one", "addresses: [192.0.2.0/24]"+spec)))
		if len(r.Notes) != want || len(lost(r)) > 0 {
			t.Errorf("%q: got %v, want %d", spec, r.Notes, want)
		}
	}
}

// TestAPoolOfNobodyYetIsNotEverybodys has selectors of which one of ours can't be made, and
// that pick no namespace.
func TestAPoolOfNobodyYetIsNotEverybodys(t *testing.T) {
	r := From(MetalLB, objects(t,
		"{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {team: shop}}}",
		metalPool("one", "addresses: [192.0.2.0/24], serviceAllocation: {namespaceSelectors: "+
			"[{matchLabels: {team: a}}, {matchLabels: {stage: b}}]}"),
	))
	want := &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{
		{Key: "pool.servicenet.dev/one", Operator: metav1.LabelSelectorOpExists},
	}}
	if diff := cmp.Diff(want, r.Pools[0].Spec.NamespaceSelector); diff != "" {
		t.Errorf("whom it serves (-want +got):\n%s", diff)
	}
	if len(lost(r)) != 1 {
		t.Errorf("got %v", r.Notes)
	}
}

func TestOfTwoServicesWithOneAddressTheOlderKeepsIt(t *testing.T) {
	made := func(when string) string { return ", creationTimestamp: " + when }
	r := From(MetalLB, objects(t, metalPool("one", "addresses: [192.0.2.0/24]"),
		service("a", made("2026-08-02T00:00:00Z"), "", "192.0.2.1"), service("z", made("2026-08-01T00:00:00Z"), "", "192.0.2.1"),
	))
	if got := lost(r); len(got) != 1 || !strings.HasPrefix(got[0], "Service a/web") {
		t.Errorf("got %v", got)
	}
}

func TestServicesOfOtherGroupsAreNone(t *testing.T) {
	other := strings.Replace(service("shop", "", "", "203.0.113.9"), "apiVersion: v1", "apiVersion: serving.example/v1", 1)
	r := From(MetalLB, objects(t, metalPool("one", "addresses: [192.0.2.0/24]"), other))
	if len(r.Notes)+len(r.Edits) > 0 {
		t.Errorf("got %v, %v", r.Notes, r.Edits)
	}
	core := From(MetalLB, objects(t, metalPool("one", "addresses: [192.0.2.0/24]"), service("shop", "", "", "203.0.113.9")))
	if len(core.Notes) != 1 {
		t.Errorf("one of the core: got %v", core.Notes)
	}
}

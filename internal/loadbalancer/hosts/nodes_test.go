// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package hosts

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func node(name string, changes ...func(*corev1.Node)) *corev1.Node {
	node := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{}},
		Spec:       corev1.NodeSpec{ProviderID: "cloud://" + name},
	}
	ready(corev1.ConditionTrue)(node)
	for _, change := range changes {
		change(node)
	}
	return node
}

func ready(status corev1.ConditionStatus) func(*corev1.Node) {
	return func(n *corev1.Node) {
		n.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: status}}
	}
}

func excluded(value string) func(*corev1.Node) {
	return func(n *corev1.Node) { n.Labels[corev1.LabelNodeExcludeBalancers] = value }
}

func tainted(key string) func(*corev1.Node) {
	return func(n *corev1.Node) { n.Spec.Taints = []corev1.Taint{{Key: key}} }
}

func leaving(n *corev1.Node) { n.DeletionTimestamp = new(metav1.NewTime(time.Unix(1, 0))) }

func TestSetHasTheNodesThatBalancersLeadTo(t *testing.T) {
	t.Parallel()
	all := []*corev1.Node{
		node("j-plain"), node("i-excluded", excluded("")), node("h-excluded", excluded("true")), node("g-excluded", excluded("yes, please")),
		node("f-not-excluded", excluded("false")), node("e-going", tainted(DeletionTaint)), node("d-tainted", tainted("example.com/x")),
		node("c-deleted", leaving), node("b-not-ready", ready(corev1.ConditionFalse)),
		node("a-no-provider-id", func(n *corev1.Node) { n.Spec.ProviderID = "" }),
	}
	before := slices.Clone(all)
	var got []string
	for _, node := range (Policy{}).Of(all).Nodes {
		got = append(got, node.Name)
	}
	want := []string{"a-no-provider-id", "b-not-ready", "d-tainted", "f-not-excluded", "j-plain"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("nodes (-want +got):\n%s", diff)
	}
	if !slices.Equal(before, all) {
		t.Error("the list that was given is another now")
	}
}

// A change of one node is told exactly when it makes another set of all of them.
func TestNodesChangeTheSet(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change        func(*corev1.Node)
		want, reports bool // without and with the option that tells of readiness
	}{
		"nothing":                     {func(*corev1.Node) {}, false, false},
		"another label":               {func(n *corev1.Node) { n.Labels["x"] = "y" }, false, false},
		"a heartbeat":                 {func(n *corev1.Node) { n.Status.Conditions[0].LastHeartbeatTime = metav1.NewTime(time.Unix(9, 0)) }, false, false},
		"another taint":               {tainted("example.com/x"), false, false},
		"a label that excludes it":    {excluded("true"), true, true},
		"a label that says it is not": {excluded("false"), false, false},
		"the autoscaler's taint":      {tainted(DeletionTaint), true, true},
		"deletion":                    {leaving, true, true},
		"the provider's ID":           {func(n *corev1.Node) { n.Spec.ProviderID = "cloud://new" }, true, true},
		"no provider's ID":            {func(n *corev1.Node) { n.Spec.ProviderID = "" }, true, true},
		"not ready":                   {ready(corev1.ConditionFalse), false, true},
		"not known to be ready":       {ready(corev1.ConditionUnknown), false, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for policy, want := range map[Policy]bool{{}: test.want, {Readiness: true}: test.reports} {
				before, after := node("b"), node("b", test.change)
				if got := policy.Changed(before, after); got != want {
					t.Errorf("%+v: told %v, want %v", policy, got, want)
				}
				was, is := policy.Of([]*corev1.Node{node("a"), before}), policy.Of([]*corev1.Node{after, node("a")})
				if got := was.ID != is.ID; got != want {
					t.Errorf("%+v: another set %v, want %v", policy, got, want)
				}
			}
		})
	}
}

func TestReadinessOfANodeLeftOutIsNotTold(t *testing.T) {
	t.Parallel()
	before, after := node("a", excluded("true")), node("a", excluded("true"), ready(corev1.ConditionFalse))
	if (Policy{Readiness: true}).Changed(before, after) {
		t.Error("the provider is told of a node that it is not to use")
	}
}

func TestStripNodeKeepsWhatProvidersRead(t *testing.T) {
	t.Parallel()
	kept := StripNode(node("a", func(n *corev1.Node) {
		n.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "x"}}
		n.Status.Images = []corev1.ContainerImage{{SizeBytes: 1}}
		n.Status.Addresses = []corev1.NodeAddress{{Address: "10.0.0.1"}}
	}))
	if kept.ManagedFields != nil || kept.Status.Images != nil {
		t.Error("what nobody reads is kept")
	}
	if kept.Spec.ProviderID == "" || len(kept.Status.Addresses) != 1 || !Ready(kept) {
		t.Errorf("kept %+v", kept)
	}
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/ledger/store"
	"servicenet.dev/servicenet/internal/standby"
)

// statusOf reads a table of a cluster with some objects, and writes it.
func statusOf(t *testing.T, namespace, table string, objects ...client.Object) string {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, coordinationv1.AddToScheme, servicenetv1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	byName := func(object client.Object) []string { return []string{object.GetName()} }
	api := fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).
		WithIndex(&coordinationv1.Lease{}, "metadata.name", byName).Build()
	rows, err := (&statusReader{api: api, in: client.InNamespace(namespace)}).read(t.Context(), table)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := writeTable(&out, rows); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func leaseOf(namespace, name, holder string, labels map[string]string) *coordinationv1.Lease {
	return &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: labels},
		Spec:       coordinationv1.LeaseSpec{HolderIdentity: &holder},
	}
}

func asking(namespace string, record standby.Record) *corev1.Service {
	return &corev1.Service{ObjectMeta: metav1.ObjectMeta{
		Namespace: namespace, Name: standby.ServiceName, Labels: map[string]string{standby.QuestionLabel: "w"},
		Annotations: map[string]string{standby.RecordAnnotation: record.String()},
	}}
}

func TestStatusOfReplicas(t *testing.T) {
	holder := map[string]string{store.LeaseLabel: "a"}
	objects := []client.Object{
		leaseOf("net", leaderElectionID, "one_1", nil), leaseOf("net", "x", "", holder), leaseOf("net", "y", "", holder),
		leaseOf("other", "z", "", holder), leaseOf("kube-system", "kube-controller-manager", "c", nil), asking("net", nil),
	}
	want := strings.TrimLeft(`
NAMESPACE  LEADER  REPLICAS  ENDPOINTS-MODE
net        one_1   2         auto
other      -       1         on-or-off
`, "\n")
	if diff := cmp.Diff(want, statusOf(t, "", replicasTable, objects...)); diff != "" {
		t.Errorf("of all namespaces (-want +got):\n%s", diff)
	}
	if got := statusOf(t, "other", replicasTable, objects...); strings.Contains(got, "net ") || !strings.Contains(got, "other ") {
		t.Errorf("of one namespace:\n%s", got)
	}
}

func TestStatusOfEndpoints(t *testing.T) {
	record := standby.Record{
		"endpointslice": {Decision: standby.Decision{Acts: true, Reason: standby.NobodyElse, Message: "nobody else"}, Since: "2026-01-01T00:00:00Z"},
		"endpoints":     {Decision: standby.Decision{Reason: standby.SomebodyElse, Message: "somebody else"}},
	}
	want := strings.TrimLeft(`
NAMESPACE  CONTROLLER     ACTS   REASON        SINCE                 MESSAGE
net        endpoints      false  SomebodyElse  -                     somebody else
net        endpointslice  true   NobodyElse    2026-01-01T00:00:00Z  nobody else
`, "\n")
	if diff := cmp.Diff(want, statusOf(t, "", endpointsTable, asking("net", record))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestStatusOfPools(t *testing.T) {
	ready := []metav1.Condition{{Type: "Ready", Status: metav1.ConditionTrue}}
	objects := []client.Object{
		&servicenetv1alpha1.ClusterIPPool{
			ObjectMeta: metav1.ObjectMeta{Name: "team"},
			Status:     servicenetv1alpha1.ClusterIPPoolStatus{Total: "254/65535", Used: "3/0", Free: "251/65535", Conditions: ready},
		},
		&servicenetv1alpha1.NodePortPool{
			ObjectMeta: metav1.ObjectMeta{Name: "low"},
			Status:     servicenetv1alpha1.NodePortPoolStatus{Capacity: new(int32(100)), Used: new(int32(0))},
		},
		&servicenetv1alpha1.LoadBalancerPool{ObjectMeta: metav1.ObjectMeta{Name: "edge"}},
	}
	want := strings.TrimLeft(`
KIND              POOL  TOTAL      USED  FREE       READY
ClusterIPPool     team  254/65535  3/0   251/65535  True
NodePortPool      low   100        0     -          -
LoadBalancerPool  edge  -          -     -          -
`, "\n")
	if diff := cmp.Diff(want, statusOf(t, "", poolsTable, objects...)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestStatusRefusesWrongArguments(t *testing.T) {
	for args, want := range map[string]string{"status nodes": `"nodes"`, "status --all": "--all"} {
		var stdout, stderr bytes.Buffer
		if code := run(t.Context(), strings.Fields(args), &stdout, &stderr); code != exitUsage || !strings.Contains(stderr.String(), want) {
			t.Errorf("%s: exit code %d, %q", args, code, stderr.String())
		}
	}
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"status", "--help"}, &stdout, &stderr); code != exitOK || !strings.Contains(stdout.String(), "--no-headers") {
		t.Errorf("help: exit code %d, %q", code, stdout.String())
	}
}

func TestStatusInAPodLooksInItsOwnNamespace(t *testing.T) {
	for set, want := range map[string]string{"": "", "system": "system"} {
		t.Setenv("POD_NAMESPACE", set)
		if got := newInquiry().namespace; got != want {
			t.Errorf("$POD_NAMESPACE=%q: looks in %q", set, got)
		}
	}
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"servicenet.dev/servicenet/internal/ledger/store"
	"servicenet.dev/servicenet/internal/standby"
)

func TestCleanupLooksWhereConfigDefaultInstalls(t *testing.T) {
	t.Setenv("POD_NAMESPACE", "")
	got := newCleanup()
	if err := got.parse(nil); err != nil || got.namespace != "servicenet-system" || got.prefix != "servicenet-" {
		t.Errorf("namespace %q, prefix %q, error %v", got.namespace, got.prefix, err)
	}
	if err := got.parse([]string{"--namespace=other", "--name-prefix="}); err != nil || got.namespace != "other" || got.prefix != "" {
		t.Errorf("namespace %q, prefix %q, error %v", got.namespace, got.prefix, err)
	}
}

func TestCleanupRefusesWrongArguments(t *testing.T) {
	for _, args := range []string{"cleanup now", "cleanup --timeout=10ms", "cleanup --namespace=Not_A_Name", "cleanup --no-such-flag"} {
		var stdout, stderr bytes.Buffer
		if code := run(t.Context(), strings.Fields(args), &stdout, &stderr); code != exitUsage {
			t.Errorf("%s: exit code %d, want %d", args, code, exitUsage)
		}
		if !strings.Contains(stderr.String(), "manager cleanup --help") {
			t.Errorf("%s: %q does not say where help is", args, stderr.String())
		}
	}
}

func TestCleanupHelps(t *testing.T) {
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"cleanup", "--help"}, &stdout, &stderr); code != exitOK || stderr.Len() > 0 {
		t.Fatalf("exit code %d, on stderr %q", code, stderr.String())
	}
	for _, word := range []string{"manager cleanup [flags]", "--namespace ", "--timeout "} {
		if !strings.Contains(stdout.String(), word) {
			t.Errorf("%q is missing", word)
		}
	}
}

func lease(name, version string) coordinationv1.Lease {
	return coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Name: name, ResourceVersion: version},
		Spec:       coordinationv1.LeaseSpec{HolderIdentity: &name},
	}
}

func TestReplicasRunUntilTheirLeaseIsSilent(t *testing.T) {
	start := time.Unix(0, 0)
	seen := sightings{}
	for _, look := range []struct {
		after  time.Duration
		leases []coordinationv1.Lease
		want   []string
	}{
		{0, []coordinationv1.Lease{lease("a", "1"), lease("b", "1")}, []string{"a", "b"}},
		{silence - 1, []coordinationv1.Lease{lease("a", "1"), lease("b", "2")}, []string{"a", "b"}},
		{silence, []coordinationv1.Lease{lease("a", "1"), lease("b", "2")}, []string{"b"}},
		{2*silence - 2, []coordinationv1.Lease{lease("a", "1"), lease("b", "2")}, []string{"b"}},
		{2*silence - 1, []coordinationv1.Lease{lease("a", "1"), lease("b", "2")}, nil},
		{3 * silence, []coordinationv1.Lease{lease("a", "2")}, []string{"a"}},
		{4 * silence, nil, nil},
	} {
		if diff := cmp.Diff(look.want, seen.look(look.leases, start.Add(look.after))); diff != "" {
			t.Errorf("after %s (-want +got):\n%s", look.after, diff)
		}
	}
}

func TestOnlyLeasesOfTheManagerAreItsOwn(t *testing.T) {
	ofReplica, leader, other := lease("x", ""), lease(leaderElectionID, ""), lease("other", "")
	ofReplica.Labels = map[string]string{store.LeaseLabel: "1"}
	if !ownLease(&ofReplica) || !ownLease(&leader) || ownLease(&other) {
		t.Errorf("of a replica %v, the leader's %v, another %v", ownLease(&ofReplica), ownLease(&leader), ownLease(&other))
	}
}

func TestCleanupRemovesWhatAskedWhoWritesEndpoints(t *testing.T) {
	scheme, err := cleanupScheme()
	if err != nil {
		t.Fatal(err)
	}
	meta := func(namespace, name string) metav1.ObjectMeta {
		return metav1.ObjectMeta{Namespace: namespace, Name: name}
	}
	api := fake.NewClientBuilder().WithScheme(scheme).WithObjects(
		&corev1.Service{ObjectMeta: meta("system", standby.ServiceName)}, &corev1.Service{ObjectMeta: meta("system", standby.MirroredName)},
		&corev1.Endpoints{ObjectMeta: meta("system", standby.MirroredName)},
		&corev1.Service{ObjectMeta: meta("system", "metrics")}, &corev1.Service{ObjectMeta: meta("other", standby.ServiceName)},
	).Build()
	count, err := (&cleaner{api: api, namespace: "system"}).removeQuestions(t.Context())
	if err != nil || count != 3 {
		t.Errorf("%d removed, error %v, want 3", count, err)
	}
	var left corev1.ServiceList
	if err := api.List(t.Context(), &left); err != nil || len(left.Items) != 2 {
		t.Errorf("left are %v, error %v", left.Items, err)
	}
}

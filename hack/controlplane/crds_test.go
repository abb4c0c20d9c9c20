// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
)

func TestInstalledCRDsAreServedAtOnce(t *testing.T) {
	t.Parallel()
	cp := startForTest(t, Options{})
	if err := cp.InstallCRDs(t.Context(), t.TempDir()); err == nil {
		t.Error("an empty folder is no error")
	}
	for range 2 { // the second time all is there
		if err := cp.InstallCRDs(t.Context(), "../../config/crd/bases"); err != nil {
			t.Fatal(err)
		}
	}
	clients, err := dynamic.NewForConfig(cp.RESTConfig())
	if err != nil {
		t.Fatal(err)
	}
	blocks := schema.GroupVersionResource{Group: "servicenet.dev", Version: "v1alpha1", Resource: "allocationblocks"}
	if _, err := clients.Resource(blocks).List(t.Context(), metav1.ListOptions{}); err != nil {
		t.Error(err)
	}
}

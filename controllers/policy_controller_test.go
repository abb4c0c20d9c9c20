// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
)

// Pools for which the policies have no room are counted, and are not when they are gone.
func TestPoolsThatNoPolicyHoldsAreCounted(t *testing.T) {
	scheme := runtime.NewScheme()
	if err := admissionregistrationv1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	api := fake.NewClientBuilder().WithScheme(scheme).Build()
	unheld, err := newUnheld(prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	b := newBookScene(t)
	options := DefaultOptions()
	options.Controllers = ledgerNames()
	r := &policyReconciler{access: access{reader: api, writer: api, live: api}, options: options, book: b.poolBook, unheld: unheld}
	pools := make([]*servicenetv1alpha1.ClusterIPPool, 40)
	for i := range pools {
		p := &servicenetv1alpha1.ClusterIPPool{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprint("pool-", i)}}
		p.Spec.CIDRs, p.Spec.Exclusive = []string{fmt.Sprintf("10.%d.0.0/16", i)}, true
		p.Spec.NamespaceSelector = &metav1.LabelSelector{MatchLabels: map[string]string{"team": p.Name}}
		for n := range 256 {
			p.Spec.Exclusions = append(p.Spec.Exclusions, fmt.Sprintf("10.%d.%d.77", i, n))
		}
		pools[i] = p
		b.pools.OnAdd(p, false)
	}
	left, err := r.bringAll(t.Context())
	if err != nil || len(left) == 0 {
		t.Fatalf("%d are left, %v", len(left), err)
	}
	if got := testutil.ToFloat64(unheld.WithLabelValues("ClusterIPPool")); got != float64(len(left)) {
		t.Errorf("%v are counted, want %d", got, len(left))
	}
	if got := testutil.ToFloat64(unheld.WithLabelValues("NodePortPool")); got != 0 {
		t.Errorf("%v pools of ports are counted", got)
	}
	for _, p := range pools {
		b.pools.OnDelete(p)
	}
	if _, err := r.bringAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := testutil.ToFloat64(unheld.WithLabelValues("ClusterIPPool")); got != 0 {
		t.Errorf("%v are counted when all are gone", got)
	}
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/types"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/allocator"
	"servicenet.dev/servicenet/internal/ledger"
)

const v4 = servicenetv1alpha1.ClusterIPv4

func cidr(t *testing.T, prefix string) *allocator.Range {
	t.Helper()
	span, err := allocator.ServiceCIDR(netip.MustParsePrefix(prefix))
	if err != nil {
		t.Fatal(err)
	}
	of, err := allocator.NewAddresses(allocator.AddressSpec{Spans: []allocator.Span{span}})
	if err != nil {
		t.Fatal(err)
	}
	return of
}

func of(namespace, name string) Request {
	return Request{Owner: ledger.Owner{NamespacedName: types.NamespacedName{Namespace: namespace, Name: name}}}
}

func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

func TestNumbersAreGivenFromMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newServer(t, 1)
		r := v.start(t.Context(), 1, 0, nil)
		r.lead(t.Context())
		time.Sleep(time.Second)
		given := map[ledger.Place]bool{}
		from := cidr(t, "10.0.0.0/16")
		for range 400 {
			place, err := r.Take(within(t, time.Minute), v4, from, of("team", ""))
			if err != nil {
				t.Fatal(err)
			}
			if given[place] {
				t.Fatalf("%s was given twice", place)
			}
			given[place] = true
		}
		if v.writes > 400/16 {
			t.Errorf("%d writes", v.writes)
		}
		r.stop()
		time.Sleep(time.Minute)
	})
}

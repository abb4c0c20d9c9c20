// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"context"
	"iter"

	"k8s.io/apimachinery/pkg/types"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/admission"
	"servicenet.dev/servicenet/internal/allocator"
	"servicenet.dev/servicenet/internal/ledger"
	"servicenet.dev/servicenet/internal/ledger/store"
)

// Facts is what is known of the cluster, from caches where it does not say otherwise.
// Where the API server must be asked and can't be, it fails.
type Facts interface {
	// Cluster returns which numbers there are to give out.
	Cluster() (*admission.Cluster, error)
	// NamespaceLabels returns the labels of a namespace. The API server is asked for
	// one that the cache does not show; one that does not exist has none.
	NamespaceLabels(ctx context.Context, namespace string) (map[string]string, error)
	// ShowsService tells whether the cache shows a Service.
	ShowsService(name types.NamespacedName) bool
	// ServiceExists asks the API server whether there is a Service.
	ServiceExists(ctx context.Context, name types.NamespacedName) (bool, error)
	// Numbers returns the numbers of a namespace with the Services that they count
	// for: that have them, were given them or had them. One may come up again.
	Numbers(namespace string) iter.Seq2[ledger.Place, types.NamespacedName]
}

// Ledger gives numbers out. It fails as store.Store does.
type Ledger interface {
	Take(ctx context.Context, family servicenetv1alpha1.NumberFamily, of *allocator.Range, r store.Request) (ledger.Place, error)
	TakeNumber(ctx context.Context, place ledger.Place, r store.Request) error
	// GiveBack takes back what an owner was given in vain.
	GiveBack(owner ledger.Owner, places ...ledger.Place)
	// Retained returns what is kept for a Service of a name.
	Retained(name types.NamespacedName) []store.Kept
}

var _ Ledger = (*store.Store)(nil)

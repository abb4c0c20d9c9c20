// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

var _ = Describe("While no manager answers", func() {
	It("only the namespaces of the system go on, and nothing is kept from going (trap 10)", func(ctx SpecContext) {
		DeferCleanup(dual.Clear)
		held := bare("held", clusterIP, "")
		held.Finalizers = []string{"servicenet.dev/test"}
		Expect(dual.API.Create(ctx, held)).To(Succeed())
		Expect(dual.API.Create(ctx, bare("gone", clusterIP, ""))).To(Succeed())
		dual.Register(ctx, "https://127.0.0.1:1")

		Eventually(func(ctx context.Context) error {
			return dual.API.Create(ctx, bare("web", clusterIP, ""), client.DryRunAll)
		}).WithContext(ctx).Should(MatchError(apierrors.IsInternalError, "calling a webhook fails"))
		system := bare("dns-of-a-test", clusterIP, "")
		system.Namespace = metav1.NamespaceSystem
		Expect(dual.API.Create(ctx, system)).To(Succeed())
		Expect(dual.API.Delete(ctx, system)).To(Succeed())

		Expect(dual.API.Delete(ctx, bare("gone", clusterIP, ""))).To(Succeed())
		Expect(dual.API.Delete(ctx, held)).To(Succeed())
		Expect(dual.API.Patch(ctx, held, client.RawPatch("application/merge-patch+json", []byte(`{"metadata":{"finalizers":null}}`)))).
			To(Succeed())
		labelled := bare("labelled", clusterIP, "")
		Expect(dual.Around.Create(ctx, labelled)).To(Succeed())
		Expect(dual.API.Patch(ctx, labelled, client.RawPatch("application/merge-patch+json", []byte(`{"metadata":{"labels":{"a":"b"}}}`)))).
			To(Succeed())
	})
})

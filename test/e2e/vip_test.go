// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	discoveryv1 "k8s.io/api/discovery/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

var _ = Describe("A Service", func() {
	It("spreads connections over its pods, follows their number, and refuses when there are none", func(ctx SpecContext) {
		namespace := newNamespace(ctx)
		web := deployment(namespace, "web", 1)
		create(ctx, web, service(namespace, "web"))
		startClient(ctx, namespace)
		awaitPods(ctx, web)

		By("answering by its name")
		Eventually(ctx, func(ctx context.Context) (map[string]int, error) {
			return answers(ctx, namespace, "get", 20, "http://web")
		}).Should(HaveLen(1))

		By("asking two pods about equally")
		scale(ctx, web, 2)
		Eventually(ctx, func(ctx context.Context) (map[string]int, error) {
			return answers(ctx, namespace, "get", 2000, "http://web/")
		}).Should(And(HaveLen(2), HaveEach(BeNumerically("~", 1000, 150))))

		By("refusing at once when there are none")
		scale(ctx, web, 0)
		Eventually(ctx, func(ctx context.Context) error {
			_, err := answers(ctx, namespace, "get", 1, "http://web/")
			return err // that there is no answer in time would be another one
		}).Should(MatchError(ContainSubstring("refused")))
	}, SpecTimeout(specTimeout))

	It("has EndpointSlices of the one whose job they are", func(ctx SpecContext) {
		namespace := newNamespace(ctx)
		web := deployment(namespace, "web", 2)
		create(ctx, web, service(namespace, "web"))
		awaitPods(ctx, web)
		slices := &discoveryv1.EndpointSliceList{}
		Eventually(ctx, func(ctx context.Context) ([]discoveryv1.EndpointSlice, error) {
			err := api.List(ctx, slices, client.InNamespace(namespace), client.MatchingLabels{discoveryv1.LabelServiceName: "web"})
			return slices.Items, err
		}).Should(ContainElement(HaveField("Endpoints", HaveLen(2))))

		writer := "kube-controller-manager"
		if ours {
			writer = "servicenet"
		}
		for i := range slices.Items {
			Expect(slices.Items[i].ManagedFields).To(HaveEach(HaveField("Manager", writer)))
		}
	}, SpecTimeout(specTimeout))
})

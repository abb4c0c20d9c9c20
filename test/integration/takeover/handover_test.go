// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package takeover

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

var _ = Describe("A cluster that changes hands", Ordered, func() {
	var (
		on          *world
		in          space
		stock, ours *writer
	)

	BeforeAll(func(ctx SpecContext) {
		on = newWorld(ctx)
		in = on.newSpace(ctx, "zoo")
		in.fillZoo(ctx)
		closing := on.newSpace(ctx, "closing")
		closing.run(ctx, "late", 0, 1)
		closing.expose(ctx, "late")
		Expect(on.api.Delete(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: closing.name}})).To(Succeed())

		for _, name := range abandoned() {
			in.run(ctx, name, 0, 2)
			in.expose(ctx, name)
		}

		stock = on.startStock(ctx)
		on.awaitQuiet(ctx, stock)
	}, NodeTimeout(startTimeout))

	It("stays as it was when the manager takes over", func(ctx SpecContext) {
		in.live(ctx, 1)
		before := on.awaitQuiet(ctx, stock)
		Expect(stock.Stop(ctx)).To(Succeed())

		ours = on.startOurs(ctx)
		expectNone(before.compare(on.awaitQuiet(ctx, ours)))
		Expect(on.managerRequests()).To(BeEmpty(), "requests that changed nothing")
	})

	It("stays as it was when the stock controllers take over", func(ctx SpecContext) {
		in.live(ctx, 2)
		before := on.awaitQuiet(ctx, ours)
		Expect(ours.Stop(ctx)).To(Succeed())

		Expect(stock.Restart(ctx)).To(Succeed())
		expectNone(before.compareBesidesResent(on.awaitQuiet(ctx, stock)))
	})

	It("loses only what the stock controllers leave behind at Services that stopped having endpoints", func(ctx SpecContext) {
		in.patch(ctx, &corev1.Service{}, withoutSelectorNow, `{"spec":{"selector":null}}`)
		in.patch(ctx, &corev1.Service{}, externalNow,
			`{"spec":{"type":"ExternalName","externalName":"example.com","clusterIP":null,"clusterIPs":null}}`)
		before := on.awaitQuiet(ctx, stock)
		left := []any{
			"Endpoints zoo/" + withoutSelectorNow,
			"Endpoints zoo/" + externalNow,
		}
		for _, name := range abandoned() {
			slices, err := in.slices(ctx, name)
			Expect(err).NotTo(HaveOccurred())
			Expect(slices).NotTo(BeEmpty())
			for i := range slices {
				left = append(left, "EndpointSlice zoo/"+slices[i].Name)
			}
		}
		for _, name := range left {
			Expect(before).To(HaveKey(name), "what the stock controllers leave")
		}
		Expect(stock.Stop(ctx)).To(Succeed())

		Expect(ours.Restart(ctx)).To(Succeed())
		cleaned := on.awaitQuiet(ctx, ours)
		var gone []any
		for _, name := range left {
			gone = append(gone, name.(string)+" is gone")
		}
		Expect(before.compare(cleaned)).To(ConsistOf(gone...))

		By("handing back")
		Expect(ours.Stop(ctx)).To(Succeed())
		Expect(stock.Restart(ctx)).To(Succeed())
		expectNone(cleaned.compareBesidesResent(on.awaitQuiet(ctx, stock)))
	})
})

// The Services that stop having endpoints.
const (
	withoutSelectorNow = "without-selector-now"
	externalNow        = "external-now"
)

func abandoned() []string { return []string{withoutSelectorNow, externalNow} }

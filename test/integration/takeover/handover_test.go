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

		in.addAbandoned(ctx)

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

	It("loses only what nobody keeps up to date when Services stop having endpoints", func(ctx SpecContext) {
		before := in.abandon(ctx, stock)
		Expect(stock.Stop(ctx)).To(Succeed())

		Expect(ours.Restart(ctx)).To(Succeed())
		after := on.awaitQuiet(ctx, ours)
		Expect(before.compare(after)).To(ConsistOf(in.abandoned(before)))

		By("handing back")
		Expect(ours.Stop(ctx)).To(Succeed())
		Expect(stock.Restart(ctx)).To(Succeed())
		expectNone(after.compareBesidesResent(on.awaitQuiet(ctx, stock)))
	})

	It("keeps Endpoints that wait for their Service, as long as the manager has it", func(ctx SpecContext) {
		Expect(stock.Stop(ctx)).To(Succeed())
		Expect(ours.Restart(ctx)).To(Succeed())
		in.create(ctx, newEndpoints("waiting", newSubset(newAddress(1))))
		before := on.awaitQuiet(ctx, ours)
		Expect(ours.Restart(ctx)).To(Succeed())
		expectNone(before.compare(on.awaitQuiet(ctx, ours)))

		By("handing back to those that delete such when they start")
		Expect(ours.Stop(ctx)).To(Succeed())
		Expect(stock.Restart(ctx)).To(Succeed())
		Expect(before.compareBesidesResent(on.awaitQuiet(ctx, stock))).To(ConsistOf("Endpoints zoo/waiting is gone"))
	})
})

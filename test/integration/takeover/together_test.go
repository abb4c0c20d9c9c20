// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package takeover

import (
	"context"
	"fmt"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

const (
	// pauses is how often the stock controllers are stopped in their tracks and go
	// on for a moment later, with what they had decided long ago.
	pauses = 4
	// burst is how many changes come one after another, about.
	burst = 12
)

var _ = Describe("Both at once", Ordered, func() {
	var (
		on          *world
		in          space
		life        *churn
		stock, ours *writer
	)

	BeforeAll(func(ctx SpecContext) {
		on = newWorld(ctx)
		in = on.newSpace(ctx, "together")
		small := fmt.Sprintf("--max-endpoints-per-slice=%d", maxEndpoints)
		// With so few requests a second there is always a write that waits its turn.
		stock = on.startStock(ctx, small, "--kube-api-qps=20", "--kube-api-burst=1")
		ours = on.startOurs(ctx, small)
		life = newChurn(ctx, in)
	}, NodeTimeout(startTimeout))

	DescribeTable("lose and double nothing", func(ctx SpecContext, stays, leaves func() *writer) {
		on.awaitQuiet(ctx, ours, stock)
		for i := range pauses {
			By(fmt.Sprintf("pausing the stock controllers, time %d", i+1))
			life.steps(ctx, life.rand.IntN(burst))
			Expect(stock.Signal(syscall.SIGSTOP)).To(Succeed())
			life.steps(ctx, burst)
			Eventually(in.faults).WithContext(ctx).Should(BeEmpty(), "what the manager does alone")

			sent := len(on.requests(stockUsers)) + 1 + life.rand.IntN(burst)
			Expect(stock.Signal(syscall.SIGCONT)).To(Succeed())
			on.awaitRequests(ctx, stock, sent)
			Expect(stock.Signal(syscall.SIGSTOP)).To(Succeed())
			Eventually(in.faults).WithContext(ctx).Should(BeEmpty(), "what the manager makes of writes that come late")
			Expect(stock.Signal(syscall.SIGCONT)).To(Succeed())
		}
		for _, who := range []*writer{ours, stock} {
			By("killing " + who.Name())
			life.steps(ctx, burst)
			Expect(who.Kill()).To(Succeed())
			life.steps(ctx, burst)
			Expect(who.Restart(ctx)).To(Succeed())
		}

		By("leaving them in peace")
		on.awaitQuiet(ctx, ours, stock)
		Expect(in.faults(ctx)).To(BeEmpty())

		By("ending one in the middle of it")
		life.steps(ctx, burst)
		Expect(leaves().Stop(ctx)).To(Succeed())
		life.steps(ctx, burst)
		before := on.awaitMerged(ctx, stays())
		Expect(in.faults(ctx)).To(BeEmpty())

		By("letting it come back")
		Expect(leaves().Restart(ctx)).To(Succeed())
		after := on.awaitMerged(ctx, ours, stock)
		Expect(in.faults(ctx)).To(BeEmpty())
		if stays() == ours {
			// What the stock controllers leave sparse, the manager merges.
			expectNone(before.compare(after))
		}
	},
		Entry("when the manager stays", func() *writer { return ours }, func() *writer { return stock }),
		Entry("when the stock controllers stay", func() *writer { return stock }, func() *writer { return ours }),
	)
})

// awaitRequests waits until the stock controllers have asked for so many changes
// in all, or want no more.
func (w *world) awaitRequests(ctx context.Context, stock *writer, count int) {
	GinkgoHelper()
	Eventually(func(g Gomega, ctx context.Context) {
		if len(w.requests(stockUsers)) < count {
			g.Expect(stock.idle(ctx)).To(BeTrue())
		}
	}).WithContext(ctx).Should(Succeed())
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package outages

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"servicenet.dev/servicenet/internal/ledger"
	"servicenet.dev/servicenet/test/integration/numbers"
)

var _ = Describe("Two managers", func() {
	It("repair what is to be repaired when the leader dies over it", func(ctx SpecContext) {
		flags := []string{"--leader-elect", "--leader-election-namespace=kube-system", "--repair-interval=5s"}
		in := dual.NewSpace(ctx, nil)
		in.ExposeMany(ctx, "web", 300)
		leader := dual.StartManager(ctx, "first-replica", flags...)
		Eventually(numbers.Leads).WithArguments(leader).WithContext(ctx).Should(BeTrue())
		follower := dual.StartManager(ctx, "second-replica", flags...)
		Eventually(dual.Contradictions).WithContext(ctx).Should(BeEmpty())

		dual.Tamper(ctx, addressBlock, func(block *ledger.Block) {
			for number := 1000; number < 1500; number++ {
				block.Adopt(number)
			}
		})
		Eventually(numbers.Findings).WithArguments(leader, "leak").WithContext(ctx).Should(BeNumerically(">", 0))
		Expect(leader.Kill()).To(Succeed())
		in.RemoveAll(ctx)
		in.ExposeMany(ctx, "later", 50)

		Eventually(numbers.Leads).WithArguments(follower).WithContext(ctx).Should(BeTrue())
		Eventually(dual.Contradictions).WithContext(ctx).Should(BeEmpty())
		Expect(numbers.ErrorsLogged(follower)).NotTo(ContainElement(Not(ContainSubstring("events is forbidden")))) // of leader election
		Expect(leader.Restart(ctx)).To(Succeed())
	})
})

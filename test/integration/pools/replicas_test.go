// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package pools

import (
	"context"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"servicenet.dev/servicenet/hack/controlplane"
	"servicenet.dev/servicenet/internal/ledger"
)

var _ = Describe("Two managers", func() {
	const block = "clusteripv4-10.96.0.0"
	It("repair what is to be repaired when the leader dies over it", func(ctx SpecContext) {
		flags := []string{"--leader-elect", "--leader-election-namespace=kube-system", "--repair-interval=5s"}
		in := dual.newSpace(ctx, nil)
		in.exposeMany(ctx, "web", 300)
		leader := dual.startManager(ctx, "first-replica", flags...)
		Eventually(leads).WithArguments(leader).WithContext(ctx).Should(BeTrue())
		follower := dual.startManager(ctx, "second-replica", flags...)
		Eventually(dual.contradictions).WithContext(ctx).Should(BeEmpty())

		dual.tamper(ctx, block, func(block *ledger.Block) {
			for number := 1000; number < 1500; number++ {
				block.Adopt(number)
			}
		})
		Eventually(dual.findings).WithArguments(leader, "leak").WithContext(ctx).Should(BeNumerically(">", 0))
		Expect(leader.Kill()).To(Succeed())
		Expect(dual.api.DeleteAllOf(ctx, &corev1.Service{}, client.InNamespace(in.name))).To(Succeed())
		in.exposeMany(ctx, "later", 50)

		Eventually(leads).WithArguments(follower).WithContext(ctx).Should(BeTrue())
		Eventually(dual.contradictions).WithContext(ctx).Should(BeEmpty())
		Expect(errorsLogged(follower)).NotTo(ContainElement(Not(ContainSubstring("events is forbidden")))) // of leader election
		Expect(leader.Restart(ctx)).To(Succeed())
	})
})

var _ = Describe("A burst", func() {
	It("of creates and deletes is followed without a warning", func(ctx SpecContext) {
		in := dual.newSpace(ctx, nil)
		DeferCleanup(dual.forgetEvents)
		manager := dual.startManager(ctx, "bursting", "--repair-interval=2s")
		const count = 1000
		in.exposeMany(ctx, "burst", count)
		Expect(dual.api.DeleteAllOf(ctx, &corev1.Service{}, client.InNamespace(in.name))).To(Succeed())
		in.exposeMany(ctx, "burst", count/2)
		Eventually(dual.contradictions).WithContext(ctx).Should(BeEmpty())
		Expect(dual.events(ctx)).To(BeEmpty())
		Expect(errorsLogged(manager)).To(BeEmpty())
	})
})

// leads tells whether a manager leads.
func leads(ctx context.Context, manager *controlplane.Manager) (bool, error) {
	metrics, err := scrape(ctx, manager.MetricsURL+"/metrics")
	if err != nil {
		return false, err
	}
	for name, value := range metrics {
		if strings.HasPrefix(name, "leader_election_master_status{") {
			return value == 1, nil
		}
	}
	return false, nil
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package leaks

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"servicenet.dev/servicenet/internal/ledger"
)

// The blocks that specs look at, and numbers of them.
const (
	addressBlock = "clusteripv4-10.96.0.0"
	address      = "10.96.3.7"
	portBlock    = "nodeport-28672"
	port         = 31234
)

// soon is within what time leaks are freed, after the later of the request that
// leaked and the start of the manager.
const soon = 2 * time.Minute

var _ = Describe("Numbers that leaked", func() {
	It("are free within two minutes of a start after a crash", func(ctx SpecContext) {
		in := dual.NewSpace(ctx, nil)
		in.Expose(ctx, "stays", corev1.ServiceTypeNodePort, address, port)
		leaving := dual.NewSpace(ctx, nil)
		leaving.ExposeMany(ctx, "goes", 50)
		leaving.Expose(ctx, "goes-too", corev1.ServiceTypeNodePort, "", port+1)
		manager := dual.StartManager(ctx, "killed")
		Eventually(dual.Contradictions).WithContext(ctx).Should(BeEmpty())

		By("killing the manager, and a replica over its requests")
		Expect(manager.Kill()).To(Succeed())
		const dead = ledger.Holder(0xdead)
		for _, name := range []string{addressBlock, portBlock} {
			dual.Tamper(ctx, name, func(block *ledger.Block) {
				for number := 2600; number < 2620; number++ {
					block.Lend(number, dead)
					block.Adopt(number + 100)
				}
			})
		}
		By("making a Service with a number that it was given before")
		kept := in.Expose(ctx, "was-given", corev1.ServiceTypeNodePort, "10.96.10.40", 28672+2601)
		leaving.RemoveAll(ctx)
		Expect(manager.Restart(ctx)).To(Succeed())

		By("leaking more of them while the manager runs")
		for _, name := range []string{addressBlock, portBlock} {
			dual.Tamper(ctx, name, func(block *ledger.Block) {
				block.Lend(2800, dead+1)
				block.Adopt(2801)
			})
		}
		started := time.Now()
		Eventually(dual.Contradictions).WithContext(ctx).WithTimeout(soon).WithPolling(time.Second).Should(BeEmpty())
		AddReportEntry("all leaks are free", time.Since(started).Round(time.Second).String()+" after the last request")
		Expect(dual.API.Get(ctx, client.ObjectKeyFromObject(kept), kept)).To(Succeed())
	})
})

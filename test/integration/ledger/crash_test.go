// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

const (
	// callers is how many take and free numbers at a time.
	callers = 64
	// rounds is how often a replica is killed.
	rounds = 5
	// repaired is how long after a start the ledger may differ from the Services.
	repaired = 2 * time.Minute
	// life is how long a replica may take to get as far as a spec wants it.
	life = time.Minute
	// crowdPorts are where callers take ports, and no other spec does: an API server
	// that is asked to delete a Service by somebody who dies then keeps its port until
	// its own repair, minutes later, and the ledger can't know.
	crowdPorts = "--ports=31000-32767"
)

var _ = Describe("A replica that is killed while callers take and free numbers", func() {
	It("starts again, and the ledger equals the Services within two minutes", func(ctx SpecContext) {
		in := newSpace(ctx)
		r := in.startReplica(ctx, "killed", callers, crowdPorts)
		for round := range rounds {
			atWork(ctx, r)
			if round%2 == 1 { // to be killed while it frees and takes back, too
				awaitMore(ctx, r, leadsMessage)
			}
			Expect(r.Kill()).To(Succeed())
			Expect(r.Restart(ctx)).To(Succeed())
		}
		started := time.Now()
		atWork(ctx, r)
		r.rest(ctx)

		Eventually(contradictions).WithArguments(r.holder()).WithContext(ctx).
			WithTimeout(repaired - time.Since(started)).WithPolling(time.Second).Should(BeEmpty())
		AddReportEntry("the ledger equals the Services", time.Since(started).Round(time.Second).String()+" after the last start")
		Expect(r.faults()).To(BeEmpty(), "a number was given that was not free")
	})
})

var _ = Describe("Two replicas", func() {
	It("give no number twice", func(ctx SpecContext) {
		in := newSpace(ctx)
		// So few that each has numbers on loan that the other wants.
		few := []string{"--addresses=10.96.32.0/22", "--ports=31000-31999"}
		one := in.startReplica(ctx, "one", callers/2, few...)
		other := in.startReplica(ctx, "other", callers/2, few...)
		for range 4 {
			atWork(ctx, one)
			atWork(ctx, other)
		}
		one.rest(ctx)
		other.rest(ctx)
		Expect(append(one.faults(), other.faults()...)).To(BeEmpty(), "a number was given twice")
		Eventually(func(ctx context.Context) ([]string, error) {
			return contradictions(ctx, one.holder(), other.holder())
		}).WithContext(ctx).Should(BeEmpty())
	})
})

// atWork waits until the callers of a replica made some more Services.
func atWork(ctx context.Context, r *replica) {
	GinkgoHelper()
	before := r.count(madeMessage)
	Eventually(r.counting(madeMessage)).WithContext(ctx).WithTimeout(life).Should(BeNumerically(">", before+2))
}

// awaitMore waits until a replica logged something once more.
func awaitMore(ctx context.Context, r *replica, message string) {
	GinkgoHelper()
	before := r.count(message)
	Eventually(r.counting(message)).WithContext(ctx).WithTimeout(life).Should(BeNumerically(">", before))
}

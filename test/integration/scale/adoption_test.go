// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package scale

import (
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"

	"servicenet.dev/servicenet/hack/controlplane"
	"servicenet.dev/servicenet/test/integration/numbers"
)

const (
	// services is how many there are when the manager is installed.
	services = 10_000
	// besides is what addresses begin with that they have not.
	besides = "10.96.8."
)

// The specs build on each other.
var _ = Describe("Many Services", Ordered, func() {
	var manager *controlplane.Manager
	var begun time.Time
	BeforeAll(func(ctx SpecContext) {
		in := many.NewLastingSpace(ctx, nil)
		in.Expose(ctx, "web", corev1.ServiceTypeClusterIP, besides+"1") // any other might be among those to come
		in.SmuggleMany(ctx, "web", "10.96.16.0", services)
		begun = time.Now()
		manager = many.StartManager(ctx, "adopting", "--repair-interval=2s")
	})

	It("that were there before are taken over without a word", func(ctx SpecContext) {
		Eventually(many.Contradictions).WithContext(ctx).WithTimeout(2 * time.Minute).WithPolling(time.Second).Should(BeEmpty())
		AddReportEntry(fmt.Sprintf("%d Services are in the ledger", services), time.Since(begun).Round(time.Second).String()+" after the start")
		Expect(many.Events(ctx)).To(BeEmpty())
		Expect(numbers.ErrorsLogged(manager)).To(BeEmpty())

		By("writing nothing more once the ledger agrees")
		before := many.Writes()
		Consistently(many.Writes).WithContext(ctx).Should(Equal(before))
	})

	It("are no reason not to follow what comes and goes", func(ctx SpecContext) {
		more := many.NewLastingSpace(ctx, nil)
		more.Expose(ctx, "later", corev1.ServiceTypeNodePort, besides+"2") // the API server does not know those that were smuggled
		Eventually(many.Contradictions).WithContext(ctx).WithPolling(time.Second).Should(BeEmpty())
		more.Remove(ctx, "later")
		Eventually(many.Contradictions).WithContext(ctx).WithPolling(time.Second).Should(BeEmpty())
	})

	It("that come and go in a burst raise no warning", func(ctx SpecContext) {
		burst := many.NewLastingSpace(ctx, nil)
		const count = 1000
		burst.ExposeAt(ctx, "10.96.128.0", count)
		burst.RemoveAll(ctx)
		burst.ExposeAt(ctx, "10.96.128.0", count/2)
		Eventually(many.Contradictions).WithContext(ctx).WithPolling(time.Second).Should(BeEmpty())
		// The API server makes the IPAddress objects of those that were smuggled one by one:
		// on a slow machine it takes longer than it should, and the manager tells of that.
		Expect(many.Events(ctx)).NotTo(ContainElement(Not(HavePrefix("ClusterIPNotAllocated Service like-web-"))))
		Expect(numbers.ErrorsLogged(manager)).To(BeEmpty())
	})
})

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package loadbalancer

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"servicenet.dev/servicenet/test/integration/numbers"
)

// blocked is a finalizer of somebody else, which holds a deletion up.
const blocked = "example.com/blocked"

var _ = Describe("When the leader is killed", func() {
	It("the next one moves nobody, serves who waits in order, and ends what was under way", func(ctx SpecContext) {
		in := newSpace(ctx, nil)
		elects := []string{"--leader-elect", "--leader-election-namespace=kube-system"}
		leader := in.start(ctx, "first", elects...)
		Eventually(numbers.Leads).WithContext(ctx).WithArguments(leader).Should(BeTrue())
		next := in.start(ctx, "second", elects...)

		makePool(ctx, "blue", "192.0.2.1-192.0.2.4")
		for i := range 3 {
			in.balance(ctx, fmt.Sprint("web-", i))
			Eventually(in.says(fmt.Sprint("web-", i))).WithContext(ctx).Should(HavePrefix("192.0.2."))
		}
		in.balance(ctx, "going", func(s *corev1.Service) { s.Finalizers = []string{blocked} })
		Eventually(in.says("going")).WithContext(ctx).Should(HavePrefix("192.0.2."))
		for i := range 3 {
			later(ctx)
			in.balance(ctx, fmt.Sprint("waits-", 2-i)) // the last name first
			in.expect(ctx, fmt.Sprint("waits-", 2-i), "PoolExhausted")
		}
		before, err := in.versions(ctx)
		Expect(err).NotTo(HaveOccurred())
		has, err := tenancies(ctx)
		Expect(err).NotTo(HaveOccurred())

		By("killing it, and deleting a Service before anybody leads")
		Expect(leader.Kill()).To(Succeed())
		in.Remove(ctx, "going")
		in.edit(ctx, "going", func(s *corev1.Service) {
			s.Finalizers = slices.DeleteFunc(s.Finalizers, func(f string) bool { return f == blocked })
		})

		By("waiting for the Lease to run out")
		Eventually(numbers.Leads).WithContext(ctx).WithArguments(next).WithTimeout(time.Minute).Should(BeTrue())
		Eventually(in.waiting).WithContext(ctx).Should(HaveLen(2))
		Eventually(in.versions).WithContext(ctx).ShouldNot(HaveKey("going"))
		after, err := in.versions(ctx)
		Expect(err).NotTo(HaveOccurred())
		waiting, err := in.waiting(ctx)
		Expect(err).NotTo(HaveOccurred())
		for _, name := range append([]string{"web-0", "web-1", "web-2"}, waiting...) {
			Expect(after[name]).To(Equal(before[name]), "%s was written", name)
		}

		By("freeing another address")
		in.Remove(ctx, "web-0")
		Eventually(in.waiting).WithContext(ctx).Should(Equal(waiting[:1])) // the last name waits longest
		now, err := tenancies(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(now).To(HaveLen(4))
		for _, tenancy := range has {
			if strings.HasSuffix(tenancy, "/web-1") || strings.HasSuffix(tenancy, "/web-2") {
				Expect(now).To(ContainElement(tenancy))
			}
		}
	}, NodeTimeout(3*time.Minute))

	It("what came free meanwhile goes to those who have waited longest, whoever is faster", func(ctx SpecContext) {
		in := newSpace(ctx, nil)
		first := in.start(ctx, "first")
		makePool(ctx, "blue", "192.0.2.1-192.0.2.2")
		for i := range 2 {
			in.balance(ctx, fmt.Sprint("web-", i))
			Eventually(in.says(fmt.Sprint("web-", i))).WithContext(ctx).Should(HavePrefix("192.0.2."))
		}
		for i := range 6 {
			later(ctx)
			in.balance(ctx, fmt.Sprint("waits-", 5-i)) // the last name first
			in.expect(ctx, fmt.Sprint("waits-", 5-i), "PoolExhausted")
		}
		Expect(first.Kill()).To(Succeed())
		without := func(s *corev1.Service) { s.Finalizers = nil }
		for i := range 2 {
			in.edit(ctx, fmt.Sprint("web-", i), without)
			in.Remove(ctx, fmt.Sprint("web-", i))
		}
		in.edit(ctx, "waits-5", without) // so that there is more to do for it
		in.start(ctx, "second")
		Eventually(in.waiting).WithContext(ctx).Should(Equal([]string{"waits-0", "waits-1", "waits-2", "waits-3"}))
		Consistently(in.waiting).WithContext(ctx).Should(HaveLen(4))
	})
})

// waiting returns the Services that wait for an address of a full pool, by their names.
func (in space) waiting(ctx context.Context) (names []string, err error) {
	var all corev1.ServiceList
	err = dual.API.List(ctx, &all, client.InNamespace(in.Name))
	for i := range all.Items {
		if textOf(&all.Items[i]) == "PoolExhausted" {
			names = append(names, all.Items[i].Name)
		}
	}
	return names, err
}

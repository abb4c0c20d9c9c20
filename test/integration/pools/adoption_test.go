// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package pools

import (
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

var _ = Describe("Services that were there before", func() {
	It("are taken over without a word", func(ctx SpecContext) {
		in := dual.newSpace(ctx, nil)
		in.exposeMany(ctx, "old", 2000)

		manager := dual.startManager(ctx, "adopting")
		Eventually(dual.contradictions).WithContext(ctx).Should(BeEmpty())
		Expect(dual.events(ctx)).To(BeEmpty())
		Expect(errorsLogged(manager)).To(BeEmpty())

		By("writing nothing more once the ledger agrees")
		before := dual.writes()
		Consistently(dual.writes).WithContext(ctx).Should(Equal(before))

		By("taking over what comes later, and freeing what goes")
		in.expose(ctx, "later", corev1.ServiceTypeNodePort, "")
		Eventually(dual.contradictions).WithContext(ctx).Should(BeEmpty())
		in.remove(ctx, "later")
		Eventually(dual.contradictions).WithContext(ctx).Should(BeEmpty())
	})
})

// exposeMany makes so many Services with an address each.
func (in space) exposeMany(ctx SpecContext, name string, count int) {
	GinkgoHelper()
	const atATime = 16
	group, groupContext := errgroup.WithContext(ctx)
	group.SetLimit(atATime)
	for i := range count {
		group.Go(func() error {
			return in.api.Create(groupContext, &corev1.Service{
				ObjectMeta: metav1.ObjectMeta{Namespace: in.name, Name: fmt.Sprintf("%s-%d", name, i)},
				Spec:       corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 80}}},
			})
		})
	}
	Expect(group.Wait()).To(Succeed())
}

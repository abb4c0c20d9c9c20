// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package repair

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"servicenet.dev/servicenet/test/integration/numbers"
)

// nothing are the specs of when there is nothing to repair.
func (f *Family) nothing() {
	var in numbers.Space

	BeforeAll(func(ctx SpecContext) {
		in = f.on.NewSpace(ctx, nil)
		DeferCleanup(f.on.ForgetEvents)
		in.ExposeMany(ctx, "web", 20)
		f.on.StartManager(ctx, "resting", "--repair-interval=1s")
		Eventually(f.on.Contradictions).WithContext(ctx).Should(BeEmpty())
	}, NodeTimeout(numbers.StartTimeout))

	It("leaves alone what somebody else has", func(ctx SpecContext) {
		foreign := &networkingv1.IPAddress{
			ObjectMeta: metav1.ObjectMeta{Name: f.place(0, 777).String()},
			Spec:       networkingv1.IPAddressSpec{ParentRef: &networkingv1.ParentReference{Resource: "namespaces", Name: in.Name}},
		}
		Expect(f.on.API.Create(ctx, foreign)).To(Succeed())
		DeferCleanup(func(ctx context.Context) { Expect(f.on.API.Delete(ctx, foreign)).To(Succeed()) })
		Consistently(f.on.Contradictions).WithContext(ctx).Should(BeEmpty())
		Expect(f.on.Events(ctx)).To(BeEmpty())
	})

	It("writes nothing when all agrees", func(ctx SpecContext) {
		before := f.on.Writes()
		Consistently(f.on.Writes).WithContext(ctx).Should(Equal(before))
	})
}

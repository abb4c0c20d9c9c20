// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"servicenet.dev/servicenet/internal/ledger"
)

// hookDeadline is how long a webhook may take to answer.
const hookDeadline = 8 * time.Second

var _ = Describe("A number that is asked for by number", func() {
	DescribeTable("is given as soon as its Service is deleted, and the API server takes it",
		func(ctx SpecContext, place ledger.Place, times int, settled bool) {
			in := newSpace(ctx)
			l := in.startPart(ctx, brisk())
			for i := range times {
				name := fmt.Sprintf("s-%d", i)
				Expect(in.takeInTime(ctx, l, place, name)).To(Succeed(), name)
				service := in.create(ctx, name, place)
				if settled {
					Eventually(stateOf).WithArguments(place).WithContext(ctx).Should(Equal("used"))
				}
				Expect(api.Delete(ctx, service)).To(Succeed())
			}
		},
		Entry("a ClusterIP", clusterIP("10.96.48.7"), 40, true),
		Entry("a ClusterIP whose Service lived for a moment", clusterIP("10.96.48.8"), 40, false),
		Entry("a NodePort", ledger.Port(30777), 8, true),
		Entry("a NodePort whose Service lived for a moment", ledger.Port(30778), 8, false),
	)

	It("is refused while an object that is no Service's has it", func(ctx SpecContext) {
		in := newSpace(ctx)
		l := in.startPart(ctx, brisk())
		place := clusterIP("10.96.49.7")
		in.makeAddress(ctx, place, "example.com", "gateways", "mine")
		err := in.takeInTime(ctx, l, place, "web")
		taken := (*ledger.TakenError)(nil)
		Expect(errors.As(err, &taken)).To(BeTrue(), "got %v", err)
		Expect(*taken).To(Equal(ledger.TakenError{Place: place, By: ledger.ByObject}))
		Expect(api.Create(ctx, in.newService("web", place))).To(Satisfy(apierrors.IsInvalid), "the API server refuses it, too")
	})

	It("is refused while a Service that was made without the ledger has it", func(ctx SpecContext) {
		in := newSpace(ctx)
		l := in.startPart(ctx, brisk())
		place := clusterIP("10.96.49.8")
		service := in.create(ctx, "past", place)
		err := in.takeInTime(ctx, l, place, "web")
		taken := (*ledger.TakenError)(nil)
		Expect(errors.As(err, &taken)).To(BeTrue(), "got %v", err)
		Expect(taken.Owner.UID).To(Equal(service.UID))
		Eventually(stateOf).WithArguments(place).WithContext(ctx).Should(Equal("used"), "it is adopted")
	})
})

// takeInTime takes a number as a webhook does.
func (in space) takeInTime(ctx context.Context, l *local, place ledger.Place, name string) error {
	ctx, cancel := context.WithTimeout(ctx, hookDeadline)
	defer cancel()
	return l.TakeNumber(ctx, place, in.request(name))
}

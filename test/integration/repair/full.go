// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package repair

import (
	"context"
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"

	"servicenet.dev/servicenet/hack/controlplane"
	"servicenet.dev/servicenet/internal/ledger"
	"servicenet.dev/servicenet/test/integration/numbers"
)

// smallPorts is a range of so few ports that they are soon given.
const smallPorts = "--service-node-port-range=30000-30005"

// full are the specs of ranges of which all numbers are given, as the API server
// has it.
func (f *Family) full() {
	var small *Family
	var in numbers.Space
	var manager *controlplane.Manager

	BeforeAll(func(ctx SpecContext) {
		small = &Family{ClusterIPs: f.Small, on: numbers.Start(ctx, f.Small, smallPorts)}
		in = small.on.NewLastingSpace(ctx, nil)
		manager = small.on.StartManager(ctx, "full", "--repair-interval=2s", smallPorts)
	}, NodeTimeout(numbers.StartTimeout))

	It("says nothing while one is left", func(ctx SpecContext) {
		fill(ctx, in, "port", func(service *corev1.Service) { service.Spec.Type = corev1.ServiceTypeNodePort })
		for i, family := range small.all() {
			fill(ctx, in, fmt.Sprintf("address-%d", i), func(service *corev1.Service) { service.Spec.IPFamilies = family })
		}
		in.Remove(ctx, "port-0")
		in.Remove(ctx, "address-0-0")
		if small.on.Dual() {
			in.Remove(ctx, "address-1-0")
		}
		Eventually(small.on.Contradictions).WithContext(ctx).Should(BeEmpty())
		Expect(small.on.Events(ctx)).To(BeEmpty())
	})

	It("says so once for each range, of a Service that came last", func(ctx SpecContext) {
		in.Expose(ctx, "last", corev1.ServiceTypeNodePort, "")
		for i, family := range small.all() {
			fill(ctx, in, fmt.Sprintf("late-%d", i), func(service *corev1.Service) { service.Spec.IPFamilies = family })
		}
		Eventually(small.reasons).WithContext(ctx).Should(ConsistOf(small.fullReasons()))
		Consistently(func(ctx context.Context) (float64, error) { return numbers.Findings(ctx, manager, "full") }).
			WithContext(ctx).Should(BeNumerically("==", len(small.fullReasons())))
	})

	It("goes on with all else", func(ctx SpecContext) {
		small.on.Tamper(ctx, small.block(0), func(block *ledger.Block) { block.Adopt(2000) })
		Eventually(small.on.Contradictions).WithContext(ctx).Should(BeEmpty())
		Expect(numbers.Findings(ctx, manager, "leak")).To(BeNumerically("==", 1))
		in.Remove(ctx, "last")
		in.Expose(ctx, "next", corev1.ServiceTypeClusterIP, "")
		Eventually(small.on.Contradictions).WithContext(ctx).Should(BeEmpty())
		Expect(numbers.ErrorsLogged(manager)).To(BeEmpty())
	})
}

// fill makes Services until the API server has no number for one more.
func fill(ctx context.Context, in numbers.Space, name string, adjust func(*corev1.Service)) {
	GinkgoHelper()
	const most = 100
	for i := range most {
		service := in.New(fmt.Sprintf("%s-%d", name, i), corev1.ServiceTypeClusterIP, "")
		adjust(service)
		if err := in.API.Create(ctx, service); err != nil {
			Expect(err).To(MatchError(ContainSubstring("range is full")))
			return
		}
	}
	Fail("the range is not small")
}

// all returns the families of a control plane, as a Service of one of them names it.
func (f *Family) all() (families [][]corev1.IPFamily) {
	for cidr := range strings.SplitSeq(f.ClusterIPs, ",") {
		if strings.Contains(cidr, ":") {
			families = append(families, []corev1.IPFamily{corev1.IPv6Protocol})
		} else {
			families = append(families, []corev1.IPFamily{corev1.IPv4Protocol})
		}
	}
	return families
}

// reasons returns those of all events.
func (f *Family) reasons(ctx context.Context) (reasons []string, err error) {
	events, err := f.on.Events(ctx)
	for _, event := range events {
		reason, _, _ := strings.Cut(event, " ")
		reasons = append(reasons, reason)
	}
	return reasons, err
}

// fullReasons are those of the events when no number is left.
func (f *Family) fullReasons() []string {
	reasons := []string{"PortRangeFull"}
	for range f.all() {
		reasons = append(reasons, "ServiceCIDRFull")
	}
	return reasons
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
)

var _ = Describe("A manager that is killed and started again", Serial, func() {
	var in space

	BeforeEach(func(ctx SpecContext) { in = newSpace(ctx) })

	It("changes no slice", func(ctx SpecContext) {
		in.applySample(ctx, "web.yaml")
		in.applySample(ctx, "named-port.yaml")
		in.applySample(ctx, "headless.yaml")
		in.applySample(ctx, "dual-stack.yaml")
		in.applySample(ctx, "external-database.yaml")
		in.expose(ctx, "nobody")
		in.expectNoFaults(ctx, "web", 2)
		in.expectNoFaults(ctx, "shop", 4)
		in.expectNoFaults(ctx, "db", 3)
		Eventually(in.faults("api")).WithContext(ctx).Should(BeEmpty())
		Eventually(in.slices("nobody")).WithContext(ctx).Should(ConsistOf(placeholder()))
		before := restingVersions(ctx)

		crashSharedManager()
		restartSharedManager(ctx)
		awaitIdle(ctx, manager)
		in.awaitTurn(ctx)
		Expect(versions()(ctx)).To(Equal(before))
	})

	It("makes up for what happened meanwhile", func(ctx SpecContext) {
		names := []string{"deleted", "edited", "relabelled", "pod-gone", "pod-unready", "service-edited", "service-gone"}
		for _, name := range names {
			in.runPods(ctx, name, 2)
			in.expose(ctx, name)
		}
		for _, name := range names {
			in.expectNoFaults(ctx, name, 2)
		}

		crashSharedManager()
		in.delete(ctx, &discoveryv1.EndpointSlice{}, in.onlySlice(ctx, "deleted").Name)
		in.patch(ctx, &discoveryv1.EndpointSlice{}, in.onlySlice(ctx, "edited").Name, `{"endpoints":null}`)
		in.patch(ctx, &discoveryv1.EndpointSlice{}, in.onlySlice(ctx, "relabelled").Name, managedByPatch("somebody-else"))
		in.delete(ctx, &corev1.Pod{}, "pod-gone-0")
		in.setReady(ctx, "pod-unready-0", false)
		in.patch(ctx, &corev1.Service{}, "service-edited", `{"metadata":{"labels":{"tier":"front"}}}`)
		in.delete(ctx, &corev1.Service{}, "service-gone")
		in.runPods(ctx, "made", 2)
		in.expose(ctx, "made")
		restartSharedManager(ctx)

		in.expectNoFaults(ctx, "deleted", 2)
		in.expectNoFaults(ctx, "edited", 2)
		Eventually(in.sizes("relabelled")).WithContext(ctx).Should(ConsistOf(2, 2))
		in.expectNoFaults(ctx, "pod-gone", 1)
		Eventually(in.conditions("pod-unready")).WithContext(ctx).Should(HaveKeyWithValue("pod-unready-0", "none"))
		Eventually(in.slices("service-edited")).WithContext(ctx).Should(
			ConsistOf(HaveField("Labels", HaveKeyWithValue("tier", "front"))))
		Eventually(in.slices("service-gone")).WithContext(ctx).Should(BeEmpty())
		in.expectNoFaults(ctx, "made", 2)
	})

	It("neither loses nor doubles a pod of a Deployment that is being scaled", func(ctx SpecContext) {
		in.applySample(ctx, "large.yaml")
		for range 2 {
			in.scale(ctx, "large", 300)
			Eventually(in.conditions("large")).WithContext(ctx).ShouldNot(BeEmpty())
			in.crashAndRestartAt(ctx, "large", BeNumerically(">=", 130))
			in.scale(ctx, "large", 50)
			in.crashAndRestartAt(ctx, "large", BeNumerically("<=", 200))
		}
		in.expectNoFaults(ctx, "large", 50)
	})
})

// crashAndRestartAt crashes the manager when it lists a number of pods, and
// starts it again.
func (in space) crashAndRestartAt(ctx SpecContext, service string, pods OmegaMatcher) {
	GinkgoHelper()
	Eventually(in.conditions(service)).WithContext(ctx).Should(WithTransform(
		func(listed map[string]string) int { return len(listed) }, pods))
	crashSharedManager()
	restartSharedManager(ctx)
}

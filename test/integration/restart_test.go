// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

var _ = Describe("A manager that is killed and started again", Serial, func() {
	var in space

	BeforeEach(func(ctx SpecContext) { in = newSpace(ctx) })

	It("changes neither slices nor Endpoints", func(ctx SpecContext) {
		in.applySample(ctx, "web.yaml")
		in.applySample(ctx, "named-port.yaml")
		in.applySample(ctx, "headless.yaml")
		in.applySample(ctx, "dual-stack.yaml")
		in.applySample(ctx, "external-database.yaml")
		in.expose(ctx, "nobody")
		in.exposeOutsiders(ctx, "db-outside")
		in.makeEndpoints(ctx, "db-outside", subset(5432, "192.0.2.1", "2001:db8::1"))
		Eventually(in.mirrors("db-outside")).WithContext(ctx).Should(HaveLen(2))
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
		names := []string{"deleted", "edited", "relabelled", "pod-gone", "pod-unready", "service-edited", "service-gone", "selector-gone"}
		for _, name := range names {
			in.runPods(ctx, name, 2)
			in.expose(ctx, name)
		}
		for _, name := range names {
			in.expectNoFaults(ctx, name, 2)
		}

		in.exposeOutsiders(ctx, "mirrored")
		in.makeEndpoints(ctx, "mirrored", subset(5432, "192.0.2.1"))
		Eventually(in.mirrors("mirrored")).WithContext(ctx).Should(HaveLen(1))

		crashSharedManager()
		in.delete(ctx, &corev1.Endpoints{}, "deleted")
		in.patch(ctx, &corev1.Endpoints{}, "edited", `{"subsets":null}`)
		in.patch(ctx, &corev1.Endpoints{}, "mirrored", `{"subsets":[{"addresses":[{"ip":"192.0.2.2"}],"ports":[{"name":"sql","port":1}]}]}`)
		in.patch(ctx, &corev1.Service{}, "selector-gone", loseSelector)
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
		in.expectSubsets(ctx, "deleted", "http:8080: deleted-0 deleted-1")
		in.expectSubsets(ctx, "edited", "http:8080: edited-0 edited-1")
		Eventually(in.mirrors("mirrored")).WithContext(ctx).Should(ConsistOf("IPv4 sql:1: 192.0.2.2"))
		Eventually(in.slices("selector-gone")).WithContext(ctx).Should(BeEmpty())
		in.expectGone(ctx, "selector-gone")
		Eventually(in.sizes("relabelled")).WithContext(ctx).Should(ConsistOf(2, 2))
		in.expectNoFaults(ctx, "pod-gone", 1)
		in.expectSubsets(ctx, "pod-gone", "http:8080: pod-gone-1")
		Eventually(in.conditions("pod-unready")).WithContext(ctx).Should(HaveKeyWithValue("pod-unready-0", "none"))
		Eventually(in.slices("service-edited")).WithContext(ctx).Should(
			ConsistOf(HaveField("Labels", HaveKeyWithValue("tier", "front"))))
		Eventually(in.slices("service-gone")).WithContext(ctx).Should(BeEmpty())
		in.expectNoFaults(ctx, "made", 2)
	})

	It("deletes Endpoints that Services left which went meanwhile, and none that somebody made", func(ctx SpecContext) {
		in.runPods(ctx, "web", 1)
		in.expose(ctx, "web")
		in.expectSubsets(ctx, "web", "http:8080: web-0")
		left := in.endpointsNow(ctx, "web")
		in.makeEndpoints(ctx, "waiting", subset(5432, "192.0.2.1"))
		lock := in.makeEndpoints(ctx, "lock")
		lock.Annotations = map[string]string{"control-plane.alpha.kubernetes.io/leader": "me"}
		lock.Labels = left.Labels
		Expect(api.Update(ctx, lock)).To(Succeed())

		awaitIdle(ctx, manager)
		crashSharedManager()
		in.delete(ctx, &corev1.Service{}, "web")
		in.leaveBehind(ctx, left)
		restartSharedManager(ctx)
		in.expectGone(ctx, "web")
		in.awaitTurn(ctx)
		Expect(in.endpointsNow(ctx, "waiting").Subsets).To(HaveLen(1))
		Expect(in.endpointsNow(ctx, "lock").ResourceVersion).To(Equal(lock.ResourceVersion))
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

// leaveBehind makes sure that Endpoints are there as their Service left them.
// API servers before 1.37 delete them with the Service, if all goes well.
func (in space) leaveBehind(ctx context.Context, left *corev1.Endpoints) {
	GinkgoHelper()
	left.ResourceVersion, left.UID = "", ""
	Expect(client.IgnoreAlreadyExists(api.Create(ctx, left))).To(Succeed())
}

// crashAndRestartAt crashes the manager when it lists a number of pods, and
// starts it again.
func (in space) crashAndRestartAt(ctx SpecContext, service string, pods OmegaMatcher) {
	GinkgoHelper()
	Eventually(in.conditions(service)).WithContext(ctx).Should(WithTransform(
		func(listed map[string]string) int { return len(listed) }, pods))
	crashSharedManager()
	restartSharedManager(ctx)
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
)

var _ = Describe("What others do to the Endpoints of a Service", func() {
	var in space

	BeforeEach(func(ctx SpecContext) {
		in = newSpace(ctx)
		in.runPods(ctx, "web", 2)
		in.expose(ctx, "web")
		in.expectSubsets(ctx, "web", "http:8080: web-0 web-1")
	})

	It("is repaired when they are deleted", func(ctx SpecContext) {
		before := in.endpointsNow(ctx, "web")
		in.delete(ctx, &corev1.Endpoints{}, "web")
		in.expectSubsets(ctx, "web", "http:8080: web-0 web-1")
		Expect(in.endpointsNow(ctx, "web").UID).NotTo(Equal(before.UID))
	})

	DescribeTable("is repaired when they are edited", func(ctx SpecContext, edit func(*corev1.Endpoints)) {
		before := in.endpointsNow(ctx, "web")
		edited := before.DeepCopy()
		edit(edited)
		Expect(api.Update(ctx, edited)).To(Succeed())
		Eventually(func(g Gomega, ctx SpecContext) {
			now := in.endpointsNow(ctx, "web")
			g.Expect(now.ResourceVersion).NotTo(BeElementOf(before.ResourceVersion, edited.ResourceVersion))
			g.Expect(now.UID).To(Equal(before.UID))
			g.Expect(now.Labels).To(Equal(before.Labels))
			g.Expect(now.Subsets).To(Equal(before.Subsets))
		}).WithContext(ctx).Should(Succeed())
	},
		Entry("to list nothing", func(object *corev1.Endpoints) { object.Subsets = nil }),
		Entry("to list a stranger too", func(object *corev1.Endpoints) {
			object.Subsets[0].Addresses = append(object.Subsets[0].Addresses, corev1.EndpointAddress{IP: "192.0.2.1"})
		}),
		Entry("to say that a pod is not ready", func(object *corev1.Endpoints) {
			subset := &object.Subsets[0]
			subset.Addresses, subset.NotReadyAddresses = subset.Addresses[:1], subset.Addresses[1:]
		}),
		Entry("to name another pod", func(object *corev1.Endpoints) { object.Subsets[0].Addresses[0].TargetRef.Name = "nobody" }),
		Entry("to another port", func(object *corev1.Endpoints) { object.Subsets[0].Ports[0].Port = 9999 }),
		Entry("to bear another label", func(object *corev1.Endpoints) { object.Labels["intruder"] = "yes" }),
		Entry("to be headless", func(object *corev1.Endpoints) { object.Labels[corev1.IsHeadlessService] = "" }),
		Entry("to be nobody's", func(object *corev1.Endpoints) { object.Labels = nil }),
		Entry("to lack some for want of room", func(object *corev1.Endpoints) {
			object.Annotations[corev1.EndpointsOverCapacity] = "truncated"
		}),
	)

	It("is repaired when they were there before the Service", func(ctx SpecContext) {
		made := in.makeEndpoints(ctx, "late", subset(5432, "192.0.2.1"))
		Expect(api.Create(ctx, in.newService("late", "web"))).To(Succeed())
		in.expectSubsets(ctx, "late", "http:8080: web-0 web-1")
		Expect(in.endpointsNow(ctx, "late").UID).To(Equal(made.UID))
	})

	It("stays when it is an annotation", func(ctx SpecContext) {
		in.patch(ctx, &corev1.Endpoints{}, "web", `{"metadata":{"annotations":{"note":"mine"}}}`)
		in.delete(ctx, &corev1.Pod{}, "web-0")
		in.expectSubsets(ctx, "web", "http:8080: web-1")
		Expect(in.endpointsNow(ctx, "web").Annotations).To(HaveKeyWithValue("note", "mine"))
	})
})

var _ = Describe("When a Service goes", func() {
	var in space

	BeforeEach(func(ctx SpecContext) { in = newSpace(ctx) })

	It("its Endpoints go too", func(ctx SpecContext) {
		in.runPods(ctx, "web", 1)
		in.expose(ctx, "web")
		in.expectSubsets(ctx, "web", "http:8080: web-0")
		in.delete(ctx, &corev1.Service{}, "web")
		in.expectGone(ctx, "web")
	})

	It("Endpoints go too that somebody keeps for it, with their mirror", func(ctx SpecContext) {
		in.exposeOutsiders(ctx, "db")
		in.makeEndpoints(ctx, "db", subset(5432, "192.0.2.1"))
		Eventually(in.sizes("db")).WithContext(ctx).Should(ConsistOf(1))
		in.delete(ctx, &corev1.Service{}, "db")
		in.expectGone(ctx, "db")
		Eventually(in.slices("db")).WithContext(ctx).Should(BeEmpty())
	})

	It("Endpoints of its name stay that somebody makes afterwards", func(ctx SpecContext) {
		in.expose(ctx, "web")
		in.expectSubsets(ctx, "web")
		in.delete(ctx, &corev1.Service{}, "web")
		in.expectGone(ctx, "web")
		made := in.makeEndpoints(ctx, "web", subset(5432, "192.0.2.1"))
		in.awaitTurn(ctx)
		Consistently(in.find(&corev1.Endpoints{}, "web")).WithContext(ctx).Should(Succeed())
		Expect(in.endpointsNow(ctx, "web")).To(Equal(made))
	})
})

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

var _ = Describe("What others do to the slices of a Service", func() {
	var in space

	BeforeEach(func(ctx SpecContext) {
		in = newSpace(ctx)
		in.runPods(ctx, "web", 2)
		in.expose(ctx, "web")
		in.expectNoFaults(ctx, "web", 2)
	})

	It("is repaired when a slice is deleted", func(ctx SpecContext) {
		slice := in.onlySlice(ctx, "web")
		in.delete(ctx, &discoveryv1.EndpointSlice{}, slice.Name)
		Eventually(in.slices("web")).WithContext(ctx).Should(ConsistOf(And(
			HaveField("UID", Not(Equal(slice.UID))),
			HaveField("Endpoints", HaveLen(2)),
		)))
		in.expectNoFaults(ctx, "web", 2)
	})

	DescribeTable("is repaired when a slice is edited", func(ctx SpecContext, edit func(*discoveryv1.EndpointSlice)) {
		before := in.onlySlice(ctx, "web")
		edited := before.DeepCopy()
		edit(edited)
		Expect(api.Update(ctx, edited)).To(Succeed())
		Eventually(in.slices("web")).WithContext(ctx).Should(ConsistOf(And(
			HaveField("UID", before.UID),
			HaveField("ResourceVersion", Not(BeElementOf(before.ResourceVersion, edited.ResourceVersion))),
			HaveField("Labels", before.Labels),
			HaveField("Ports", before.Ports),
			HaveField("Endpoints", ConsistOf(before.Endpoints)),
		)))
	},
		Entry("to list nothing", func(slice *discoveryv1.EndpointSlice) { slice.Endpoints = nil }),
		Entry("to list a stranger too", func(slice *discoveryv1.EndpointSlice) {
			slice.Endpoints = append(slice.Endpoints, discoveryv1.Endpoint{Addresses: []string{"192.0.2.1"}})
		}),
		Entry("to list a pod twice", func(slice *discoveryv1.EndpointSlice) {
			slice.Endpoints = append(slice.Endpoints, slice.Endpoints[0])
		}),
		Entry("to say that a pod is not ready", func(slice *discoveryv1.EndpointSlice) {
			slice.Endpoints[0].Conditions.Ready = new(false)
		}),
		Entry("to say nothing about a condition", func(slice *discoveryv1.EndpointSlice) {
			slice.Endpoints[1].Conditions.Terminating = nil
		}),
		Entry("to place a pod elsewhere", func(slice *discoveryv1.EndpointSlice) {
			slice.Endpoints[0].Zone = new("zone-x")
			slice.Endpoints[1].NodeName = nil
		}),
		Entry("to another port", func(slice *discoveryv1.EndpointSlice) { slice.Ports[0].Port = new(int32(9999)) }),
		Entry("to no port", func(slice *discoveryv1.EndpointSlice) { slice.Ports = nil }),
		Entry("to bear another label", func(slice *discoveryv1.EndpointSlice) { slice.Labels["intruder"] = "yes" }),
		Entry("to be headless", func(slice *discoveryv1.EndpointSlice) { slice.Labels[corev1.IsHeadlessService] = "" }),
	)

	It("is repaired when a slice is given to another manager, and left alone from then on", func(ctx SpecContext) {
		name := in.onlySlice(ctx, "web").Name
		in.patch(ctx, &discoveryv1.EndpointSlice{}, name, managedByPatch("somebody-else"))
		Eventually(in.sizes("web")).WithContext(ctx).Should(ConsistOf(2, 2))
		foreign := get(ctx, in, &discoveryv1.EndpointSlice{}, name)

		in.runPods(ctx, "more", 1)
		in.patch(ctx, &corev1.Pod{}, "more-0", `{"metadata":{"labels":{"`+app+`":"web"}}}`)
		Eventually(in.sizes("web")).WithContext(ctx).Should(ConsistOf(2, 3))
		Expect(get(ctx, in, &discoveryv1.EndpointSlice{}, name)).To(Equal(foreign))

		By("taking it back")
		in.patch(ctx, &discoveryv1.EndpointSlice{}, name, managedByPatch(managedBy))
		in.expectNoFaults(ctx, "web", 3)
	})

	It("is repaired when a slice is given to another Service", func(ctx SpecContext) {
		in.runPods(ctx, "other", 1)
		in.expose(ctx, "other")
		in.expectNoFaults(ctx, "other", 1)
		name := in.onlySlice(ctx, "web").Name
		in.patch(ctx, &discoveryv1.EndpointSlice{}, name, `{"metadata":{"labels":{"kubernetes.io/service-name":"other"}}}`)
		in.expectNoFaults(ctx, "web", 2)
		in.expectNoFaults(ctx, "other", 1)
	})

	It("leaves slices with another manager alone", func(ctx SpecContext) {
		foreign := &discoveryv1.EndpointSlice{
			ObjectMeta: metav1.ObjectMeta{
				Namespace: string(in),
				Name:      "by-hand",
				Labels: map[string]string{
					discoveryv1.LabelServiceName: "web",
					discoveryv1.LabelManagedBy:   "somebody-else",
				},
			},
			AddressType: discoveryv1.AddressTypeIPv4,
			Endpoints:   []discoveryv1.Endpoint{{Addresses: []string{"192.0.2.1"}}},
		}
		Expect(api.Create(ctx, foreign)).To(Succeed())
		in.delete(ctx, &corev1.Pod{}, "web-0")
		Eventually(in.sizes("web")).WithContext(ctx).Should(ConsistOf(1, 1))
		in.delete(ctx, &corev1.Service{}, "web")
		Eventually(in.slices("web")).WithContext(ctx).Should(ConsistOf(HaveField("Name", "by-hand")))
		Expect(get(ctx, in, &discoveryv1.EndpointSlice{}, "by-hand").ResourceVersion).To(Equal(foreign.ResourceVersion))
	})

	It("keeps an annotation that somebody put on a slice", func(ctx SpecContext) {
		slice := in.onlySlice(ctx, "web")
		in.patch(ctx, &discoveryv1.EndpointSlice{}, slice.Name, `{"metadata":{"annotations":{"note":"mine"}}}`)
		in.delete(ctx, &corev1.Pod{}, "web-0")
		Eventually(in.slices("web")).WithContext(ctx).Should(ConsistOf(HaveField("Endpoints", HaveLen(1))))
		Expect(in.onlySlice(ctx, "web").Annotations).To(HaveKeyWithValue("note", "mine"))
	})
})

func managedByPatch(manager string) string {
	return fmt.Sprintf(`{"metadata":{"labels":{%q:%q}}}`, discoveryv1.LabelManagedBy, manager)
}

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
	"sigs.k8s.io/controller-runtime/pkg/client"
)

var _ = Describe("What others do to a mirrored slice", func() {
	var in space

	BeforeEach(func(ctx SpecContext) {
		in = newSpace(ctx)
		in.exposeOutsiders(ctx, "db")
		in.makeEndpoints(ctx, "db", subset(5432, "192.0.2.10", "192.0.2.11"))
		Eventually(in.mirrors("db")).WithContext(ctx).Should(ConsistOf("IPv4 sql:5432: 192.0.2.10 192.0.2.11"))
	})

	It("is repaired when it is deleted", func(ctx SpecContext) {
		slice := in.onlySlice(ctx, "db")
		in.delete(ctx, &discoveryv1.EndpointSlice{}, slice.Name)
		Eventually(in.slices("db")).WithContext(ctx).Should(ConsistOf(And(
			HaveField("UID", Not(Equal(slice.UID))),
			HaveField("Endpoints", ConsistOf(slice.Endpoints)),
		)))
	})

	DescribeTable("is repaired when it is edited", func(ctx SpecContext, edit func(*discoveryv1.EndpointSlice)) {
		before := in.onlySlice(ctx, "db")
		edited := before.DeepCopy()
		edit(edited)
		Expect(api.Update(ctx, edited)).To(Succeed())
		Eventually(in.slices("db")).WithContext(ctx).Should(ConsistOf(And(
			HaveField("UID", before.UID),
			HaveField("ResourceVersion", Not(BeElementOf(before.ResourceVersion, edited.ResourceVersion))),
			HaveField("Labels", before.Labels),
			HaveField("OwnerReferences", before.OwnerReferences),
			HaveField("Ports", before.Ports),
			HaveField("Endpoints", ConsistOf(before.Endpoints)),
		)))
	},
		Entry("to list nothing", func(slice *discoveryv1.EndpointSlice) { slice.Endpoints = nil }),
		Entry("to list a stranger too", func(slice *discoveryv1.EndpointSlice) {
			slice.Endpoints = append(slice.Endpoints, discoveryv1.Endpoint{Addresses: []string{"192.0.2.1"}})
		}),
		Entry("to list an address twice", func(slice *discoveryv1.EndpointSlice) {
			slice.Endpoints = append(slice.Endpoints, slice.Endpoints[0])
		}),
		Entry("to say that an address is not ready", func(slice *discoveryv1.EndpointSlice) {
			slice.Endpoints[0].Conditions.Ready = new(false)
		}),
		Entry("to another port", func(slice *discoveryv1.EndpointSlice) { slice.Ports[0].Port = new(int32(9999)) }),
		Entry("to bear another label", func(slice *discoveryv1.EndpointSlice) { slice.Labels["intruder"] = "yes" }),
		Entry("to have no owner", func(slice *discoveryv1.EndpointSlice) {
			slice.OwnerReferences, slice.Labels["intruder"] = nil, "yes"
		}),
	)

	It("is repaired when it is given to another manager", func(ctx SpecContext) {
		name := in.onlySlice(ctx, "db").Name
		in.patch(ctx, &discoveryv1.EndpointSlice{}, name, managedByPatch("somebody-else"))
		Eventually(in.mirrors("db")).WithContext(ctx).Should(ConsistOf("IPv4 sql:5432: 192.0.2.10 192.0.2.11"))
		Expect(in.currentSlices(ctx, "db")).To(HaveLen(2))
	})

	It("leaves slices alone that others keep for the Service", func(ctx SpecContext) {
		foreign := &discoveryv1.EndpointSlice{
			ObjectMeta:  metav1.ObjectMeta{Namespace: string(in), Name: "by-hand", Labels: map[string]string{discoveryv1.LabelServiceName: "db"}},
			AddressType: discoveryv1.AddressTypeIPv4,
			Endpoints:   []discoveryv1.Endpoint{{Addresses: []string{"192.0.2.1"}}},
		}
		Expect(api.Create(ctx, foreign)).To(Succeed())
		in.delete(ctx, &corev1.Endpoints{}, "db")
		Eventually(in.slices("db")).WithContext(ctx).Should(ConsistOf(*foreign))
	})
})

var _ = Describe("Endpoints with more addresses than a slice has room for", func() {
	It("are mirrored in part, ready ones first, with an event that says so", func(ctx SpecContext) {
		in := newSpace(ctx)
		in.exposeOutsiders(ctx, "db")
		large := subset(5432)
		for i := range 1001 {
			address := corev1.EndpointAddress{IP: fmt.Sprintf("192.0.%d.%d", 2+i/250, 1+i%250)}
			if i == 0 {
				large.NotReadyAddresses = append(large.NotReadyAddresses, address)
			} else {
				large.Addresses = append(large.Addresses, address)
			}
		}
		made := in.makeEndpoints(ctx, "db", large)
		Eventually(in.slices("db")).WithContext(ctx).Should(ConsistOf(And(
			HaveField("Endpoints", HaveLen(1000)),
			HaveField("Endpoints", HaveEach(HaveField("Conditions.Ready", HaveValue(BeTrue())))),
		)))
		Eventually(in.events("Endpoints", "db")).WithContext(ctx).Should(ContainElement(
			HavePrefix("Warning TooManyAddressesToMirror: 1 addresses are not mirrored")))

		By("mirroring all as soon as there are fewer")
		made.Subsets[0].Addresses = made.Subsets[0].Addresses[:999]
		Expect(api.Update(ctx, made)).To(Succeed())
		Eventually(in.slices("db")).WithContext(ctx).Should(ConsistOf(HaveField("Endpoints", And(
			HaveLen(1000), ContainElement(HaveField("Conditions.Ready", HaveValue(BeFalse()))),
		))))
	})
})

var _ = Describe("The Service kubernetes, whose endpoints the API server keeps", func() {
	It("is left alone", func(ctx SpecContext) {
		in := space(metav1.NamespaceDefault)
		slice := in.onlySlice(ctx, "kubernetes")
		Expect(slice.Labels).NotTo(HaveKey(discoveryv1.LabelManagedBy))
		before := map[string]client.Object{"slice": slice, "Endpoints": in.endpointsNow(ctx, "kubernetes")}

		By("looking at it anew")
		in.patch(ctx, &corev1.Service{}, "kubernetes", `{"metadata":{"labels":{"looked-at":"yes"}}}`)
		DeferCleanup(func(ctx SpecContext) {
			in.patch(ctx, &corev1.Service{}, "kubernetes", `{"metadata":{"labels":{"looked-at":null}}}`)
		})
		newSpace(ctx).awaitMirroring(ctx)
		Expect(map[string]client.Object{
			"slice": in.onlySlice(ctx, "kubernetes"), "Endpoints": in.endpointsNow(ctx, "kubernetes"),
		}).To(Equal(before))
	})
})

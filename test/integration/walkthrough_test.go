// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

var _ = Describe("What a newcomer does with Services", func() {
	var in space

	BeforeEach(func(ctx SpecContext) { in = newSpace(ctx) })

	It("puts a Service in front of two web pods and scales them", func(ctx SpecContext) {
		in.applySample(ctx, "web.yaml")
		service := get(ctx, in, &corev1.Service{}, "web")
		Expect(service.Spec.ClusterIP).To(HavePrefix("10.96."))

		By("listing both pods")
		Eventually(in.sizes("web")).WithContext(ctx).Should(ConsistOf(2))
		in.expectNoFaults(ctx, "web", 2)
		slice := in.onlySlice(ctx, "web")
		Expect(slice.Name).To(HavePrefix("web-"))
		Expect(slice.AddressType).To(Equal(discoveryv1.AddressTypeIPv4))
		Expect(portNumbers(slice)).To(ConsistOf("http:8080"))
		Expect(slice.Labels).To(Equal(map[string]string{
			"app.kubernetes.io/name":                 "web",
			"kubernetes.io/service-name":             "web",
			"endpointslice.kubernetes.io/managed-by": managedBy,
		}))
		Expect(*slice).To(ownedBy(service))
		for _, pod := range in.pods(ctx, "web") {
			node := &corev1.Node{}
			Expect(api.Get(ctx, client.ObjectKey{Name: pod.Spec.NodeName}, node)).To(Succeed())
			Expect(slice.Endpoints).To(ContainElement(discoveryv1.Endpoint{
				Addresses: []string{pod.Status.PodIP},
				Conditions: discoveryv1.EndpointConditions{
					Ready:       new(true),
					Serving:     new(true),
					Terminating: new(false),
				},
				NodeName:  new(pod.Spec.NodeName),
				Zone:      new(node.Labels["topology.kubernetes.io/zone"]),
				TargetRef: &corev1.ObjectReference{Kind: "Pod", Namespace: string(in), Name: pod.Name, UID: pod.UID},
			}))
		}

		By("scaling to five")
		in.scale(ctx, "web", 5)
		Eventually(in.sizes("web")).WithContext(ctx).Should(ConsistOf(5))
		in.expectNoFaults(ctx, "web", 5)

		By("scaling to zero, which leaves an empty slice that says so")
		in.scale(ctx, "web", 0)
		Eventually(in.slices("web")).WithContext(ctx).Should(ConsistOf(placeholder()))
		Expect(in.onlySlice(ctx, "web").UID).To(Equal(slice.UID), "the slice is reused")

		By("scaling to one")
		in.scale(ctx, "web", 1)
		in.expectNoFaults(ctx, "web", 1)
		Expect(in.onlySlice(ctx, "web").UID).To(Equal(slice.UID), "the slice is reused")
	})

	It("sees a pod turn unready and ready again", func(ctx SpecContext) {
		in.applySample(ctx, "web.yaml")
		in.expectNoFaults(ctx, "web", 2)
		first, second := in.pods(ctx, "web")[0].Name, in.pods(ctx, "web")[1].Name

		in.setReady(ctx, first, false)
		Eventually(in.conditions("web")).WithContext(ctx).Should(Equal(map[string]string{
			first:  "none",
			second: "ready serving",
		}))

		in.setReady(ctx, first, true)
		Eventually(in.conditions("web")).WithContext(ctx).Should(Equal(map[string]string{
			first:  "ready serving",
			second: "ready serving",
		}))
	})

	It("sees a deleted pod serve on until it is gone", func(ctx SpecContext) {
		in.applySample(ctx, "web.yaml")
		in.expectNoFaults(ctx, "web", 2)
		pod := in.pods(ctx, "web")[0].Name
		in.annotate(ctx, pod, "kwok.servicenet.dev/stop-after", "1h")
		in.delete(ctx, &corev1.Pod{}, pod)

		By("listing it as terminating, beside the one that replaces it")
		Eventually(in.conditions("web")).WithContext(ctx).Should(And(
			HaveLen(3),
			HaveKeyWithValue(pod, "serving terminating"),
		))
		in.expectNoFaults(ctx, "web", 3)

		By("dropping it when it has ended")
		in.delete(ctx, &corev1.Pod{}, pod, client.GracePeriodSeconds(0))
		Eventually(in.conditions("web")).WithContext(ctx).Should(And(HaveLen(2), Not(HaveKey(pod))))
		in.expectNoFaults(ctx, "web", 2)
	})

	It("keeps a slice for each port that a named target port resolves to", func(ctx SpecContext) {
		in.applySample(ctx, "named-port.yaml")
		Eventually(in.sizes("shop")).WithContext(ctx).Should(ConsistOf(3, 1))
		in.expectNoFaults(ctx, "shop", 4)
		for _, slice := range in.currentSlices(ctx, "shop") {
			port, deployment := "http:8080", "shop-stable-"
			if len(slice.Endpoints) == 1 {
				port, deployment = "http:9090", "shop-canary-"
			}
			Expect(portNumbers(&slice)).To(ConsistOf(port))
			Expect(slice.Endpoints).To(HaveEach(HaveField("TargetRef.Name", HavePrefix(deployment))))
		}

		By("dropping the canary's slice with the canary")
		in.scale(ctx, "shop-canary", 0)
		Eventually(in.slices("shop")).WithContext(ctx).Should(ConsistOf(HaveField("Endpoints", HaveLen(3))))
		Expect(portNumbers(in.onlySlice(ctx, "shop"))).To(ConsistOf("http:8080"))
	})

	It("names the pods of a StatefulSet behind a headless Service", func(ctx SpecContext) {
		in.applySample(ctx, "headless.yaml")
		in.expectNoFaults(ctx, "db", 3)
		slice := in.onlySlice(ctx, "db")
		Expect(slice.Labels).To(HaveKeyWithValue("service.kubernetes.io/headless", ""))
		Expect(portNumbers(slice)).To(ConsistOf("sql:5432"))
		for _, pod := range []string{"db-0", "db-1", "db-2"} {
			Expect(slice.Endpoints).To(ContainElement(And(
				HaveField("Hostname", HaveValue(Equal(pod))),
				HaveField("TargetRef.Name", pod),
			)))
		}
	})

	It("opens a port on every node", func(ctx SpecContext) {
		in.applySample(ctx, "nodeport.yaml")
		service := get(ctx, in, &corev1.Service{}, "dashboard")
		Expect(service.Spec.Ports).To(ConsistOf(HaveField("NodePort", BeNumerically(">=", 30000))))
		in.expectNoFaults(ctx, "dashboard", 2)
		Expect(portNumbers(in.onlySlice(ctx, "dashboard"))).To(ConsistOf("http:8080"))
	})

	It("leaves hand-made slices of a Service without a selector alone", func(ctx SpecContext) {
		in.applySample(ctx, "external-database.yaml")
		before := restingVersions(ctx, in)
		Expect(before).To(HaveLen(2))

		in.patch(ctx, &corev1.Service{}, "orders-database", `{"metadata":{"labels":{"team":"orders"}}}`)
		in.awaitTurn(ctx)
		Consistently(in.slices("orders-database")).WithContext(ctx).Should(HaveLen(2))
		Expect(versions(in)(ctx)).To(Equal(before))
	})

	It("writes nothing for an ExternalName Service", func(ctx SpecContext) {
		in.applySample(ctx, "external-name.yaml")
		in.awaitTurn(ctx)
		Consistently(versions(in)).WithContext(ctx).Should(BeEmpty())
	})

	It("spreads 250 pods over slices of at most 100", func(ctx SpecContext) {
		in.applySample(ctx, "large.yaml")
		in.expectNoFaults(ctx, "large", 250)

		By("putting another Service in front of all 250 at once")
		Expect(api.Create(ctx, in.newService("also-large", "large"))).To(Succeed())
		Eventually(in.sizes("also-large")).WithContext(ctx).Should(ConsistOf(100, 100, 50))
		in.expectNoFaults(ctx, "also-large", 250)
	})

	It("publishes pods that are not ready where asked to", func(ctx SpecContext) {
		in.applySample(ctx, "web.yaml")
		in.expectNoFaults(ctx, "web", 2)
		pods := in.pods(ctx, "web")
		in.setReady(ctx, pods[0].Name, false)
		Eventually(in.conditions("web")).WithContext(ctx).Should(HaveKeyWithValue(pods[0].Name, "none"))

		in.patch(ctx, &corev1.Service{}, "web", `{"spec":{"publishNotReadyAddresses":true}}`)
		Eventually(in.conditions("web")).WithContext(ctx).Should(Equal(map[string]string{
			pods[0].Name: "ready",
			pods[1].Name: "ready serving",
		}))
	})

	It("lists the addresses of both families for a dual-stack Service", func(ctx SpecContext) {
		in.applySample(ctx, "dual-stack.yaml")
		service := get(ctx, in, &corev1.Service{}, "api")
		Expect(service.Spec.ClusterIPs).To(ConsistOf(HavePrefix("10.96."), HavePrefix("fd00:10:96:")))
		Eventually(in.slices("api")).WithContext(ctx).Should(ConsistOf(
			And(HaveField("AddressType", discoveryv1.AddressTypeIPv4), HaveField("Endpoints", HaveLen(2))),
			And(HaveField("AddressType", discoveryv1.AddressTypeIPv6), HaveField("Endpoints", HaveLen(2))),
		))
		Eventually(in.faults("api")).WithContext(ctx).Should(BeEmpty())

		By("dropping a family with the Service")
		in.patch(ctx, &corev1.Service{}, "api", `{"spec":{"ipFamilyPolicy":"SingleStack","ipFamilies":["IPv4"],"clusterIPs":["`+service.Spec.ClusterIP+`"]}}`)
		Eventually(in.slices("api")).WithContext(ctx).Should(ConsistOf(HaveField("AddressType", discoveryv1.AddressTypeIPv4)))
		in.expectNoFaults(ctx, "api", 2)
	})
})

// awaitTurn waits until the manager has got round to a Service made now, and so
// to all that was changed in the namespace before.
func (in space) awaitTurn(ctx SpecContext) {
	GinkgoHelper()
	marker := in.newService("", "marker")
	marker.ObjectMeta = metav1.ObjectMeta{Namespace: string(in), GenerateName: "marker-"}
	Expect(api.Create(ctx, marker)).To(Succeed())
	Eventually(in.slices(marker.Name)).WithContext(ctx).Should(ConsistOf(placeholder()))
	in.expectSubsets(ctx, marker.Name)
	// It must not be counted by what follows.
	in.delete(ctx, &corev1.Service{}, marker.Name)
	Eventually(in.slices(marker.Name)).WithContext(ctx).Should(BeEmpty())
	in.expectGone(ctx, marker.Name)
}

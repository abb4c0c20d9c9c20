// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
)

var _ = Describe("What a slice says", func() {
	var in space

	BeforeEach(func(ctx SpecContext) { in = newSpace(ctx) })

	It("of a Service that bears reserved labels, and annotations, is what the controller says", func(ctx SpecContext) {
		service := in.newService("web", "web")
		service.Labels = map[string]string{
			"tier":                       "front",
			discoveryv1.LabelServiceName: "other",
			discoveryv1.LabelManagedBy:   "me",
			corev1.IsHeadlessService:     "no",
		}
		service.Annotations = map[string]string{"note": "of the Service"}
		Expect(api.Create(ctx, service)).To(Succeed())
		Eventually(in.slices("web")).WithContext(ctx).Should(ConsistOf(And(
			HaveField("Labels", Equal(map[string]string{
				"tier":                       "front",
				discoveryv1.LabelServiceName: "web",
				discoveryv1.LabelManagedBy:   managedBy,
			})),
			HaveField("Annotations", Not(HaveKey("note"))),
		)))
	})

	It("of a port is all that the Service says", func(ctx SpecContext) {
		service := in.newService("web", "web")
		service.Spec.Ports = []corev1.ServicePort{{
			Port: 80, TargetPort: intstr.FromInt32(8080), Protocol: corev1.ProtocolSCTP, AppProtocol: new("example.com/tunnel"),
		}}
		Expect(api.Create(ctx, service)).To(Succeed())
		in.runPods(ctx, "web", 1)
		in.expectNoFaults(ctx, "web", 1)
		Expect(in.onlySlice(ctx, "web").Ports).To(ConsistOf(discoveryv1.EndpointPort{
			Name: new(""), Port: new(int32(8080)), Protocol: new(corev1.ProtocolSCTP), AppProtocol: new("example.com/tunnel"),
		}))
	})

	It("of a headless Service without ports is where its pods are", func(ctx SpecContext) {
		service := in.newService("web", "web")
		service.Spec.ClusterIP, service.Spec.Ports = corev1.ClusterIPNone, nil
		Expect(api.Create(ctx, service)).To(Succeed())
		in.runPods(ctx, "web", 1)
		in.expectNoFaults(ctx, "web", 1)
		Expect(in.onlySlice(ctx, "web").Ports).To(BeEmpty())
		in.expectSubsets(ctx, "web", ": web-0")
	})

	It("of a named port may come from a sidecar, and only for the protocol", func(ctx SpecContext) {
		pod := in.newPod("web-0", "web")
		pod.Spec.Containers[0].Ports = []corev1.ContainerPort{{Name: "main", ContainerPort: 53, Protocol: corev1.ProtocolUDP}}
		pod.Spec.InitContainers = []corev1.Container{
			{Name: "setup", Image: "example.com/setup", Ports: []corev1.ContainerPort{{Name: "main", ContainerPort: 1}}},
			{
				Name: "sidecar", Image: "example.com/sidecar", RestartPolicy: new(corev1.ContainerRestartPolicyAlways),
				Ports: []corev1.ContainerPort{{Name: "main", ContainerPort: 9090}},
			},
		}
		Expect(api.Create(ctx, pod)).To(Succeed())
		service := in.newService("web", "web")
		service.Spec.Ports[0].TargetPort = intstr.FromString("main")
		Expect(api.Create(ctx, service)).To(Succeed())
		in.expectNoFaults(ctx, "web", 1)
		Expect(portNumbers(in.onlySlice(ctx, "web"))).To(ConsistOf("http:9090"))
		in.expectSubsets(ctx, "web", "http:9090: web-0")
	})

	It("of a hostname needs the Service to be the pod's subdomain", func(ctx SpecContext) {
		pod := in.newPod("web-0", "web")
		pod.Spec.Hostname, pod.Spec.Subdomain = "first", "other"
		Expect(api.Create(ctx, pod)).To(Succeed())
		in.expose(ctx, "web")
		Expect(api.Create(ctx, in.newService("other", "web"))).To(Succeed())
		in.expectNoFaults(ctx, "web", 1)
		in.expectNoFaults(ctx, "other", 1)
		Expect(in.onlySlice(ctx, "web").Endpoints).To(ConsistOf(HaveField("Hostname", BeNil())))
		Expect(in.onlySlice(ctx, "other").Endpoints).To(ConsistOf(HaveField("Hostname", HaveValue(Equal("first")))))
	})

	It("of a Service with the longest of names is no less", func(ctx SpecContext) {
		const longest = 63
		in.runPods(ctx, "web", 1)
		name := strings.Repeat("w", longest)
		Expect(api.Create(ctx, in.newService(name, "web"))).To(Succeed())
		in.expectNoFaults(ctx, name, 1)
		in.expectSubsets(ctx, name, "http:8080: web-0")
	})
})

var _ = Describe("What is on its way out", func() {
	const hold = "example.com/hold"
	var in space

	BeforeEach(func(ctx SpecContext) {
		in = newSpace(ctx)
		in.runPods(ctx, "web", 2)
		in.expose(ctx, "web")
		in.expectNoFaults(ctx, "web", 2)
	})

	It("is replaced when it is a slice", func(ctx SpecContext) {
		slice := in.onlySlice(ctx, "web")
		in.patch(ctx, &discoveryv1.EndpointSlice{}, slice.Name, `{"metadata":{"finalizers":["`+hold+`"]}}`)
		in.delete(ctx, &discoveryv1.EndpointSlice{}, slice.Name)
		Eventually(in.sizes("web")).WithContext(ctx).Should(ConsistOf(2, 2))

		By("leaving alone what is going")
		before := get(ctx, in, &discoveryv1.EndpointSlice{}, slice.Name)
		in.delete(ctx, &corev1.Pod{}, "web-0")
		Eventually(in.sizes("web")).WithContext(ctx).Should(ConsistOf(1, 2))
		Expect(get(ctx, in, &discoveryv1.EndpointSlice{}, slice.Name)).To(Equal(before))
		in.patch(ctx, &discoveryv1.EndpointSlice{}, slice.Name, `{"metadata":{"finalizers":null}}`)
		in.expectNoFaults(ctx, "web", 1)
	})

	It("is kept right when it is a Service, in the slices it has", func(ctx SpecContext) {
		slice := in.onlySlice(ctx, "web")
		in.patch(ctx, &corev1.Service{}, "web", `{"metadata":{"finalizers":["`+hold+`"]}}`)
		in.delete(ctx, &corev1.Service{}, "web")
		in.delete(ctx, &corev1.Pod{}, "web-0")
		in.expectNoFaults(ctx, "web", 1)
		Expect(in.onlySlice(ctx, "web").UID).To(Equal(slice.UID))

		By("making none")
		in.delete(ctx, &discoveryv1.EndpointSlice{}, slice.Name)
		in.awaitTurn(ctx)
		Consistently(in.slices("web")).WithContext(ctx).Should(BeEmpty())

		service := get(ctx, in, &corev1.Service{}, "web")
		controllerutil.RemoveFinalizer(service, hold)
		Expect(api.Update(ctx, service)).To(Succeed())
		in.expectGone(ctx, "web")
	})
})

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"fmt"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
)

var _ = Describe("What becomes of a Service", func() {
	var (
		in      space
		service *corev1.Service
	)

	BeforeEach(func(ctx SpecContext) {
		in = newSpace(ctx)
		in.runPods(ctx, "web", 2)
		service = in.expose(ctx, "web")
		in.expectNoFaults(ctx, "web", 2)
	})

	It("mirrors its labels", func(ctx SpecContext) {
		in.patch(ctx, &corev1.Service{}, "web", `{"metadata":{"labels":{"tier":"front","team":"a"}}}`)
		Eventually(in.slices("web")).WithContext(ctx).Should(ConsistOf(
			HaveField("Labels", And(HaveLen(4), HaveKeyWithValue("tier", "front"), HaveKeyWithValue("team", "a")))))

		in.patch(ctx, &corev1.Service{}, "web", `{"metadata":{"labels":{"tier":"back","team":null}}}`)
		Eventually(in.slices("web")).WithContext(ctx).Should(ConsistOf(HaveField("Labels", Equal(map[string]string{
			"tier":                       "back",
			discoveryv1.LabelServiceName: "web",
			discoveryv1.LabelManagedBy:   managedBy,
		}))))
		in.expectNoFaults(ctx, "web", 2)
	})

	It("follows its selector", func(ctx SpecContext) {
		in.runPods(ctx, "other", 3)
		in.patch(ctx, &corev1.Service{}, "web", `{"spec":{"selector":{"`+app+`":"other"}}}`)
		in.expectNoFaults(ctx, "web", 3)
		Expect(in.currentSlices(ctx, "web")).To(HaveLen(1))
	})

	It("follows its ports, in the same slice", func(ctx SpecContext) {
		slice := in.onlySlice(ctx, "web")
		in.patch(ctx, &corev1.Service{}, "web",
			`{"spec":{"ports":[{"name":"http","port":80,"targetPort":8081},{"name":"metrics","port":9090}]}}`)
		Eventually(in.slices("web")).WithContext(ctx).Should(ConsistOf(And(
			HaveField("UID", slice.UID),
			WithTransform(func(s discoveryv1.EndpointSlice) []string { return portNumbers(&s) },
				ConsistOf("http:8081", "metrics:9090")),
		)))
		in.expectNoFaults(ctx, "web", 2)
	})

	It("takes its slices with it", func(ctx SpecContext) {
		in.delete(ctx, &corev1.Service{}, "web")
		Eventually(in.slices("web")).WithContext(ctx).Should(BeEmpty())
	})

	It("has slices of its own when it comes back under its name", Serial, func(ctx SpecContext) {
		By("pausing the garbage collector, which would help")
		Expect(stock.Signal(syscall.SIGSTOP)).To(Succeed())
		DeferCleanup(stock.Signal, syscall.SIGCONT)

		in.delete(ctx, &corev1.Service{}, "web")
		successor := in.expose(ctx, "web")
		Expect(successor.UID).NotTo(Equal(service.UID))
		Eventually(in.slices("web")).WithContext(ctx).Should(ConsistOf(And(
			ownedBy(successor),
			HaveField("Endpoints", HaveLen(2)),
		)))
		in.expectNoFaults(ctx, "web", 2)
	})

	It("shares its pods with other Services", func(ctx SpecContext) {
		other := in.newService("also-web", "web")
		Expect(api.Create(ctx, other)).To(Succeed())
		in.expectNoFaults(ctx, "also-web", 2)

		in.setReady(ctx, "web-0", false)
		for _, name := range []string{"web", "also-web"} {
			Eventually(in.conditions(name)).WithContext(ctx).Should(HaveKeyWithValue("web-0", "none"))
		}

		in.delete(ctx, &corev1.Service{}, "also-web")
		Eventually(in.slices("also-web")).WithContext(ctx).Should(BeEmpty())
		in.expectNoFaults(ctx, "web", 2)
	})
})

var _ = Describe("A namespace with Services", func() {
	It("goes without noise", func(ctx SpecContext) {
		in := newSpace(ctx)
		// Now and then the slices of a Service go before the Service. The more
		// there are, the surer the manager meets one.
		for i := range 20 {
			in.expose(ctx, fmt.Sprintf("web-%d", i))
		}
		Eventually(versions(in)).WithContext(ctx).Should(HaveLen(40), "a slice and Endpoints each")
		in.terminate(ctx)
		awaitIdle(ctx, manager)
		Expect(errorsLogged()).NotTo(ContainElement(ContainSubstring(string(in))))
	})
})

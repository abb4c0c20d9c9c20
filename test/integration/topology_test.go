// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// askForHints makes a Service ask for zone hints by the zones' CPU.
const askForHints = `{"metadata":{"annotations":{"service.kubernetes.io/topology-mode":"Auto"}}}`

// Nodes have 1000 CPUs each, and node-0 to node-5 are in zones a, b, c, a, b, c.
var _ = Describe("A Service that asks for zone hints by the zones' CPU", func() {
	var in space

	BeforeEach(func(ctx SpecContext) {
		in = newSpace(ctx)
		in.runPods(ctx, "web", nodes)
		in.expose(ctx, "web")
		in.expectNoFaults(ctx, "web", nodes)
		in.patch(ctx, &corev1.Service{}, "web", askForHints)
		Eventually(in.hintsPerZone("web")).WithContext(ctx).Should(Equal(evenHints()))
	})

	It("has one on every ready endpoint, and an event that says so", func(ctx SpecContext) {
		Expect(in.hints("web")(ctx)).To(Equal(map[string]string{
			"web-0": "zone-a", "web-1": "zone-b", "web-2": "zone-c",
			"web-3": "zone-a", "web-4": "zone-b", "web-5": "zone-c",
		}))
		Eventually(in.events("Service", "web")).WithContext(ctx).Should(ConsistOf(
			"Normal TopologyAwareHintsEnabled: Endpoints have zone hints, addressType: IPv4"))

		unready := in.newPod("unready", "web")
		unready.Annotations = map[string]string{"kwok.servicenet.dev/ready": "false"}
		Expect(api.Create(ctx, unready)).To(Succeed())
		Eventually(in.hints("web")).WithContext(ctx).Should(And(HaveLen(nodes+1), HaveKeyWithValue("unready", "")))
		Expect(in.hintsPerZone("web")(ctx)).To(Equal(evenHints()))
	})

	It("loses them when it stops asking", func(ctx SpecContext) {
		in.patch(ctx, &corev1.Service{}, "web", `{"metadata":{"annotations":{"service.kubernetes.io/topology-mode":null}}}`)
		Eventually(in.hintsPerZone("web")).WithContext(ctx).Should(BeEmpty())
		in.expectEvent(ctx, "web", "TopologyAwareHintsDisabled", "the Service does not ask for them any more")
	})

	It("may ask with the older annotation", func(ctx SpecContext) {
		in.patch(ctx, &corev1.Service{}, "web", `{"metadata":{"annotations":{
			"service.kubernetes.io/topology-mode":null,"service.kubernetes.io/topology-aware-hints":"disabled"}}}`)
		Eventually(in.hintsPerZone("web")).WithContext(ctx).Should(BeEmpty())
		in.patch(ctx, &corev1.Service{}, "web", `{"metadata":{"annotations":{"service.kubernetes.io/topology-aware-hints":"auto"}}}`)
		Eventually(in.hintsPerZone("web")).WithContext(ctx).Should(Equal(evenHints()))
	})

	It("is told when there are too few endpoints, and has hints once there are enough", func(ctx SpecContext) {
		few := in.newService("few", "few")
		few.Annotations = map[string]string{corev1.AnnotationTopologyMode: "Auto"}
		Expect(api.Create(ctx, few)).To(Succeed())
		in.runPods(ctx, "few", 2)
		in.expectNoFaults(ctx, "few", 2)
		in.expectEvent(ctx, "few", "TopologyAwareHintsDisabled", " ready endpoints are too few for 3 zones")
		Expect(in.hintsPerZone("few")(ctx)).To(BeEmpty())

		third := in.newPod("few-2", "few")
		third.Spec.NodeName = "node-2"
		Expect(api.Create(ctx, third)).To(Succeed())
		Eventually(in.hints("few")).WithContext(ctx).Should(Equal(map[string]string{"few-0": "zone-a", "few-1": "zone-b", "few-2": "zone-c"}))
		in.expectEvent(ctx, "few", "TopologyAwareHintsEnabled", "IPv4")
	})

	It("is told of another cause than before", func(ctx SpecContext) {
		in.runPods(ctx, "five", 5)
		Eventually(func(ctx context.Context) []corev1.Pod { return in.pods(ctx, "five") }).WithContext(ctx).Should(
			HaveEach(WithTransform(func(pod corev1.Pod) bool { return isReady(&pod) }, BeTrue())))
		five := in.newService("five", "five")
		five.Annotations = map[string]string{corev1.AnnotationTopologyMode: "Auto"}
		Expect(api.Create(ctx, five)).To(Succeed())
		in.expectEvent(ctx, "five", "TopologyAwareHintsDisabled", "no division of 5 ready endpoints among 3 zones")
		for _, pod := range []string{"five-0", "five-1", "five-2"} {
			in.delete(ctx, &corev1.Pod{}, pod)
		}
		in.expectEvent(ctx, "five", "TopologyAwareHintsDisabled", " ready endpoints are too few for 3 zones")
	})

	It("is told of each of its families", func(ctx SpecContext) {
		both := in.newService("both", "web")
		both.Annotations = map[string]string{corev1.AnnotationTopologyMode: "Auto"}
		both.Spec.IPFamilyPolicy = new(corev1.IPFamilyPolicyRequireDualStack)
		Expect(api.Create(ctx, both)).To(Succeed())
		in.expectEvent(ctx, "both", "TopologyAwareHintsEnabled", "IPv4")
		in.expectEvent(ctx, "both", "TopologyAwareHintsEnabled", "IPv6")
	})

	It("is told which node keeps it from having hints, and has them again when that is gone", Serial, func(ctx SpecContext) {
		node := "nowhere-of-" + string(in)
		addReadyNode(ctx, node, "", "1")
		Eventually(in.hintsPerZone("web")).WithContext(ctx).Should(BeEmpty())
		in.expectEvent(ctx, "web", "TopologyAwareHintsDisabled", "node "+node+" has no label topology.kubernetes.io/zone")

		removeNode(ctx, node)
		Eventually(in.hintsPerZone("web")).WithContext(ctx).Should(Equal(evenHints()))
	})

	It("moves endpoints to a zone that would be overloaded, as nodes come, change and go", Serial, func(ctx SpecContext) {
		node := "large-of-" + string(in)
		addReadyNode(ctx, node, "zone-d", "6k")
		Eventually(in.hintsPerZone("web")).WithContext(ctx).Should(
			Equal(map[string]int{"zone-a": 1, "zone-b": 1, "zone-c": 1, "zone-d": 3}), "half of the CPU is in zone-d")

		By("following the node to another zone")
		Expect(api.Patch(ctx, namedNode(node), mergePatch(`{"metadata":{"labels":{"topology.kubernetes.io/zone":"zone-e"}}}`))).To(Succeed())
		Eventually(in.hintsPerZone("web")).WithContext(ctx).Should(
			Equal(map[string]int{"zone-a": 1, "zone-b": 1, "zone-c": 1, "zone-e": 3}))

		By("doing without it when it is not ready")
		notReady := `{"status":{"conditions":[{"type":"Ready","status":"False"}]}}`
		Expect(api.Status().Patch(ctx, namedNode(node), mergePatch(notReady))).To(Succeed())
		Eventually(in.hintsPerZone("web")).WithContext(ctx).Should(Equal(evenHints()))
	})

	It("has none for where traffic should go while there are none for the zones' CPU", func(ctx SpecContext) {
		in.patch(ctx, &corev1.Service{}, "web", `{"spec":{"trafficDistribution":"PreferSameNode"}}`)
		in.awaitTurn(ctx)
		Expect(in.hintsPerZone("web")(ctx)).To(Equal(evenHints()), "and not hints for nodes")
		for _, pod := range []string{"web-0", "web-1", "web-2", "web-3"} {
			in.setReady(ctx, pod, false)
		}
		Eventually(in.hintsPerZone("web")).WithContext(ctx).Should(BeEmpty())

		in.patch(ctx, &corev1.Service{}, "web", `{"metadata":{"annotations":{"service.kubernetes.io/topology-mode":null}}}`)
		Eventually(in.hints("web")).WithContext(ctx).Should(And(
			HaveKeyWithValue("web-4", "zone-b node-4"), HaveKeyWithValue("web-5", "zone-c node-5"), HaveKeyWithValue("web-0", "")))
	})
})

var _ = Describe("A Service that says where its traffic should go", func() {
	var in space

	BeforeEach(func(ctx SpecContext) {
		in = newSpace(ctx)
		in.runPods(ctx, "web", 2)
		in.expose(ctx, "web")
		in.expectNoFaults(ctx, "web", 2)
	})

	DescribeTable("has hints by that", func(ctx SpecContext, distribution string, want map[string]string) {
		in.patch(ctx, &corev1.Service{}, "web", fmt.Sprintf(`{"spec":{"trafficDistribution":%q}}`, distribution))
		Eventually(in.hints("web")).WithContext(ctx).Should(Equal(want))

		By("repairing them")
		slice := in.onlySlice(ctx, "web")
		slice.Endpoints[0].Hints = nil
		Expect(api.Update(ctx, slice)).To(Succeed())
		Eventually(in.hints("web")).WithContext(ctx).Should(Equal(want))

		By("leaving out what is not ready")
		in.setReady(ctx, "web-0", false)
		Eventually(in.hints("web")).WithContext(ctx).Should(Equal(map[string]string{"web-0": "", "web-1": want["web-1"]}))

		By("taking them back")
		in.patch(ctx, &corev1.Service{}, "web", `{"spec":{"trafficDistribution":null}}`)
		Eventually(in.hintsPerZone("web")).WithContext(ctx).Should(BeEmpty())
	},
		Entry(nil, "PreferClose", map[string]string{"web-0": "zone-a", "web-1": "zone-b"}),
		Entry(nil, "PreferSameZone", map[string]string{"web-0": "zone-a", "web-1": "zone-b"}),
		Entry(nil, "PreferSameNode", map[string]string{"web-0": "zone-a node-0", "web-1": "zone-b node-1"}),
	)
})

func evenHints() map[string]int { return map[string]int{"zone-a": 2, "zone-b": 2, "zone-c": 2} }

// expectEvent waits for an event of a Service with that reason which says that.
func (in space) expectEvent(ctx context.Context, service, reason, text string) {
	GinkgoHelper()
	Eventually(in.events("Service", service)).WithContext(ctx).Should(ContainElement(
		And(ContainSubstring(reason+":"), ContainSubstring(text))))
}

// addReadyNode makes a node that is ready, has so many CPUs and goes with the spec.
// Only Serial specs may use it: all Services with zone hints follow it.
func addReadyNode(ctx context.Context, name, zone, cpu string) {
	GinkgoHelper()
	node := namedNode(name)
	if zone != "" {
		node.Labels = map[string]string{corev1.LabelTopologyZone: zone}
	}
	node.Spec.Unschedulable = true
	node.Status = corev1.NodeStatus{
		Allocatable: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(cpu)},
		Conditions:  []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}},
	}
	Expect(api.Create(ctx, node)).To(Succeed())
	DeferCleanup(removeNode, name)
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

var _ = Describe("What becomes of the pods of a Service", func() {
	var in space

	BeforeEach(func(ctx SpecContext) {
		in = newSpace(ctx)
		in.expose(ctx, "web")
		in.runPods(ctx, "web", 2)
		in.expectNoFaults(ctx, "web", 2)
	})

	It("drops a pod that failed", func(ctx SpecContext) {
		in.patchStatus(ctx, "web-0", `{"status":{"phase":"Failed"}}`)
		Eventually(in.conditions("web")).WithContext(ctx).Should(Equal(map[string]string{"web-1": "ready serving"}))
	})

	It("drops a pod that failed before it ever was ready", func(ctx SpecContext) {
		in.setReady(ctx, "web-0", false)
		Eventually(in.conditions("web")).WithContext(ctx).Should(HaveKeyWithValue("web-0", "none"))
		in.patchStatus(ctx, "web-0", `{"status":{"phase":"Failed"}}`)
		Eventually(in.conditions("web")).WithContext(ctx).Should(Equal(map[string]string{"web-1": "ready serving"}))
	})

	It("follows the labels of a pod", func(ctx SpecContext) {
		in.expose(ctx, "other")
		in.patch(ctx, &corev1.Pod{}, "web-0", `{"metadata":{"labels":{"`+app+`":"other"}}}`)
		in.expectNoFaults(ctx, "web", 1)
		in.expectNoFaults(ctx, "other", 1)

		in.patch(ctx, &corev1.Pod{}, "web-0", `{"metadata":{"labels":{"`+app+`":null}}}`)
		Eventually(in.slices("other")).WithContext(ctx).Should(ConsistOf(placeholder()))
	})

	It("waits for a pod's readiness gates", func(ctx SpecContext) {
		gated := in.newPod("gated", "web")
		gated.Spec.ReadinessGates = []corev1.PodReadinessGate{{ConditionType: "example.com/warm"}}
		Expect(api.Create(ctx, gated)).To(Succeed())
		Eventually(in.conditions("web")).WithContext(ctx).Should(HaveKeyWithValue("gated", "none"))

		in.addCondition(ctx, "gated", "example.com/warm")
		Eventually(in.conditions("web")).WithContext(ctx).Should(HaveKeyWithValue("gated", "ready serving"))
	})

	It("takes a numeric target port as it is, and a name that no container has for no port", func(ctx SpecContext) {
		Expect(portNumbers(in.onlySlice(ctx, "web"))).To(ConsistOf("http:8080"), "the pods declare no port at all")
		in.patch(ctx, &corev1.Service{}, "web", `{"spec":{"ports":[{"name":"http","port":80,"targetPort":"nobody"}]}}`)
		Eventually(in.slices("web")).WithContext(ctx).Should(ConsistOf(And(
			HaveField("Ports", BeEmpty()),
			HaveField("Endpoints", HaveLen(2)),
		)))
	})
})

var _ = Describe("What becomes of the nodes of a Service's pods", func() {
	var (
		in   space
		node string
	)

	// A node that nobody simulates, so that the spec has it to itself, and a pod
	// on it that the spec itself starts.
	BeforeEach(func(ctx SpecContext) {
		in = newSpace(ctx)
		node = "node-of-" + string(in)
		in.expose(ctx, "web")
		in.runPods(ctx, "web", 1)
		in.runByHand(ctx, "stray", "web", node, "192.0.2.7")
		in.expectNoFaults(ctx, "web", 1)
	})

	It("lists a pod once its node exists, until the node is gone", func(ctx SpecContext) {
		addNode(ctx, node, "zone-x")
		in.expectNoFaults(ctx, "web", 2)

		removeNode(ctx, node)
		in.expectNoFaults(ctx, "web", 1)
	})

	It("lists a pod without its node where unready ones are published", func(ctx SpecContext) {
		in.patch(ctx, &corev1.Service{}, "web", `{"spec":{"publishNotReadyAddresses":true}}`)
		Eventually(in.conditions("web")).WithContext(ctx).Should(HaveKeyWithValue("stray", "ready serving"))
	})

	It("follows the zone of a node", func(ctx SpecContext) {
		addNode(ctx, node, "zone-x")
		in.expectNoFaults(ctx, "web", 2)
		for _, zone := range []string{`"zone-y"`, `null`, `"zone-z"`} {
			patch := fmt.Sprintf(`{"metadata":{"labels":{%q:%s}}}`, corev1.LabelTopologyZone, zone)
			Expect(api.Patch(ctx, namedNode(node), mergePatch(patch))).To(Succeed())
			in.expectNoFaults(ctx, "web", 2)
		}
		Expect(in.onlySlice(ctx, "web").Endpoints).To(ContainElement(HaveField("Zone", HaveValue(Equal("zone-z")))))
	})
})

func namedNode(name string) *corev1.Node {
	return &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}}
}

// addNode makes a node that runs nothing and goes with the spec.
func addNode(ctx context.Context, name, zone string) {
	GinkgoHelper()
	node := namedNode(name)
	node.Labels = map[string]string{corev1.LabelTopologyZone: zone}
	node.Spec.Unschedulable = true
	Expect(api.Create(ctx, node)).To(Succeed())
	DeferCleanup(removeNode, name)
}

func removeNode(ctx context.Context, name string) {
	GinkgoHelper()
	Expect(client.IgnoreNotFound(api.Delete(ctx, namedNode(name)))).To(Succeed())
}

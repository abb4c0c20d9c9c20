// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// From the trigger time kube-proxy works out how long a change took to reach it.
var _ = Describe("The trigger time on slices and Endpoints", func() {
	var (
		in      space
		created time.Time
	)

	// Pods on a node that nobody simulates, so that the spec decides when they
	// turn ready. They are ready long before the Service, and the manager knows.
	BeforeEach(func(ctx SpecContext) {
		in = newSpace(ctx)
		node := "node-of-" + string(in)
		addNode(ctx, node, "zone-a")
		in.runByHand(ctx, "web-0", "web", node, "192.0.2.1")
		in.runByHand(ctx, "web-1", "web", node, "192.0.2.2")
		Expect(api.Create(ctx, in.newService("elder", "web"))).To(Succeed())
		in.expectNoFaults(ctx, "elder", 2)
		in.expectSubsets(ctx, "elder", "http:8080: web-0 web-1")
		created = in.expose(ctx, "web").CreationTimestamp.Time
		in.expectNoFaults(ctx, "web", 2)
		in.expectSubsets(ctx, "web", "http:8080: web-0 web-1")
	})

	It("is that of a new Service's creation", func(ctx SpecContext) {
		in.expectTriggers(ctx, created)
	})

	It("is that of the change of a pod", func(ctx SpecContext) {
		at := created.Add(time.Hour)
		in.turn(ctx, "web-0", metav1.ConditionFalse, at)
		in.expectTriggers(ctx, at)

		at = created.Add(2 * time.Hour)
		in.turn(ctx, "web-0", metav1.ConditionTrue, at)
		in.expectTriggers(ctx, at)
	})

	It("goes with a change that has none", func(ctx SpecContext) {
		in.patch(ctx, &corev1.Service{}, "web", `{"metadata":{"labels":{"tier":"front"}}}`)
		in.expectNoTriggers(ctx)
	})

	It("is none where somebody has deleted them", func(ctx SpecContext) {
		in.delete(ctx, &discoveryv1.EndpointSlice{}, in.onlySlice(ctx, "web").Name)
		in.delete(ctx, &corev1.Endpoints{}, "web")
		in.expectNoTriggers(ctx)
	})

	It("is not that of a change before a restart", Serial, func(ctx SpecContext) {
		in.turn(ctx, "web-0", metav1.ConditionFalse, created.Add(time.Hour))
		in.expectTriggers(ctx, created.Add(time.Hour))
		awaitIdle(ctx, manager)
		restartSharedManager(ctx)

		By("publishing a change without a time")
		in.patch(ctx, &corev1.Service{}, "web", `{"metadata":{"labels":{"tier":"front"}}}`)
		in.expectNoTriggers(ctx)

		By("publishing what happened while there was no manager")
		awaitIdle(ctx, manager)
		Expect(manager.Stop(ctx)).To(Succeed())
		in.turn(ctx, "web-1", metav1.ConditionFalse, created.Add(2*time.Hour))
		restartSharedManager(ctx)
		in.expectTriggers(ctx, created.Add(2*time.Hour))
	})
})

// turn makes a pod ready or not from a time on.
func (in space) turn(ctx context.Context, pod string, ready metav1.ConditionStatus, at time.Time) {
	GinkgoHelper()
	in.patchStatus(ctx, pod, fmt.Sprintf(`{"status":{"conditions":[{"type":"Ready","status":%q,"lastTransitionTime":%q}]}}`,
		ready, at.UTC().Format(time.RFC3339)))
}

// expectTriggers waits until the slice and the Endpoints of Service "web" say that
// their last change happened then.
func (in space) expectTriggers(ctx context.Context, at time.Time) {
	GinkgoHelper()
	want := at.UTC().Format(time.RFC3339)
	Eventually(in.triggers).WithContext(ctx).Should(Equal([]string{want, want}))
}

// expectNoTriggers waits until they say nothing of that.
func (in space) expectNoTriggers(ctx context.Context) {
	GinkgoHelper()
	Eventually(in.triggers).WithContext(ctx).Should(Equal([]string{"", ""}))
}

// triggers are the trigger times of the slice and the Endpoints of Service "web".
func (in space) triggers(ctx context.Context) ([]string, error) {
	var object corev1.Endpoints
	if err := api.Get(ctx, in.key("web"), &object); err != nil {
		return nil, err
	}
	list, err := in.slices("web")(ctx)
	var times []string
	for i := range list {
		times = append(times, list[i].Annotations[corev1.EndpointsLastChangeTriggerTime])
	}
	return append(times, object.Annotations[corev1.EndpointsLastChangeTriggerTime]), err
}

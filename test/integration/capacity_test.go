// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// room is how many addresses Endpoints list at most.
const room = 1000

var _ = Describe("A Service with more pods than Endpoints have room for", Serial, func() {
	It("has Endpoints that list ready ones first and say that there are more, until there are not", func(ctx SpecContext) {
		in := newSpace(ctx)
		node := "node-of-" + string(in)
		addNode(ctx, node, "zone-a")
		in.runManyByHand(ctx, node, room+1)
		for _, name := range []string{"unready-0", "unready-1"} {
			in.runByHand(ctx, name, "web", node, "192.0.2.1")
			in.patchStatus(ctx, name, `{"status":{"conditions":[{"type":"Ready","status":"False"}]}}`)
		}
		in.expose(ctx, "web")
		Eventually(in.capacity("web")).WithContext(ctx).Should(Equal("1000 ready, 0 not, truncated"))
		Eventually(in.sizes("web")).WithContext(ctx).Should(ContainElement(3), "slices list all")
		in.expectEvent(ctx, "web", "EndpointsOverCapacity", "3 addresses are missing")

		By("writing nothing while nothing changes in what is listed, nor after a restart")
		before := restingVersions(ctx, in)
		in.annotate(ctx, "web-0", "note", "mine")
		in.patch(ctx, &corev1.Pod{}, "unready-0", `{"metadata":{"labels":{"note":"mine"}}}`)
		in.awaitTurn(ctx)
		awaitIdle(ctx, manager)
		restartSharedManager(ctx)
		awaitIdle(ctx, manager)
		Expect(versions(in)(ctx)).To(Equal(before))

		By("filling the room of pods that go, with those that are not ready last")
		in.delete(ctx, &corev1.Pod{}, "web-0", client.GracePeriodSeconds(0))
		in.delete(ctx, &corev1.Pod{}, "web-1", client.GracePeriodSeconds(0))
		Eventually(in.capacity("web")).WithContext(ctx).Should(Equal("999 ready, 1 not, truncated"))

		By("listing all when one more goes")
		in.delete(ctx, &corev1.Pod{}, "web-2", client.GracePeriodSeconds(0))
		Eventually(in.capacity("web")).WithContext(ctx).Should(Equal("998 ready, 2 not"))
	})
})

// capacity returns a function that tells how many addresses the Endpoints of a
// Service list, and whether they say that there are more.
func (in space) capacity(service string) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		var object corev1.Endpoints
		if err := api.Get(ctx, in.key(service), &object); err != nil {
			return "", err
		}
		ready, notReady := 0, 0
		for i := range object.Subsets {
			ready += len(object.Subsets[i].Addresses)
			notReady += len(object.Subsets[i].NotReadyAddresses)
		}
		told := fmt.Sprintf("%d ready, %d not", ready, notReady)
		if value, found := object.Annotations[corev1.EndpointsOverCapacity]; found {
			told += ", " + value
		}
		return told, nil
	}
}

// runManyByHand runs ready pods for Service "web" on a node that nobody simulates.
func (in space) runManyByHand(ctx context.Context, node string, count int) {
	GinkgoHelper()
	const writers = 16
	DeferCleanup(in.clearNode, node)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(writers)
	for i := range count {
		group.Go(func() error {
			pod := in.newPod(fmt.Sprintf("web-%d", i), "web")
			pod.Spec.NodeName = node
			if err := api.Create(ctx, pod); err != nil {
				return err
			}
			ip := fmt.Sprintf("198.51.%d.%d", 100+i/250, 1+i%250)
			pod.Status = corev1.PodStatus{
				Phase: corev1.PodRunning, PodIP: ip, PodIPs: []corev1.PodIP{{IP: ip}},
				Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}},
			}
			return api.Status().Update(ctx, pod)
		})
	}
	Expect(group.Wait()).To(Succeed())
}

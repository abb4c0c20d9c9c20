// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// managerPods are the manager's, those that end too.
func managerPods(ctx context.Context) []corev1.Pod {
	GinkgoHelper()
	pods := &corev1.PodList{}
	Expect(api.List(ctx, pods, client.InNamespace(managerNamespace))).To(Succeed())
	return pods.Items
}

// Serial, since all specs share the manager.
var _ = Describe("While pods are replaced", Serial, func() {
	AfterEach(func(ctx SpecContext) {
		output, err := kubectl(ctx, "-n", managerNamespace, "rollout", "status", "deployment", "--timeout=9m")
		Expect(err).NotTo(HaveOccurred(), output)
	}, NodeTimeout(deployTimeout))

	It("no Service is refused, with two replicas of the manager", func(ctx SpecContext) {
		pods := managerPods(ctx)
		if len(pods) < 2 {
			Skip("the manager has one replica")
		}
		namespace := newNamespace(ctx)
		const count = 300
		for i := range count {
			if i == count/3 {
				Expect(api.Delete(ctx, &pods[0])).To(Succeed())
			}
			Expect(api.Create(ctx, service(namespace, fmt.Sprintf("s-%d", i)))).To(Succeed(), "Service %d", i)
		}
	}, SpecTimeout(specTimeout))

	It("no connection is lost, be it the pods of a Service or those of the manager", func(ctx SpecContext) {
		namespace := newNamespace(ctx)
		web := deployment(namespace, "web", 4)
		create(ctx, web, service(namespace, "web"))
		startClient(ctx, namespace)
		awaitPods(ctx, web)
		Eventually(ctx, tally(namespace, "get", 40, "http://web")).Should(HaveLen(4))

		asked := make(chan error, 1)
		go func() {
			_, err := answers(ctx, namespace, "get", 10_000, "http://web")
			asked <- err
		}()
		for _, rolled := range [][]string{{namespace, "web"}, {managerNamespace, "servicenet-controller-manager"}} {
			output, err := kubectl(ctx, "-n", rolled[0], "rollout", "restart", "deployment", rolled[1])
			Expect(err).NotTo(HaveOccurred(), output)
		}
		output, err := kubectl(ctx, "-n", namespace, "rollout", "status", "deployment", "web", "--timeout=3m")
		Expect(err).NotTo(HaveOccurred(), output)
		Eventually(ctx, asked).Should(Receive(BeNil()))
	}, SpecTimeout(specTimeout))
})

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// restart gives the manager another argument, and waits until all replicas have it.
func restartWith(ctx SpecContext, argument string) {
	GinkgoHelper()
	manager := &appsv1.Deployment{}
	Expect(api.Get(ctx, client.ObjectKey{Namespace: managerNamespace, Name: managerName}, manager)).To(Succeed())
	before := manager.DeepCopy()
	container := &manager.Spec.Template.Spec.Containers[0]
	container.Args = append(container.Args, argument)
	Expect(api.Patch(ctx, manager, client.MergeFrom(before))).To(Succeed())
	awaitReplicas(ctx)
}

var _ = Describe("External IPs", func() {
	It("are taken in by nodes, and a client is warned", func(ctx SpecContext) {
		namespace := newNamespace(ctx)
		web, s := deployment(namespace, "web", 1), service(namespace, "web")
		s.Spec.ExternalIPs = []string{"203.0.113.10"}
		create(ctx, web, s)
		startClient(ctx, namespace)
		awaitPods(ctx, web)
		Eventually(ctx, tally(namespace, "get", 10, "http://203.0.113.10")).Should(HaveLen(1))

		output, err := kubectl(ctx, "-n", namespace, "patch", "service", "web", "--dry-run=server",
			`--patch={"spec": {"externalIPs": ["203.0.113.11"]}}`)
		Expect(err).NotTo(HaveOccurred(), output)
		Expect(output).To(ContainSubstring("Warning: "))
	}, SpecTimeout(specTimeout))

	// Serial, since the manager is restarted.
	It("are refused outside of what --allowed-external-ips says", Serial, Label(slow), func(ctx SpecContext) {
		DeferCleanup(func(ctx SpecContext) { deploy(ctx, managerImage) }, NodeTimeout(deployTimeout))
		restartWith(ctx, "--allowed-external-ips=203.0.113.0/24")
		namespace := newNamespace(ctx)
		web, s := deployment(namespace, "web", 1), service(namespace, "web")
		s.Spec.ExternalIPs = []string{"203.0.113.10"}
		create(ctx, web, s)
		startClient(ctx, namespace)
		awaitPods(ctx, web)
		Eventually(ctx, tally(namespace, "get", 10, "http://203.0.113.10")).Should(HaveLen(1))

		output, err := kubectl(ctx, "-n", namespace, "patch", "service", "web",
			`--patch={"spec": {"externalIPs": ["203.0.113.10", "198.51.100.10"]}}`)
		Expect(err).To(HaveOccurred())
		Expect(output).To(HavePrefix(`The Service "web" is invalid: spec.externalIPs[1]: `))
		Expect(answers(ctx, namespace, "get", 10, "http://203.0.113.10")).To(HaveLen(1))
	}, SpecTimeout(specTimeout))
})

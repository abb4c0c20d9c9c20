// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package library

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"servicenet.dev/servicenet/controllers"
	"servicenet.dev/servicenet/hack/controlplane"
)

var _ = Describe("On an IPv6-only cluster", Serial, func() {
	It("lists the IPv6 addresses of pods, and keeps no slice of another family", func(ctx SpecContext) {
		server, err := controlplane.Start(ctx, controlplane.Options{
			ServiceClusterIPRange: "fd00:10:96::/112", NoServiceAccountAdmission: true,
		})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(server.Stop)
		useClient(server)

		namespace := createNamespace(ctx)
		createNode(ctx, "node-a", "zone-a")
		createPods(ctx, namespace, 1, 2)
		var pod corev1.Pod
		Expect(suite.client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: "web-1"}, &pod)).To(Succeed())
		pod.Status.PodIP, pod.Status.PodIPs = "fd00:10:1::1", []corev1.PodIP{{IP: "fd00:10:1::1"}}
		Expect(suite.client.Status().Update(ctx, &pod)).To(Succeed())
		createService(ctx, namespace)
		start(newManager(server.RESTConfig(), controllers.Options{}))

		Eventually(listed(namespace)).WithContext(ctx).Should(ConsistOf("fd00:10:1::1:8080"))
		Expect(slicesOf(ctx, namespace)).To(ConsistOf(HaveField("AddressType", discoveryv1.AddressTypeIPv6)))
	})
})

// useClient makes the helpers talk to another server until the spec ends.
func useClient(server *controlplane.ControlPlane) {
	other, err := client.New(server.RESTConfig(), client.Options{})
	Expect(err).NotTo(HaveOccurred())
	before := suite.client
	suite.client = other
	DeferCleanup(func() { suite.client = before })
}

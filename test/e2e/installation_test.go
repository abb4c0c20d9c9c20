// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"os"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
)

// deployedImage is what the manager's pods have.
func deployedImage(ctx context.Context) string {
	GinkgoHelper()
	manager := &appsv1.Deployment{}
	Expect(api.Get(ctx, client.ObjectKey{Namespace: managerNamespace, Name: "servicenet-controller-manager"}, manager)).To(Succeed())
	return manager.Spec.Template.Spec.Containers[0].Image
}

// overlayOf is what is installed with an image: that of the same version.
func overlayOf(image string) string {
	if folder := os.Getenv("E2E_PREVIOUS_FOLDER"); folder != "" && image == previousImage {
		return filepath.Join(folder, overlay)
	}
	return overlay
}

// Serial, since no webhook answers meanwhile, and no endpoints are written.
var _ = Describe("An installation", Serial, Ordered, func() {
	It("is rolled back to the previous version and upgraded again, and Services keep working", func(ctx SpecContext) {
		if previousImage == "" {
			Skip("E2E_PREVIOUS_IMAGE names no other version")
		}
		if from := overlayOf(previousImage); filepath.IsAbs(from) {
			if _, err := os.Stat(from); err != nil {
				Skip("the previous version has no " + overlay)
			}
		}
		namespace := newNamespace(ctx)
		web := deployment(namespace, "web", 1)
		create(ctx, web, service(namespace, "web"))
		startClient(ctx, namespace)
		awaitPods(ctx, web)
		for _, image := range []string{previousImage, managerImage} {
			if overlayOf(image) != overlay {
				excusedPods.add(ctx)
			}
			deployOverlay(ctx, overlayOf(image), image)
			Expect(deployedImage(ctx)).To(Equal(image))
			if overlayOf(image) != overlay {
				excusedPods.add(ctx)
			}
			Eventually(ctx, func(ctx context.Context) (map[string]int, error) {
				return answers(ctx, namespace, "get", 20, "http://web")
			}).Should(HaveLen(1))
			s := service(namespace, "")
			s.GenerateName = "web-"
			create(ctx, s)
		}
	}, SpecTimeout(3*deployTimeout))

	It("is removed with nothing left, and Services keep working", func(ctx SpecContext) {
		namespace := newNamespace(ctx)
		web, s := deployment(namespace, "web", 1), service(namespace, "web")
		s.Spec.Type = corev1.ServiceTypeLoadBalancer
		s.Spec.LoadBalancerClass = new(servicenetv1alpha1.LoadBalancerClass)
		create(ctx, &servicenetv1alpha1.LoadBalancerPool{
			ObjectMeta: metav1.ObjectMeta{Name: "e2e-removed"},
			Spec:       servicenetv1alpha1.LoadBalancerPoolSpec{NodeSelector: &metav1.LabelSelector{}},
		}, web, s)
		startClient(ctx, namespace)
		awaitPods(ctx, web)
		Eventually(ctx, func(ctx context.Context) ([]corev1.LoadBalancerIngress, error) {
			err := api.Get(ctx, client.ObjectKeyFromObject(s), s)
			return s.Status.LoadBalancer.Ingress, err
		}).ShouldNot(BeEmpty())

		DeferCleanup(func(ctx SpecContext) { deploy(ctx, managerImage) }, NodeTimeout(2*deployTimeout))
		output, err := makeTarget(ctx, "undeploy", "IMG="+managerImage, "OVERLAY="+overlay)
		Expect(err).NotTo(HaveOccurred(), output)

		left, err := kubectl(ctx, "get", "-A", "--ignore-not-found",
			"namespace,crd,clusterrole,clusterrolebinding,mutatingwebhookconfigurations,validatingwebhookconfigurations,"+
				"validatingadmissionpolicies,validatingadmissionpolicybindings,leases,apiservices", "-o", "name")
		Expect(err).NotTo(HaveOccurred())
		Expect(left).NotTo(ContainSubstring("servicenet"))

		By("a Service going on, and being changed and deleted")
		Eventually(ctx, func(ctx context.Context) (map[string]int, error) {
			return answers(ctx, namespace, "get", 20, "http://web")
		}).Should(HaveLen(1))
		Expect(api.Get(ctx, client.ObjectKeyFromObject(s), s)).To(Succeed())
		Expect(s.Finalizers).To(BeEmpty())
		Expect(api.Delete(ctx, s)).To(Succeed())
		Eventually(ctx, func(ctx context.Context) error {
			return api.Get(ctx, client.ObjectKeyFromObject(s), s)
		}).Should(MatchError(ContainSubstring("not found")))
	}, SpecTimeout(3*deployTimeout))
})

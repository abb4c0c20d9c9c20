// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"context"
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
)

const (
	defaultOverlay = "config/default"
	replaceOverlay = "config/replace-endpoints"
)

// authorities returns those that the API server trusts to have signed webhooks.
func authorities(ctx context.Context) ([]string, error) {
	var hooks admissionregistrationv1.MutatingWebhookConfiguration
	if err := api.Get(ctx, client.ObjectKey{Name: "servicenet-services"}, &hooks); err != nil {
		return nil, err
	}
	var found []string
	for i := range hooks.Webhooks {
		found = append(found, string(hooks.Webhooks[i].ClientConfig.CABundle))
	}
	return found, nil
}

func web(namespace, name string) *corev1.Service {
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec:       corev1.ServiceSpec{Selector: map[string]string{"app": name}, Ports: []corev1.ServicePort{{Port: 80}}},
	}
}

// podOf returns a Pod as the Deployment makes them.
func podOf(ctx context.Context, name string) *corev1.Pod {
	GinkgoHelper()
	var deployment appsv1.Deployment
	Expect(api.Get(ctx, client.ObjectKey{Namespace: system, Name: "servicenet-controller-manager"}, &deployment)).To(Succeed())
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: system, Name: name, Labels: deployment.Spec.Template.Labels},
		Spec:       deployment.Spec.Template.Spec,
	}
}

var _ = Describe("Installed, and no manager runs yet", func() {
	BeforeEach(func(ctx SpecContext) {
		install(ctx, defaultOverlay, "servicenet:v1")
		DeferCleanup(func(ctx context.Context) { remove(ctx, defaultOverlay) })
	})

	It("the manager's own namespace is open, and nothing else is stored past the webhooks", func(ctx SpecContext) {
		By("its Pods, which keep to the restricted standard, its Services and its Leases")
		Expect(api.Create(ctx, podOf(ctx, "manager"))).To(Succeed())
		Expect(api.Create(ctx, web(system, "more"))).To(Succeed())
		Expect(api.Create(ctx, &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: system, Name: "some"}})).To(Succeed())
		Expect(api.Create(ctx, web(metav1.NamespaceSystem, "dns"))).To(Succeed())
		DeferCleanup(func(ctx context.Context) error { return api.Delete(ctx, web(metav1.NamespaceSystem, "dns")) })

		By("a Pod with more rights is refused there")
		rights := podOf(ctx, "rights")
		rights.Spec.Containers[0].SecurityContext = nil
		Expect(apierrors.IsForbidden(api.Create(ctx, rights))).To(BeTrue())

		By("Services of others wait for a manager")
		Expect(api.Create(ctx, web(metav1.NamespaceDefault, "web"))).To(MatchError(ContainSubstring("failed calling webhook")))
	})

	It("the same can be installed again", func(ctx SpecContext) {
		install(ctx, defaultOverlay, "servicenet:v1")
		install(ctx, replaceOverlay, "servicenet:v1")
		Expect(podOf(ctx, "").Spec.Containers[0].Args).To(And(
			ContainElement("--endpoints-mode=on"), Not(ContainElement("--endpoints-mode=off"))))
	})
})

var _ = Describe("An upgrade", func() {
	It("keeps certificate, trust and numbers, and so does a rollback", func(ctx SpecContext) {
		DeferCleanup(func(ctx context.Context) { remove(ctx, defaultOverlay) })
		install(ctx, defaultOverlay, "servicenet:v1")
		manager := startDeployed(ctx, "manager-v1")
		pool := &servicenetv1alpha1.ClusterIPPool{
			ObjectMeta: metav1.ObjectMeta{Name: "shop"}, Spec: servicenetv1alpha1.ClusterIPPoolSpec{CIDRs: []string{"10.96.5.0/24"}},
		}
		Eventually(func(ctx context.Context) error { return api.Create(ctx, pool) }).WithContext(ctx).Should(Succeed())
		service := web(metav1.NamespaceDefault, "kept")
		Eventually(func(ctx context.Context) (string, error) {
			err := api.Create(ctx, service)
			return service.Spec.ClusterIP, client.IgnoreAlreadyExists(err)
		}).WithContext(ctx).Should(HavePrefix("10.96.5."))
		DeferCleanup(func(ctx context.Context) error { return api.Delete(ctx, service) })
		trusted, err := authorities(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(trusted).To(HaveEach(ContainSubstring("BEGIN CERTIFICATE")))

		for _, image := range []string{"servicenet:v2", "servicenet:v1"} {
			By("to " + image)
			install(ctx, defaultOverlay, image)
			Expect(authorities(ctx)).To(Equal(trusted))
			Expect(podOf(ctx, "").Spec.Containers[0].Image).To(Equal(image))
			manager.stop(ctx)
			manager = startDeployed(ctx, "manager-"+image[len("servicenet:"):]+"-again")
			Expect(authorities(ctx)).To(Equal(trusted))
			other := web(metav1.NamespaceDefault, "")
			other.GenerateName = "new-"
			Expect(api.Create(ctx, other)).To(Succeed())
			Expect(other.Spec.ClusterIP).To(And(HavePrefix("10.96.5."), Not(Equal(service.Spec.ClusterIP))))
			Expect(api.Delete(ctx, other)).To(Succeed())
		}
	})
})

var _ = Describe("The overlays", func() {
	It("have what their names say, and can be applied", func(ctx SpecContext) {
		DeferCleanup(func(ctx context.Context) { remove(ctx, defaultOverlay) })
		install(ctx, defaultOverlay, "registry.example.com:5000/team/servicenet:v1")
		pod := podOf(ctx, "").Spec
		Expect(pod.Containers[0].Image).To(Equal("registry.example.com:5000/team/servicenet:v1"))
		Expect(slices.Contains(pod.Containers[0].Args, "--leader-elect")).To(BeTrue())
		install(ctx, replaceOverlay, "servicenet@sha256:"+digest)
		Expect(podOf(ctx, "").Spec.Containers[0].Image).To(Equal("servicenet@sha256:" + digest))

		out, err := shell(ctx, `hack/render.sh "$KUSTOMIZE" config/with-prometheus servicenet:v1`)
		Expect(err).NotTo(HaveOccurred())
		Expect(out).To(And(ContainSubstring("kind: ServiceMonitor"), ContainSubstring("name: servicenet-controller-manager-metrics-monitor")))
		Expect(out).NotTo(ContainSubstring("namespace: system"))
	})
})

// digest is that of nothing.
const digest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

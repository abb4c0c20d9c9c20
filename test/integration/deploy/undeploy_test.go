// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"context"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"sigs.k8s.io/controller-runtime/pkg/client"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
)

// everything names all objects of the API server, but for what a cluster makes of
// itself all the time.
func everything(ctx context.Context) []string {
	GinkgoHelper()
	clients, err := discovery.NewDiscoveryClientForConfig(plane.RESTConfig())
	Expect(err).NotTo(HaveOccurred())
	kinds, err := clients.ServerPreferredResources()
	Expect(err).NotTo(HaveOccurred())
	var names []string
	for _, group := range kinds {
		version, err := schema.ParseGroupVersion(group.GroupVersion)
		Expect(err).NotTo(HaveOccurred())
		for i := range group.APIResources {
			of := &group.APIResources[i]
			if !slices.Contains(of.Verbs, "list") || slices.Contains([]string{"Event", "ComponentStatus"}, of.Kind) {
				continue
			}
			list := &unstructured.UnstructuredList{}
			list.SetGroupVersionKind(version.WithKind(of.Kind + "List"))
			Expect(api.List(ctx, list)).To(Succeed())
			for j := range list.Items {
				names = append(names, strings.Join([]string{of.Kind, list.Items[j].GetNamespace(), list.Items[j].GetName()}, " "))
			}
		}
	}
	slices.Sort(names)
	return names
}

var _ = Describe("Undeployed", func() {
	It("nothing is left, nothing hangs, and a load balancer goes on as a Service", func(ctx SpecContext) {
		before := everything(ctx)
		DeferCleanup(func(ctx context.Context) { remove(ctx, replaceOverlay) })
		install(ctx, replaceOverlay, "servicenet:v1")
		manager := startDeployed(ctx, "manager")
		service := live(ctx, manager)

		By("not while the manager runs")
		out, err := shell(ctx, `"$MANAGER" cleanup --timeout=2s`)
		Expect(err).To(HaveOccurred())
		Expect(out).To(ContainSubstring("still runs: stop it"))

		By("after a replica was killed")
		Expect(manager.Kill()).To(Succeed())
		address, err := balanced(service)(ctx)
		Expect(err).NotTo(HaveOccurred())
		out = remove(ctx, replaceOverlay)
		Expect(out).To(And(ContainSubstring("1 finalizers of Services removed"), ContainSubstring("2 Leases removed")))

		By("the Service has its numbers, and can be deleted")
		Expect(api.Get(ctx, client.ObjectKeyFromObject(service), service)).To(Succeed())
		Expect(service.Finalizers).To(BeEmpty())
		Expect(balanced(service)(ctx)).To(Equal(address))
		Expect(service.Spec.ClusterIP).NotTo(BeEmpty())
		Expect(api.Patch(ctx, service, merge(`{"spec":{"ports":[{"port":81}]}}`))).To(Succeed())
		Expect(api.Delete(ctx, service)).To(Succeed())
		Expect(gone(service)(ctx)).To(BeTrue())
		another := web(metav1.NamespaceDefault, "another")
		Expect(api.Create(ctx, another)).To(Succeed())
		Expect(api.Delete(ctx, another)).To(Succeed())

		Expect(api.DeleteAllOf(ctx, another, client.InNamespace(service.Namespace))).To(Succeed())
		Eventually(func(ctx context.Context) []string {
			return slices.DeleteFunc(everything(ctx), func(name string) bool {
				return slices.Contains(before, name) || strings.Contains(name, service.Namespace) || strings.HasSuffix(name, " node-a")
			})
		}).WithContext(ctx).Should(BeEmpty(), "what is left")
	})

	It("can be done twice, half done, and where nothing was installed", func(ctx SpecContext) {
		Expect(cleanUp(ctx)).To(ContainSubstring("0 webhook configurations removed"))
		install(ctx, defaultOverlay, "servicenet:v1")
		Expect(cleanUp(ctx)).To(ContainSubstring("3 webhook configurations removed"))
		Expect(cleanUp(ctx)).To(ContainSubstring("0 webhook configurations removed"))
		remove(ctx, defaultOverlay)
		remove(ctx, defaultOverlay)
	})

	It("does not wait for a pool that others hold", func(ctx SpecContext) {
		install(ctx, defaultOverlay, "servicenet:v1")
		cleanUp(ctx)
		pool := &servicenetv1alpha1.LoadBalancerPool{
			ObjectMeta: metav1.ObjectMeta{Name: "held", Finalizers: []string{"servicenet.dev/some"}},
			Spec:       servicenetv1alpha1.LoadBalancerPoolSpec{Addresses: []string{"192.0.2.0/25"}},
		}
		Expect(api.Create(ctx, pool)).To(Succeed())
		Expect(remove(ctx, defaultOverlay)).To(ContainSubstring("1 finalizers of pools removed"))
	})
})

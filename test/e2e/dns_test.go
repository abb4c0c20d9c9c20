// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

var _ = Describe("DNS", func() {
	It("knows a Service by its names, its port and its address", func(ctx SpecContext) {
		namespace := newNamespace(ctx)
		s := service(namespace, "web")
		s.Spec.IPFamilyPolicy = new(corev1.IPFamilyPolicyPreferDualStack)
		create(ctx, s)
		startClient(ctx, namespace)
		full := "web." + namespace + ".svc.cluster.local"

		for _, name := range []string{"web", "web." + namespace, "web." + namespace + ".svc", full} {
			Eventually(ctx, lookup(namespace, "ip", name)).Should(ConsistOf(s.Spec.ClusterIPs))
		}
		Eventually(ctx, lookup(namespace, "srv", "_http._tcp."+full)).Should(ConsistOf(full + ".:80"))
		for _, address := range s.Spec.ClusterIPs {
			Eventually(ctx, lookup(namespace, "ptr", address)).Should(ConsistOf(full + "."))
		}
	}, SpecTimeout(specTimeout))

	It("knows the pods of a headless Service by their names", func(ctx SpecContext) {
		namespace := newNamespace(ctx)
		s := service(namespace, "db")
		s.Spec.ClusterIP = corev1.ClusterIPNone
		labels := map[string]string{"app": "db"}
		set := &appsv1.StatefulSet{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "db"},
			Spec: appsv1.StatefulSetSpec{
				Replicas:    new(int32(2)),
				ServiceName: "db",
				Selector:    &metav1.LabelSelector{MatchLabels: labels},
				Template:    corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: podSpec()},
			},
		}
		create(ctx, s, set)
		startClient(ctx, namespace)
		full := "db." + namespace + ".svc.cluster.local"

		// The port of the pods, not that of the Service.
		Eventually(ctx, lookup(namespace, "srv", "_http._tcp."+full)).
			Should(ConsistOf("db-0."+full+".:8080", "db-1."+full+".:8080"))
		first := &corev1.Pod{}
		Expect(api.Get(ctx, client.ObjectKey{Namespace: namespace, Name: "db-0"}, first)).To(Succeed())
		Eventually(ctx, lookup(namespace, "ip", "db-0.db")).Should(ConsistOf(first.Status.PodIP))
		Eventually(ctx, lookup(namespace, "ptr", first.Status.PodIP)).Should(ContainElement("db-0." + full + "."))
		Eventually(ctx, lookup(namespace, "ip", "db")).Should(HaveLen(2))
	}, SpecTimeout(specTimeout))

	It("knows pods by the host names that they ask for, in both families", func(ctx SpecContext) {
		namespace := newNamespace(ctx)
		s := service(namespace, "db")
		s.Spec.ClusterIP = corev1.ClusterIPNone
		s.Spec.IPFamilyPolicy = new(corev1.IPFamilyPolicyPreferDualStack)
		first, second := pod(namespace, "first", s.Spec.Selector), pod(namespace, "second", s.Spec.Selector)
		first.Spec.Hostname, first.Spec.Subdomain = "primary", "db"
		second.Spec.Hostname, second.Spec.Subdomain = "elsewhere", "other"
		create(ctx, s, first, second)
		startClient(ctx, namespace)
		awaitReady(ctx, first)
		awaitReady(ctx, second)

		Eventually(ctx, lookup(namespace, "ip", "primary.db")).Should(ConsistOf(addressesOf(first, s.Spec.IPFamilies)))
		Eventually(ctx, lookup(namespace, "ip", "db")).Should(ConsistOf(append(addressesOf(first, s.Spec.IPFamilies), addressesOf(second, s.Spec.IPFamilies)...)))
		Eventually(ctx, lookup(namespace, "ptr", first.Status.PodIP)).
			Should(ConsistOf("primary.db." + namespace + ".svc.cluster.local."))
		By("not by the name that belongs to another Service")
		_, err := traffic(ctx, namespace, "lookup", "ip", "elsewhere.db."+namespace+".svc.cluster.local.")
		Expect(err).To(MatchError(ContainSubstring("no such host")))
	}, SpecTimeout(specTimeout))

	It("knows Services of other namespaces, and one's own first", func(ctx SpecContext) {
		own, other := newNamespace(ctx), newNamespace(ctx)
		web, far, here := service(own, "web"), service(other, "far"), service(other, "web")
		create(ctx, web, far, here)
		startClient(ctx, own)
		Eventually(ctx, lookup(own, "ip", "web")).Should(ConsistOf(web.Spec.ClusterIP))
		for _, name := range []string{"far." + other, "far." + other + ".svc", "far." + other + ".svc.cluster.local."} {
			Eventually(ctx, lookup(own, "ip", name)).Should(ConsistOf(far.Spec.ClusterIP))
		}
		Eventually(ctx, lookup(own, "ip", "web."+other)).Should(ConsistOf(here.Spec.ClusterIP))
		_, err := traffic(ctx, own, "lookup", "ip", "far")
		Expect(err).To(HaveOccurred(), "a name of another namespace is known without that one's")
	}, SpecTimeout(specTimeout))

	It("answers an ExternalName with the name that it stands for", func(ctx SpecContext) {
		namespace := newNamespace(ctx)
		create(ctx, service(namespace, "web"), &corev1.Service{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "alias"},
			Spec: corev1.ServiceSpec{
				Type: corev1.ServiceTypeExternalName, ExternalName: "web." + namespace + ".svc.cluster.local",
			},
		})
		startClient(ctx, namespace)
		Eventually(ctx, lookup(namespace, "cname", "alias")).Should(ConsistOf("web." + namespace + ".svc.cluster.local."))
	}, SpecTimeout(specTimeout))
})

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	_ "embed"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// monitoringKinds stand for those of the Prometheus operator, where there are none.
//
//go:embed testdata/monitoring.yaml
var monitoringKinds string

// startScraper starts the pod of startClient in a namespace that may reach the metrics.
func startScraper(ctx context.Context) (namespace string) {
	GinkgoHelper()
	namespace = newNamespace(ctx)
	_, err := kubectl(ctx, "label", "namespace", namespace, "metrics=enabled")
	Expect(err).NotTo(HaveOccurred())
	startClient(ctx, namespace)
	return namespace
}

// scraped returns the code that somebody gets who asks for the metrics, and the metrics.
func scraped(namespace, token string) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		return traffic(ctx, namespace, "metrics", token,
			"https://servicenet-controller-manager-metrics-service."+managerNamespace+":8443/metrics")
	}
}

var _ = Describe("The metrics", func() {
	It("are for those who may read them", func(ctx SpecContext) {
		namespace := startScraper(ctx)
		account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "scraper"}}
		binding := &rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: "e2e-" + namespace},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "servicenet-metrics-reader"},
			Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: namespace, Name: account.Name}},
		}
		create(ctx, account, binding)
		DeferCleanup(func(ctx SpecContext) { Expect(api.Delete(ctx, binding)).To(Succeed()) }, NodeTimeout(patience))
		token := func(name string) string {
			output, err := kubectl(ctx, "-n", namespace, "create", "token", name)
			Expect(err).NotTo(HaveOccurred(), output)
			return strings.TrimSpace(output)
		}

		Eventually(ctx, scraped(namespace, token(account.Name))).Should(And(
			HavePrefix("200"), ContainSubstring("\nservicenet_webhook_requests_total"), ContainSubstring("\nworkqueue_depth")))
		Expect(scraped(namespace, token("default"))(ctx)).To(HavePrefix("403"))
		Expect(scraped(namespace, "")(ctx)).To(HavePrefix("401"))
		Expect(scraped(namespace, "nonsense")(ctx)).NotTo(HavePrefix("200"))
	}, SpecTimeout(specTimeout))
})

// Serial, since it changes the installation.
var _ = Describe("config/with-prometheus", Serial, func() {
	It("has the Prometheus operator scrape the Service of the metrics", func(ctx SpecContext) {
		if overlay != "config/default" {
			Skip("it is config/default with a ServiceMonitor and a PrometheusRule, and " + overlay + " is installed")
		}
		kinds := []string{"crd/servicemonitors.monitoring.coreos.com", "crd/prometheusrules.monitoring.coreos.com"}
		if _, err := kubectl(ctx, append([]string{"get"}, kinds...)...); err != nil {
			output, err := kubectlInput(ctx, monitoringKinds, "apply", "--server-side", "-f", "-")
			Expect(err).NotTo(HaveOccurred(), output)
			DeferCleanup(func(ctx SpecContext) {
				output, err := kubectlInput(ctx, monitoringKinds, "delete", "-f", "-")
				Expect(err).NotTo(HaveOccurred(), output)
			}, NodeTimeout(patience))
			output, err = kubectl(ctx, append([]string{"wait", "--for=condition=Established", "--timeout=1m"}, kinds...)...)
			Expect(err).NotTo(HaveOccurred(), output)
		}
		deployOverlay(ctx, "config/with-prometheus", managerImage)

		monitor := &unstructured.Unstructured{}
		monitor.SetGroupVersionKind(schema.GroupVersionKind{Group: "monitoring.coreos.com", Version: "v1", Kind: "ServiceMonitor"})
		Expect(api.Get(ctx, client.ObjectKey{
			Namespace: managerNamespace, Name: "servicenet-controller-manager-metrics-monitor",
		}, monitor)).To(Succeed())
		DeferCleanup(func(ctx SpecContext) { Expect(api.Delete(ctx, monitor)).To(Succeed()) }, NodeTimeout(patience))
		labels, _, err := unstructured.NestedStringMap(monitor.Object, "spec", "selector", "matchLabels")
		Expect(err).NotTo(HaveOccurred())
		selected := &corev1.ServiceList{}
		Expect(api.List(ctx, selected, client.InNamespace(managerNamespace), client.MatchingLabels(labels))).To(Succeed())
		Expect(selected.Items).To(ConsistOf(HaveField("Name", "servicenet-controller-manager-metrics-service")))
		endpoints, _, err := unstructured.NestedSlice(monitor.Object, "spec", "endpoints")
		Expect(err).NotTo(HaveOccurred())
		Expect(endpoints).To(ConsistOf(And(
			HaveKeyWithValue("port", selected.Items[0].Spec.Ports[0].Name), HaveKeyWithValue("scheme", "https"), HaveKeyWithValue("path", "/metrics"))))
	}, SpecTimeout(deployTimeout))
})

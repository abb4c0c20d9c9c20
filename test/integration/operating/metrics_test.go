// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package operating

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"servicenet.dev/servicenet/hack/controlplane"
	"servicenet.dev/servicenet/test/integration/numbers"
)

var _ = Describe("Alerts and the dashboard", func() {
	It("name metrics, labels and values that a manager and a kube-apiserver have", func(ctx SpecContext) {
		on := newCluster(ctx)
		hooks := numbers.InRepository("config", "webhook", "service-webhooks.yaml")
		for _, pool := range pools("192.0.2.1/32") {
			Expect(on.API.Create(ctx, pool)).To(Succeed())
		}

		By("having webhooks that do not answer")
		port, err := controlplane.FreePort(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(on.Plane.RegisterWebhooks(ctx, fmt.Sprintf("https://127.0.0.1:%d", port), hooks)).To(Succeed())
		Eventually(func(ctx context.Context) error {
			refused := newService("refused", corev1.ServiceTypeClusterIP)
			refused.Name, refused.GenerateName = "", "refused-"
			return on.API.Create(ctx, refused)
		}).WithContext(ctx).Should(MatchError(ContainSubstring("failed calling webhook")))

		By("having a manager that does everything")
		manager := start(ctx, on, "manager", "--leader-elect", "--leader-election-namespace="+metav1.NamespaceSystem)
		Expect(on.Plane.RegisterWebhooks(ctx, manager.WebhookURL, hooks)).To(Succeed())
		for name, of := range map[string]corev1.ServiceType{
			"cluster": corev1.ServiceTypeClusterIP, "node": corev1.ServiceTypeNodePort,
			"balanced": corev1.ServiceTypeLoadBalancer, "waiting": corev1.ServiceTypeLoadBalancer,
		} {
			Eventually(func(ctx context.Context) error { return on.API.Create(ctx, newService(name, of)) }).WithContext(ctx).Should(Succeed())
		}
		outside := newService("outside", corev1.ServiceTypeClusterIP)
		outside.Spec.Selector = nil
		Expect(on.API.Create(ctx, outside)).To(Succeed())
		Expect(on.API.Create(ctx, &corev1.Endpoints{
			ObjectMeta: metav1.ObjectMeta{Namespace: outside.Namespace, Name: outside.Name},
			Subsets: []corev1.EndpointSubset{{
				Addresses: []corev1.EndpointAddress{{IP: "192.0.2.200"}}, Ports: []corev1.EndpointPort{{Port: 80}},
			}},
		})).To(Succeed())

		folder := GinkgoT().TempDir()
		ofServer, err := rest.HTTPClientFor(on.Plane.RESTConfig())
		Expect(err).NotTo(HaveOccurred())
		Eventually(func(ctx context.Context) error {
			if err := save(ctx, http.DefaultClient, manager.MetricsURL, filepath.Join(folder, "manager")); err != nil {
				return err
			}
			if err := save(ctx, ofServer, on.Plane.RESTConfig().Host, filepath.Join(folder, "kube-apiserver")); err != nil {
				return err
			}
			return checkNames(ctx, folder)
		}).WithContext(ctx).Should(Succeed())
	}, NodeTimeout(numbers.StartTimeout))
})

// save writes the metrics of a server into a file.
func save(ctx context.Context, through *http.Client, root, path string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, root+"/metrics", http.NoBody)
	if err != nil {
		return err
	}
	response, err := through.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		return fmt.Errorf("metrics of %s: %s: %w", root, response.Status, err)
	}
	return os.WriteFile(path, content, 0o600)
}

// checkNames has promcheck compare what a folder has of metrics with what is in config.
func checkNames(ctx context.Context, folder string) error {
	program, err := controlplane.FindBinaries().Find("promcheck")
	if err != nil {
		return err
	}
	// What is answered to requests that fail depends on what fails.
	out, err := exec.CommandContext(ctx, program, "names", "--any=code",
		"--metrics="+filepath.Join(folder, "manager"), "--metrics="+filepath.Join(folder, "kube-apiserver"),
		numbers.InRepository("config", "prometheus", "rules.yaml"), numbers.InRepository("config", "prometheus", "dashboard.json"),
	).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w:\n%s", err, out)
	}
	return nil
}

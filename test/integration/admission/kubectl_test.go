// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"servicenet.dev/servicenet/hack/controlplane"
	"servicenet.dev/servicenet/test/badinput"
	"servicenet.dev/servicenet/test/integration/hooked"
	"servicenet.dev/servicenet/test/integration/numbers"
)

// kubectl runs kubectl.
func kubectl(ctx context.Context, s *hooked.Server, args ...string) error {
	program, err := controlplane.FindBinaries().Find("kubectl")
	if err != nil {
		return err
	}
	out, err := exec.CommandContext(ctx, program, append([]string{"--kubeconfig=" + s.Kubeconfig}, args...)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("kubectl %v: %w: %s", args, err, out)
	}
	return nil
}

// written writes a Service as somebody has it in a file.
func written(service *corev1.Service) string {
	GinkgoHelper()
	service.APIVersion, service.Kind = "v1", "Service"
	content, err := yaml.Marshal(service)
	Expect(err).NotTo(HaveOccurred())
	path := filepath.Join(GinkgoT().TempDir(), "service.yaml")
	Expect(os.WriteFile(path, content, 0o600)).To(Succeed())
	return path
}

var _ = Describe("kubectl", Ordered, func() {
	BeforeAll(func(ctx SpecContext) {
		manager := dual.StartManager(ctx, "kubectl")
		dual.Route(ctx, manager.WebhookURL)
	}, NodeTimeout(numbers.StartTimeout))

	AfterEach(func(ctx SpecContext) { dual.Clear(ctx) })

	It("replaces a Service by force, with the numbers that it has", func(ctx SpecContext) {
		file := written(badinput.Make("shop", "web", nodePort, badinput.IPs("10.96.5.60"), badinput.HTTP(30509)))
		Expect(kubectl(ctx, dual, "create", "-f", file)).To(Succeed())
		Expect(kubectl(ctx, dual, "replace", "--force", "-f", file)).To(Succeed())
	})

	It("applies a Service and changes of it, without numbers in the file", func(ctx SpecContext) {
		for _, flags := range [][]string{nil, {"--server-side"}} {
			service := bare("web", nodePort, "")
			Expect(kubectl(ctx, dual, append([]string{"apply", "-f", written(service)}, flags...)...)).To(Succeed())
			before := &corev1.Service{}
			Expect(dual.API.Get(ctx, client.ObjectKeyFromObject(service), before)).To(Succeed())
			badinput.Port("https", 443, corev1.ProtocolTCP, 0)(service)
			Expect(kubectl(ctx, dual, append([]string{"apply", "-f", written(service)}, flags...)...)).To(Succeed())
			after := &corev1.Service{}
			Expect(dual.API.Get(ctx, client.ObjectKeyFromObject(service), after)).To(Succeed())
			Expect(after.Spec.ClusterIP).To(Equal(before.Spec.ClusterIP))
			Expect(after.Spec.Ports).To(HaveLen(2))
			Expect(after.Spec.Ports[0]).To(Equal(before.Spec.Ports[0]))
			Expect(kubectl(ctx, dual, "patch", "service", "-n", "free", "web", "-p", `{"spec":{"type":"ClusterIP"}}`)).To(Succeed())
			dual.Clear(ctx)
		}
	})
})

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("kubectl", func() {
	It("prints why a Service is refused", func(ctx SpecContext) {
		namespace := newNamespace(ctx)
		for _, refused := range []struct {
			spec string
			says []string
		}{
			{
				`{"clusterIP": "192.0.2.1", "ports": [{"port": 80}]}`,
				[]string{"is not in the ServiceCIDRs of the cluster", "spec.clusterIPs"},
			},
			{
				`{"type": "NodePort", "ports": [{"port": 80, "nodePort": 80}]}`,
				[]string{"is not in the node port range of the cluster", "spec.ports[0].nodePort"},
			},
		} {
			object := `{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": ` + refused.spec + `}`
			output, err := kubectlInput(ctx, object, "-n", namespace, "create", "-f", "-")
			Expect(err).To(HaveOccurred())
			Expect(output).To(HavePrefix(`The Service "web" is invalid: `))
			for _, part := range refused.says {
				Expect(output).To(ContainSubstring(part))
			}
		}
	}, SpecTimeout(specTimeout))

	It("prints why a pool is refused", func(ctx SpecContext) {
		const pool = `{"apiVersion": "servicenet.dev/v1alpha1", "kind": "LoadBalancerPool", "metadata": {"name": "e2e-wrong"},
			"spec": {"addresses": ["192.0.2.20-192.0.2.10"]}}`
		output, err := kubectlInput(ctx, pool, "create", "-f", "-")
		Expect(err).To(HaveOccurred())
		Expect(output).To(HavePrefix(`The LoadBalancerPool "e2e-wrong" is invalid: spec.addresses[0]: `))
	}, SpecTimeout(specTimeout))
})

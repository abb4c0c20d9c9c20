// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("A new pod", func() {
	It("has the Services of its namespace in its environment", func(ctx SpecContext) {
		namespace := newNamespace(ctx)
		s := service(namespace, "web-server")
		s.Spec.Ports[0].Name = ""
		create(ctx, s)
		// kubelet knows of it by a watch of its own: only a pod that is started later
		// is sure to have it.
		startClient(ctx, namespace)
		ip := s.Spec.ClusterIP
		Eventually(ctx, func(ctx context.Context) (string, error) {
			return traffic(ctx, namespace, "get", "1", "http://localhost:8080/env")
		}).Should(And(
			ContainSubstring("WEB_SERVER_SERVICE_HOST="+ip+"\n"),
			ContainSubstring("WEB_SERVER_SERVICE_PORT=80\n"),
			ContainSubstring("WEB_SERVER_PORT=tcp://"+ip+":80\n"),
			ContainSubstring("WEB_SERVER_PORT_80_TCP=tcp://"+ip+":80\n"),
			ContainSubstring("WEB_SERVER_PORT_80_TCP_PROTO=tcp\n"),
			ContainSubstring("WEB_SERVER_PORT_80_TCP_PORT=80\n"),
			ContainSubstring("WEB_SERVER_PORT_80_TCP_ADDR="+ip),
		))
	}, SpecTimeout(specTimeout))
})

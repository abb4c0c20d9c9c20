// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
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

	It("has each port of several Services by its name, and not those without an address", func(ctx SpecContext) {
		namespace := newNamespace(ctx)
		web, db, headless := service(namespace, "web"), service(namespace, "db"), service(namespace, "none")
		web.Spec.Ports = append(web.Spec.Ports, corev1.ServicePort{Name: "dns-udp", Port: 53, Protocol: corev1.ProtocolUDP})
		headless.Spec.ClusterIP = corev1.ClusterIPNone
		create(ctx, web, db, headless)
		startClient(ctx, namespace)
		var text string
		Eventually(ctx, func(ctx context.Context) (err error) {
			text, err = traffic(ctx, namespace, "get", "1", "http://localhost:8080/env")
			return err
		}).Should(Succeed())
		ip := web.Spec.ClusterIP
		for _, line := range []string{
			"WEB_SERVICE_HOST=" + ip, "WEB_SERVICE_PORT=80", "WEB_SERVICE_PORT_HTTP=80", "WEB_SERVICE_PORT_DNS_UDP=53",
			"WEB_PORT=tcp://" + ip + ":80", "WEB_PORT_80_TCP_ADDR=" + ip,
			"WEB_PORT_53_UDP=udp://" + ip + ":53", "WEB_PORT_53_UDP_PROTO=udp", "WEB_PORT_53_UDP_PORT=53", "WEB_PORT_53_UDP_ADDR=" + ip,
			"DB_SERVICE_HOST=" + db.Spec.ClusterIP,
		} {
			Expect(text + "\n").To(ContainSubstring(line + "\n"))
		}
		Expect(text).NotTo(ContainSubstring("NONE_SERVICE_HOST"))
	}, SpecTimeout(specTimeout))

	It("has none of them where it does not want any", func(ctx SpecContext) {
		namespace := newNamespace(ctx)
		create(ctx, service(namespace, "web"))
		p := pod(namespace, "client", nil)
		p.Spec.EnableServiceLinks = new(false)
		create(ctx, p)
		awaitReady(ctx, p)
		Eventually(ctx, func(ctx context.Context) (string, error) {
			return traffic(ctx, namespace, "get", "1", "http://localhost:8080/env")
		}).Should(And(ContainSubstring("KUBERNETES_SERVICE_HOST="), Not(ContainSubstring("WEB_SERVICE_HOST"))))
	}, SpecTimeout(specTimeout))
})

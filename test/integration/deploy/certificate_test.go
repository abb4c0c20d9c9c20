// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// keyPair is the Secret of the webhooks' certificate, empty.
func keyPair() *corev1.Secret {
	return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: system, Name: "servicenet-webhook-server-cert"}}
}

// kept returns what is in it, as the manager that runs has it.
func kept(ctx context.Context) (map[string][]byte, error) {
	secret := keyPair()
	err := api.Get(ctx, client.ObjectKeyFromObject(secret), secret)
	return secret.Data, err
}

// served returns the certificate of a manager's webhooks, as the Secret has it, if the
// API server's authorities vouch for it.
func (d *deployed) served(ctx context.Context) (string, error) {
	trusted, err := authorities(ctx)
	if err != nil {
		return "", err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(trusted[0]))
	var certificate []byte
	dialer := &tls.Dialer{Config: &tls.Config{
		RootCAs: roots, ServerName: "servicenet-webhook-service." + system + ".svc", MinVersion: tls.VersionTLS12,
		VerifyConnection: func(state tls.ConnectionState) error {
			certificate = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: state.PeerCertificates[0].Raw})
			return nil
		},
	}}
	connection, err := dialer.DialContext(ctx, "tcp", d.webhooksAddress)
	if err != nil {
		return "", err
	}
	return string(certificate), connection.Close()
}

// looksForCertificate tells whether a manager has asked for the Secret.
func looksForCertificate() bool {
	GinkgoHelper()
	allowed, _ := asked()
	return slices.ContainsFunc(allowed, func(of request) bool {
		return of.Verb == "watch" && of.ObjectRef.Resource == "secrets" && of.ObjectRef.Name == keyPair().Name
	})
}

// Ordered, since that the first replicas have asked for the Secret is seen once.
var _ = Describe("The certificate of the webhooks", Ordered, func() {
	var replicas [2]*deployed
	both := func(ctx context.Context) []string {
		GinkgoHelper()
		var all []string
		for _, of := range replicas {
			certificate, err := of.served(ctx)
			Expect(err).NotTo(HaveOccurred())
			all = append(all, certificate)
		}
		return all
	}
	BeforeEach(func(ctx SpecContext) {
		install(ctx, defaultOverlay, "servicenet:v1")
		DeferCleanup(func(ctx context.Context) { remove(ctx, defaultOverlay) })
	})

	It("is made by one of two replicas, when there is a Secret for it", func(ctx SpecContext) {
		Expect(api.Delete(ctx, keyPair())).To(Succeed())
		replicas = [2]*deployed{launch(ctx, "one"), launch(ctx, "two")}
		Eventually(looksForCertificate).WithContext(ctx).Should(BeTrue())
		Consistently(replicas[0].ready).WithContext(ctx).ShouldNot(Succeed())
		Expect(api.Create(ctx, keyPair())).To(Succeed())
		for _, of := range replicas {
			Eventually(of.ready).WithContext(ctx).Should(Succeed())
		}

		data, err := kept(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(both(ctx)).To(HaveEach(string(data["tls.crt"])))
		Expect(authorities(ctx)).To(HaveEach(string(data["ca.crt"])))
		tunnel.send(replicas[1].webhooksAddress)
		service := web(metav1.NamespaceDefault, "first")
		Expect(api.Create(ctx, service)).To(Succeed())
		Expect(api.Delete(ctx, service)).To(Succeed())
	})

	It("is renewed without a restart, as its authority is, and no request fails", func(ctx SpecContext) {
		replicas = [2]*deployed{startDeployed(ctx, "one"), startDeployed(ctx, "two")}
		before, err := kept(ctx)
		Expect(err).NotTo(HaveOccurred())
		for _, lost := range []string{"tls.crt", "ca.key"} {
			By("without " + lost)
			Expect(api.Patch(ctx, keyPair(), merge(`{"data":{"`+lost+`":null}}`))).To(Succeed())
			Eventually(func(ctx context.Context) ([]string, error) {
				Expect(api.Create(ctx, web(metav1.NamespaceDefault, "dry"), client.DryRunAll)).To(Succeed())
				data, err := kept(ctx)
				now := string(data["tls.crt"])
				if err != nil || now == "" || now == string(before["tls.crt"]) {
					return nil, err
				}
				return slices.DeleteFunc(both(ctx), func(served string) bool { return served != now }), nil
			}).WithContext(ctx).Should(HaveLen(2))
			after, err := kept(ctx)
			Expect(err).NotTo(HaveOccurred())
			if lost == "tls.crt" {
				Expect(after["ca.crt"]).To(Equal(before["ca.crt"]))
			} else {
				Expect(string(after["ca.crt"])).To(And(HaveSuffix(string(before["ca.crt"])), Not(Equal(string(before["ca.crt"])))))
			}
			Expect(authorities(ctx)).To(HaveEach(string(after["ca.crt"])))
			before = after
		}
	})
})

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package ingress

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/cert"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Hosts that Ingresses have rules for.
const (
	plainHost  = "web.example.com"
	secureHost = "shop.example.com"
)

// class is one of Ingresses, with a Traefik of its own.
type class struct {
	name, plainPort, tlsPort string
	// address is that of its Service.
	address string
}

var _ = Describe("An Ingress", func() {
	It("is routed by the Traefik of its class, by path and by TLS host, to the pods there are", func(ctx SpecContext) {
		namespace := newNamespace(ctx)
		inside := startTraefik(ctx, namespace, class{name: "inside", plainPort: "80", tlsPort: "443"})
		outside := startTraefik(ctx, namespace, class{name: "outside", plainPort: "8000", tlsPort: "8443"})
		serve(ctx, namespace, "red", 1)
		serve(ctx, namespace, "blue", 1)
		serve(ctx, namespace, "green", 1)
		authority := makeCertificate(ctx, namespace)
		create(ctx, newIngress(namespace, inside, "red", "blue"))
		create(ctx, newIngress(namespace, outside, "red", "green"))

		By("two paths, which go to two Services")
		Eventually(inside.answer("/", nil)).WithContext(ctx).Should(HavePrefix("blue-"))
		Eventually(inside.answer("/env", nil)).WithContext(ctx).Should(ContainSubstring("HOSTNAME=red-"))
		Eventually(outside.answer("/", nil)).WithContext(ctx).Should(HavePrefix("green-"))
		Eventually(outside.answer("/env", nil)).WithContext(ctx).Should(ContainSubstring("HOSTNAME=red-"))

		By("a host with TLS")
		Eventually(inside.answer("/", authority)).WithContext(ctx).Should(HavePrefix("blue-"))
		Eventually(outside.answer("/", authority)).WithContext(ctx).Should(HavePrefix("green-"))

		By("the status of the Ingress, which has the address of the Service")
		for _, of := range []class{inside, outside} {
			Eventually(func(ctx context.Context) (string, error) {
				var ingress networkingv1.Ingress
				err := api.Get(ctx, client.ObjectKey{Namespace: namespace, Name: of.name}, &ingress)
				return fmt.Sprint(ingress.Status.LoadBalancer.Ingress), err
			}).WithContext(ctx).Should(ContainSubstring(of.address))
		}

		By("more pods, which are found, and none, which is told")
		scale(ctx, namespace, "blue", 2)
		Eventually(func(ctx context.Context) (map[string]bool, error) { return inside.whoAnswers(ctx, 20) }).
			WithContext(ctx).Should(HaveLen(2))
		scale(ctx, namespace, "blue", 0)
		Eventually(inside.answer("/", nil)).WithContext(ctx).Should(Equal("503 Service Unavailable"))
	}, SpecTimeout(specTimeout))
})

// startTraefik runs one for a class, and waits until its Service has an address.
func startTraefik(ctx context.Context, namespace string, of class) class {
	GinkgoHelper()
	content, err := os.ReadFile("testdata/traefik.yaml")
	Expect(err).NotTo(HaveOccurred())
	manifest := strings.NewReplacer("NAMESPACE", namespace, "NAME", of.name, "IMAGE", traefikImage,
		"PLAIN", of.plainPort, "TLS", of.tlsPort).Replace(string(content))
	output, err := kubectl(ctx, manifest, "apply", "-f", "-")
	Expect(err).NotTo(HaveOccurred(), output)
	DeferCleanup(func(ctx SpecContext) {
		output, err := kubectl(ctx, manifest, "delete", "--ignore-not-found", "-f", "-")
		Expect(err).NotTo(HaveOccurred(), output)
	}, NodeTimeout(patience))
	output, err = kubectl(ctx, "", "-n", namespace, "rollout", "status", "deployment", of.name, "--timeout=80s")
	if err != nil {
		logs, _ := kubectl(ctx, "", "-n", namespace, "logs", "deployment/"+of.name)
		Expect(err).NotTo(HaveOccurred(), output+logs)
	}
	Eventually(func(ctx context.Context) (string, error) {
		var service corev1.Service
		err := api.Get(ctx, client.ObjectKey{Namespace: namespace, Name: of.name}, &service)
		for i := range service.Status.LoadBalancer.Ingress {
			of.address = service.Status.LoadBalancer.Ingress[i].IP
		}
		return of.address, err
	}).WithContext(ctx).ShouldNot(BeEmpty())
	return of
}

// makeCertificate puts one for the host with TLS into a Secret, and returns who to trust.
func makeCertificate(ctx context.Context, namespace string) *x509.CertPool {
	GinkgoHelper()
	certificate, key, err := cert.GenerateSelfSignedCertKey(secureHost, nil, nil)
	Expect(err).NotTo(HaveOccurred())
	create(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "certificate"}, Type: corev1.SecretTypeTLS,
		Data: map[string][]byte{corev1.TLSCertKey: certificate, corev1.TLSPrivateKeyKey: key},
	})
	authority := x509.NewCertPool()
	Expect(authority.AppendCertsFromPEM(certificate)).To(BeTrue())
	return authority
}

// newIngress returns one of a class, which has /env of a host lead to one Service, and all
// else to another, as all of the host with TLS.
func newIngress(namespace string, of class, env, all string) *networkingv1.Ingress {
	to := func(path, service string) networkingv1.HTTPIngressPath {
		return networkingv1.HTTPIngressPath{
			Path: path, PathType: new(networkingv1.PathTypePrefix),
			Backend: networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{
				Name: service, Port: networkingv1.ServiceBackendPort{Name: "http"},
			}},
		}
	}
	rule := func(host string, paths ...networkingv1.HTTPIngressPath) networkingv1.IngressRule {
		return networkingv1.IngressRule{Host: host, IngressRuleValue: networkingv1.IngressRuleValue{
			HTTP: &networkingv1.HTTPIngressRuleValue{Paths: paths},
		}}
	}
	return &networkingv1.Ingress{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: of.name},
		Spec: networkingv1.IngressSpec{
			IngressClassName: &of.name,
			TLS:              []networkingv1.IngressTLS{{Hosts: []string{secureHost}, SecretName: "certificate"}},
			Rules:            []networkingv1.IngressRule{rule(plainHost, to("/env", env), to("/", all)), rule(secureHost, to("/", all))},
		},
	}
}

func scale(ctx context.Context, namespace, name string, replicas int) {
	GinkgoHelper()
	output, err := kubectl(ctx, "", "-n", namespace, "scale", "deployment", name, fmt.Sprintf("--replicas=%d", replicas))
	Expect(err).NotTo(HaveOccurred(), output)
}

// answer asks from this machine, which is no part of the pod network, for a path of the
// host without TLS, or with an authority for one of the host with TLS. It returns what
// comes, or the status if that is not 200.
func (c class) answer(path string, authority *x509.CertPool) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		scheme, host, port := "http", plainHost, c.plainPort
		if authority != nil {
			scheme, host, port = "https", secureHost, c.tlsPort
		}
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"://"+host+path, http.NoBody)
		if err != nil {
			return "", err
		}
		through := &http.Client{Transport: &http.Transport{
			DisableKeepAlives: true,
			TLSClientConfig:   &tls.Config{RootCAs: authority, MinVersion: tls.VersionTLS12},
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return (&net.Dialer{}).DialContext(ctx, network, net.JoinHostPort(c.address, port))
			},
		}}
		response, err := through.Do(request)
		if err != nil {
			return "", err
		}
		defer func() { _ = response.Body.Close() }()
		body, err := io.ReadAll(response.Body)
		if response.StatusCode != http.StatusOK {
			return response.Status, err
		}
		return strings.TrimSpace(string(body)), err
	}
}

// whoAnswers asks so many times for the path that names the pod.
func (c class) whoAnswers(ctx context.Context, times int) (map[string]bool, error) {
	names := map[string]bool{}
	for range times {
		name, err := c.answer("/", nil)(ctx)
		if err != nil {
			return nil, err
		}
		names[name] = true
	}
	return names, nil
}

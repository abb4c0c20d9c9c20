// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"servicenet.dev/servicenet/hack/controlplane"
)

// install applies what config/default comes to, but for the kinds, which are there, and
// the manager, which runs outside.
func install(ctx context.Context) {
	GinkgoHelper()
	program, err := controlplane.FindBinaries().Find("kustomize")
	Expect(err).NotTo(HaveOccurred())
	out, err := exec.CommandContext(ctx, program, "build", "../../../config/default").Output()
	Expect(err).NotTo(HaveOccurred())
	decoder := yaml.NewYAMLOrJSONDecoder(strings.NewReader(string(out)), 4096)
	for {
		object := &unstructured.Unstructured{}
		err := decoder.Decode(object)
		if errors.Is(err, io.EOF) {
			return
		}
		Expect(err).NotTo(HaveOccurred())
		if slices.Contains([]string{"CustomResourceDefinition", "Deployment"}, object.GetKind()) {
			continue
		}
		Expect(api.Apply(ctx, client.ApplyConfigurationFromUnstructured(object), client.FieldOwner("install"))).To(Succeed())
		if strings.HasSuffix(object.GetKind(), "WebhookConfiguration") || object.GetKind() == "Secret" {
			DeferCleanup(func(ctx context.Context) error { return client.IgnoreNotFound(api.Delete(ctx, object)) })
		}
	}
}

// authority returns who has signed the certificate in the Secret.
func authority(ctx context.Context) ([]byte, error) {
	secret := &corev1.Secret{}
	err := api.Get(ctx, client.ObjectKey{Namespace: "servicenet-system", Name: "servicenet-webhook-server-cert"}, secret)
	return secret.Data["ca.crt"], err
}

// trusted returns the authorities that the API server trusts to have signed the
// certificate of the webhooks.
func trusted(ctx context.Context) ([]string, error) {
	var found []string
	mutating, validating := &admissionregistrationv1.MutatingWebhookConfiguration{}, &admissionregistrationv1.ValidatingWebhookConfiguration{}
	if err := api.Get(ctx, client.ObjectKey{Name: "servicenet-services"}, mutating); err != nil {
		return nil, err
	}
	for i := range mutating.Webhooks {
		found = append(found, string(mutating.Webhooks[i].ClientConfig.CABundle))
	}
	for _, name := range []string{"servicenet-services", "servicenet-pools"} {
		if err := api.Get(ctx, client.ObjectKey{Name: name}, validating); err != nil {
			return nil, err
		}
		for i := range validating.Webhooks {
			found = append(found, string(validating.Webhooks[i].ClientConfig.CABundle))
		}
	}
	return found, nil
}

var _ = Describe("A manager that rotates its certificate", func() {
	It("makes it, has it trusted, and serves with it, with the rights of config/default", func(ctx SpecContext) {
		newNamespace(ctx, "shop")
		install(ctx)
		// It is ready when its webhooks are served, and they are when the API server trusts them.
		manager := startManager(ctx, "--namespace=servicenet-system", "--webhook-cert-rotation")
		ca, err := authority(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(trusted(ctx)).To(And(HaveLen(7), HaveEach(string(ca))))
		authorities := x509.NewCertPool()
		Expect(authorities.AppendCertsFromPEM(ca)).To(BeTrue())
		dialer := &tls.Dialer{Config: &tls.Config{
			RootCAs: authorities, ServerName: "servicenet-webhook-service.servicenet-system.svc", MinVersion: tls.VersionTLS12,
		}}
		connection, err := dialer.DialContext(ctx, "tcp", strings.TrimPrefix(manager.WebhookURL, "https://"))
		Expect(err).NotTo(HaveOccurred())
		Expect(connection.Close()).To(Succeed())
	})
})

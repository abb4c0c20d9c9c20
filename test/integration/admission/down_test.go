// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"servicenet.dev/servicenet/internal/standby"
)

var _ = Describe("While no manager answers", func() {
	It("only the namespaces of the system go on, and nothing is kept from going (trap 10)", func(ctx SpecContext) {
		DeferCleanup(dual.Clear)
		held := bare("held", clusterIP, "")
		held.Finalizers = []string{"servicenet.dev/test"}
		Expect(dual.API.Create(ctx, held)).To(Succeed())
		Expect(dual.API.Create(ctx, bare("gone", clusterIP, ""))).To(Succeed())
		dual.Register(ctx, "https://127.0.0.1:1")

		Eventually(func(ctx context.Context) error {
			return dual.API.Create(ctx, bare("web", clusterIP, ""), client.DryRunAll)
		}).WithContext(ctx).Should(MatchError(apierrors.IsInternalError, "calling a webhook fails"))
		system := bare("dns-of-a-test", clusterIP, "")
		system.Namespace = metav1.NamespaceSystem
		Expect(dual.API.Create(ctx, system)).To(Succeed())
		Expect(dual.API.Delete(ctx, system)).To(Succeed())

		Expect(dual.API.Delete(ctx, bare("gone", clusterIP, ""))).To(Succeed())
		Expect(dual.API.Delete(ctx, held)).To(Succeed())
		Expect(dual.API.Patch(ctx, held, client.RawPatch("application/merge-patch+json", []byte(`{"metadata":{"finalizers":null}}`)))).
			To(Succeed())
		labelled := bare("labelled", clusterIP, "")
		Expect(dual.Around.Create(ctx, labelled)).To(Succeed())
		Expect(dual.API.Patch(ctx, labelled, client.RawPatch("application/merge-patch+json", []byte(`{"metadata":{"labels":{"a":"b"}}}`)))).
			To(Succeed())
	})

	It("who writes endpoints can be asked, and nothing else goes by as a question", func(ctx SpecContext) {
		DeferCleanup(dual.Clear)
		dual.Register(ctx, "https://127.0.0.1:1")
		anExternalName := func(s *corev1.ServiceSpec) {
			s.Type, s.ClusterIP, s.ExternalName = corev1.ServiceTypeExternalName, "", "example.com"
		}
		question := func(name string, change func(*corev1.ServiceSpec)) *corev1.Service {
			service := bare(name, clusterIP, "")
			service.Labels = map[string]string{standby.QuestionLabel: "word"}
			service.Spec.ClusterIP = corev1.ClusterIPNone
			change(&service.Spec)
			return service
		}
		refused := MatchError(apierrors.IsInternalError, "calling a webhook fails")
		Eventually(func(ctx context.Context) error {
			return dual.API.Create(ctx, bare("web", clusterIP, ""), client.DryRunAll)
		}).WithContext(ctx).Should(refused)

		asked := question("asked", func(*corev1.ServiceSpec) {})
		Expect(dual.API.Create(ctx, asked)).To(Succeed())
		asked.Spec.Selector = map[string]string{"a": "b"}
		Expect(dual.API.Update(ctx, asked)).To(Succeed())
		for name, change := range map[string]func(*corev1.ServiceSpec){
			"address":     func(s *corev1.ServiceSpec) { s.ClusterIP = "" },
			"node-port":   func(s *corev1.ServiceSpec) { s.ClusterIP, s.Type = "", corev1.ServiceTypeNodePort },
			"external-ip": func(s *corev1.ServiceSpec) { s.ExternalIPs = []string{"203.0.113.7"} },
			"other-name":  anExternalName,
		} {
			Expect(dual.API.Create(ctx, question(name, change))).To(refused, name)
		}
		other := question("other", anExternalName)
		Expect(dual.Around.Create(ctx, other)).To(Succeed())
		other.Spec.Type, other.Spec.ClusterIP, other.Spec.ExternalName = corev1.ServiceTypeClusterIP, corev1.ClusterIPNone, ""
		Expect(dual.API.Update(ctx, other)).To(refused, "it was none before")
	})
})

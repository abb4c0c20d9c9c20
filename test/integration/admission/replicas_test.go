// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"servicenet.dev/servicenet/hack/controlplane"
)

// replicaFlags are those of one of several managers.
func replicaFlags() []string {
	return []string{"--leader-elect", "--leader-election-namespace=kube-system", "--webhook-drain-period=3s"}
}

// ready tells whether a manager says that it is ready.
func ready(ctx context.Context, manager *controlplane.Manager) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, manager.HealthURL+"/readyz", http.NoBody)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	return response.Body.Close() == nil && response.StatusCode == http.StatusOK
}

var _ = Describe("Two managers", func() {
	const callers = 8

	It("give no number twice, and no request fails when one stops in order (trap 11)", func(ctx SpecContext) {
		DeferCleanup(dual.clear)
		first := dual.startManager(ctx, "first", replicaFlags()...)
		second := dual.startManager(ctx, "second", replicaFlags()...)
		balancer := startBalancer(ctx, first, second)
		dual.route(ctx, balancer.url())

		var made atomic.Int64
		enough := make(chan struct{})
		load, loadContext := errgroup.WithContext(ctx)
		for caller := range callers {
			load.Go(func() error {
				for i := 0; ; i++ {
					select {
					case <-enough:
						return nil
					default:
					}
					service := bare(fmt.Sprintf("load-%d-%d", caller, i), clusterIP, "")
					if i%4 == 0 {
						service.Spec.Type = nodePort
						service.Spec.ExternalTrafficPolicy = corev1.ServiceExternalTrafficPolicyCluster
					}
					if err := dual.api.Create(loadContext, service); err != nil {
						return fmt.Errorf("creating %s: %w", service.Name, err)
					}
					made.Add(1)
				}
			})
		}
		const some = 200
		soFar := func() (int64, error) { return made.Load(), context.Cause(loadContext) }
		Eventually(soFar).WithContext(ctx).Should(BeNumerically(">", some))
		Expect(balancer.served(first)).To(BeNumerically(">", 0))
		Expect(first.Stop(ctx)).To(Succeed())
		stopped := made.Load()
		Eventually(soFar).WithContext(ctx).Should(BeNumerically(">", stopped+some))
		close(enough)
		Expect(load.Wait()).To(Succeed())

		var services corev1.ServiceList
		Expect(dual.api.List(ctx, &services, client.InNamespace("free"))).To(Succeed())
		Expect(services.Items).To(HaveLen(int(made.Load())))
		Expect(second.LogTail(logLines)).NotTo(ContainSubstring("could not find out"))
	}, NodeTimeout(3*time.Minute))
})

var _ = Describe("While no manager answers", func() {
	It("only the namespaces of the system go on, and nothing is kept from going (trap 10)", func(ctx SpecContext) {
		DeferCleanup(dual.clear)
		held := bare("held", clusterIP, "")
		held.Finalizers = []string{"servicenet.dev/test"}
		Expect(dual.api.Create(ctx, held)).To(Succeed())
		Expect(dual.api.Create(ctx, bare("gone", clusterIP, ""))).To(Succeed())
		DeferCleanup(func(ctx context.Context) { Expect(dual.plane.UnregisterWebhooks(ctx, hooksFile)).To(Succeed()) })
		Expect(dual.plane.RegisterWebhooks(ctx, "https://127.0.0.1:1", hooksFile)).To(Succeed())

		Eventually(func(ctx context.Context) error {
			return dual.api.Create(ctx, bare("web", clusterIP, ""), client.DryRunAll)
		}).WithContext(ctx).Should(MatchError(apierrors.IsInternalError, "calling a webhook fails"))
		system := bare("dns-of-a-test", clusterIP, "")
		system.Namespace = metav1.NamespaceSystem
		Expect(dual.api.Create(ctx, system)).To(Succeed())
		Expect(dual.api.Delete(ctx, system)).To(Succeed())

		Expect(dual.api.Delete(ctx, bare("gone", clusterIP, ""))).To(Succeed())
		Expect(dual.api.Delete(ctx, held)).To(Succeed())
		Expect(dual.api.Patch(ctx, held, client.RawPatch("application/merge-patch+json", []byte(`{"metadata":{"finalizers":null}}`)))).
			To(Succeed())
		labelled := bare("labelled", clusterIP, "")
		Expect(dual.around.Create(ctx, labelled)).To(Succeed())
		Expect(dual.api.Patch(ctx, labelled, client.RawPatch("application/merge-patch+json", []byte(`{"metadata":{"labels":{"a":"b"}}}`)))).
			To(Succeed())
	})
})

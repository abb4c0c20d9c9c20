// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"context"
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/test/badinput"
)

const (
	finalizer = servicenetv1alpha1.LoadBalancerFinalizer
	// theirs is that of somebody else.
	theirs = "example.com/theirs"
)

func ofClass(class string) badinput.Option {
	return func(s *corev1.Service) { s.Spec.LoadBalancerClass = &class }
}

func ours() badinput.Option { return ofClass(servicenetv1alpha1.LoadBalancerClass) }

// release takes the finalizers off all Services of the table's namespaces, so that they
// can be removed.
func (s *server) release(ctx context.Context) {
	GinkgoHelper()
	var services corev1.ServiceList
	Expect(s.around.List(ctx, &services)).To(Succeed())
	for i := range services.Items {
		service := &services.Items[i]
		if !slices.Contains(badinput.Namespaces(), service.Namespace) || len(service.Finalizers) == 0 {
			continue
		}
		off := client.RawPatch("application/merge-patch+json", []byte(`{"metadata": {"finalizers": null}}`))
		Expect(client.IgnoreNotFound(s.around.Patch(ctx, service, off))).To(Succeed())
	}
}

var _ = Describe("The finalizer of load balancers", Ordered, func() {
	BeforeAll(func(ctx SpecContext) {
		manager := dual.startManager(ctx, "finalizers")
		dual.route(ctx, manager.WebhookURL)
	}, NodeTimeout(startTimeout))

	AfterEach(func(ctx SpecContext) {
		dual.clear(ctx)
		dual.release(ctx)
	})

	It("is on new Services of our class, beside those of others", func(ctx SpecContext) {
		mine := badinput.Make("shop", "web", loadBalancer, ours())
		mine.Finalizers = []string{theirs}
		Expect(dual.api.Create(ctx, mine)).To(Succeed())
		Expect(mine.Finalizers).To(Equal([]string{theirs, finalizer}))
	})

	It("is not on those of others", func(ctx SpecContext) {
		for name, option := range map[string]badinput.Option{
			"classless": func(*corev1.Service) {}, "cloudy": ofClass("example.com/cloud"),
		} {
			other := badinput.Make("shop", name, loadBalancer, option)
			Expect(dual.api.Create(ctx, other)).To(Succeed())
			Expect(other.Finalizers).To(BeEmpty(), name)
		}
	})

	It("comes with the type", func(ctx SpecContext) {
		service := badinput.Make("shop", "web", clusterIP)
		Expect(dual.api.Create(ctx, service)).To(Succeed())
		Expect(service.Finalizers).To(BeEmpty())
		service.Spec.Type = loadBalancer
		ours()(service)
		Expect(dual.api.Update(ctx, service)).To(Succeed())
		Expect(service.Finalizers).To(ConsistOf(finalizer))
	})

	It("is not shown in a dry run", func(ctx SpecContext) {
		service := badinput.Make("shop", "web", loadBalancer, ours())
		Expect(dual.api.Create(ctx, service, client.DryRunAll)).To(Succeed())
		Expect(service.Finalizers).To(BeEmpty())
	})

	It("can be taken off a Service that is being deleted", func(ctx SpecContext) {
		service := badinput.Make("shop", "web", loadBalancer, ours())
		service.Finalizers = []string{theirs}
		Expect(dual.api.Create(ctx, service)).To(Succeed())
		Expect(dual.api.Delete(ctx, service)).To(Succeed())
		off := client.RawPatch("application/merge-patch+json", []byte(`{"metadata": {"finalizers": null}}`))
		Expect(dual.api.Patch(ctx, service, off)).To(Succeed())
		Expect(apierrors.IsNotFound(dual.api.Get(ctx, client.ObjectKeyFromObject(service), service))).To(BeTrue())
	})

	It("is on a Service that waits for a pool", func(ctx SpecContext) {
		service := badinput.Make("free", "web", loadBalancer, ours())
		service.Spec.LoadBalancerIP = "192.0.2.7"
		Expect(dual.api.Create(ctx, service)).To(Succeed())
		Expect(service.Finalizers).To(ConsistOf(finalizer))
	})
})

var _ = Describe("The finalizer of load balancers without a class", Ordered, func() {
	BeforeAll(func(ctx SpecContext) {
		manager := dual.startManager(ctx, "classless", "--load-balancer-default", "--load-balancer-class=example.com/mine")
		dual.route(ctx, manager.WebhookURL)
	}, NodeTimeout(startTimeout))

	AfterEach(func(ctx SpecContext) {
		dual.clear(ctx)
		dual.release(ctx)
	})

	It("is on those without a class, and of the class that is asked for", func(ctx SpecContext) {
		for name, test := range map[string]struct {
			option badinput.Option
			want   []string
		}{
			"classless": {func(*corev1.Service) {}, []string{finalizer}},
			"mine":      {ofClass("example.com/mine"), []string{finalizer}},
			"former":    {ours(), nil},
		} {
			service := badinput.Make("shop", name, loadBalancer, test.option)
			Expect(dual.api.Create(ctx, service)).To(Succeed())
			Expect(service.Finalizers).To(Equal(test.want), name)
		}
	})
})

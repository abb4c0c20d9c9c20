// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package cloud

import (
	"context"
	"errors"
	"sync/atomic"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"servicenet.dev/servicenet/controllers"
	"servicenet.dev/servicenet/internal/loadbalancer/hosts"
)

func remove(ctx context.Context, name string) {
	GinkgoHelper()
	Expect(suite.client.Delete(ctx, &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name}})).To(Succeed())
}

var _ = Describe("A load balancer is deleted", func() {
	var provider *provider
	var stop func()

	BeforeEach(func(ctx SpecContext) {
		provider = newProvider()
		stop = start(&controllers.Cloud{Provider: provider})
		create(ctx, "web")
		Eventually(shown("web")).WithContext(ctx).Should(HaveLen(1))
	})

	balancers := func() int {
		all, _ := provider.count("")()
		return all
	}

	It("with its Service", func(ctx SpecContext) {
		remove(ctx, "web")
		Eventually(get).WithContext(ctx).WithArguments("web").Should(BeNil())
		Expect(provider.called("web")()).To(Equal([]string{"ensure", "get", "delete"}))
		Eventually(reasons("web")).WithContext(ctx).Should(ContainElements("DeletingLoadBalancer", "DeletedLoadBalancer"))
	})

	It("before the Service, however often that fails", func(ctx SpecContext) {
		var tries atomic.Int32
		provider.answer(func(call, _ string) error {
			if call == "delete" && tries.Add(1) == 1 {
				return errors.New("it is in use")
			}
			return nil
		})
		remove(ctx, "web")
		Eventually(reasons("web")).WithContext(ctx).Should(ContainElement("SyncLoadBalancerFailed"))
		Expect(finalizers("web")(ctx)).To(Equal([]string{hosts.Finalizer}))
		Eventually(get).WithContext(ctx).WithArguments("web").Should(BeNil())
		Expect(balancers()).To(BeZero())
	})

	It("when the Service was deleted while no manager ran", func(ctx SpecContext) {
		stop()
		remove(ctx, "web")
		start(&controllers.Cloud{Provider: provider})
		Eventually(get).WithContext(ctx).WithArguments("web").Should(BeNil())
		Expect(balancers()).To(BeZero())
	})

	It("when the Service stays, for something else", func(ctx SpecContext) {
		change(ctx, "web", func(s *corev1.Service) { s.Finalizers = append(s.Finalizers, "example.com/stay") })
		remove(ctx, "web")
		Eventually(finalizers("web")).WithContext(ctx).Should(Equal([]string{"example.com/stay"}))
		Expect(balancers()).To(BeZero())
		Expect(shown("web")(ctx)).To(BeEmpty())
	})

	It("when the Service changes its type", func(ctx SpecContext) {
		change(ctx, "web", ofType(corev1.ServiceTypeClusterIP))
		Eventually(finalizers("web")).WithContext(ctx).Should(BeEmpty())
		Expect(balancers()).To(BeZero())

		By("and made again when it changes back")
		change(ctx, "web", ofType(corev1.ServiceTypeLoadBalancer))
		Eventually(shown("web")).WithContext(ctx).Should(HaveLen(1))
	})

	It("when the Service got another class while no manager ran", func(ctx SpecContext) {
		stop()
		change(ctx, "web", ofType(corev1.ServiceTypeClusterIP))
		change(ctx, "web", func(s *corev1.Service) {
			s.Spec.Type, s.Spec.LoadBalancerClass = corev1.ServiceTypeLoadBalancer, new("example.com/other")
		})
		create(ctx, "foreign", ofClass("example.com/other"), func(s *corev1.Service) { s.Finalizers = []string{hosts.Finalizer} })
		start(&controllers.Cloud{Provider: provider})
		Eventually(finalizers("web")).WithContext(ctx).Should(BeEmpty())
		Expect(balancers()).To(BeZero())

		By("but the finalizer of whoever else serves a class stays")
		Eventually(provider.called("foreign")).WithContext(ctx).Should(Equal([]string{"get"}))
		Expect(finalizers("foreign")(ctx)).To(Equal([]string{hosts.Finalizer}))
	})

	It("when somebody took the finalizer, and another Service has the name already", func(ctx SpecContext) {
		held := make(chan struct{})
		var called atomic.Bool
		provider.answer(func(call, _ string) error {
			if call == "ensure" && !called.Swap(true) {
				<-held
			}
			return nil
		})
		change(ctx, "web", func(s *corev1.Service) { s.Annotations = map[string]string{"x": "y"} })
		Eventually(called.Load).WithContext(ctx).Should(BeTrue())
		change(ctx, "web", func(s *corev1.Service) { s.Finalizers = nil })
		remove(ctx, "web")
		create(ctx, "web")
		close(held)
		Eventually(provider.called("web")).WithContext(ctx).Should(Equal([]string{"ensure", "ensure", "delete", "ensure"}))
		Eventually(shown("web")).WithContext(ctx).Should(HaveLen(1))
		Expect(balancers()).To(Equal(1))
	})
})

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package cloud

import (
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	cloudprovider "k8s.io/cloud-provider"
	cloudapi "k8s.io/cloud-provider/api"
	"k8s.io/cloud-provider/fake"

	"servicenet.dev/servicenet/controllers"
	"servicenet.dev/servicenet/internal/loadbalancer/hosts"
)

var _ = Describe("A cloud provider", func() {
	It("gives a Service its load balancer, once, and the finalizer first", func(ctx SpecContext) {
		provider := newProvider()
		makeNode(ctx, "a")
		start(&controllers.Cloud{Provider: provider})
		create(ctx, "web")

		Eventually(shown("web")).WithContext(ctx).Should(Equal([]string{"192.0.2.1"}))
		Eventually(reasons("web")).WithContext(ctx).Should(ContainElements("EnsuringLoadBalancer", "EnsuredLoadBalancer"))
		Expect(finalizers("web")(ctx)).To(Equal([]string{hosts.Finalizer}))
		Expect(provider.leadsTo()).To(Equal([]string{"a"}))
		_, unfinalized := provider.look()
		Expect(unfinalized).To(BeEmpty())

		By("what load balancers are not made from is no reason to call")
		change(ctx, "web", func(s *corev1.Service) { s.Labels = map[string]string{"x": "y"} })
		change(ctx, "web", func(s *corev1.Service) { s.Spec.Selector = map[string]string{"x": "y"} })
		By("an annotation is")
		change(ctx, "web", func(s *corev1.Service) { s.Annotations = map[string]string{"x": "y"} })
		Eventually(provider.called("web")).WithContext(ctx).Should(Equal([]string{"ensure", "ensure"}))
	})

	It("may be upstream's fake", func(ctx SpecContext) {
		start(&controllers.Cloud{Provider: &fake.Cloud{ExternalIP: net.IPv4(192, 0, 2, 77)}})
		create(ctx, "web")
		Eventually(shown("web")).WithContext(ctx).Should(Equal([]string{"192.0.2.77"}))
		Eventually(reasons("web")).WithContext(ctx).Should(ContainElement("UnAvailableLoadBalancer")) // there is no node
	})

	It("serves the class that it is given, and no other", func(ctx SpecContext) {
		provider := newProvider()
		start(&controllers.Cloud{Provider: provider, Class: "example.com/mine"})
		create(ctx, "plain")
		create(ctx, "other", ofClass("example.com/other"))
		create(ctx, "mine", ofClass("example.com/mine"))
		Eventually(shown("mine")).WithContext(ctx).Should(HaveLen(1))
		Expect(provider.called("plain")()).To(BeEmpty())
		Expect(provider.called("other")()).To(BeEmpty())
	})

	It("has its status and finalizer put back when somebody takes them, without being called", func(ctx SpecContext) {
		provider := newProvider()
		start(&controllers.Cloud{Provider: provider})
		create(ctx, "web")
		Eventually(shown("web")).WithContext(ctx).Should(HaveLen(1))

		say(ctx, "web", func([]corev1.LoadBalancerIngress) []corev1.LoadBalancerIngress { return nil })
		Eventually(shown("web")).WithContext(ctx).Should(Equal([]string{"192.0.2.1"}))
		change(ctx, "web", func(s *corev1.Service) { s.Finalizers = nil })
		Eventually(finalizers("web")).WithContext(ctx).Should(Equal([]string{hosts.Finalizer}))
		Expect(provider.called("web")()).To(Equal([]string{"ensure"}))
	})

	It("leaves entries of others in the status, also those that come while it is called", func(ctx SpecContext) {
		provider := newProvider()
		others := corev1.LoadBalancerIngress{IP: "198.51.100.7", IPMode: new(corev1.LoadBalancerIPModeProxy)}
		provider.answer(func(call, _ string) error {
			if call == "ensure" {
				say(ctx, "web", func([]corev1.LoadBalancerIngress) []corev1.LoadBalancerIngress {
					return []corev1.LoadBalancerIngress{others}
				})
			}
			return nil
		})
		makeNode(ctx, "a")
		create(ctx, "web")
		stop := start(&controllers.Cloud{Provider: provider})
		// What was there before the provider said anything, in a list without any of its
		// addresses, is taken for an old answer of it: it is written again below.
		Eventually(shown("web")).WithContext(ctx).Should(ContainElement("192.0.2.1"))
		provider.answer(nil)
		say(ctx, "web", func(list []corev1.LoadBalancerIngress) []corev1.LoadBalancerIngress {
			for i := range list {
				if list[i].IP == others.IP {
					return list
				}
			}
			return append(list, others)
		})

		provider.give("192.0.2.2")
		change(ctx, "web", func(s *corev1.Service) { s.Annotations = map[string]string{"x": "y"} })
		Eventually(shown("web")).WithContext(ctx).Should(Equal([]string{"198.51.100.7", "192.0.2.2"}))

		By("a restart leaves them, too, and writes nothing")
		stop()
		before, err := get(ctx, "web")
		Expect(err).NotTo(HaveOccurred())
		start(&controllers.Cloud{Provider: provider})
		create(ctx, "next")
		Eventually(shown("next")).WithContext(ctx).Should(HaveLen(1))
		Eventually(provider.called("web")).WithContext(ctx).Should(HaveLen(3))
		after, err := get(ctx, "web")
		Expect(err).NotTo(HaveOccurred())
		Expect(after.ResourceVersion).To(Equal(before.ResourceVersion))
	})

	It("may leave a Service to somebody else, and has its finalizer all the same", func(ctx SpecContext) {
		provider := newProvider()
		provider.answer(func(call, _ string) error {
			if call == "ensure" || call == "update" {
				return fmt.Errorf("not here: %w", cloudprovider.ImplementedElsewhere)
			}
			return nil
		})
		start(&controllers.Cloud{Provider: provider})
		create(ctx, "web")
		Eventually(provider.called("web")).WithContext(ctx).Should(Equal([]string{"ensure"}))
		Eventually(finalizers("web")).WithContext(ctx).Should(Equal([]string{hosts.Finalizer}))
		say(ctx, "web", func([]corev1.LoadBalancerIngress) []corev1.LoadBalancerIngress {
			return []corev1.LoadBalancerIngress{{IP: "198.51.100.7", IPMode: new(corev1.LoadBalancerIPModeVIP)}}
		})
		makeNode(ctx, "a")
		Eventually(provider.called("web")).WithContext(ctx).Should(Equal([]string{"ensure", "update"}))
		Expect(shown("web")(ctx)).To(Equal([]string{"198.51.100.7"}))
		remove(ctx, "web")
		Eventually(get).WithContext(ctx).WithArguments("web").Should(BeNil())
	})

	It("is asked again when it says, and otherwise after five seconds and more", func(ctx SpecContext) {
		provider := newProvider()
		var asked, failed atomic.Int32
		provider.answer(func(call, service string) error {
			switch {
			case call == "ensure" && service == "slow" && asked.Add(1) < 4:
				return fmt.Errorf("still at it: %w", cloudapi.NewRetryError("not yet", 10*time.Millisecond))
			case call == "ensure" && service == "broken":
				failed.Add(1)
				return errors.New("the cloud is full")
			}
			return nil
		})
		start(&controllers.Cloud{Provider: provider, ConcurrentSyncs: 1})
		create(ctx, "broken")
		Eventually(reasons("broken")).WithContext(ctx).Should(ContainElement("SyncLoadBalancerFailed"))
		create(ctx, "slow")
		create(ctx, "web")

		By("others are not held up by one that fails, although only one call is made at a time")
		Eventually(shown("web")).WithContext(ctx).Should(HaveLen(1))
		Eventually(shown("slow")).WithContext(ctx).Should(HaveLen(1))
		By("a change of nodes is no reason to try again before its time")
		for _, name := range []string{"a", "b", "c"} {
			makeNode(ctx, name)
		}
		Eventually(provider.leadsTo).WithContext(ctx).Should(Equal([]string{"a b c"}))
		Expect(failed.Load()).To(BeNumerically("<=", 3)) // at 0, 5 and 15 s
		Expect(failed.Load()).To(BeNumerically(">=", 1))
		By("it is tried again all the same")
		provider.answer(nil)
		Eventually(shown("broken")).WithContext(ctx).Should(HaveLen(1))
	})
})

var _ = Describe("Both a provider and the pools", func() {
	It("may not claim the Services without a class", func() {
		options := controllers.Options{Cloud: &controllers.Cloud{Provider: newProvider()}, LoadBalancerDefault: true}
		Expect(controllers.Add(nil, options)).To(MatchError(ContainSubstring("claim the Services without a class")))
	})
})

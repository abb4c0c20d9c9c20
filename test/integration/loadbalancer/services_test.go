// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package loadbalancer

import (
	"context"
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
)

var _ = Describe("A Service of our class", func() {
	var in space

	BeforeEach(func(ctx SpecContext) {
		in = newSpace(ctx, map[string]string{"team": "shop"})
		in.start(ctx, "balancer")
	})

	It("gets an address in one status write, with a finalizer and an event, and gives it back", func(ctx SpecContext) {
		makePool(ctx, "blue", "192.0.2.1-192.0.2.1")
		in.balance(ctx, "alone")
		in.expect(ctx, "alone", "192.0.2.1")
		service, err := in.get(ctx, "alone")
		Expect(err).NotTo(HaveOccurred())
		Expect(service.Finalizers).To(ContainElement(servicenetv1alpha1.LoadBalancerFinalizer))
		Expect(dual.StatusWrites("alone")).To(HaveLen(1))
		Eventually(dual.Events).WithContext(ctx).Should(ContainElement("AddressAllocated Service alone"))
		Expect(tenancies(ctx)).To(ConsistOf("192.0.2.1 " + in.Name + "/alone"))
		in.Remove(ctx, "alone")
		Eventually(in.count).WithContext(ctx).Should(BeZero())
		Expect(tenancies(ctx)).To(BeEmpty())
	})

	It("waits for a pool, and says so", func(ctx SpecContext) {
		in.balance(ctx, "web")
		in.expect(ctx, "web", "NoPool")
		Eventually(dual.Events).WithContext(ctx).Should(ContainElement("AllocationFailed Service web"))
		makePool(ctx, "blue", "192.0.2.0/24")
		Eventually(in.says("web")).WithContext(ctx).Should(HavePrefix("192.0.2."))
	})

	It("is left alone if its class is another, or it has none", func(ctx SpecContext) {
		makePool(ctx, "blue", "192.0.2.0/24")
		in.balance(ctx, "other", func(s *corev1.Service) { s.Spec.LoadBalancerClass = new("example.com/cloud") })
		in.balance(ctx, "classless", func(s *corev1.Service) { s.Spec.LoadBalancerClass = nil })
		in.balance(ctx, "ours")
		Eventually(in.says("ours")).WithContext(ctx).Should(HavePrefix("192.0.2."))
		in.write(ctx, "other", func(status *corev1.ServiceStatus) {
			status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: "192.0.2.77", IPMode: new(corev1.LoadBalancerIPModeVIP)}}
		})
		in.stays(ctx, "other", "192.0.2.77 -")
		Expect(in.says("classless")(ctx)).To(Equal("-"))
		for _, name := range []string{"other", "classless"} {
			service, err := in.get(ctx, name)
			Expect(err).NotTo(HaveOccurred())
			Expect(service.Finalizers).To(BeEmpty())
		}
	})

	DescribeTable("gets what it asks for, or is told why not",
		func(ctx SpecContext, want string, changes ...change) {
			makePool(ctx, "blue", "192.0.2.1-192.0.2.1 2001:db8::1-2001:db8::1")
			makePool(ctx, "asked", "198.51.100.1-198.51.100.1", func(spec *servicenetv1alpha1.LoadBalancerPoolSpec) { spec.AutoAssign = new(false) })
			makePool(ctx, "others", "203.0.113.1-203.0.113.9", func(spec *servicenetv1alpha1.LoadBalancerPoolSpec) {
				spec.Exclusive, spec.NamespaceSelector = true, &metav1.LabelSelector{MatchLabels: map[string]string{"team": "other"}}
			})
			in.balance(ctx, "web", changes...)
			in.expect(ctx, "web", want)
		},
		Entry("nothing in particular", "192.0.2.1"),
		Entry("IPv6", "2001:db8::1", func(s *corev1.Service) { s.Spec.IPFamilies = []corev1.IPFamily{corev1.IPv6Protocol} }),
		Entry("both families", "192.0.2.1 2001:db8::1", dualStack(corev1.IPFamilyPolicyRequireDualStack)),
		Entry("both families, preferably", "192.0.2.1 2001:db8::1", dualStack(corev1.IPFamilyPolicyPreferDualStack)),
		Entry("both families, of a pool that has one", "198.51.100.1 NoPool", dualStack(corev1.IPFamilyPolicyRequireDualStack),
			annotated(servicenetv1alpha1.LoadBalancerPoolKey, "asked")),
		Entry("both families, preferably, of a pool that has one", "198.51.100.1", dualStack(corev1.IPFamilyPolicyPreferDualStack),
			annotated(servicenetv1alpha1.LoadBalancerPoolKey, "asked")),
		Entry("an address in the field", "192.0.2.1", func(s *corev1.Service) { s.Spec.LoadBalancerIP = "192.0.2.1" }),
		Entry("addresses in the annotation", "192.0.2.1 198.51.100.1", named("192.0.2.1,198.51.100.1")),
		Entry("one in a pool of those that ask", "198.51.100.1", named("198.51.100.1")),
		Entry("one in no pool", "AddressOutsidePools", named("10.1.2.3")),
		Entry("one of a pool of others", "AddressOutsidePools", named("203.0.113.1")),
		Entry("a pool by annotation", "198.51.100.1", annotated(servicenetv1alpha1.LoadBalancerPoolKey, "asked")),
		Entry("a pool by label", "198.51.100.1", func(s *corev1.Service) {
			metav1.SetMetaDataLabel(&s.ObjectMeta, servicenetv1alpha1.LoadBalancerPoolKey, "asked")
		}),
		Entry("a pool that there is not", "PoolNotFound", annotated(servicenetv1alpha1.LoadBalancerPoolKey, "none")),
		Entry("a pool of others", "PoolNotFound", annotated(servicenetv1alpha1.LoadBalancerPoolKey, "others")),
		Entry("no address", "Malformed", named("192.0.2")),
		Entry("two things at once", "Malformed", named("192.0.2.1"), func(s *corev1.Service) { s.Spec.LoadBalancerIP = "192.0.2.2" }),
		Entry("the mode Proxy", "192.0.2.1/Proxy", annotated(servicenetv1alpha1.IPModeAnnotation, "Proxy")),
	)

	It("gets an address of the pool with the highest priority that has one", func(ctx SpecContext) {
		makePool(ctx, "low", "192.0.2.1-192.0.2.1")
		makePool(ctx, "high", "198.51.100.1-198.51.100.1", func(spec *servicenetv1alpha1.LoadBalancerPoolSpec) {
			spec.Priority, spec.IPMode = 10, servicenetv1alpha1.IPModeProxy
		})
		in.balance(ctx, "first")
		in.expect(ctx, "first", "198.51.100.1/Proxy")
		in.balance(ctx, "second")
		in.expect(ctx, "second", "192.0.2.1")
		in.balance(ctx, "third")
		in.expect(ctx, "third", "PoolExhausted")
	})

	It("gets what is reserved for it, and its own address again after it was deleted", func(ctx SpecContext) {
		makePool(ctx, "blue", "192.0.2.0/24", func(spec *servicenetv1alpha1.LoadBalancerPoolSpec) {
			spec.Retain = &metav1.Duration{Duration: retain}
			spec.Reservations = []servicenetv1alpha1.AddressReservation{{Namespace: in.Name, Name: "db", Addresses: []string{"192.0.2.53"}}}
		})
		in.balance(ctx, "db")
		in.expect(ctx, "db", "192.0.2.53")
		in.balance(ctx, "web")
		Eventually(in.says("web")).WithContext(ctx).Should(HavePrefix("192.0.2."))
		was, err := in.says("web")(ctx)
		Expect(err).NotTo(HaveOccurred())
		for range 3 {
			in.Remove(ctx, "web")
			Eventually(in.count).WithContext(ctx).Should(Equal(1))
			in.balance(ctx, "web")
			in.expect(ctx, "web", was)
		}
	})

	It("gets what is kept for it, though another pool goes first by now, and others wait or share", func(ctx SpecContext) {
		keeps := func(spec *servicenetv1alpha1.LoadBalancerPoolSpec) { spec.Retain = &metav1.Duration{Duration: retain} }
		makePool(ctx, "blue", "192.0.2.1-192.0.2.1 2001:db8::1-2001:db8::1", keeps)
		both := dualStack(corev1.IPFamilyPolicyRequireDualStack)
		in.balance(ctx, "web", both, sharing("k", 80))
		in.expect(ctx, "web", "192.0.2.1 2001:db8::1")
		in.Remove(ctx, "web")
		Eventually(in.count).WithContext(ctx).Should(BeZero())
		in.balance(ctx, "older")
		in.expect(ctx, "older", "PoolExhausted")
		makePool(ctx, "rich", "198.51.100.1-198.51.100.2 2001:db8:1::/120", func(spec *servicenetv1alpha1.LoadBalancerPoolSpec) { spec.Priority = 10 })
		Eventually(in.says("older")).WithContext(ctx).Should(HavePrefix("198.51.100."))
		in.balance(ctx, "shares", sharing("k", 81))
		Eventually(in.says("shares")).WithContext(ctx).Should(HavePrefix("198.51.100."))
		in.balance(ctx, "web", both, sharing("k", 80))
		in.expect(ctx, "web", "192.0.2.1 2001:db8::1")
	})

	It("stays below the limit of its namespace, and waits until another is gone", func(ctx SpecContext) {
		makePool(ctx, "blue", "192.0.2.0/24", func(spec *servicenetv1alpha1.LoadBalancerPoolSpec) { spec.LimitPerNamespace = new(int32(2)) })
		for i := range 2 {
			in.balance(ctx, fmt.Sprint("web-", i))
			Eventually(in.says(fmt.Sprint("web-", i))).WithContext(ctx).Should(HavePrefix("192.0.2."))
		}
		in.balance(ctx, "third")
		in.expect(ctx, "third", "LimitReached")
		in.Remove(ctx, "web-0")
		Eventually(in.says("third")).WithContext(ctx).Should(HavePrefix("192.0.2."))
	})

	It("has what it asks for next before it gives up what it had", func(ctx SpecContext) {
		makePool(ctx, "blue", "192.0.2.0/24")
		in.balance(ctx, "web", named("192.0.2.1"))
		in.expect(ctx, "web", "192.0.2.1")
		in.balance(ctx, "db", named("192.0.2.2"))
		in.expect(ctx, "db", "192.0.2.2")
		in.edit(ctx, "web", named("192.0.2.2"))
		in.expect(ctx, "web", "192.0.2.1 AddressInUse")
		in.Remove(ctx, "db")
		in.expect(ctx, "web", "192.0.2.2")
		Eventually(tenancies).WithContext(ctx).Should(ConsistOf("192.0.2.2 " + in.Name + "/web"))
	})

	It("gives up the family that it does not have any more", func(ctx SpecContext) {
		makePool(ctx, "blue", "192.0.2.1-192.0.2.1 2001:db8::1-2001:db8::1")
		in.balance(ctx, "web", dualStack(corev1.IPFamilyPolicyRequireDualStack))
		in.expect(ctx, "web", "192.0.2.1 2001:db8::1")
		in.edit(ctx, "web", func(s *corev1.Service) {
			s.Spec.IPFamilyPolicy, s.Spec.IPFamilies = new(corev1.IPFamilyPolicySingleStack), s.Spec.IPFamilies[:1]
			s.Spec.ClusterIPs = s.Spec.ClusterIPs[:1]
		})
		in.expect(ctx, "web", "192.0.2.1")
		Eventually(tenancies).WithContext(ctx).Should(ConsistOf("192.0.2.1 " + in.Name + "/web"))
	})
})

var _ = Describe("A manager that is the default", func() {
	It("looks after Services without a class, and lets go of them when it is so no more", func(ctx SpecContext) {
		in := newSpace(ctx, nil)
		first := in.start(ctx, "default", "--load-balancer-default=true")
		makePool(ctx, "blue", "192.0.2.1-192.0.2.1")
		in.balance(ctx, "web", func(s *corev1.Service) { s.Spec.LoadBalancerClass = nil })
		in.expect(ctx, "web", "192.0.2.1")
		Expect(first.Stop(ctx)).To(Succeed())
		in.start(ctx, "class alone")
		in.expect(ctx, "web", "-")
		Eventually(in.finalizers("web")).WithContext(ctx).Should(BeEmpty())
		Expect(tenancies(ctx)).To(BeEmpty())
	})
})

// finalizers returns those of a Service.
func (in space) finalizers(name string) func(context.Context) ([]string, error) {
	return func(ctx context.Context) ([]string, error) {
		service, err := in.get(ctx, name)
		return service.Finalizers, err
	}
}

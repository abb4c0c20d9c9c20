// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package pools

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/test/integration/numbers"
)

var _ = Describe("A pool with a ServiceCIDR of its own", func() {
	var in numbers.Space

	BeforeEach(func(ctx SpecContext) {
		in = dual.NewSpace(ctx, nil)
		dual.StartManager(ctx, "managed")
	})

	It("gives addresses out that the API server did not have, and lets it go without touching a Service", func(ctx SpecContext) {
		more := addressPool("more", "10.97.0.0/20")
		more.Spec.ServiceCIDR = servicenetv1alpha1.ServiceCIDRManaged
		Expect(dual.API.Create(ctx, more)).To(Succeed())
		Eventually(serviceCIDRs).WithArguments("more").WithContext(ctx).Should(HaveLen(1))
		shows(ctx, "cippool", "more", "0 0 0 False ServiceCIDRNotReady")
		shows(ctx, "cippool", "more", "4094 0 4094 True Available")
		web := in.Expose(ctx, "web", corev1.ServiceTypeClusterIP, "10.97.1.1")
		shows(ctx, "cippool", "more", "4094 1 4093 True Available")

		By("having another beside it when the CIDRs are edited")
		before, err := serviceCIDRs(ctx, "more")
		Expect(err).NotTo(HaveOccurred())
		edit(ctx, "more", func(spec *servicenetv1alpha1.ClusterIPPoolSpec) { spec.CIDRs = []string{"10.98.0.0/24"} })
		Eventually(serviceCIDRs).WithArguments("more").WithContext(ctx).Should(HaveLen(2))
		shows(ctx, "cippool", "more", "254 0 254 True Available")
		Eventually(func(g Gomega, ctx context.Context) {
			old := before[0].DeepCopy()
			g.Expect(dual.API.Get(ctx, client.ObjectKeyFromObject(old), old)).To(Succeed())
			g.Expect(old.DeletionTimestamp).NotTo(BeNil(), "the old one stays for the Service that it has")
			ready := apimeta.FindStatusCondition(old.Status.Conditions, "Ready")
			g.Expect(ready).NotTo(BeNil())
			g.Expect(ready.Reason).To(Equal("Terminating"))
		}).WithContext(ctx).Should(Succeed())

		By("letting go of both when the pool is deleted")
		Expect(dual.API.Delete(ctx, more)).To(Succeed())
		Eventually(serviceCIDRs).WithArguments("more").WithContext(ctx).Should(HaveLen(1))
		now := web.DeepCopy()
		Expect(dual.API.Get(ctx, client.ObjectKeyFromObject(web), now)).To(Succeed())
		Expect(now).To(Equal(web))
		in.Remove(ctx, "web")
		Eventually(serviceCIDRs).WithArguments("more").WithContext(ctx).Should(BeEmpty())
	})

	It("has it again when somebody deletes it", func(ctx SpecContext) {
		more := addressPool("again", "10.99.0.0/24")
		more.Spec.ServiceCIDR = servicenetv1alpha1.ServiceCIDRManaged
		Expect(dual.API.Create(ctx, more)).To(Succeed())
		Eventually(serviceCIDRs).WithArguments("again").WithContext(ctx).Should(HaveLen(1))
		first, err := serviceCIDRs(ctx, "again")
		Expect(err).NotTo(HaveOccurred())
		Expect(dual.API.Delete(ctx, &first[0])).To(Succeed())
		Eventually(func(g Gomega, ctx context.Context) {
			now, err := serviceCIDRs(ctx, "again")
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(now).To(ContainElement(HaveField("DeletionTimestamp", BeNil())))
			g.Expect(now).NotTo(ContainElement(HaveField("UID", first[0].UID)))
		}).WithContext(ctx).Should(Succeed())

		By("and has none when it is not to have one any more")
		edit(ctx, "again", func(spec *servicenetv1alpha1.ClusterIPPoolSpec) {
			spec.ServiceCIDR = servicenetv1alpha1.ServiceCIDRUnmanaged
		})
		Eventually(serviceCIDRs).WithArguments("again").WithContext(ctx).Should(BeEmpty())
		shows(ctx, "cippool", "again", "0 0 0 False OutsideServiceCIDR")
	})
})

// serviceCIDRs returns the ServiceCIDRs of a pool.
func serviceCIDRs(ctx context.Context, pool string) ([]networkingv1.ServiceCIDR, error) {
	var all networkingv1.ServiceCIDRList
	if err := dual.API.List(ctx, &all); err != nil {
		return nil, err
	}
	var owned []networkingv1.ServiceCIDR
	for i := range all.Items {
		if owner := metav1.GetControllerOf(&all.Items[i]); owner != nil && owner.Name == pool {
			owned = append(owned, all.Items[i])
		}
	}
	return owned, nil
}

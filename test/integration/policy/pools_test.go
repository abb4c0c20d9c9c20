// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"context"
	"errors"
	"net/http"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/hack/controlplane"
)

const poolHooks = "../../../config/webhook/pool-webhooks.yaml"

// faults returns what is wrong with each field, by the answer of the API server.
func faults(err error) map[string]string {
	GinkgoHelper()
	var status apierrors.APIStatus
	Expect(errors.As(err, &status)).To(BeTrue(), "%v", err)
	Expect(status.Status().Code).To(BeEquivalentTo(http.StatusUnprocessableEntity), "%v", err)
	Expect(status.Status().Reason).To(Equal(metav1.StatusReasonInvalid))
	found := map[string]string{}
	for _, cause := range status.Status().Details.Causes {
		found[cause.Field] = cause.Message
	}
	return found
}

// forced sets the annotation that forces a change.
func forced(of client.Object) client.Object {
	of.SetAnnotations(map[string]string{servicenetv1alpha1.ForceAnnotation: "true"})
	return of
}

var _ = Describe("The webhooks for pools", func() {
	var manager *controlplane.Manager
	var namespace string

	BeforeEach(func(ctx SpecContext) {
		namespace = newNamespace(ctx, "shop")
		manager = startManager(ctx, "--controllers=loadbalancer")
		Expect(plane.RegisterWebhooks(ctx, manager.WebhookURL, poolHooks)).To(Succeed())
		DeferCleanup(func(ctx context.Context) error { return plane.UnregisterWebhooks(ctx, poolHooks) })
		bad := addressPool("probe", "shop", "10.96.5.0/24")
		bad.Spec.Exclusions = []string{"10.97.0.1"}
		Eventually(func(ctx context.Context) error { return api.Create(ctx, bad.DeepCopy(), client.DryRunAll) }).
			WithContext(ctx).Should(MatchError(ContainSubstring("the pool has none of these addresses")))
	})

	It("name all that is wrong", func(ctx SpecContext) {
		of := addressPool("bad", "shop", "10.96.5.0/24", "10.96.5.0/25")
		of.Spec.Exclusions = []string{"10.97.0.1"}
		of.Spec.Reservations = []servicenetv1alpha1.AddressReservation{{Namespace: "a", Name: "b", Addresses: []string{"10.97.0.2"}}}
		Expect(faults(api.Create(ctx, of))).To(And(HaveLen(3),
			HaveKeyWithValue("spec.cidrs[1]", ContainSubstring("overlaps 10.96.5.0/24 of the same pool")),
			HaveKeyWithValue("spec.exclusions[0]", ContainSubstring("the pool has none of these addresses")),
			HaveKeyWithValue("spec.reservations[0].addresses[0]", ContainSubstring("the pool does not have this address"))))
		Expect(faults(api.Create(ctx, portPool("bad", "shop", 20000, 20010)))).To(HaveKeyWithValue("spec.ranges[0]",
			ContainSubstring("outside of the node port range of the cluster, 30000-32767")))
	})

	It("keep pools as large as what Services have of them, unless that is forced", func(ctx SpecContext) {
		addresses, ports := addressPool("shop", "shop", "10.96.5.0/24"), portPool("shop", "shop", 31000, 31099)
		Expect(api.Create(ctx, addresses)).To(Succeed())
		Expect(api.Create(ctx, ports)).To(Succeed())
		Expect(api.Create(ctx, service(namespace, "web", "10.96.5.200", 31090))).To(Succeed())
		Expect(api.Create(ctx, service(namespace, "db", "10.96.5.201", 31091))).To(Succeed())

		inUse := func(ctx context.Context) error { return api.Delete(ctx, addresses.DeepCopy(), client.DryRunAll) }
		Eventually(inUse).WithContext(ctx).Should(MatchError(ContainSubstring("2 addresses that Services have")))
		Eventually(func(ctx context.Context) error { return api.Delete(ctx, ports.DeepCopy(), client.DryRunAll) }).
			WithContext(ctx).Should(MatchError(ContainSubstring("2 ports that Services have")))

		By("shrinking")
		smaller, fewer := addresses.DeepCopy(), ports.DeepCopy()
		smaller.Spec.CIDRs, fewer.Spec.Ranges[0].Last = []string{"10.96.5.0/25"}, 31090
		Expect(faults(api.Patch(ctx, smaller, client.MergeFrom(addresses)))).To(HaveKeyWithValue("spec.cidrs",
			ContainSubstring("2 addresses that Services have would be outside of the pool")))
		Expect(faults(api.Patch(ctx, fewer, client.MergeFrom(ports)))).To(HaveKeyWithValue("spec.ranges",
			ContainSubstring("1 ports that Services have would be outside of the pool")))

		By("limiting")
		limited := addresses.DeepCopy()
		limited.Spec.LimitPerNamespace = new(int32(1))
		Expect(faults(api.Patch(ctx, limited, client.MergeFrom(addresses)))).To(HaveKeyWithValue("spec.limitPerNamespace",
			ContainSubstring("1 namespaces have more numbers of the pool than that, up to 2")))

		By("forcing it")
		smaller.Spec.CIDRs = []string{"10.96.5.0/25"}
		Expect(api.Patch(ctx, forced(smaller), client.MergeFrom(addresses))).To(Succeed())
		Expect(api.Patch(ctx, forced(ports.DeepCopy()), client.MergeFrom(ports))).To(Succeed())
		Expect(api.Delete(ctx, ports)).To(Succeed())
		Expect(api.Delete(ctx, addresses)).To(Succeed())
	})

	It("keep pools of load-balancer addresses apart, unless that is forced", func(ctx SpecContext) {
		Expect(api.Create(ctx, balancerPool("public", "192.0.2.0/24"))).To(Succeed())
		same := balancerPool("same", "192.0.2.200-192.0.3.1")
		Eventually(func(ctx context.Context) error { return api.Create(ctx, same.DeepCopy(), client.DryRunAll) }).
			WithContext(ctx).Should(MatchError(ContainSubstring("192.0.2.200-192.0.2.255: the pool public has it, too")))
		first := same.DeepCopy()
		first.Name, first.Spec.Priority = "first", 1
		Expect(api.Create(ctx, first, client.DryRunAll)).To(Succeed())
		Expect(api.Create(ctx, forced(same))).To(Succeed())

		By("naming what is wrong")
		bad := balancerPool("bad", "198.51.100.9-198.51.100.1", "203.0.113.0/24")
		bad.Spec.Exclusions = []string{"192.0.2.1"}
		Expect(faults(api.Create(ctx, bad))).To(And(HaveLen(2),
			HaveKeyWithValue("spec.addresses[0]", ContainSubstring("the first address must not be higher than the last one")),
			HaveKeyWithValue("spec.exclusions[0]", ContainSubstring("the pool has none of these addresses"))))
	})

	It("leave pools uneditable while no manager runs, and let the manager write their status", func(ctx SpecContext) {
		of := addressPool("shop", "shop", "10.96.5.0/24")
		Expect(api.Create(ctx, of)).To(Succeed())
		Eventually(func(ctx context.Context) (string, error) {
			err := api.Get(ctx, client.ObjectKeyFromObject(of), of)
			return of.Status.Total, err
		}).WithContext(ctx).Should(Equal("256"))
		Expect(manager.Stop(ctx)).To(Succeed())
		Expect(apierrors.IsInternalError(api.Create(ctx, addressPool("more", "shop", "10.96.6.0/24")))).To(BeTrue())
		Expect(apierrors.IsInternalError(api.Delete(ctx, of))).To(BeTrue())
		Expect(plane.UnregisterWebhooks(ctx, poolHooks)).To(Succeed())
	})
})

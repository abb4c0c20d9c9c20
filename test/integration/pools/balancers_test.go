// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package pools

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
)

// balancerPool is a pool of load-balancer addresses for everybody; without addresses it
// is one of the nodes with the label edge.
func balancerPool(name string, addresses ...string) *servicenetv1alpha1.LoadBalancerPool {
	p := &servicenetv1alpha1.LoadBalancerPool{
		ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: servicenetv1alpha1.LoadBalancerPoolSpec{Addresses: addresses},
	}
	if len(addresses) == 0 {
		p.Spec.NodeSelector = &metav1.LabelSelector{MatchLabels: map[string]string{"edge": "yes"}}
	}
	return p
}

// makeNode makes a node that is ready, which ends with the spec.
func makeNode(ctx context.Context, name string, addresses ...corev1.NodeAddress) *corev1.Node {
	GinkgoHelper()
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"edge": "yes"}}}
	Expect(dual.API.Create(ctx, node)).To(Succeed())
	DeferCleanup(func(ctx context.Context) error { return client.IgnoreNotFound(dual.API.Delete(ctx, node)) })
	before := node.DeepCopy()
	node.Status.Addresses = addresses
	Expect(dual.API.Status().Patch(ctx, node, client.MergeFrom(before))).To(Succeed())
	setReady(ctx, node, corev1.ConditionTrue)
	return node
}

// setReady says whether a node is ready. kube-controller-manager writes to nodes, too.
func setReady(ctx context.Context, node *corev1.Node, status corev1.ConditionStatus) {
	GinkgoHelper()
	before := node.DeepCopy()
	node.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: status}}
	Expect(dual.API.Status().Patch(ctx, node, client.MergeFrom(before))).To(Succeed())
}

// alter changes a node but its status.
func alter(ctx context.Context, node *corev1.Node, change func()) {
	GinkgoHelper()
	before := node.DeepCopy()
	change()
	Expect(dual.API.Patch(ctx, node, client.MergeFrom(before))).To(Succeed())
}

var _ = Describe("A pool of load-balancer addresses", func() {
	BeforeEach(func(ctx SpecContext) {
		dual.StartManager(ctx, "balancers", "--controllers=loadbalancer")
		DeferCleanup(func(ctx context.Context) error {
			return dual.API.DeleteAllOf(ctx, &servicenetv1alpha1.LoadBalancerPool{})
		})
	})

	It("says what it has, without any ServiceCIDR, and what is wrong with it", func(ctx SpecContext) {
		public := balancerPool("public", "192.0.2.0/24", "2001:db8::/64")
		public.Spec.AvoidNetworkAndBroadcast = true
		Expect(dual.API.Create(ctx, public)).To(Succeed())
		shows(ctx, "lbpool", "public", "254/18446744073709551616 0/0 254/18446744073709551616 0 True")

		By("another of the same standing, which was forced past the webhook")
		Expect(dual.API.Create(ctx, balancerPool("second", "192.0.2.1-192.0.2.9"))).To(Succeed())
		shows(ctx, "lbpool", "second", "0 0 0 0 False")

		By("one that makes no sense, which the schema can't see")
		Expect(dual.API.Create(ctx, balancerPool("backwards", "192.0.2.9-192.0.2.1"))).To(Succeed())
		malformed := balancerPool("backwards")
		Eventually(func(ctx context.Context) ([]metav1.Condition, error) {
			err := dual.API.Get(ctx, client.ObjectKeyFromObject(malformed), malformed)
			return malformed.Status.Conditions, err
		}).WithContext(ctx).Should(ConsistOf(And(HaveField("Reason", "Malformed"), HaveField("Status", metav1.ConditionFalse))))
	})

	It("of nodes follows those that take traffic", func(ctx SpecContext) {
		Expect(dual.API.Create(ctx, balancerPool("nodes"))).To(Succeed())
		reason := func(ctx context.Context) (string, error) {
			of := balancerPool("nodes")
			if err := dual.API.Get(ctx, client.ObjectKeyFromObject(of), of); err != nil || len(of.Status.Conditions) == 0 {
				return "", err
			}
			return of.Status.Total + " " + of.Status.Conditions[0].Reason, nil
		}
		Eventually(reason).WithContext(ctx).Should(Equal(" NoNodeAddresses"))
		internal := corev1.NodeAddress{Type: corev1.NodeInternalIP, Address: "10.0.0.1"}
		external := corev1.NodeAddress{Type: corev1.NodeExternalIP, Address: "198.51.100.1"}
		first := makeNode(ctx, "first", internal, external, corev1.NodeAddress{Type: corev1.NodeInternalIP, Address: "fd00:1::1"})
		Eventually(reason).WithContext(ctx).Should(Equal("1/1 Available"))
		second := makeNode(ctx, "second", corev1.NodeAddress{Type: corev1.NodeInternalIP, Address: "10.0.0.2"})
		Eventually(reason).WithContext(ctx).Should(Equal("2/1 Available"))

		By("not being ready")
		setReady(ctx, first, corev1.ConditionFalse)
		Eventually(reason).WithContext(ctx).Should(Equal("1 Available"))
		setReady(ctx, first, corev1.ConditionTrue)
		Eventually(reason).WithContext(ctx).Should(Equal("2/1 Available"))

		By("being left out, by label and by taint")
		alter(ctx, second, func() { second.Labels[corev1.LabelNodeExcludeBalancers] = "" })
		Eventually(reason).WithContext(ctx).Should(Equal("1/1 Available"))
		alter(ctx, first, func() {
			first.Spec.Taints = []corev1.Taint{{Key: "ToBeDeletedByClusterAutoscaler", Effect: corev1.TaintEffectNoSchedule}}
		})
		Eventually(reason).WithContext(ctx).Should(Equal(" NoNodeAddresses"))
	})
})

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package cloud

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"servicenet.dev/servicenet/controllers"
	"servicenet.dev/servicenet/internal/loadbalancer/hosts"
)

func exclude(n *corev1.Node) { n.Labels = map[string]string{corev1.LabelNodeExcludeBalancers: ""} }

var _ = Describe("Load balancers lead to the nodes", func() {
	It("that are there, not excluded, not about to go, whether ready or not", func(ctx SpecContext) {
		provider := newProvider()
		makeNode(ctx, "a")
		makeNode(ctx, "b")
		makeNode(ctx, "c", exclude)
		start(&controllers.Cloud{Provider: provider})
		create(ctx, "web")
		leads := func(to string) {
			GinkgoHelper()
			Eventually(provider.leadsTo).WithContext(ctx).Should(Equal([]string{to}))
		}
		leads("a b")

		By("a node that comes")
		makeNode(ctx, "d")
		leads("a b d")
		By("the label that excludes one")
		changeNode(ctx, "b", exclude)
		leads("a d")
		By("the label gone from another")
		changeNode(ctx, "c", func(n *corev1.Node) { delete(n.Labels, corev1.LabelNodeExcludeBalancers) })
		leads("a c d")
		By("the cluster autoscaler's taint")
		changeNode(ctx, "d", func(n *corev1.Node) {
			n.Spec.Taints = append(n.Spec.Taints, corev1.Taint{Key: hosts.DeletionTaint, Effect: corev1.TaintEffectNoSchedule})
		})
		leads("a c")
		By("a node that is being deleted")
		changeNode(ctx, "c", func(n *corev1.Node) { n.Finalizers = []string{"example.com/stay"} })
		Expect(suite.client.Delete(ctx, &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "c"}})).To(Succeed())
		leads("a")
		changeNode(ctx, "c", func(n *corev1.Node) { n.Finalizers = nil })
		By("a node that gets its ID from the provider")
		calls := len(provider.called("web")())
		setReady(ctx, "a", corev1.ConditionFalse)
		changeNode(ctx, "a", func(n *corev1.Node) { n.Spec.ProviderID = "cloud://a" })
		Eventually(provider.called("web")).WithContext(ctx).Should(HaveLen(calls + 1))
		Eventually(reasons("web")).WithContext(ctx).Should(ContainElement("UpdatedLoadBalancer"))
		By("no node at all")
		Expect(suite.client.Delete(ctx, &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "a"}})).To(Succeed())
		leads("")
		Eventually(reasons("web")).WithContext(ctx).Should(ContainElement("UnAvailableLoadBalancer"))
	})

	It("and the provider knows which are ready, if it wants to", func(ctx SpecContext) {
		provider := newProvider()
		provider.readiness = true
		makeNode(ctx, "a")
		makeNode(ctx, "b")
		start(&controllers.Cloud{Provider: provider, NodeReadiness: true})
		create(ctx, "web")
		Eventually(provider.leadsTo).WithContext(ctx).Should(Equal([]string{"a+ b+"}))
		setReady(ctx, "b", corev1.ConditionFalse)
		Eventually(provider.leadsTo).WithContext(ctx).Should(Equal([]string{"a+ b"}))
		setReady(ctx, "b", corev1.ConditionTrue)
		Eventually(provider.leadsTo).WithContext(ctx).Should(Equal([]string{"a+ b+"}))
	})

	It("and is made anew where the provider could not be told", func(ctx SpecContext) {
		provider := newProvider()
		var refuses atomic.Bool
		provider.answer(func(call, service string) error {
			if call == "update" && service == "broken" && refuses.Load() {
				return errors.New("no such load balancer")
			}
			return nil
		})
		makeNode(ctx, "a")
		start(&controllers.Cloud{Provider: provider})
		create(ctx, "broken")
		create(ctx, "web")
		Eventually(shown("broken")).WithContext(ctx).Should(HaveLen(1))
		Eventually(shown("web")).WithContext(ctx).Should(HaveLen(1))
		refuses.Store(true)
		makeNode(ctx, "b")
		Eventually(reasons("broken")).WithContext(ctx).Should(ContainElement("UpdateLoadBalancerFailed"))
		Eventually(provider.leadsTo).WithContext(ctx).Should(Equal([]string{"a b"}))
		calls := provider.called("broken")()
		Expect(calls[len(calls)-2:]).To(Equal([]string{"update", "ensure"}))
		Expect(provider.called("web")()).To(HaveEach(Or(Equal("ensure"), Equal("update"))))
	})

	It("for 1,000 Services, as many at a time as is allowed and no more", func(ctx SpecContext) {
		const services, bound = 1000, 8
		provider := newProvider()
		makeNode(ctx, "a")
		makeNode(ctx, "b")
		var group errgroup.Group
		group.SetLimit(16)
		for i := range services {
			group.Go(func() error {
				defer GinkgoRecover()
				create(ctx, fmt.Sprintf("web-%d", i))
				return nil
			})
		}
		Expect(group.Wait()).To(Succeed())
		start(&controllers.Cloud{Provider: provider, ConcurrentSyncs: bound})
		everything := func(nodes string) {
			GinkgoHelper()
			Eventually(func(g Gomega) {
				all, lead := provider.count(nodes)()
				g.Expect([]int{all, lead}).To(Equal([]int{services, services}))
			}).WithContext(ctx).WithTimeout(5 * time.Minute).Should(Succeed())
		}
		everything("a b")
		most, _ := provider.look()
		Expect(most).To(BeNumerically("<=", bound))

		// The first calls wait until as many are made as may be at a time.
		var waiting atomic.Int32
		full := make(chan struct{})
		provider.answer(func(string, string) error {
			if waiting.Add(1) == bound {
				close(full)
			}
			<-full
			return nil
		})
		changeNode(ctx, "b", exclude)
		everything("a")
		most, _ = provider.look()
		Expect(most).To(Equal(bound))
		for i := range services {
			Expect(provider.called(fmt.Sprintf("web-%d", i))()).To(Equal([]string{"ensure", "update"}))
		}
	}, NodeTimeout(10*time.Minute))
})

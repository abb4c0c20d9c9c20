// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
)

// createPools makes pools, which go with the spec, and waits until they are known.
func createPools(ctx context.Context, pools ...client.Object) {
	GinkgoHelper()
	for _, pool := range pools {
		kind := fmt.Sprintf("%T", pool)
		pool.SetAnnotations(map[string]string{servicenetv1alpha1.ForceAnnotation: "true"})
		create(ctx, pool)
		DeferCleanup(func(ctx SpecContext) {
			Expect(client.IgnoreNotFound(api.Delete(ctx, pool))).To(Succeed())
		}, NodeTimeout(patience))
		Eventually(ctx, func(ctx context.Context) (string, error) {
			return kubectl(ctx, "get", kind[strings.LastIndex(kind, ".")+1:], pool.GetName(),
				`-o=jsonpath={.status.conditions[?(@.type=="Ready")].status}`)
		}).Should(Equal("True"))
	}
}

// only is the policy of a pool that is for one namespace.
func only(namespace string) servicenetv1alpha1.PoolPolicy {
	return servicenetv1alpha1.PoolPolicy{
		NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: namespace}},
		Exclusive:         true,
	}
}

// refusal is what kubectl prints when a Service with a spec is not accepted.
func refusal(ctx context.Context, namespace, spec string) string {
	GinkgoHelper()
	output, err := kubectlInput(ctx,
		`{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": `+spec+`}`,
		"-n", namespace, "create", "-f", "-")
	Expect(err).To(HaveOccurred(), output)
	return output
}

// tenancy is what a tenant has in the process that asks: specs of others run at the same
// time, and each has numbers of its own.
type tenancy struct {
	name string
	// clusterIPs and balancers are what addresses begin with.
	clusterIPs, balancers string
	firstPort             int32
}

func newTenancy() tenancy {
	process := int32(GinkgoParallelProcess()) //nolint:gosec // there are a few
	return tenancy{
		name:       fmt.Sprintf("e2e-tenant-%d", process),
		clusterIPs: fmt.Sprintf("10.96.%d.", 200+process),
		balancers:  fmt.Sprintf("198.18.%d.", process),
		firstPort:  32000 + 10*process,
	}
}

// pools are pools of each kind for a namespace.
func (t tenancy) pools(namespace string) []client.Object {
	limited := only(namespace)
	limited.LimitPerNamespace = new(int32(2))
	return []client.Object{
		&servicenetv1alpha1.ClusterIPPool{
			ObjectMeta: metav1.ObjectMeta{Name: t.name},
			Spec:       servicenetv1alpha1.ClusterIPPoolSpec{CIDRs: []string{t.clusterIPs + "0/28"}, PoolPolicy: limited},
		},
		&servicenetv1alpha1.NodePortPool{
			ObjectMeta: metav1.ObjectMeta{Name: t.name},
			Spec: servicenetv1alpha1.NodePortPoolSpec{
				Ranges: []servicenetv1alpha1.PortRange{{First: t.firstPort, Last: t.lastPort()}}, PoolPolicy: only(namespace),
			},
		},
		t.balancerPool(namespace, "0/30"),
	}
}

// balancerPool is one of addresses for a namespace, from what comes after their beginning.
func (t tenancy) balancerPool(namespace, block string) *servicenetv1alpha1.LoadBalancerPool {
	return &servicenetv1alpha1.LoadBalancerPool{
		ObjectMeta: metav1.ObjectMeta{Name: t.name + "-" + strings.ReplaceAll(block, "/", "-")},
		Spec:       servicenetv1alpha1.LoadBalancerPoolSpec{Addresses: []string{t.balancers + block}, PoolPolicy: only(namespace)},
	}
}

func (t tenancy) lastPort() int32 { return t.firstPort + 9 }

var _ = Describe("A tenant", func() {
	It("has numbers of its own, which others reach and can't have", func(ctx SpecContext) {
		tenant, other, its := newNamespace(ctx), newNamespace(ctx), newTenancy()
		createPools(ctx, its.pools(tenant)...)
		web, s := deployment(tenant, "web", 1), service(tenant, "web")
		s.Spec.Type, s.Spec.LoadBalancerClass = corev1.ServiceTypeLoadBalancer, new(servicenetv1alpha1.LoadBalancerClass)
		create(ctx, web)
		By("its Service having numbers of its pools")
		create(ctx, s)
		Expect(s.Spec.ClusterIP).To(HavePrefix(its.clusterIPs))
		Expect(s.Spec.Ports[0].NodePort).To(And(BeNumerically(">=", its.firstPort), BeNumerically("<=", its.lastPort())))
		Expect(balancerAddress(ctx, s)).To(HavePrefix(its.balancers))

		By("others reaching it")
		startClient(ctx, other)
		awaitPods(ctx, web)
		Eventually(ctx, tally(other, "get", 10, "http://web."+tenant)).Should(HaveLen(1))
		Expect(answers(ctx, other, "get", 10, "http://"+s.Spec.ClusterIP)).To(HaveLen(1))
		Eventually(ctx, tally(other, "get", 10, "http://"+s.Status.LoadBalancer.Ingress[0].IP)).Should(HaveLen(1))

		By("others not getting its numbers")
		address, port := its.clusterIPs+"5", its.lastPort()
		for spec, field := range map[string]string{
			fmt.Sprintf(`{"clusterIP": %q, "ports": [{"port": 80}]}`, address):                 fmt.Sprintf("spec.clusterIPs: Invalid value: %q", address),
			fmt.Sprintf(`{"type": "NodePort", "ports": [{"port": 80, "nodePort": %d}]}`, port): fmt.Sprintf(`spec.ports[0].nodePort: Invalid value: "%d"`, port),
		} {
			Expect(refusal(ctx, other, spec)).To(And(
				HavePrefix(`The Service "web" is invalid: `), Not(ContainSubstring(tenant)),
				ContainSubstring(field+": belongs to a pool that does not serve this Service")))
		}
	}, SpecTimeout(specTimeout))

	It("is told when it has as many as it may have", func(ctx SpecContext) {
		tenant, its := newNamespace(ctx), newTenancy()
		createPools(ctx, its.pools(tenant)...)
		for i := range 2 {
			create(ctx, service(tenant, fmt.Sprintf("web-%d", i)))
		}
		// Until then, another replica might not know of both.
		Eventually(ctx, func(ctx context.Context) (string, error) {
			return kubectl(ctx, "get", "cippool", its.name, "-o=jsonpath={.status.used}")
		}).Should(Equal("2"))
		Expect(refusal(ctx, tenant, `{"ports": [{"port": 80}]}`)).To(And(
			HavePrefix(`The Service "web" is invalid: spec.clusterIPs: Forbidden: `),
			ContainSubstring(fmt.Sprintf("the namespace has all 2 numbers that it may have of the pool %s (%s0/28)", its.name, its.clusterIPs))))
		By("one going, and another one coming")
		Expect(api.Delete(ctx, service(tenant, "web-0"))).To(Succeed())
		Eventually(ctx, func(ctx context.Context) error { return api.Create(ctx, service(tenant, "web")) }).Should(Succeed())
	}, SpecTimeout(specTimeout))

	It("gets no address of a load balancer where no pool serves it, and is told why", func(ctx SpecContext) {
		tenant, other, its := newNamespace(ctx), newNamespace(ctx), newTenancy()
		createPools(ctx, its.balancerPool(tenant, "0/30"))
		s := service(other, "web")
		s.Spec.Type, s.Spec.LoadBalancerClass = corev1.ServiceTypeLoadBalancer, new(servicenetv1alpha1.LoadBalancerClass)
		create(ctx, s)
		Eventually(ctx, func(ctx context.Context) ([]metav1.Condition, error) {
			err := api.Get(ctx, client.ObjectKeyFromObject(s), s)
			return s.Status.Conditions, err
		}).Should(ContainElement(And(
			HaveField("Type", servicenetv1alpha1.ConditionAddressAllocated), HaveField("Status", metav1.ConditionFalse),
			HaveField("Message", "no pool serves this Service"))))
		Expect(s.Status.LoadBalancer.Ingress).To(BeEmpty())
		By("getting one once a pool serves it")
		createPools(ctx, its.balancerPool(other, "8/31"))
		Expect(balancerAddress(ctx, s)).To(Or(Equal(its.balancers+"8"), Equal(its.balancers+"9")))
	}, SpecTimeout(specTimeout))

	It("sees neither the ledger nor others' pools by the rights that it has", func(ctx SpecContext) {
		tenant := newNamespace(ctx)
		output, err := kubectl(ctx, "-n", tenant, "create", "rolebinding", "tenant", "--clusterrole=admin", "--user=e2e-tenant")
		Expect(err).NotTo(HaveOccurred(), output)
		for _, what := range []string{"allocationblocks", "clusterippools", "nodeportpools", "loadbalancerpools"} {
			for _, verb := range []string{"list", "create", "delete"} {
				output, err := kubectl(ctx, "-n", tenant, "auth", "can-i", verb, what+".servicenet.dev", "--as=e2e-tenant")
				Expect(err).To(HaveOccurred(), "%s %s", verb, what) // it ends with 1
				Expect(output).To(HaveSuffix("no\n"))
			}
		}
		output, err = kubectlInput(ctx,
			`{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {"ports": [{"port": 80}]}}`,
			"-n", tenant, "create", "--as=e2e-tenant", "-f", "-")
		Expect(err).NotTo(HaveOccurred(), output)
	}, SpecTimeout(specTimeout))
})

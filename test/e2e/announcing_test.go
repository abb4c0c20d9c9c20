// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
)

// outsider is a machine on the network of the nodes, which is a network namespace. It
// has neither routes to pods and Services nor an answer from DNS.
type outsider struct{ name, address string }

// newOutsider makes one, which goes with the spec.
func newOutsider(ctx context.Context) *outsider {
	GinkgoHelper()
	ownCluster()
	process := GinkgoParallelProcess() // that of others is there at the same time
	link := fmt.Sprintf("snet-o%d", process)
	o := &outsider{name: fmt.Sprintf("snet-outside-%d", process), address: fmt.Sprintf("10.197.0.%d", 250-process)}
	DeferCleanup(func(ctx SpecContext) { run(ctx, "ip", "netns", "delete", o.name) }, NodeTimeout(patience))
	run(ctx, "ip", "netns", "add", o.name)
	run(ctx, "ip", "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", o.name)
	run(ctx, "ip", "link", "set", link, "master", "snet0", "up")
	o.ip(ctx, "link set lo up")
	o.ip(ctx, "address add "+o.address+"/24 dev eth0")
	o.ip(ctx, "link set eth0 up")
	return o
}

// ip runs the program ip on the machine.
func (o *outsider) ip(ctx context.Context, command string) {
	GinkgoHelper()
	run(ctx, append([]string{"ip", "-netns", o.name}, strings.Fields(command)...)...)
}

// answers is the function of this name on that machine.
func (o *outsider) answers(count int, target string) func(context.Context) (map[string]int, error) {
	return func(ctx context.Context) (map[string]int, error) {
		program := filepath.Join(os.Getenv("SERVICENET_BIN"), "images", "traffic")
		output, err := exec.CommandContext(ctx, "ip", "netns", "exec", o.name,
			program, "get", strconv.Itoa(count), target).CombinedOutput()
		if err != nil {
			return nil, fmt.Errorf("%w: %s", err, output)
		}
		return parseTally(strings.TrimSpace(string(output)))
	}
}

// balancer is a Service for the pods of a deployment, with an address of a pool.
func balancer(namespace, name string) *corev1.Service {
	s := service(namespace, name)
	s.Spec.Type, s.Spec.LoadBalancerClass = corev1.ServiceTypeLoadBalancer, new(servicenetv1alpha1.LoadBalancerClass)
	return s
}

// The recipes of docs/announcing.md.
var _ = Describe("A machine outside of the cluster reaches a load balancer", func() {
	// Serial, since a node's address is given once.
	It("at the address of a node, without anything else", Serial, func(ctx SpecContext) {
		outside := newOutsider(ctx)
		namespace := newNamespace(ctx)
		createPools(ctx, nodePool("e2e-announced"))
		web, s := deployment(namespace, "web", 2), balancer(namespace, "web")
		create(ctx, web, s)
		awaitPods(ctx, web)
		Eventually(ctx, outside.answers(40, "http://"+balancerAddress(ctx, s))).Should(HaveLen(2))
	}, SpecTimeout(specTimeout))

	It("at an address of a pool, by a route to a node", func(ctx SpecContext) {
		const pool = "192.0.2.0/28"
		outside := newOutsider(ctx)
		namespace := newNamespace(ctx)
		createPools(ctx, &servicenetv1alpha1.LoadBalancerPool{
			ObjectMeta: metav1.ObjectMeta{Name: "e2e-routed"},
			Spec:       servicenetv1alpha1.LoadBalancerPoolSpec{Addresses: []string{pool}, PoolPolicy: only(namespace)},
		})
		web, s, local := deployment(namespace, "web", 2), balancer(namespace, "web"), balancer(namespace, "local")
		local.Spec.Selector, local.Spec.ExternalTrafficPolicy = s.Spec.Selector, corev1.ServiceExternalTrafficPolicyLocal
		create(ctx, web, s, local)
		awaitPods(ctx, web)
		target := "http://" + balancerAddress(ctx, s)
		_, err := outside.answers(1, target)(ctx)
		Expect(err).To(HaveOccurred(), "nobody announces it, and there is no route")

		By("each node taking it in, whether it has pods or not")
		nodes := &corev1.NodeList{}
		Expect(api.List(ctx, nodes)).To(Succeed())
		for i := range nodes.Items {
			outside.ip(ctx, "route replace "+pool+" via "+internalAddress(&nodes.Items[i]))
			Eventually(ctx, outside.answers(40, target)).Should(HaveLen(2))
		}
		By("a node with a pod keeping the source, with the policy Local")
		node := firstPod(ctx, namespace, "web").Spec.NodeName
		for i := range nodes.Items {
			if nodes.Items[i].Name == node {
				outside.ip(ctx, "route replace "+pool+" via "+internalAddress(&nodes.Items[i]))
			}
		}
		Eventually(ctx, outside.answers(20, "http://"+balancerAddress(ctx, local)+"/client")).
			Should(And(HaveLen(1), HaveKey(outside.address)))
		By("a node sending the rest of the pool nowhere, if told so")
		within := []string{"nsenter", "--net", "--target=" + strconv.Itoa(machineOf(node)), "ip", "route"}
		run(ctx, append(within, "add", "blackhole", pool)...)
		DeferCleanup(func(ctx SpecContext) { run(ctx, append(within, "delete", "blackhole", pool)...) }, NodeTimeout(patience))
		Expect(outside.answers(40, target)(ctx)).To(HaveLen(2))
		By("nobody answering any more without the Service")
		Expect(api.Delete(ctx, s)).To(Succeed())
		Eventually(ctx, func(ctx context.Context) error {
			_, err := outside.answers(1, target)(ctx)
			return err
		}).Should(HaveOccurred())
	}, SpecTimeout(specTimeout))

	It("at an address of a pool, announced by MetalLB's speaker", func(ctx SpecContext) {
		outside := newOutsider(ctx)
		startSpeaker(ctx)
		namespace := newNamespace(ctx)
		// A part of the network that the machines are in, of which none has an address.
		createPools(ctx, &servicenetv1alpha1.LoadBalancerPool{
			ObjectMeta: metav1.ObjectMeta{Name: "e2e-announced"},
			Spec:       servicenetv1alpha1.LoadBalancerPoolSpec{Addresses: []string{"10.197.0.208/28"}, PoolPolicy: only(namespace)},
		})
		web, s := deployment(namespace, "web", 2), balancer(namespace, "web")
		create(ctx, web, s)
		awaitPods(ctx, web)
		target := "http://" + balancerAddress(ctx, s)
		Eventually(ctx, outside.answers(40, target)).Should(HaveLen(2))
		By("nobody answering any more without the Service")
		Expect(api.Delete(ctx, s)).To(Succeed())
		Eventually(ctx, func(ctx context.Context) error {
			_, err := outside.answers(1, target)(ctx)
			return err
		}).Should(HaveOccurred())
	}, SpecTimeout(specTimeout))
})

// startSpeaker has MetalLB's speaker run on each node until the spec ends. The spec is
// skipped where it was not built.
func startSpeaker(ctx context.Context) {
	GinkgoHelper()
	bin := os.Getenv("SERVICENET_BIN")
	image := filepath.Join(bin, "images", "metallb-speaker.tar")
	if _, err := os.Stat(image); err != nil {
		Skip("MetalLB's speaker is not there: `make e2e-speaker` builds it")
	}
	run(ctx, filepath.Join(bin, "node"), "load", "--dir="+ownCluster(), image)
	kinds := filepath.Join(bin, "metallb")
	DeferCleanup(func(ctx SpecContext) {
		for _, what := range []string{"metallb.yaml", kinds} {
			output, err := kubectl(ctx, "delete", "--ignore-not-found", "-f", what)
			Expect(err).NotTo(HaveOccurred(), output)
		}
	}, NodeTimeout(patience))
	for _, args := range [][]string{
		{"apply", "--server-side", "-f", kinds},
		{"wait", "--for=condition=Established", "--timeout=30s", "-f", kinds},
		{"apply", "--server-side", "-f", "metallb.yaml"},
	} {
		output, err := kubectl(ctx, args...)
		Expect(err).NotTo(HaveOccurred(), output)
	}
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
)

// thisMachine is its address on the network of nodes of its own.
const thisMachine = "10.197.0.1"

// twoNodes are two nodes that are ready, in zones of their own. The spec is skipped where
// there are none.
func twoNodes(ctx context.Context) (first, second corev1.Node) {
	GinkgoHelper()
	nodes := &corev1.NodeList{}
	Expect(api.List(ctx, nodes)).To(Succeed())
	ready := nodes.Items[:0]
	for i := range nodes.Items {
		if isReady(&nodes.Items[i]) {
			ready = append(ready, nodes.Items[i])
		}
	}
	if len(ready) < 2 || ready[0].Labels[corev1.LabelTopologyZone] == ready[1].Labels[corev1.LabelTopologyZone] {
		Skip("the cluster has no two nodes in different zones: NODES=2 for `make cluster-up`")
	}
	return ready[0], ready[1]
}

func isReady(node *corev1.Node) bool {
	for i := range node.Status.Conditions {
		if c := &node.Status.Conditions[i]; c.Type == corev1.NodeReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

// deploymentOn is one whose pods are on one node.
func deploymentOn(node *corev1.Node, namespace, name, app string, replicas int32) *appsv1.Deployment {
	d := deployment(namespace, name, replicas)
	labels := map[string]string{"app": app, "at": name}
	d.Spec.Selector.MatchLabels, d.Spec.Template.Labels = labels, labels
	d.Spec.Template.Spec.NodeSelector = map[string]string{corev1.LabelHostname: node.Labels[corev1.LabelHostname]}
	return d
}

// startClientOn is startClient on a node.
func startClientOn(ctx context.Context, node *corev1.Node, namespace string) {
	GinkgoHelper()
	p := pod(namespace, "client", nil)
	p.Spec.NodeName = node.Name
	create(ctx, p)
	awaitReady(ctx, p)
}

// internalAddress is the address of a node that this machine reaches.
func internalAddress(node *corev1.Node) string {
	GinkgoHelper()
	for _, address := range node.Status.Addresses {
		if address.Type == corev1.NodeInternalIP && !strings.Contains(address.Address, ":") {
			return address.Address
		}
	}
	Fail("node " + node.Name + " has no InternalIP")
	return ""
}

// from matches a tally in which the pods of one deployment have all answers.
func from(name string) OmegaMatcher {
	return And(Not(BeEmpty()), WithTransform(func(tally map[string]int) []string {
		return slices.Collect(maps.Keys(tally))
	}, HaveEach(HavePrefix(name+"-"))))
}

var _ = Describe("With several nodes", func() {
	It("external traffic of the policy Local reaches the nodes that have pods, and keeps its source", func(ctx SpecContext) {
		without, with := twoNodes(ctx)
		ownCluster() // its nodes are reached from here
		namespace := newNamespace(ctx)
		web, s := deploymentOn(&with, namespace, "web", "web", 1), service(namespace, "web")
		s.Spec.Type, s.Spec.ExternalTrafficPolicy = corev1.ServiceTypeLoadBalancer, corev1.ServiceExternalTrafficPolicyLocal
		s.Spec.LoadBalancerClass = new(servicenetv1alpha1.LoadBalancerClass)
		create(ctx, web, s)
		awaitPods(ctx, web)
		at := func(node *corev1.Node, port int32) string {
			return "http://" + net.JoinHostPort(internalAddress(node), strconv.Itoa(int(port)))
		}
		By("the health check port telling which these are")
		Eventually(ctx, answersHere(at(&with, s.Spec.HealthCheckNodePort)+"/healthz")).Should(Succeed())
		Eventually(ctx, answersHere(at(&without, s.Spec.HealthCheckNodePort)+"/healthz")).
			Should(MatchError(ContainSubstring(strconv.Itoa(http.StatusServiceUnavailable))))
		By("traffic being answered there alone, as from this machine")
		port := s.Spec.Ports[0].NodePort
		Eventually(ctx, bodyHere(at(&with, port)+"/client")).Should(Equal(thisMachine))
		Expect(answersHere(at(&without, port))(ctx)).NotTo(Succeed())
		By("the pod moving, and the traffic with it")
		moved := web.DeepCopy()
		moved.Spec.Template.Spec.NodeSelector[corev1.LabelHostname] = without.Labels[corev1.LabelHostname]
		Expect(api.Patch(ctx, moved, client.MergeFrom(web))).To(Succeed())
		Eventually(ctx, answersHere(at(&without, port))).Should(Succeed())
		Eventually(ctx, answersHere(at(&with, port))).ShouldNot(Succeed())
	}, SpecTimeout(specTimeout))

	It("internal traffic of the policy Local stays on its node, and goes nowhere from one without pods", func(ctx SpecContext) {
		first, second := twoNodes(ctx)
		namespace := newNamespace(ctx)
		far, near := deploymentOn(&second, namespace, "far", "web", 1), deploymentOn(&first, namespace, "near", "web", 0)
		s := service(namespace, "web")
		s.Spec.InternalTrafficPolicy = new(corev1.ServiceInternalTrafficPolicyLocal)
		create(ctx, far, near, s)
		startClientOn(ctx, &first, namespace)
		awaitPods(ctx, far)
		Eventually(ctx, tally(namespace, "get", 1, "http://"+podAddress(ctx, namespace, "far"))).ShouldNot(BeEmpty(), "the other node's pods")
		_, err := answers(ctx, namespace, "get", 1, "http://web")
		Expect(err).To(HaveOccurred())
		scale(ctx, near, 1)
		Eventually(ctx, tally(namespace, "get", 40, "http://web")).Should(from("near"))
	}, SpecTimeout(specTimeout))

	It("traffic stays in its zone where the Service prefers that, and leaves it when there are no pods", func(ctx SpecContext) {
		first, second := twoNodes(ctx)
		namespace := newNamespace(ctx)
		near, far := deploymentOn(&first, namespace, "near", "web", 1), deploymentOn(&second, namespace, "far", "web", 1)
		s := service(namespace, "web")
		s.Spec.TrafficDistribution = new(corev1.ServiceTrafficDistributionPreferClose)
		create(ctx, near, far, s)
		startClientOn(ctx, &first, namespace)
		awaitPods(ctx, near)
		awaitPods(ctx, far)
		Eventually(ctx, hintedZones(namespace, "web")).Should(ConsistOf(
			first.Labels[corev1.LabelTopologyZone], second.Labels[corev1.LabelTopologyZone]))
		Eventually(ctx, tally(namespace, "get", 100, "http://web")).Should(from("near"))
		scale(ctx, near, 0)
		Eventually(ctx, tally(namespace, "get", 40, "http://web")).Should(from("far"))
		By("both having some where it prefers nothing")
		scale(ctx, near, 1)
		Eventually(ctx, tally(namespace, "get", 100, "http://web")).Should(from("near"))
		before := s.DeepCopy()
		s.Spec.TrafficDistribution = nil
		Expect(api.Patch(ctx, s, client.MergeFrom(before))).To(Succeed())
		Eventually(ctx, tally(namespace, "get", 100, "http://web")).Should(HaveLen(2))
	}, SpecTimeout(specTimeout))

	// Serial, since replicas of the manager may be on the node that is lost.
	It("pods of a node that is lost get no connections any more, and come back with it", Serial, Label(slow, faults), func(ctx SpecContext) {
		first, second := twoNodes(ctx)
		ownCluster()
		namespace := newNamespace(ctx)
		stays, goes := deploymentOn(&first, namespace, "stays", "web", 1), deploymentOn(&second, namespace, "goes", "web", 1)
		s := service(namespace, "web")
		s.Spec.Type, s.Spec.LoadBalancerClass = corev1.ServiceTypeLoadBalancer, new(servicenetv1alpha1.LoadBalancerClass)
		createPools(ctx, nodePool("e2e-loss"))
		create(ctx, stays, goes, s)
		startClientOn(ctx, &first, namespace)
		awaitPods(ctx, stays)
		awaitPods(ctx, goes)
		target := "http://" + s.Spec.ClusterIP // DNS may be on the node that goes
		Eventually(ctx, tally(namespace, "get", 40, target)).Should(HaveLen(2))
		Eventually(ctx, balancerAddresses(s)).Should(ContainElement(internalAddress(&second)))

		heal := unplug(ctx, second.Name)
		By("the pods of the node leaving the Service")
		Eventually(ctx, tally(namespace, "get", 40, target)).WithTimeout(2 * patience).Should(from("stays"))
		By("its address leaving the load balancer")
		Eventually(ctx, balancerAddresses(s)).Should(And(Not(BeEmpty()), Not(ContainElement(internalAddress(&second)))))
		By("Services being made meanwhile")
		makeServices(ctx, namespace, 50, func() {})

		heal(ctx)
		Eventually(ctx, tally(namespace, "get", 40, target)).WithTimeout(2 * patience).Should(HaveLen(2))
		Eventually(ctx, balancerAddresses(s)).Should(ContainElement(internalAddress(&second)))
		awaitReplicas(ctx)
		expectAgreement(ctx)
	}, SpecTimeout(2*specTimeout))
})

// podAddress is where the only pod of a deployment of deploymentOn answers.
func podAddress(ctx context.Context, namespace, at string) string {
	GinkgoHelper()
	pods := &corev1.PodList{}
	Expect(api.List(ctx, pods, client.InNamespace(namespace), client.MatchingLabels{"at": at})).To(Succeed())
	Expect(pods.Items).To(HaveLen(1))
	return net.JoinHostPort(pods.Items[0].Status.PodIP, strconv.Itoa(webPort))
}

// hintedZones are the zones that the hints of a Service's slices name.
func hintedZones(namespace, name string) func(context.Context) ([]string, error) {
	return func(ctx context.Context) ([]string, error) {
		var all discoveryv1.EndpointSliceList
		err := api.List(ctx, &all, client.InNamespace(namespace), client.MatchingLabels{discoveryv1.LabelServiceName: name})
		var zones []string
		for i := range all.Items {
			for j := range all.Items[i].Endpoints {
				if hints := all.Items[i].Endpoints[j].Hints; hints != nil && len(hints.ForZones) == 1 {
					zones = append(zones, hints.ForZones[0].Name)
				}
			}
		}
		return zones, err
	}
}

// unplug takes a node off the network, until what it returns is called, or the spec has
// ended.
func unplug(ctx context.Context, node string) (heal func(context.Context)) {
	GinkgoHelper()
	ownCluster()
	port := "snet-n" + strings.TrimPrefix(node, "node-")
	run(ctx, "ip", "link", "set", port, "nomaster")
	heal = func(ctx context.Context) { run(ctx, "ip", "link", "set", port, "master", "snet0") }
	DeferCleanup(func(ctx SpecContext) { heal(ctx) }, NodeTimeout(patience))
	return heal
}

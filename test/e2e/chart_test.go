// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
)

// helm runs the program that make built, for the release of the specs.
func helm(ctx context.Context, command string, args ...string) {
	GinkgoHelper()
	program := filepath.Join(os.Getenv("SERVICENET_BIN"), "helm")
	args = append([]string{command, "servicenet", "--namespace=" + managerNamespace, "--wait", "--timeout=3m"}, args...)
	output, err := exec.CommandContext(ctx, program, args...).CombinedOutput()
	Expect(err).NotTo(HaveOccurred(), "helm %v\n%s\n%s", args, output, why(ctx))
}

// managersOwn names all that is of the manager in the cluster, and all that is in its
// namespace but for what each namespace has.
func managersOwn(ctx context.Context) []string {
	GinkgoHelper()
	global, err := kubectl(ctx, "get", "--ignore-not-found", "-o", "name",
		"crd,clusterrole,clusterrolebinding,mutatingwebhookconfigurations,validatingwebhookconfigurations,"+
			"validatingadmissionpolicies,validatingadmissionpolicybindings,allocationblocks,servicecidrs")
	Expect(err).NotTo(HaveOccurred(), global)
	inside, err := kubectl(ctx, "get", "-n", managerNamespace, "--ignore-not-found", "-o", "name",
		"deployments,replicasets,pods,jobs,services,endpoints,endpointslices,secrets,leases,serviceaccounts,roles,rolebindings,"+
			"networkpolicies,poddisruptionbudgets")
	Expect(err).NotTo(HaveOccurred(), inside)
	var names []string
	for line := range strings.Lines(global) {
		if strings.Contains(line, "servicenet") {
			names = append(names, strings.TrimSpace(line))
		}
	}
	for line := range strings.Lines(inside) {
		if line = strings.TrimSpace(line); line != "serviceaccount/default" && !strings.HasPrefix(line, "Warning: ") {
			names = append(names, line)
		}
	}
	return names
}

// remove is make undeploy.
func remove(ctx context.Context) {
	GinkgoHelper()
	output, err := makeTarget(ctx, "undeploy", "IMG="+managerImage, "OVERLAY="+overlay)
	Expect(err).NotTo(HaveOccurred(), output)
}

// Serial, since no webhook answers meanwhile, and no endpoints are written.
var _ = Describe("The Helm chart", Serial, func() {
	It("is installed, changed and uninstalled, with nothing left but kinds and others' pools", func(ctx SpecContext) {
		remove(ctx)
		DeferCleanup(func(ctx SpecContext) { deploy(ctx, managerImage) }, NodeTimeout(deployTimeout))
		colon := strings.LastIndex(managerImage, ":")
		values := []string{"--set=image.repository=" + managerImage[:colon], "--set=image.tag=" + managerImage[colon+1:]}
		flags := "--endpoints-quiet-period=2s"
		if ours {
			// kube-controller-manager runs, without its endpoint controllers: its Lease
			// says nothing. Another is looked at, which there is not, so that auto finds out by asking.
			flags += ",--kube-controller-manager-leases=servicenet-system/nobody"
		}
		chart := root + "/charts/servicenet"

		By("installing it")
		helm(ctx, "install", append(values, chart, "--create-namespace", "--set=args={"+flags+"}")...)
		DeferCleanup(uninstalled, NodeTimeout(deployTimeout))
		output, err := kubectl(ctx, "label", "namespace", managerNamespace, "pod-security.kubernetes.io/enforce=restricted")
		Expect(err).NotTo(HaveOccurred(), output)
		awaitManager(ctx)
		if ours {
			Eventually(ctx, status("endpoints")).Should(decided("true", "NobodyElse"))
		} else {
			Eventually(ctx, status("endpoints")).Should(decided("false", "SomebodyElse"))
		}
		namespace := newNamespace(ctx)
		web, s := deployment(namespace, "web", 1), service(namespace, "web")
		create(ctx, web, s)
		startClient(ctx, namespace)
		Eventually(ctx, tally(namespace, "get", 10, "http://web")).Should(HaveLen(1))

		By("changing values: a flag, and a pool")
		helm(ctx, "upgrade", chart, "--reuse-values", "--set=args={"+flags+",--load-balancer-default}",
			"--set=loadBalancerPools.e2e-chart.addresses={192.0.2.16/28}")
		awaitManager(ctx)
		balanced := service(namespace, "balanced")
		balanced.Spec.Type = corev1.ServiceTypeLoadBalancer
		create(ctx, balanced)
		Eventually(ctx, func(ctx context.Context) ([]corev1.LoadBalancerIngress, error) {
			err := api.Get(ctx, client.ObjectKeyFromObject(balanced), balanced)
			return balanced.Status.LoadBalancer.Ingress, err
		}).Should(ContainElement(HaveField("IP", HavePrefix("192.0.2."))))

		By("uninstalling it, but not the pools of others")
		create(ctx, &servicenetv1alpha1.LoadBalancerPool{
			ObjectMeta: metav1.ObjectMeta{Name: "e2e-kept"}, Spec: servicenetv1alpha1.LoadBalancerPoolSpec{Addresses: []string{"192.0.2.32/28"}},
		})
		helm(ctx, "uninstall")
		Eventually(ctx, managersOwn).Should(HaveEach(HavePrefix("customresourcedefinition.apiextensions.k8s.io/")))
		Expect(managersOwn(ctx)).To(HaveLen(4))
		Expect(kubectl(ctx, "get", "loadbalancerpools", "-o", "name")).To(Equal("loadbalancerpool.servicenet.dev/e2e-kept\n"))
		Eventually(ctx, tally(namespace, "get", 10, "http://web")).Should(HaveLen(1))
		Expect(api.Delete(ctx, balanced)).To(Succeed())
		Expect(api.Create(ctx, service(namespace, "after"))).To(Succeed())
	}, SpecTimeout(2*deployTimeout))
})

// uninstalled sees to it that nothing of the chart is left, whatever came of the spec.
func uninstalled(ctx SpecContext) {
	program := filepath.Join(os.Getenv("SERVICENET_BIN"), "helm")
	output, err := exec.CommandContext(ctx, program, "uninstall", "servicenet", "--namespace="+managerNamespace,
		"--ignore-not-found", "--wait", "--timeout=3m").CombinedOutput()
	Expect(err).NotTo(HaveOccurred(), string(output))
	remaining := slices.DeleteFunc(managersOwn(ctx), func(name string) bool { return !strings.HasPrefix(name, "customresourcedefinition") })
	for _, name := range append(remaining, "namespace/"+managerNamespace) {
		output, err := kubectl(ctx, "delete", "--ignore-not-found", "--timeout=2m", name)
		Expect(err).NotTo(HaveOccurred(), output)
	}
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"os"
	"strconv"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Serial, since all specs share the cluster.
var _ = Describe("A Service under load", Serial, Label(faults), func() {
	AfterEach(func(ctx SpecContext) {
		awaitReplicas(ctx)
		expectAgreement(ctx)
	}, NodeTimeout(deployTimeout))

	DescribeTable("does not notice the end of, and is kept after the return of", func(ctx SpecContext, name string) {
		running := processes(ctx, name)
		Expect(running).NotTo(BeEmpty())
		namespace := newNamespace(ctx)
		web := deployment(namespace, "web", 2)
		create(ctx, web, service(namespace, "web"))
		startClient(ctx, namespace)
		awaitPods(ctx, web)
		Eventually(ctx, tally(namespace, "get", 40, "http://web")).Should(HaveLen(2))
		load := startLoad(ctx, namespace, "http://web")

		killed := time.Now()
		for _, pid := range running {
			kill(pid)
		}
		Eventually(ctx, func(ctx context.Context) []int { return processes(ctx, name) }).
			Should(And(Not(BeEmpty()), Not(ContainElement(BeElementOf(running)))))
		By("new Services getting numbers")
		Eventually(ctx, func(ctx context.Context) error { return api.Create(ctx, service(namespace, "next")) }).Should(Succeed())
		if name == "kube-apiserver" {
			restarts = append(restarts, span{killed, time.Now()})
		}
		By("new pods getting connections")
		Eventually(ctx, func(ctx context.Context) error {
			return api.Patch(ctx, web, client.RawPatch("application/merge-patch+json", []byte(`{"spec": {"replicas": 3}}`)))
		}).Should(Succeed())
		awaitPods(ctx, web)
		Eventually(ctx, tally(namespace, "get", 60, "http://web")).Should(HaveLen(3))

		answered, err := load(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(failures(answered)).To(BeEmpty())
	},
		Entry("the API server", "kube-apiserver", SpecTimeout(specTimeout)),
		Entry("etcd", "etcd", SpecTimeout(specTimeout)),
	)

	It("is looked after by the other replica when the one that leads no longer reaches the API server", Label(slow), func(ctx SpecContext) {
		managerPods(ctx)
		of, before := leader(ctx)
		pid := containerOf(of)
		namespace := newNamespace(ctx)
		web := deployment(namespace, "web", 1)
		create(ctx, web, service(namespace, "web"))
		startClient(ctx, namespace)
		awaitPods(ctx, web)
		Eventually(ctx, tally(namespace, "get", 10, "http://web")).Should(HaveLen(1))

		heal := cutOff(ctx, pid)
		Eventually(ctx, leads).WithTimeout(leaseTime).ShouldNot(Or(BeEmpty(), Equal(before)))
		By("Services being made by clients that try again, and none of them twice")
		makeServices(ctx, namespace, 100, func() {})
		By("new pods getting connections")
		scale(ctx, web, 2)
		Eventually(ctx, tally(namespace, "get", 60, "http://web")).Should(HaveLen(2))

		By("both replicas being back")
		heal(ctx)
		awaitReplicas(ctx)
	}, SpecTimeout(deployTimeout))
})

// cutOff keeps the network namespace of a process from sending to the API server, until
// what it returns is called, or the spec has ended.
func cutOff(ctx context.Context, pid int) (heal func(context.Context)) {
	GinkgoHelper()
	kubernetes := service("default", "kubernetes")
	Expect(api.Get(ctx, client.ObjectKeyFromObject(kubernetes), kubernetes)).To(Succeed())
	// The network of a pod outlives its containers, and so does what keeps it open.
	network, err := os.Open("/proc/" + strconv.Itoa(pid) + "/ns/net")
	Expect(err).NotTo(HaveOccurred())
	within := func(ctx context.Context, args ...string) {
		GinkgoHelper()
		run(ctx, append([]string{"nsenter", "--net=/proc/" + strconv.Itoa(os.Getpid()) + "/fd/" + strconv.Itoa(int(network.Fd()))}, args...)...)
	}
	within(ctx, "nft", "add table inet e2e; add chain inet e2e out { type filter hook output priority 0; }; "+
		"add rule inet e2e out ip daddr "+kubernetes.Spec.ClusterIP+" drop")
	var once sync.Once
	heal = func(ctx context.Context) {
		once.Do(func() {
			within(ctx, "nft", "delete table inet e2e")
			Expect(network.Close()).To(Succeed())
		})
	}
	DeferCleanup(func(ctx SpecContext) { heal(ctx) }, NodeTimeout(patience))
	return heal
}

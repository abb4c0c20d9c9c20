// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"cmp"
	"context"
	"os"
	"strconv"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// leaseTime is for how long a leader that is not heard of keeps the others waiting: its
// Lease, one more look at that, and as much again for a busy machine.
const leaseTime = (15 + 2 + 17) * time.Second

// rolled is a Service under load whose pods are being replaced.
type rolled struct {
	namespace string
	web       *appsv1.Deployment
	load      func(context.Context) (map[string]int, error)
}

// rollOut begins to replace the pods of a Service, E2E_PODS or 20 of them, and returns
// when half of that is done.
func rollOut(ctx context.Context) *rolled {
	GinkgoHelper()
	pods, err := strconv.ParseInt(cmp.Or(os.Getenv("E2E_PODS"), "20"), 10, 32)
	Expect(err).NotTo(HaveOccurred())
	namespace := newNamespace(ctx)
	r := &rolled{namespace: namespace, web: deployment(namespace, "web", int32(pods))}
	create(ctx, r.web, service(namespace, "web"))
	startClient(ctx, namespace)
	awaitPods(ctx, r.web)
	Eventually(ctx, tally(namespace, "get", 10, "http://web")).ShouldNot(BeEmpty())
	r.load = startLoad(ctx, namespace, "http://web")
	output, err := kubectl(ctx, "-n", namespace, "rollout", "restart", "deployment", "web")
	Expect(err).NotTo(HaveOccurred(), output)
	Eventually(ctx, func(ctx context.Context) (int32, error) {
		err := api.Get(ctx, client.ObjectKeyFromObject(r.web), r.web)
		return r.web.Status.UpdatedReplicas, err
	}).Should(BeNumerically(">=", pods/2))
	return r
}

// end waits for the end of it, and returns what failed under way.
func (r *rolled) end(ctx context.Context) map[string]int {
	GinkgoHelper()
	output, err := kubectl(ctx, "-n", r.namespace, "rollout", "status", "deployment", "web", "--timeout=4m")
	Expect(err).NotTo(HaveOccurred(), output)
	answered, err := r.load(ctx)
	Expect(err).NotTo(HaveOccurred())
	AddReportEntry("requests that failed", failures(answered))
	return failures(answered)
}

// Serial, since all specs share the manager.
var _ = Describe("While pods are replaced under load", Serial, func() {
	BeforeEach(func(ctx SpecContext) {
		if !ours {
			Skip("endpoints are not the manager's in this cluster")
		}
		managerPods(ctx)
		awaitReplicas(ctx)
	}, NodeTimeout(deployTimeout))
	AfterEach(func(ctx SpecContext) {
		awaitReplicas(ctx)
		expectAgreement(ctx)
	}, NodeTimeout(deployTimeout))

	It("endpoints are published on at once when the leader is asked to end, and no request fails", func(ctx SpecContext) {
		of, before := leader(ctx)
		r := rollOut(ctx)
		Expect(api.Delete(ctx, of)).To(Succeed())
		Expect(r.end(ctx)).To(BeEmpty())
		Eventually(ctx, leads).ShouldNot(Or(BeEmpty(), Equal(before)))
	}, SpecTimeout(specTimeout))

	It("endpoints are published again within the time of its Lease when the leader is killed", Label(slow), func(ctx SpecContext) {
		of, before := leader(ctx)
		pid := containerOf(of)
		r := rollOut(ctx)
		kill(pid)
		Eventually(ctx, leads).WithTimeout(leaseTime).ShouldNot(Or(BeEmpty(), Equal(before)))
		first := r.end(ctx)

		By("nothing failing any more, since only pods that went did not answer")
		Eventually(ctx, astray).Should(BeEmpty())
		// What was asked before may have to be given up first: traffic does after 5 s.
		var known map[string]int
		Eventually(ctx, func(g Gomega, ctx context.Context) {
			answered, err := r.load(ctx)
			g.Expect(err).NotTo(HaveOccurred())
			failed := failures(answered)
			defer func() { known = failed }()
			g.Expect(failed).To(Equal(known), "at the end of the rollout: %v", first)
		}).WithPolling(6 * time.Second).Should(Succeed())
		Expect(answers(ctx, r.namespace, "get", 400, "http://web")).To(HaveLen(int(*r.web.Spec.Replicas)))
	}, SpecTimeout(2*specTimeout))
})

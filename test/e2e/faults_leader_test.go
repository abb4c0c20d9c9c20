// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	// leaseTime is for how long a leader that is not heard of keeps the others waiting: its
	// Lease, one more look at that, and as much again for a busy machine.
	leaseTime = (15 + 2 + 17) * time.Second
	// atOnce is what it takes at most to publish a pod on a busy machine, and less than half
	// of the Lease.
	atOnce = 7 * time.Second
)

// rolled is a Service under load whose pods are being replaced.
type rolled struct {
	namespace string
	web       *appsv1.Deployment
	load      func(context.Context) (map[string]int, error)
	lag       func() time.Duration
}

// rollOut begins to replace the pods of a Service, E2E_PODS or 20 of them, and returns
// when half of that is done.
func rollOut(ctx context.Context) *rolled {
	GinkgoHelper()
	pods, err := strconv.ParseInt(cmp.Or(os.Getenv("E2E_PODS"), "20"), 10, 32)
	Expect(err).NotTo(HaveOccurred())
	namespace := newNamespace(ctx)
	r := &rolled{namespace: namespace, web: deployment(namespace, "web", int32(pods))}
	s := service(namespace, "web")
	create(ctx, r.web, s)
	startClient(ctx, namespace)
	awaitPods(ctx, r.web)
	Eventually(ctx, tally(namespace, "get", 10, "http://web")).ShouldNot(BeEmpty())
	r.load, r.lag = startLoad(ctx, namespace, "http://web"), watchLag(ctx, s)
	output, err := kubectl(ctx, "-n", namespace, "rollout", "restart", "deployment", "web")
	Expect(err).NotTo(HaveOccurred(), output)
	Eventually(ctx, func(ctx context.Context) (int32, error) {
		err := api.Get(ctx, client.ObjectKeyFromObject(r.web), r.web)
		return r.web.Status.UpdatedReplicas, err
	}).Should(BeNumerically(">=", pods/2))
	return r
}

// end waits for the end of it, and returns what failed under way, and how long a pod was
// ready at most before it was published.
func (r *rolled) end(ctx context.Context) (failed map[string]int, lag time.Duration) {
	GinkgoHelper()
	output, err := kubectl(ctx, "-n", r.namespace, "rollout", "status", "deployment", "web", "--timeout=4m")
	Expect(err).NotTo(HaveOccurred(), output)
	answered, err := r.load(ctx)
	Expect(err).NotTo(HaveOccurred())
	failed, lag = failures(answered), r.lag()
	AddReportEntry("requests that failed, and the longest that a ready pod was not published", fmt.Sprint(failed, lag))
	return failed, lag
}

// watchLag watches how long pods of a Service are ready before its slices say so. What it
// returns ends that, and tells the longest time.
func watchLag(ctx context.Context, s *corev1.Service) func() time.Duration {
	ctx, stop := context.WithCancel(ctx)
	longest := make(chan time.Duration, 1)
	go func() {
		var most time.Duration
		missing := map[string]time.Time{}
		for look := time.NewTicker(100 * time.Millisecond); ctx.Err() == nil; {
			published, err := sliceAddresses(ctx, s)
			ready, errPods := readyAddresses(ctx, s, s.Spec.IPFamilies)
			if err == nil && errPods == nil {
				now := time.Now()
				maps.DeleteFunc(missing, func(address string, since time.Time) bool {
					most = max(most, now.Sub(since))
					return slices.Contains(published, address) || !slices.Contains(ready, address)
				})
				for _, address := range ready {
					if _, known := missing[address]; !known && !slices.Contains(published, address) {
						missing[address] = now
					}
				}
			}
			select {
			case <-look.C:
			case <-ctx.Done():
			}
		}
		longest <- most
	}()
	return func() time.Duration {
		stop()
		return <-longest
	}
}

// Serial, since all specs share the manager.
var _ = Describe("While pods are replaced under load", Serial, Label(faults), func() {
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
		failed, lag := r.end(ctx)
		Expect(failed).To(BeEmpty())
		Expect(lag).To(BeNumerically("<", atOnce))
		Eventually(ctx, leads).ShouldNot(Or(BeEmpty(), Equal(before)))
	}, SpecTimeout(specTimeout))

	It("endpoints are published again within the time of its Lease when the leader is killed", Label(slow), func(ctx SpecContext) {
		of, before := leader(ctx)
		pid := containerOf(of)
		r := rollOut(ctx)
		kill(pid)
		Eventually(ctx, leads).WithTimeout(leaseTime).ShouldNot(Or(BeEmpty(), Equal(before)))
		first, lag := r.end(ctx)
		Expect(lag).To(BeNumerically("<", leaseTime))

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
		pods := int(*r.web.Spec.Replicas)
		Expect(answers(ctx, r.namespace, "get", 20*pods, "http://web")).To(HaveLen(pods))
	}, SpecTimeout(2*specTimeout))
})

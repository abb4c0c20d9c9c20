// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// managerPods are the manager's that are ready. The spec is skipped where there is one
// replica.
func managerPods(ctx context.Context) []corev1.Pod {
	GinkgoHelper()
	pods := &corev1.PodList{}
	Expect(api.List(ctx, pods, client.InNamespace(managerNamespace))).To(Succeed())
	pods.Items = slices.DeleteFunc(pods.Items, func(p corev1.Pod) bool { return p.DeletionTimestamp != nil || !isPodReady(&p) })
	if len(pods.Items) < 2 {
		Skip("the manager has one replica")
	}
	return pods.Items
}

// awaitReplicas waits until all replicas are as they should be.
func awaitReplicas(ctx context.Context) {
	GinkgoHelper()
	output, err := kubectl(ctx, "-n", managerNamespace, "rollout", "status", "deployment", "--timeout=9m")
	Expect(err).NotTo(HaveOccurred(), "%s\n%s", output, why(ctx))
}

// clients is how many Services are being made at a time where many are.
const clients = 8

// makeServices makes Services s-0 and up by several clients, each of which tries again
// until it has made its own, and does something when a third of them is made. It returns
// the failures.
func makeServices(ctx context.Context, namespace string, count int, meanwhile func()) []error {
	GinkgoHelper()
	var (
		mu       sync.Mutex
		failed   []error
		done     sync.WaitGroup
		numbered = make(chan int)
	)
	for range clients {
		done.Go(func() {
			defer GinkgoRecover()
			for i := range numbered {
				Eventually(ctx, func(ctx context.Context) error {
					err := api.Create(ctx, service(namespace, fmt.Sprintf("s-%d", i)))
					if err == nil || apierrors.IsAlreadyExists(err) {
						return nil
					}
					GinkgoWriter.Printf("Service %d: %v\n", i, err)
					mu.Lock()
					defer mu.Unlock()
					failed = append(failed, err)
					return err
				}).Should(Succeed(), "Service %d", i)
			}
		})
	}
	for i := range count {
		if i == count/3 {
			meanwhile()
		}
		numbered <- i
	}
	close(numbered)
	done.Wait()
	return failed
}

// Serial, since all specs share the manager.
var _ = Describe("While pods are replaced", Serial, Label(faults), func() {
	AfterEach(func(ctx SpecContext) {
		awaitReplicas(ctx)
		expectAgreement(ctx)
	}, NodeTimeout(deployTimeout))

	It("no Service is refused, with two replicas of the manager of which one is deleted", func(ctx SpecContext) {
		pods := managerPods(ctx)
		failed := makeServices(ctx, newNamespace(ctx), 500, func() {
			Expect(api.Delete(ctx, &pods[0])).To(Succeed())
		})
		Expect(failed).To(BeEmpty())
	}, SpecTimeout(specTimeout))

	It("only requests in flight are lost, with two replicas of which one is killed, but for those sent there until nodes know", func(ctx SpecContext) {
		pods := managerPods(ctx)
		pid := containerOf(&pods[0])
		failed := makeServices(ctx, newNamespace(ctx), 500, func() { kill(pid) })
		inFlight := slices.DeleteFunc(slices.Clone(failed), func(err error) bool { return strings.Contains(err.Error(), "connection refused") })
		AddReportEntry("requests that failed", fmt.Sprintf("%d, of which %d in flight", len(failed), len(inFlight)))
		Expect(len(inFlight)).To(BeNumerically("<=", clients), "%v", inFlight)
		for _, err := range failed {
			Expect(err).To(MatchError(ContainSubstring("failed calling webhook")))
		}
	}, SpecTimeout(specTimeout))

	It("no connection is lost, be it the pods of a Service or those of the manager", func(ctx SpecContext) {
		namespace := newNamespace(ctx)
		web := deployment(namespace, "web", 4)
		create(ctx, web, service(namespace, "web"))
		startClient(ctx, namespace)
		awaitPods(ctx, web)
		Eventually(ctx, tally(namespace, "get", 40, "http://web")).Should(HaveLen(4))

		load := startLoad(ctx, namespace, "http://web")
		for _, rolled := range [][]string{{namespace, "web"}, {managerNamespace, managerName}} {
			output, err := kubectl(ctx, "-n", rolled[0], "rollout", "restart", "deployment", rolled[1])
			Expect(err).NotTo(HaveOccurred(), output)
		}
		for _, rolled := range []string{namespace, managerNamespace} {
			output, err := kubectl(ctx, "-n", rolled, "rollout", "status", "deployment", "--timeout=3m")
			Expect(err).NotTo(HaveOccurred(), output)
		}
		answered, err := load(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(failures(answered)).To(BeEmpty())
	}, SpecTimeout(specTimeout))
})

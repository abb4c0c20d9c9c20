// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"fmt"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

var _ = Describe("While slices are merged and pods change", Serial, func() {
	It("no watcher misses an endpoint that stays, or sees two copies that disagree", func(ctx SpecContext) {
		const pods, keep, rounds = 60, 6, 3 // one pod in keep stays
		in := newSpace(ctx)
		node := "node-of-" + string(in)
		addNode(ctx, node, "zone-a")
		stopSharedManager(ctx)
		startExtraManager(ctx, "merging-manager", "--max-endpoints-per-slice=5", "--endpointslice-merge-rate=1000")
		in.expose(ctx, "web")
		merged := 0
		for round := range rounds {
			in.runManyByHand(ctx, node, pods)
			in.expectNoFaults(ctx, "web", pods)
			w := in.watchCopies(ctx)
			Eventually(w.listed).WithContext(ctx).Should(Equal(pods))
			for i := range pods {
				name := fmt.Sprintf("web-%d", i)
				if i%keep == 0 {
					w.stays(name)
				} else {
					in.delete(ctx, &corev1.Pod{}, name, client.GracePeriodSeconds(0))
				}
			}
			By(fmt.Sprintf("changing a pod as soon as it is seen twice, round %d", round))
			for range pods / keep / 2 {
				var pod string
				Eventually(w.twice).WithContext(ctx).Should(Receive(&pod))
				in.patchStatus(ctx, pod, `{"status":{"conditions":[{"type":"Ready","status":"False"}]}}`)
			}
			Eventually(in.sizes("web")).WithContext(ctx).Should(HaveLen(2))
			in.expectNoFaults(ctx, "web", pods/keep)
			merged += w.end()
			Expect(w.faults).To(BeEmpty())
			for i := range pods {
				Expect(client.IgnoreNotFound(api.Delete(ctx, in.newPod(fmt.Sprintf("web-%d", i), "web"), client.GracePeriodSeconds(0)))).To(Succeed())
			}
			in.expectNoFaults(ctx, "web", 0)
		}
		Expect(merged).To(BeNumerically(">", 0), "endpoints that were listed twice")
	})

	It("copies that a process left behind go before their pods' changes are written", func(ctx SpecContext) {
		const pods = 6
		in := newSpace(ctx)
		node := "node-of-" + string(in)
		addNode(ctx, node, "zone-a")
		in.runManyByHand(ctx, node, pods)
		in.expose(ctx, "web")
		in.expectNoFaults(ctx, "web", pods)
		stopSharedManager(ctx)
		left := in.onlySlice(ctx, "web").DeepCopy()
		left.ObjectMeta = metav1.ObjectMeta{
			Namespace: string(in), Name: left.Name + "-copy", Labels: left.Labels, OwnerReferences: left.OwnerReferences,
		}
		left.Endpoints = left.Endpoints[:pods/2]
		Expect(api.Create(ctx, left)).To(Succeed())
		w := in.watchCopies(ctx)
		Eventually(w.listed).WithContext(ctx).Should(Equal(pods + pods/2))
		for i := range pods {
			w.stays(fmt.Sprintf("web-%d", i))
			in.patchStatus(ctx, fmt.Sprintf("web-%d", i), `{"status":{"conditions":[{"type":"Ready","status":"False"}]}}`)
		}
		startExtraManager(ctx, "next-manager")
		in.expectNoFaults(ctx, "web", pods)
		w.end()
		Expect(w.faults).To(BeEmpty())
	})
})

// copiesWatcher looks at all slices of a namespace after each event of a watch.
type copiesWatcher struct {
	// twice gets pods that are listed twice.
	twice chan string
	done  chan struct{}
	stop  func()

	mu     sync.Mutex
	kept   map[string]bool
	slices map[string]map[string]string // what each slice says of each pod
	faults []string
	copied map[string]bool
}

// watchCopies watches the slices of a namespace until it is ended.
func (in space) watchCopies(ctx context.Context) *copiesWatcher {
	GinkgoHelper()
	watching, err := client.NewWithWatch(plane.RESTConfig(), client.Options{Scheme: clientgoscheme.Scheme})
	Expect(err).NotTo(HaveOccurred())
	events, err := watching.Watch(ctx, &discoveryv1.EndpointSliceList{}, client.InNamespace(in))
	Expect(err).NotTo(HaveOccurred())
	const many = 1000
	w := &copiesWatcher{
		twice: make(chan string, many), done: make(chan struct{}), stop: events.Stop,
		kept: map[string]bool{}, slices: map[string]map[string]string{}, copied: map[string]bool{},
	}
	DeferCleanup(events.Stop)
	go func() {
		defer close(w.done)
		for event := range events.ResultChan() {
			if slice, ok := event.Object.(*discoveryv1.EndpointSlice); ok {
				w.see(event.Type, slice)
			}
		}
	}()
	return w
}

// listed returns how many endpoints there are.
func (w *copiesWatcher) listed() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	count := 0
	for _, says := range w.slices {
		count += len(says)
	}
	return count
}

// stays makes it a fault if no slice lists a pod from now on.
func (w *copiesWatcher) stays(pod string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.kept[pod] = true
}

// see looks at all slices after an event.
func (w *copiesWatcher) see(event watch.EventType, slice *discoveryv1.EndpointSlice) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.slices, slice.Name)
	if event != watch.Deleted {
		says := map[string]string{}
		for i := range slice.Endpoints {
			says[podOf(&slice.Endpoints[i])] = conditionsOf(&slice.Endpoints[i])
		}
		w.slices[slice.Name] = says
	}
	first, copied := map[string]string{}, map[string]bool{}
	for _, says := range w.slices {
		for pod, conditions := range says {
			if other, found := first[pod]; found {
				copied[pod] = true
				if other != conditions {
					w.faults = append(w.faults, fmt.Sprintf("copies of %s disagree: %s, %s", pod, other, conditions))
				}
			}
			first[pod] = conditions
		}
	}
	for pod := range w.kept {
		if _, listed := first[pod]; !listed {
			w.faults = append(w.faults, pod+" is in no slice")
		}
	}
	for pod := range copied {
		if !w.copied[pod] {
			w.copied[pod] = true
			w.twice <- pod
		}
	}
}

// end ends the watch and returns how many pods were ever listed twice.
func (w *copiesWatcher) end() int {
	w.stop()
	<-w.done
	return len(w.copied)
}

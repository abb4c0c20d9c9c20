// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package takeover

import (
	"context"
	"fmt"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// steadyPods are those of a Service that stay ready all the time.
const steadyPods = 10

// steady watches the slices of a Service that nobody edits, of whose pods some stay ready
// while others come and go: as kube-proxy would, it knows of nothing but what the watch
// tells. (When the port of a Service is edited, the stock controllers list some of its
// endpoints nowhere for a moment.)
type steady struct {
	mu     sync.Mutex
	slices map[string]*discoveryv1.EndpointSlice
	pods   []string
	begun  bool // all were listed
	lax    bool // gaps are let pass
	faults []string
}

// keepSteady makes another Service for the pods of one, and more pods, and watches from
// the moment on that all of these are listed.
func (in space) keepSteady(ctx context.Context, of string) *steady {
	GinkgoHelper()
	s := &steady{slices: map[string]*discoveryv1.EndpointSlice{}}
	const (
		service = "steady"
		first   = 1000
	)
	in.run(ctx, of, first, steadyPods)
	for i := range steadyPods {
		s.pods = append(s.pods, fmt.Sprintf("%s-%d", of, first+i))
	}
	watching, err := client.NewWithWatch(in.plane.RESTConfig(), client.Options{Scheme: in.api.Scheme()})
	Expect(err).NotTo(HaveOccurred())
	// It lasts longer than the node that begins it.
	lasting, cancel := context.WithCancel(context.WithoutCancel(ctx))
	changes, err := watching.Watch(lasting, &discoveryv1.EndpointSliceList{},
		client.InNamespace(in.name), client.MatchingLabels{discoveryv1.LabelServiceName: service})
	Expect(err).NotTo(HaveOccurred())
	var ended sync.WaitGroup
	ended.Go(func() {
		for event := range changes.ResultChan() {
			s.see(event)
		}
	})
	in.expose(ctx, service, dualStack(corev1.IPFamilyPolicyRequireDualStack), selecting(of))
	DeferCleanup(func() {
		changes.Stop()
		cancel()
		ended.Wait()
	})
	return s
}

// see takes notice of a change, and of what is missing after it.
func (s *steady) see(event watch.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	slice, isSlice := event.Object.(*discoveryv1.EndpointSlice)
	if !isSlice {
		s.faults = append(s.faults, fmt.Sprintf("the watch ended: %v", event.Object))
		return
	}
	if event.Type == watch.Deleted {
		delete(s.slices, slice.Name)
	} else {
		s.slices[slice.Name] = slice
	}
	missing := s.missing()
	if len(missing) == 0 {
		s.begun = true
	} else if s.begun && !s.lax {
		s.faults = append(s.faults, fmt.Sprintf("%s of %s at version %s by %s: missing are %v",
			event.Type, slice.Name, slice.ResourceVersion, lastWriter(slice), missing))
	}
}

// gapsPass lets gaps pass until they count again. While kube-controller-manager and the
// manager both write there may be some that last for a moment: kube-controller-manager
// deletes slices without a precondition, those too that have come to hold endpoints since
// it decided to.
func (s *steady) gapsPass() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lax = true
}

// gapsCount waits until all are listed again, from when on they have to be.
func (s *steady) gapsCount(ctx context.Context) {
	GinkgoHelper()
	Eventually(func() []string {
		s.mu.Lock()
		defer s.mu.Unlock()
		missing := s.missing()
		s.lax = len(missing) > 0
		return missing
	}).WithContext(ctx).Should(BeEmpty())
}

// missing returns the pods that are ready and in no slice of a family.
func (s *steady) missing() []string {
	listed := map[string]bool{}
	for _, slice := range s.slices {
		for i := range slice.Endpoints {
			endpoint := &slice.Endpoints[i]
			if endpoint.TargetRef != nil && ptr.Deref(endpoint.Conditions.Ready, false) {
				listed[string(slice.AddressType)+endpoint.TargetRef.Name] = true
			}
		}
	}
	var missing []string
	for _, pod := range s.pods {
		for _, family := range []string{"IPv4", "IPv6"} {
			if !listed[family+pod] {
				missing = append(missing, family+" of "+pod)
			}
		}
	}
	return missing
}

func lastWriter(slice *discoveryv1.EndpointSlice) string {
	if fields := slice.ManagedFields; len(fields) > 0 {
		return fields[len(fields)-1].Manager
	}
	return "nobody"
}

// state returns whether the pods have been listed, and what was missing since.
func (s *steady) state() (begun bool, faults []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.begun, append([]string(nil), s.faults...)
}

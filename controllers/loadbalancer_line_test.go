// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/loadbalancer"
)

// succession has the Service web deleted while nobody leads, does something else, and has
// others lead then, with as many workers as there are Services.
func (s *calmScene) succession(meanwhile func()) {
	for _, r := range s.replicas {
		r.kill()
	}
	web := s.get("web")
	s.v.mu.Lock()
	s.v.remove("", web)
	s.v.mu.Unlock()
	meanwhile()
	s.workers = 10
	s.replicas = []*heavedReplica{s.start(s.ctx), s.start(s.ctx)}
	s.lead(s.ctx, s.replicas[0])
	s.passes(time.Minute)
}

// strip takes the finalizer from a Service, so that there is more to be done for it than
// for others before it has an address.
func (s *calmScene) strip(name string) {
	s.edit(types.NamespacedName{Namespace: "shop", Name: name}, func(of *corev1.Service) bool {
		of.Finalizers = nil
		return false
	})
}

// reasons returns those of Services whose names count from 0.
func (s *calmScene) reasons(count int) (all []string) {
	for i := range count {
		reason, _ := loadbalancer.Reason(s.get(fmt.Sprint("waits-", i)))
		all = append(all, reason)
	}
	return all
}

func TestTheLongestWaiterGetsWhatIsFreeWhenALeaderStarts(t *testing.T) {
	t.Parallel()
	const has = loadbalancer.Allocated
	names := withAnnotation(servicenetv1alpha1.LoadBalancerIPsAnnotation, "192.0.2.1")
	shares := withAnnotation(servicenetv1alpha1.SharingKeyAnnotation, "k")
	for name, test := range map[string]struct {
		waits []func(*corev1.Service)
		want  []string
	}{
		"any address of a pool": {nil, []string{has, loadbalancer.PoolExhausted, loadbalancer.PoolExhausted}},
		"a certain address": {[]func(*corev1.Service){names},
			[]string{has, loadbalancer.AddressInUse, loadbalancer.AddressInUse}},
		"a certain address that others of the same port want to share": {[]func(*corev1.Service){names, shares},
			[]string{has, loadbalancer.SharingRefused, loadbalancer.SharingRefused}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inCalm(t, func(s *calmScene) {
				s.put(poolOf("blue", servicenetv1alpha1.LoadBalancerPoolSpec{Addresses: []string{"192.0.2.1-192.0.2.1"}}))
				s.serve("web", 80)
				for i := range test.want {
					s.serve(fmt.Sprint("waits-", i), 80, test.waits...)
				}
				s.succession(func() { s.strip("waits-0") })
				if diff := cmp.Diff(test.want, s.reasons(len(test.want))); diff != "" {
					t.Errorf("they are not served in order (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestAsManyAreServedAsAddressesAreFreeWhenALeaderStarts(t *testing.T) {
	t.Parallel()
	inCalm(t, func(s *calmScene) {
		s.put(poolOf("blue", servicenetv1alpha1.LoadBalancerPoolSpec{Addresses: []string{"192.0.2.1-192.0.2.1"}}))
		s.serve("web", 80)
		for i := range 6 {
			s.serve(fmt.Sprint("waits-", i), 80)
		}
		s.succession(func() {
			s.editPool("blue", func(spec *servicenetv1alpha1.LoadBalancerPoolSpec) {
				spec.Addresses = append(spec.Addresses, "192.0.2.4-192.0.2.6")
			})
			s.strip("waits-0")
			s.strip("waits-3")
		})
		const has, full = loadbalancer.Allocated, loadbalancer.PoolExhausted
		if diff := cmp.Diff([]string{has, has, has, has, full, full}, s.reasons(6)); diff != "" {
			t.Errorf("they are not served in order (-want +got):\n%s", diff)
		}
	})
}

func TestWhatOthersNameIsOneLessForTheYounger(t *testing.T) {
	t.Parallel()
	inCalm(t, func(s *calmScene) {
		s.put(poolOf("blue", servicenetv1alpha1.LoadBalancerPoolSpec{Addresses: []string{"192.0.2.1-192.0.2.1"}}))
		s.serve("web", 80)
		s.serve("names", 80, withAnnotation(servicenetv1alpha1.LoadBalancerIPsAnnotation, "192.0.2.1"))
		for i := range 2 {
			s.serve(fmt.Sprint("waits-", i), 80)
		}
		s.succession(func() {
			s.editPool("blue", func(spec *servicenetv1alpha1.LoadBalancerPoolSpec) { spec.Addresses = []string{"192.0.2.1-192.0.2.2"} })
			s.strip("waits-0")
			s.strip("names")
		})
		if got := s.reasons(1)[0]; got != loadbalancer.Allocated {
			t.Errorf("the older one has none: %s", got)
		}
	})
}

func TestTheLongestWaiterIsInLineAlsoIfNodesGoFirst(t *testing.T) {
	t.Parallel()
	inCalm(t, func(s *calmScene) {
		nodes := poolOf("nodes", servicenetv1alpha1.LoadBalancerPoolSpec{NodeSelector: &metav1.LabelSelector{}})
		nodes.Spec.Priority = 1
		s.put(nodeAt("one", "10.0.0.1"), nodes, poolOf("blue", servicenetv1alpha1.LoadBalancerPoolSpec{Addresses: []string{"192.0.2.1-192.0.2.1"}}))
		s.passes(10 * time.Second)
		s.serve("first", 80)
		s.serve("web", 80)
		s.wants("web", loadbalancer.Allocated, "192.0.2.1")
		for i := range 2 {
			s.serve(fmt.Sprint("waits-", i), 80)
		}
		s.succession(func() { s.strip("waits-0") })
		if got := s.reasons(1)[0]; got != loadbalancer.Allocated {
			t.Errorf("the older one has none: %s", got)
		}
	})
}

func TestWhoCanNotBeServedHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	inCalm(t, func(s *calmScene) {
		s.put(poolOf("blue", servicenetv1alpha1.LoadBalancerPoolSpec{Addresses: []string{"192.0.2.1-192.0.2.1"}}))
		s.serve("web", 80)
		for i := range 2 {
			s.serve(fmt.Sprint("waits-", i), 80)
		}
		s.succession(func() {
			s.strip("waits-0")
			s.v.mu.Lock()
			defer s.v.mu.Unlock()
			s.v.refuses = func(object client.Object) error {
				if object.GetName() == "waits-0" {
					return errors.New("refused by somebody's webhook")
				}
				return nil
			}
		})
		s.wants("waits-1", loadbalancer.Allocated, "192.0.2.1")
	})
}

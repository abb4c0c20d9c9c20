// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"net/netip"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/ledger"
	"servicenet.dev/servicenet/internal/loadbalancer"
)

// keeping returns a pool that keeps the addresses of deleted Services for an hour.
func keeping(name string, addresses ...string) *servicenetv1alpha1.LoadBalancerPool {
	of := poolOf(name, servicenetv1alpha1.LoadBalancerPoolSpec{Addresses: addresses})
	of.Spec.Retain = &metav1.Duration{Duration: time.Hour}
	return of
}

// rich returns a pool of higher priority than others.
func rich(addresses ...string) *servicenetv1alpha1.LoadBalancerPool {
	of := poolOf("rich", servicenetv1alpha1.LoadBalancerPoolSpec{Addresses: addresses})
	of.Spec.Priority = 10
	return of
}

func withBothFamilies(of *corev1.Service) {
	of.Spec.IPFamilies = []corev1.IPFamily{corev1.IPv4Protocol, corev1.IPv6Protocol}
	of.Spec.IPFamilyPolicy = new(corev1.IPFamilyPolicyRequireDualStack)
}

func TestAServiceMadeAgainGetsWhatIsKeptForItsName(t *testing.T) {
	t.Parallel()
	shares := withAnnotation(servicenetv1alpha1.SharingKeyAnnotation, "k")
	as := func(changes ...func(*corev1.Service)) []func(*corev1.Service) { return changes }
	for name, test := range map[string]struct {
		// first is the Service as it was, next as it is made again, after that happened
		// in between.
		first, next []func(*corev1.Service)
		between     func(*calmScene)
		want        []string
	}{
		"though a pool of higher priority has room": {
			between: func(s *calmScene) { s.put(rich("203.0.113.0/29")) },
			want:    []string{loadbalancer.Allocated, "192.0.2.1"},
		},
		"in both families": {
			first: as(withBothFamilies), next: as(withBothFamilies),
			between: func(s *calmScene) { s.put(rich("203.0.113.0/29", "2001:db8:1::/120")) },
			want:    []string{loadbalancer.Allocated, "192.0.2.1", "2001:db8::1"},
		},
		"before it joins others with its key": {
			first: as(shares), next: as(shares),
			between: func(s *calmScene) {
				s.put(rich("203.0.113.1/32"))
				s.serve("other", 81, shares)
			},
			want: []string{loadbalancer.Allocated, "192.0.2.1"},
		},
		"before those who wait for longer": {
			between: func(s *calmScene) { s.serve("waits", 80) },
			want:    []string{loadbalancer.Allocated, "192.0.2.1"},
		},
		"but not if it asks for another pool": {
			next:    as(withAnnotation(servicenetv1alpha1.LoadBalancerPoolKey, "rich")),
			between: func(s *calmScene) { s.put(rich("203.0.113.1/32")) },
			want:    []string{loadbalancer.Allocated, "203.0.113.1"},
		},
		"but not if it names another address": {
			next:    as(withAnnotation(servicenetv1alpha1.LoadBalancerIPsAnnotation, "203.0.113.1")),
			between: func(s *calmScene) { s.put(rich("203.0.113.0/29")) },
			want:    []string{loadbalancer.Allocated, "203.0.113.1"},
		},
		"but not if its pool serves others by now": {
			between: func(s *calmScene) {
				s.put(rich("203.0.113.1/32"))
				s.editPool("blue", func(spec *servicenetv1alpha1.LoadBalancerPoolSpec) {
					spec.NamespaceSelector = &metav1.LabelSelector{MatchLabels: map[string]string{"of": "team"}}
				})
			},
			want: []string{loadbalancer.Allocated, "203.0.113.1"},
		},
		"but not beyond the limit of its namespace": {
			between: func(s *calmScene) {
				s.put(rich("203.0.113.1/32"))
				s.editPool("blue", func(spec *servicenetv1alpha1.LoadBalancerPoolSpec) {
					spec.Addresses, spec.LimitPerNamespace = append(spec.Addresses, "192.0.2.2"), new(int32(1))
				})
				s.serve("other", 80, withAnnotation(servicenetv1alpha1.LoadBalancerIPsAnnotation, "192.0.2.2"))
			},
			want: []string{loadbalancer.Allocated, "203.0.113.1"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inCalm(t, func(s *calmScene) {
				s.put(keeping("blue", "192.0.2.1-192.0.2.1", "2001:db8::1-2001:db8::1"))
				s.serve("web", 80, test.first...)
				s.remove("web")
				test.between(s)
				s.passes(10 * time.Second)
				s.serve("web", 80, test.next...)
				s.wants("web", test.want[0], test.want[1:]...)
			})
		})
	}
}

// TestAnAddressThatComesToBeKeptForAServiceIsItsOwn has the ledger say that a Service has
// an address that is gone, and of which another of the name waits.
func TestAnAddressThatComesToBeKeptForAServiceIsItsOwn(t *testing.T) {
	t.Parallel()
	inCalm(t, func(s *calmScene) {
		s.put(keeping("blue", "192.0.2.1-192.0.2.1"))
		of := ledger.Owner{NamespacedName: types.NamespacedName{Namespace: "shop", Name: "web"}, UID: "gone"}
		if err := s.replicas[0].store.Assign(s.ctx, placeOf(netip.MustParseAddr("192.0.2.1")), ledger.NewTenant(of, ledger.Terms{})); err != nil {
			t.Fatal(err)
		}
		s.serve("older", 80)
		s.serve("web", 80)
		s.wants("web", loadbalancer.PoolExhausted)
		s.passes(s.options.RepairInterval + 10*time.Second) // until it is found to be gone
		s.wants("web", loadbalancer.Allocated, "192.0.2.1")
		s.wants("older", loadbalancer.PoolExhausted)
	})
}

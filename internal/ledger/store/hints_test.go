// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/ledger"
)

func TestNumbersOfAService(t *testing.T) {
	spec := func(of corev1.ServiceType) *corev1.Service {
		return &corev1.Service{
			Spec: corev1.ServiceSpec{
				Type: of, ClusterIPs: []string{"10.0.0.1", "fd00::1"}, HealthCheckNodePort: 30009,
				Ports: []corev1.ServicePort{{NodePort: 30001}, {NodePort: 0}, {NodePort: 30002}},
			},
			Status: corev1.ServiceStatus{LoadBalancer: corev1.LoadBalancerStatus{
				Ingress: []corev1.LoadBalancerIngress{{IP: "192.0.2.1"}, {Hostname: "lb"}, {IP: "2001:db8::1"}},
			}},
		}
	}
	headless := spec(corev1.ServiceTypeClusterIP)
	headless.Spec.ClusterIPs, headless.Spec.Ports, headless.Spec.HealthCheckNodePort = []string{corev1.ClusterIPNone}, nil, 0
	zeros := &corev1.Service{Spec: corev1.ServiceSpec{ClusterIPs: []string{"010.000.0.09"}}}
	for name, test := range map[string]struct {
		service *corev1.Service
		want    string
	}{
		"load balancer": {spec(corev1.ServiceTypeLoadBalancer), "10.0.0.1 fd00::1 30001 30002 30009"},
		"node port":     {spec(corev1.ServiceTypeNodePort), "10.0.0.1 fd00::1 30001 30002 30009"},
		"external name": {spec(corev1.ServiceTypeExternalName), "30001 30002 30009"},
		"zeros":         {zeros, "10.0.0.9"},
		"headless":      {headless, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, texts(Numbers(test.service))); diff != "" {
				t.Error(diff)
			}
		})
	}
	if diff := cmp.Diff("192.0.2.1 2001:db8::1", texts(Addresses(spec(corev1.ServiceTypeLoadBalancer)))); diff != "" {
		t.Errorf("load-balancer addresses: %s", diff)
	}
}

func texts(places []ledger.Place) string {
	var texts []string
	for _, place := range places {
		texts = append(texts, place.String())
	}
	return strings.Join(texts, " ")
}

func TestFeedTakesWhatInformersGive(t *testing.T) {
	play(t, 2, nil, func(s *scene) {
		s.takeNumber(s.r[1], ip("10.0.0.9"), named("web"))
		s.v.mu.Lock()
		object := s.v.blocks["clusteripv4-10.0.0.0"].DeepCopy()
		s.v.mu.Unlock()
		r := New(s.Context(), Options{Client: s.r[0].link, Evidence: s.r[0].link, Seen: s.r[0].seen, Holder: 9})
		feed := r.Feed()
		feed.OnAdd(object, true)
		if used := r.Blocks()[ip("10.0.0.9").Key].State(9); used != ledger.Lent {
			s.Errorf("10.0.0.9 is %s", used)
		}
		stray := object.DeepCopy()
		stray.Name = "other"
		feed.OnUpdate(object, stray)
		feed.OnAdd(&corev1.Service{}, false)
		feed.OnDelete(cache.DeletedFinalStateUnknown{Obj: stray})
		if len(r.Blocks()) != 1 {
			s.Errorf("blocks: %v", slices.Collect(maps.Keys(r.Blocks())))
		}
		feed.OnDelete(cache.DeletedFinalStateUnknown{Obj: object})
		feed.OnUpdate(object, object) // an event that comes late
		if len(r.Blocks()) != 0 {
			s.Errorf("blocks: %v", slices.Collect(maps.Keys(r.Blocks())))
		}
	})
}

func TestReleaseIsOnlyAHint(t *testing.T) {
	play(t, 1, nil, func(s *scene) {
		s.takeNumber(s.r[0], ip("10.0.0.9"), named("web"))
		s.serve("web", 0, ip("10.0.0.9"))
		s.becomes(ip("10.0.0.9"), ledger.Used)
		var states []ledger.State
		s.v.mu.Lock()
		s.v.applied = func(_ string, _, after *ledger.Block) { states = append(states, after.State(9)) }
		s.v.mu.Unlock()
		s.r[0].Release(ip("10.0.0.9"))
		time.Sleep(time.Minute)
		s.v.mu.Lock()
		defer s.v.mu.Unlock()
		if diff := cmp.Diff([]ledger.State{ledger.Held, ledger.Used}, states); diff != "" {
			s.Error(diff)
		}
	})
}

func TestLeaseIsStaleOnceItHasNotChangedForSomeTime(t *testing.T) {
	play(t, 1, nil, func(s *scene) {
		known, holders := leases{}, map[ledger.Holder]bool{1: true, 2: true, 3: true}
		versions := map[ledger.Holder]string{1: "a", 2: "a"}
		look := func(want ...ledger.Holder) {
			s.Helper()
			got := known.stale(holders, versions, time.Minute)
			slices.Sort(got)
			if diff := cmp.Diff(want, got); diff != "" {
				s.Error(diff)
			}
		}
		look()
		time.Sleep(50 * time.Second)
		versions[1] = "b"
		look()
		time.Sleep(11 * time.Second)
		look(2, 3)
		// One that turns up again counts from then.
		delete(holders, 2)
		look(3)
		holders[2] = true
		look(3)
	})
}

func TestMetricsCountTakesAndWrites(t *testing.T) {
	metrics := NewMetrics()
	play(t, 1, func(o *Options) { o.Metrics = metrics }, func(s *scene) {
		place := s.take(s.r[0], cidr(s.T, "10.0.0.0/24"), named("web"))
		s.refused(s.r[0], place, named("other"), ledger.ByRequest)
		got := testutil.ToFloat64(metrics.takes.WithLabelValues(string(v4), "automatic", "given"))
		taken := testutil.ToFloat64(metrics.takes.WithLabelValues(string(v4), "explicit", "taken"))
		inFlight := testutil.ToFloat64(metrics.inFlight.WithLabelValues(string(v4)))
		writes := testutil.ToFloat64(metrics.swaps.WithLabelValues(string(v4), "done"))
		if got != 1 || taken != 1 || inFlight != 1 || writes != 1 {
			s.Errorf("given %v, taken %v, in flight %v, writes %v", got, taken, inFlight, writes)
		}
		s.serve("web", 0, place)
		s.becomes(place, ledger.Used)
		if inFlight := testutil.ToFloat64(metrics.inFlight.WithLabelValues(string(v4))); inFlight != 0 {
			s.Errorf("in flight %v", inFlight)
		}
	})
	if problems, err := testutil.GatherAndLint(registry(t, metrics)); err != nil || len(problems) > 0 {
		t.Errorf("%v, %v", problems, err)
	}
}

func TestObjectOfABlockIsSmallAndNamed(t *testing.T) {
	p := newPage(ip("10.0.16.9").Key)
	p.meta = metav1.ObjectMeta{Name: "x", Labels: map[string]string{"kept": "yes"}, ResourceVersion: "7"}
	block := ledger.NewBlock(1)
	block.Lend(9, 1)
	block.Settle(9, 1)
	block.Lend(10, 1)
	want := servicenetv1alpha1.AllocationSummary{Used: 1, Lent: 1}
	got := p.object(block, []byte{1})
	if got.Name != "clusteripv4-10.0.16.0" || got.First != "10.0.16.0" || got.Summary != want || got.Labels["kept"] != "yes" {
		t.Errorf("%+v", got)
	}
}

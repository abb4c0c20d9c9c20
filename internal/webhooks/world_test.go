// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/webhook"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/admission"
	"servicenet.dev/servicenet/internal/allocator"
	"servicenet.dev/servicenet/internal/ledger"
	"servicenet.dev/servicenet/internal/ledger/store"
	"servicenet.dev/servicenet/internal/pool"
	"servicenet.dev/servicenet/test/badinput"
)

// world is a cluster with the pools of the table of bad input, and its ledger.
type world struct {
	tb      testing.TB
	cluster *admission.Cluster

	mu sync.Mutex
	// shown Services are in the cache, existing ones in the API server.
	shown, existing []*corev1.Service
	// looked counts how often the API server was asked for a Service.
	looked int
	// owners are who has numbers, given those that this replica gave.
	owners map[ledger.Place]ledger.Owner
	given  map[ledger.Place]ledger.Owner
	kept   map[types.NamespacedName][]store.Kept
	// fault is what the API server fails with, takeFault what the ledger does.
	fault, takeFault error
	// unready is why nothing can be answered.
	unready error
	// taking, if set, is called while a number is taken.
	taking func(context.Context)
}

func newWorld(tb testing.TB) *world {
	tb.Helper()
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	var addresses []*pool.ClusterIPPool
	for _, p := range badinput.ClusterIPPools() {
		addresses = append(addresses, pool.CompileClusterIPPool(p))
	}
	var ports []*pool.NodePortPool
	for _, p := range badinput.NodePortPools() {
		ports = append(ports, pool.CompileNodePortPool(p))
	}
	var balancers []*pool.LoadBalancerPool
	for _, p := range badinput.LoadBalancerPools() {
		balancers = append(balancers, pool.CompileLoadBalancerPool(p))
	}
	span, err := allocator.Ports(30000, 32767)
	if err != nil {
		tb.Fatal(err)
	}
	cidrs := []pool.ServiceCIDR{
		{Prefix: netip.MustParsePrefix("10.96.0.0/16"), Ready: true}, {Prefix: netip.MustParsePrefix("fd00::/112"), Ready: true},
	}
	return &world{
		tb: tb,
		cluster: &admission.Cluster{
			Families:   pool.Cluster{Primary: corev1.IPv4Protocol, DualStack: true},
			ClusterIPs: pool.NewClusterIPs(addresses, cidrs, noon, nil),
			NodePorts:  pool.NewNodePorts(ports, span, nil),
			Balancing:  admission.Balancing{Pools: pool.NewLoadBalancers(balancers, nil, nil), Class: servicenetv1alpha1.LoadBalancerClass},
		},
		owners: map[ledger.Place]ledger.Owner{}, given: map[ledger.Place]ledger.Owner{}, kept: map[types.NamespacedName][]store.Kept{},
	}
}

// Cluster is of Facts, as are those that follow.
func (w *world) Cluster() (*admission.Cluster, error) { return w.cluster, w.fault }

func (w *world) NamespaceLabels(_ context.Context, namespace string) (map[string]string, error) {
	return badinput.NamespaceLabels(namespace), w.fault
}

func (w *world) ShowsService(name types.NamespacedName) bool { return has(w.shown, name) }

func (w *world) ServiceExists(_ context.Context, name types.NamespacedName) (bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.looked++
	return has(w.existing, name), w.fault
}

func has(services []*corev1.Service, name types.NamespacedName) bool {
	return slices.ContainsFunc(services, func(s *corev1.Service) bool { return s.Namespace == name.Namespace && s.Name == name.Name })
}

func (w *world) Numbers(namespace string) iter.Seq2[ledger.Place, types.NamespacedName] {
	w.mu.Lock()
	defer w.mu.Unlock()
	type entry struct {
		place ledger.Place
		name  types.NamespacedName
	}
	var entries []entry
	for place, owner := range w.given {
		entries = append(entries, entry{place, owner.NamespacedName}, entry{place, owner.NamespacedName})
	}
	for _, s := range w.shown {
		for _, place := range store.Numbers(s) {
			entries = append(entries, entry{place, store.OwnerOf(s).NamespacedName})
		}
	}
	return func(yield func(ledger.Place, types.NamespacedName) bool) {
		for _, e := range entries {
			if e.name.Namespace == namespace && !yield(e.place, e.name) {
				return
			}
		}
	}
}

// Take is of Ledger, as are those that follow.
func (w *world) Take(
	ctx context.Context, family servicenetv1alpha1.NumberFamily, of *allocator.Range, r store.Request,
) (ledger.Place, error) {
	from := ledger.Port(30000)
	if family == servicenetv1alpha1.ClusterIPv4 {
		from = ledger.Address(family, netip.MustParseAddr("10.96.5.0"))
	}
	if family == servicenetv1alpha1.ClusterIPv6 {
		from = ledger.Address(family, netip.MustParseAddr("fd00::500"))
	}
	for ; from.Number < allocator.BlockSize; from.Number++ {
		if of.ClassOf(from.Block, from.Number) < allocator.Static {
			continue
		}
		if err := w.TakeNumber(ctx, from, r); !errors.As(err, new(*ledger.TakenError)) {
			return from, err
		}
	}
	return ledger.Place{}, &ledger.FullError{}
}

func (w *world) TakeNumber(ctx context.Context, place ledger.Place, r store.Request) error {
	if w.taking != nil {
		w.taking(ctx)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.takeFault != nil {
		return w.takeFault
	}
	if owner, taken := w.owners[place]; taken && !owner.Same(r.Owner) {
		return &ledger.TakenError{Place: place, By: ledger.ByService}
	}
	w.owners[place], w.given[place] = r.Owner, r.Owner
	return nil
}

func (w *world) GiveBack(owner ledger.Owner, places ...ledger.Place) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, place := range places {
		if w.given[place] != owner {
			w.tb.Errorf("%s is given back by %s, which does not have it", place, owner)
		}
		delete(w.given, place)
		delete(w.owners, place)
	}
}

func (w *world) Retained(name types.NamespacedName) []store.Kept { return w.kept[name] }

// exist has Services exist that the cache shows.
func (w *world) exist(services ...*corev1.Service) {
	for _, s := range services {
		if s == nil {
			continue
		}
		w.shown, w.existing = append(w.shown, s), append(w.existing, s)
		for _, place := range store.Numbers(s) {
			w.owners[place] = store.OwnerOf(s)
		}
	}
}

// hooks returns both webhooks.
func (w *world) hooks() (mutate, validate *Hook) {
	services := NewServices(w, w)
	ready := func() error { return w.unready }
	return &Hook{Name: "mutate", Judge: services.Mutate, Ready: ready, Metrics: NewMetrics()},
		&Hook{Name: "validate", Judge: services.Validate, Ready: ready, Metrics: NewMetrics()}
}

// request returns what the API server asks when a Service is created, or changed.
func request(tb testing.TB, service, old *corev1.Service) webhook.AdmissionRequest {
	tb.Helper()
	r := webhook.AdmissionRequest{AdmissionRequest: admissionv1.AdmissionRequest{
		UID: "1", Operation: admissionv1.Create, Namespace: service.Namespace, Name: service.Name,
		Resource: metav1.GroupVersionResource{Version: "v1", Resource: "services"},
		Object:   runtime.RawExtension{Raw: encode(tb, service)},
	}}
	if old != nil {
		r.Operation, r.OldObject = admissionv1.Update, runtime.RawExtension{Raw: encode(tb, old)}
	}
	return r
}

func encode(tb testing.TB, value any) []byte {
	tb.Helper()
	raw, err := json.Marshal(value)
	if err != nil {
		tb.Fatal(err)
	}
	return raw
}

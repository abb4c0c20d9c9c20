// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/allocator"
	"servicenet.dev/servicenet/internal/ledger"
	"servicenet.dev/servicenet/internal/ledger/store"
)

// numbersScene is a replica on an API server in memory, whose caches show at once
// what a test does. It is to be used in a bubble, in which time costs nothing.
type numbersScene struct {
	*testing.T
	*replica
	api client.Client
	// handler is told of Services.
	handler *hints
	events  *events.FakeRecorder

	mu sync.Mutex
	// faults are what goes wrong: "Service" and "Namespace" for reads of these, or
	// the name of a pool, or of a block, for writes of it.
	faults map[string]bool
	// statuses are when the status of which pool was written, and blocks how often
	// a block was.
	statuses map[string][]time.Time
	blocks   int
}

// garbage is what can't be read as a block. It can be written whatever goes wrong.
const garbage = "garbage"

var errFault = errors.New("it does not work")

// inScene runs a test in a scene with a ServiceCIDR.
func inScene(t *testing.T, test func(*numbersScene)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &numbersScene{T: t, faults: map[string]bool{}, statuses: map[string][]time.Time{}, events: events.NewFakeRecorder(100)}
		s.api = s.newAPI()
		s.replica = s.newReplica()
		s.handler = &hints{ledger: s.store, carriers: s.carriers, retention: s.book.retention, changed: s.news.serviceChanged}
		s.cidr("10.96.0.0/16")
		s.passes(time.Minute)
		test(s)
	})
}

func (s *numbersScene) newAPI() client.Client {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		corev1.AddToScheme, networkingv1.AddToScheme, coordinationv1.AddToScheme, servicenetv1alpha1.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			s.Fatal(err)
		}
	}
	return fake.NewClientBuilder().WithScheme(scheme).
		WithStatusSubresource(
			&servicenetv1alpha1.ClusterIPPool{}, &servicenetv1alpha1.NodePortPool{}, &servicenetv1alpha1.LoadBalancerPool{}).
		WithInterceptorFuncs(interceptor.Funcs{
			Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, object client.Object, options ...client.GetOption) error {
				_, service := object.(*corev1.Service)
				_, namespace := object.(*corev1.Namespace)
				if service && s.fails("Service") || namespace && s.fails("Namespace") {
					return errFault
				}
				return c.Get(ctx, key, object, options...)
			},
			Create: func(ctx context.Context, c client.WithWatch, object client.Object, options ...client.CreateOption) error {
				object.SetUID(types.UID("uid-" + object.GetName()))
				return s.writeBlock(object, func() error { return c.Create(ctx, object, options...) })
			},
			Update: func(ctx context.Context, c client.WithWatch, object client.Object, options ...client.UpdateOption) error {
				return s.writeBlock(object, func() error { return c.Update(ctx, object, options...) })
			},
			SubResourceApply: s.applyStatus,
		}).Build()
}

// fail has things go wrong from now on, and no others.
func (s *numbersScene) fail(what ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.faults)
	for _, name := range what {
		s.faults[name] = true
	}
}

func (s *numbersScene) fails(what string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.faults[what]
}

// written returns when the status of a pool was written.
func (s *numbersScene) written(pool string) []time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.statuses[pool])
}

// writes returns how often a block was written.
func (s *numbersScene) writes() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.blocks
}

// writeBlock writes a block, and shows it. Anything else is just written.
func (s *numbersScene) writeBlock(object client.Object, write func() error) error {
	block, is := object.(*servicenetv1alpha1.AllocationBlock)
	if !is {
		return write()
	}
	if s.fails(block.Name) && string(block.Data) != garbage {
		return errFault
	}
	s.mu.Lock()
	s.blocks++
	s.mu.Unlock()
	err := write()
	s.news.blockChanged()
	return err
}

// applyStatus writes the status of a pool.
func (s *numbersScene) applyStatus(
	ctx context.Context, c client.Client, _ string, wanted runtime.ApplyConfiguration, _ ...client.SubResourceApplyOption,
) error {
	content, err := json.Marshal(wanted)
	if err != nil {
		return err
	}
	var pool servicenetv1alpha1.ClusterIPPool
	if err := json.Unmarshal(content, &pool); err != nil {
		return err
	}
	s.mu.Lock()
	s.statuses[pool.Name] = append(s.statuses[pool.Name], time.Now())
	s.mu.Unlock()
	if s.fails(pool.Name) {
		return errFault
	}
	if pool.Kind == "LoadBalancerPool" {
		return applyBalancerStatus(ctx, c, content)
	}
	var stored servicenetv1alpha1.ClusterIPPool
	if err := c.Get(ctx, types.NamespacedName{Name: pool.Name}, &stored); err != nil {
		return err
	}
	stored.Status = pool.Status
	return c.Status().Update(ctx, &stored)
}

func applyBalancerStatus(ctx context.Context, c client.Client, content []byte) error {
	var pool, stored servicenetv1alpha1.LoadBalancerPool
	if err := json.Unmarshal(content, &pool); err != nil {
		return err
	}
	if err := c.Get(ctx, types.NamespacedName{Name: pool.Name}, &stored); err != nil {
		return err
	}
	stored.Status = pool.Status
	return c.Status().Update(ctx, &stored)
}

func (s *numbersScene) newReplica() *replica {
	options := Options{Controllers: []string{"*"}}.withDefaults()
	r := &replica{
		access: access{
			reader: s.api, live: s.api, writer: s.api, recorder: s.events, clock: clock.RealClock{},
		},
		options: options, records: newRecorder(options),
		book:     newPoolBook(clock.RealClock{}, allocator.PortSpan{First: 30000, Last: 32767}),
		carriers: newCarriers(), services: newRecordStore(), news: newNumberNews(), balancing: noBalancing{},
	}
	r.carriers.addresses = newRecordStore()
	r.store = store.New(s.Context(), store.Options{
		Client: s.api, Evidence: store.NewEvidence(s.api), Seen: r.carriers.seen, Namespace: "system", Holder: 1, Seed: 1,
	})
	r.news.begin()
	var err error
	if r.repairs, err = newRepairs(r, prometheus.NewRegistry()); err != nil {
		s.Fatal(err)
	}
	return r
}

// cidr makes a ServiceCIDR, which is ready and has settled after 10 s.
func (s *numbersScene) cidr(prefix string) {
	cidr := &networkingv1.ServiceCIDR{
		ObjectMeta: metav1.ObjectMeta{Name: prefix, CreationTimestamp: metav1.Now()},
		Spec:       networkingv1.ServiceCIDRSpec{CIDRs: []string{prefix}},
	}
	s.book.serviceCIDREvents(s.news.poolsChanged).OnAdd(cidr, false)
}

// pool makes a pool of addresses.
func (s *numbersScene) pool(name, prefix string) {
	s.Helper()
	pool := &servicenetv1alpha1.ClusterIPPool{
		ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID(name), Generation: 1},
		Spec:       servicenetv1alpha1.ClusterIPPoolSpec{CIDRs: []string{prefix}},
	}
	if err := s.api.Create(s.Context(), pool); err != nil {
		s.Fatal(err)
	}
	s.book.clusterIPPoolEvents(s.news.poolsChanged).OnAdd(pool, false)
}

// serve makes a Service that has an address, and its IPAddress object.
func (s *numbersScene) serve(name, address string) *corev1.Service {
	s.Helper()
	service := numbered(name, address)
	if err := s.api.Create(s.Context(), service); err != nil {
		s.Fatal(err)
	}
	object := s.records.address(&networkingv1.IPAddress{
		ObjectMeta: metav1.ObjectMeta{Name: address},
		Spec: networkingv1.IPAddressSpec{ParentRef: &networkingv1.ParentReference{
			Resource: "services", Namespace: service.Namespace, Name: service.Name,
		}},
	})
	seen := s.records.service(service)
	if err := errors.Join(s.carriers.addresses.Add(object), s.services.Add(seen)); err != nil {
		s.Fatal(err)
	}
	s.handler.show(nil, seen)
	return service
}

// drop deletes a Service, of which no cache shows the end if it is unseen.
func (s *numbersScene) drop(service *corev1.Service, unseen bool) {
	s.Helper()
	if err := s.api.Delete(s.Context(), service.DeepCopy()); err != nil {
		s.Fatal(err)
	}
	if unseen {
		return
	}
	seen := s.records.service(service)
	if err := s.services.Delete(seen); err != nil {
		s.Fatal(err)
	}
	s.handler.show(seen, nil)
}

// until runs what one replica does for all, while a test goes on.
func (s *numbersScene) until(run func(context.Context) error, test func()) {
	ctx, end := context.WithCancel(s.Context())
	done := make(chan error)
	go func() { done <- run(ctx) }()
	synctest.Wait()
	test()
	end()
	if err := <-done; err != nil {
		s.Errorf("ended with %v", err)
	}
}

// passes lets time go by.
func (s *numbersScene) passes(long time.Duration) {
	time.Sleep(long) //nolint:forbidigo // it takes no time in a bubble
	synctest.Wait()
}

// place is a number of the scene.
func (s *numbersScene) place(address string) ledger.Place {
	return ledger.Address(servicenetv1alpha1.ClusterIPv4, netip.MustParseAddr(address))
}

// state returns what a number is in the ledger.
func (s *numbersScene) state(address string) ledger.State {
	place := s.place(address)
	if block := s.store.Blocks()[place.Key]; block != nil {
		return block.State(place.Number)
	}
	return ledger.Free
}

// told returns the reasons of the events so far.
func (s *numbersScene) told() (all []string) {
	for {
		select {
		case event := <-s.events.Events:
			all = append(all, event)
		default:
			return all
		}
	}
}

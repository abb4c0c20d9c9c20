// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/cluster"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/allocator"
	"servicenet.dev/servicenet/internal/ledger"
	"servicenet.dev/servicenet/internal/ledger/store"
)

// heavedReplica is one process: the real store, controller and handlers, with a cache
// and a connection of its own.
type heavedReplica struct {
	*replica
	name   string
	v      *heavedServer
	link   *heavedLink
	watch  *heavedWatch
	logger logr.Logger
	// lag is how long it takes at most until a cache or a handler is told.
	lag time.Duration

	mu    sync.Mutex
	deaf  bool
	cache map[string]map[types.NamespacedName]client.Object
	// listeners are the handlers of a kind.
	listeners map[string][]*heavedListener

	// ending ends all of the process, deposing its leadership.
	ending, deposing context.CancelFunc
	running          sync.WaitGroup
}

// heavedListener is a handler, and what it is yet to be told.
type heavedListener struct {
	handler toolscache.ResourceEventHandler
	news    bell
	notices []func(toolscache.ResourceEventHandler)
}

// heavedCluster has nothing but a client.
type heavedCluster struct {
	cluster.Cluster
	client client.Client
}

// GetClient is of cluster.Cluster.
func (c heavedCluster) GetClient() client.Client { return c.client }

// startReplica starts a process, which first lists all that there is.
func startReplica(
	ctx context.Context, t *testing.T, v *heavedServer, name string, seed uint64, options Options, logger logr.Logger,
) *heavedReplica {
	t.Helper()
	r := &heavedReplica{
		name: name, v: v, link: &heavedLink{v: v, name: name}, lag: 20 * time.Millisecond,
		watch: &heavedWatch{events: map[string][]heavedEvent{}, news: map[string]bell{}},
		cache: map[string]map[types.NamespacedName]client.Object{}, listeners: map[string][]*heavedListener{},
		deposing: func() {}, logger: logger,
	}
	r.replica = r.newReplica(ctx, t, seed, options)
	ctx, r.ending = context.WithCancel(log.IntoContext(ctx, r.logger))
	handlers := r.watched()
	v.mu.Lock()
	for _, of := range handlers {
		kind := heavedKind(of.kind)
		if r.cache[kind] != nil {
			continue
		}
		r.cache[kind], r.watch.news[kind] = map[types.NamespacedName]client.Object{}, newBell()
		for _, object := range v.all(kind) {
			r.hold(kind, object)
		}
	}
	v.watchers = append(v.watchers, r.watch)
	v.mu.Unlock()
	r.running.Go(func() { _ = r.store.Run(ctx) })
	r.running.Go(func() { r.beginTelling(ctx, handlers) })
	return r
}

func (r *heavedReplica) newReplica(ctx context.Context, t *testing.T, seed uint64, options Options) *replica {
	t.Helper()
	of := &replica{
		access: access{
			reader: heavedReader{r: r}, live: r.link, writer: r.link, recorder: &events.FakeRecorder{}, clock: clock.RealClock{},
		},
		cluster: heavedCluster{client: r.link},
		options: options, records: newRecorder(options),
		book:     newPoolBook(clock.RealClock{}, allocator.PortSpan{First: 30000, Last: 32767}),
		carriers: newCarriers(), services: newRecordStore(), news: newNumberNews(), policies: &policyWatch{},
		told: make(chan struct{}), draining: make(chan struct{}),
	}
	of.carriers.addresses = newRecordStore()
	of.store = store.New(ctx, store.Options{
		Client: r.link, Evidence: store.NewEvidence(r.link), Seen: of.carriers.seen, Namespace: "system",
		Holder: ledger.Holder(seed), Seed: seed, TenantsChanged: of.tenantsChanged, Logger: r.logger,
	})
	var err error
	if of.repairs, err = newRepairs(of, prometheus.NewRegistry()); err != nil {
		t.Fatal(err)
	}
	if of.balancers, err = newLoadBalancers(of, prometheus.NewRegistry()); err != nil {
		t.Fatal(err)
	}
	if of.poolMetrics, err = newPoolMetrics(prometheus.NewRegistry()); err != nil {
		t.Fatal(err)
	}
	of.balancing = of.balancers
	return of
}

// heavedReader reads from the cache of a replica.
type heavedReader struct {
	client.Reader
	r *heavedReplica
}

// Get is of client.Reader.
func (c heavedReader) Get(_ context.Context, key client.ObjectKey, into client.Object, _ ...client.GetOption) error {
	c.r.mu.Lock()
	defer c.r.mu.Unlock()
	is := c.r.cache[heavedKind(into)][key]
	if is == nil {
		return apierrors.NewNotFound(resourceOf(into), key.Name)
	}
	assign(into, is)
	return nil
}

// List is of client.Reader.
func (c heavedReader) List(_ context.Context, into client.ObjectList, _ ...client.ListOption) error {
	c.r.mu.Lock()
	defer c.r.mu.Unlock()
	fill(into, slices.Collect(maps.Values(c.r.cache[heavedKind(into)])))
	return nil
}

// beginTelling tells one handler after the other of all that the cache has, and then of
// what changes.
func (r *heavedReplica) beginTelling(ctx context.Context, handlers []watched) {
	for _, of := range handlers {
		kind, listener := heavedKind(of.kind), &heavedListener{handler: of.handler, news: newBell()}
		r.mu.Lock()
		for _, key := range slices.SortedFunc(maps.Keys(r.cache[kind]), compareNames) {
			listener.handler.OnAdd(r.shown(kind, r.cache[kind][key]), true)
		}
		r.listeners[kind] = append(r.listeners[kind], listener)
		r.mu.Unlock()
		if lapse(ctx, r.v.upTo(r.lag)) != nil {
			return
		}
	}
	for kind, listeners := range r.listeners {
		r.running.Go(func() { r.follow(ctx, kind) })
		for _, listener := range listeners {
			r.running.Go(func() { r.tellOn(ctx, listener) })
		}
	}
	close(r.told)
}

func compareNames(a, b types.NamespacedName) int { return strings.Compare(a.String(), b.String()) }

// hold has the cache hold an object. mu is held, or nobody else knows the replica yet.
func (r *heavedReplica) hold(kind string, object client.Object) {
	r.cache[kind][client.ObjectKeyFromObject(object)] = object
	if service, is := object.(*corev1.Service); is {
		_ = r.services.Add(r.records.service(service))
	}
}

// shown is an object as handlers are shown it, nil as nil.
func (r *heavedReplica) shown(kind string, object client.Object) any {
	if service, is := object.(*corev1.Service); is && kind == heavedKind(service) {
		return r.records.service(service)
	}
	return object
}

// follow brings the changes of a kind to the cache.
func (r *heavedReplica) follow(ctx context.Context, kind string) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.watch.news[kind]:
		}
		for lapse(ctx, r.v.upTo(r.lag)) == nil {
			r.mu.Lock()
			deaf := r.deaf
			r.mu.Unlock()
			if deaf || r.link.broken() {
				_ = lapse(ctx, 300*time.Millisecond)
				continue
			}
			if !r.arrive(kind) {
				break
			}
		}
	}
}

// arrive brings the next change of a kind to the cache, and tells whether there was one.
func (r *heavedReplica) arrive(kind string) bool {
	r.v.mu.Lock()
	queue := r.watch.events[kind]
	if len(queue) == 0 {
		r.v.mu.Unlock()
		return false
	}
	event := queue[0]
	r.watch.events[kind] = queue[1:]
	r.v.mu.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	key := client.ObjectKeyFromObject(event.object)
	before := r.cache[kind][key]
	var notice func(toolscache.ResourceEventHandler)
	switch {
	case event.deleted && before == nil:
		return true
	case event.deleted:
		delete(r.cache[kind], key)
		last := r.shown(kind, event.object)
		if record, is := last.(*serviceRecord); is {
			_ = r.services.Delete(record)
		}
		if event.missed {
			last = toolscache.DeletedFinalStateUnknown{Key: key.String(), Obj: last}
		}
		notice = func(h toolscache.ResourceEventHandler) { h.OnDelete(last) }
	case before == nil:
		r.hold(kind, event.object)
		notice = func(h toolscache.ResourceEventHandler) { h.OnAdd(r.shown(kind, event.object), false) }
	default:
		r.hold(kind, event.object)
		notice = func(h toolscache.ResourceEventHandler) {
			h.OnUpdate(r.shown(kind, before), r.shown(kind, event.object))
		}
	}
	for _, listener := range r.listeners[kind] {
		listener.notices = append(listener.notices, notice)
		listener.news.ring()
	}
	return true
}

// tellOn tells a handler what has come to the cache, some time later.
func (r *heavedReplica) tellOn(ctx context.Context, listener *heavedListener) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-listener.news:
		}
		if r.v.chance(2) == 0 && lapse(ctx, r.v.upTo(r.lag)) != nil {
			return
		}
		r.mu.Lock()
		notices := listener.notices
		listener.notices = nil
		r.mu.Unlock()
		for _, notice := range notices {
			notice(listener.handler)
		}
	}
}

func (r *heavedReplica) setDeaf(deaf bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.deaf = deaf
}

// relist is what follows on a watch that broke off: what it would have shown is left
// out, but for the difference.
func (r *heavedReplica) relist() {
	r.v.mu.Lock()
	defer r.v.mu.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	for kind, held := range r.cache {
		var missed []heavedEvent
		for _, object := range r.v.all(kind) {
			if was := held[client.ObjectKeyFromObject(object)]; was == nil || was.GetResourceVersion() != object.GetResourceVersion() {
				missed = append(missed, heavedEvent{object: object})
			}
		}
		for key, was := range held {
			if r.v.objects[kind][key] == nil {
				missed = append(missed, heavedEvent{object: was, deleted: true, missed: true})
			}
		}
		r.watch.events[kind] = missed
		r.watch.news[kind].ring()
	}
}

// startLeading has the replica do what one does for all, until it is deposed.
func (r *heavedReplica) startLeading(ctx context.Context, t *testing.T, workers int) {
	t.Helper()
	ctx, r.deposing = context.WithCancel(log.IntoContext(ctx, r.logger))
	c, err := controller.NewUnmanaged(LoadBalancerName, controller.Options{
		Reconciler: &loadBalancerReconciler{r.balancers}, MaxConcurrentReconciles: workers, RateLimiter: retryLimiter(),
		SkipNameValidation: new(true), RecoverPanic: new(false), Logger: r.logger,
		NewQueue: func(_ string, limiter workqueue.TypedRateLimiter[reconcile.Request]) queue {
			return priorityqueue.New("service", func(o *priorityqueue.Opts[reconcile.Request]) { o.RateLimiter = limiter })
		},
	})
	if err == nil {
		err = c.Watch(r.balancers.requests.from(nil))
	}
	if err != nil {
		t.Fatal(err)
	}
	r.running.Go(func() { _ = c.Start(ctx) })
	r.running.Go(func() {
		if err := r.lead(ctx); err != nil {
			t.Errorf("%s leads no more: %v", r.name, err)
		}
	})
}

// kill ends the process as a power cut does. What it has under way may still land.
func (r *heavedReplica) kill() {
	r.link.set(func(l *heavedLink) { l.cut = true })
	r.deposing()
	r.ending()
	r.v.mu.Lock()
	r.v.watchers = slices.DeleteFunc(r.v.watchers, func(w *heavedWatch) bool { return w == r.watch })
	r.v.mu.Unlock()
	r.running.Wait()
}

// Apply is of client.SubResourceWriter: it writes the status of a pool.
func (s heavedStatus) Apply(ctx context.Context, wanted runtime.ApplyConfiguration, _ ...client.SubResourceApplyOption) error {
	var pool servicenetv1alpha1.LoadBalancerPool
	if err := decodeInto(wanted, &pool); err != nil {
		return err
	}
	return s.link.call(ctx, true, func() error {
		stored, exists := s.link.v.stored(&pool).(*servicenetv1alpha1.LoadBalancerPool)
		if !exists || stored.UID != pool.UID {
			return apierrors.NewNotFound(resourceOf(&pool), pool.Name)
		}
		after := stored.DeepCopy()
		after.Status = pool.Status
		s.link.v.put(s.link.name, after)
		return nil
	})
}

func (r *heavedReplica) String() string { return fmt.Sprintf("replica %s", r.name) }

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"net/http"
	"os"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/cluster"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/allocator"
	"servicenet.dev/servicenet/internal/ledger"
	"servicenet.dev/servicenet/internal/ledger/store"
)

// +kubebuilder:rbac:groups="",resources=services;namespaces,verbs=get;list;watch
// +kubebuilder:rbac:groups="",resources=nodes,verbs=list;watch
// +kubebuilder:rbac:groups=networking.k8s.io,resources=ipaddresses,verbs=get;list;watch
// +kubebuilder:rbac:groups=servicenet.dev,resources=allocationblocks,verbs=get;list;watch;create;update;delete

// replica is this replica's part in the ledger, and what the controllers of numbers
// share.
type replica struct {
	access

	options  Options
	cluster  cluster.Cluster
	store    *store.Store
	book     *poolBook
	carriers *carriers
	records  *recorder
	// services are records of all Services that the cache shows.
	services toolscache.Indexer
	// news tells those who work on the leader what has changed.
	news    *numberNews
	repairs *repairs
	// poolMetrics are how pools stand, which the leader knows.
	poolMetrics *poolMetrics
	// balancers look after Services of type LoadBalancer; nil where that controller does
	// not run.
	balancers *loadBalancers
	// balancing is what the controller of load balancers knows of addresses.
	balancing balancing
	// policies is told what changes of pools.
	policies *policyWatch
	// told is closed once everybody was told what the caches show.
	told chan struct{}
	// draining is closed when the replica is about to stop.
	draining chan struct{}
}

// addLedger adds the part of a replica in the ledger to a manager, and the
// controllers that need it.
func addLedger(mgr ctrl.Manager, options Options) error {
	records := newRecorder(options)
	own, err := newLedgerCluster(mgr, options, records)
	if err != nil {
		return fmt.Errorf("building the cache of the controllers of numbers: %w", err)
	}
	if err := mgr.Add(own); err != nil {
		return fmt.Errorf("adding the cache of the controllers of numbers: %w", err)
	}
	r, err := newReplica(mgr, own, options, records)
	if err != nil {
		return fmt.Errorf("setting up the ledger: %w", err)
	}
	if err := r.cacheKinds(); err != nil {
		return err
	}
	if err := mgr.AddReadyzCheck("servicenet-ledger", r.ready(mgr.Elected())); err != nil {
		return fmt.Errorf("adding the readiness check of the ledger: %w", err)
	}
	for _, part := range []runnable{{r.watch, true}, {r.giveNumbers, true}, {r.lead, false}} {
		if err := mgr.Add(part); err != nil {
			return fmt.Errorf("adding the ledger: %w", err)
		}
	}
	if err := addPoolControllers(mgr, r); err != nil {
		return err
	}
	if options.EnableWebhooks {
		if err := addWebhooks(mgr, r); err != nil {
			return fmt.Errorf("adding the webhooks: %w", err)
		}
	}
	return nil
}

// addPoolControllers adds the controllers of what pools need.
func addPoolControllers(mgr ctrl.Manager, r *replica) error {
	if r.options.runs(ClusterIPName) {
		if err := setupServiceCIDR(mgr, r); err != nil {
			return fmt.Errorf("adding the %s controller: %w", ClusterIPName, err)
		}
	}
	if r.options.runs(LoadBalancerName) {
		if err := setupLoadBalancer(mgr, r); err != nil {
			return fmt.Errorf("adding the %s controller: %w", LoadBalancerName, err)
		}
	}
	if err := setupPolicies(mgr, r); err != nil {
		return fmt.Errorf("adding the policy controller: %w", err)
	}
	return nil
}

func newReplica(mgr ctrl.Manager, own cluster.Cluster, options Options, records *recorder) (*replica, error) {
	ports, err := allocator.Ports(options.ServiceNodePortRange.First, options.ServiceNodePortRange.Last)
	if err != nil {
		return nil, err
	}
	host, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("finding the name of this host, which names the replica: %w", err)
	}
	counters := &registrar{registry: metrics.Registry, subsystem: "servicenet_ledger"}
	r := &replica{
		access:  newAccess(mgr, own, "servicenet"),
		options: options, cluster: own, records: records,
		book:      newPoolBook(clock.RealClock{}, ports),
		carriers:  newCarriers(),
		news:      newNumberNews(),
		balancing: noBalancing{},
		policies:  &policyWatch{},
		told:      make(chan struct{}),
		draining:  make(chan struct{}),
	}
	direct := directClient{Reader: own.GetAPIReader(), Writer: own.GetClient()}
	ctx := context.Background() //nolint:forbidigo // the ledger's life ends with Run
	r.store = store.New(ctx, store.Options{
		Client: direct, Evidence: r.evidence(direct), Seen: r.carriers.seen,
		Namespace: options.Namespace, Identity: host,
		Holder: ledger.Holder(rand.Uint64()), Seed: rand.Uint64(),
		TenantsChanged: r.tenantsChanged,
		Metrics:        register(counters, store.NewMetrics()), Logger: mgr.GetLogger().WithName("ledger"),
	})
	r.repairs, err = newRepairs(r, metrics.Registry)
	if err == nil {
		r.poolMetrics, err = newPoolMetrics(metrics.Registry)
	}
	if err == nil && options.runs(LoadBalancerName) {
		r.balancers, err = newLoadBalancers(r, metrics.Registry)
		r.balancing = r.balancers
	}
	return r, errors.Join(counters.failed(), err)
}

func (r *replica) evidence(direct client.Reader) store.Evidence {
	return &cachedEvidence{
		live: store.NewEvidence(direct), reader: direct,
		services:  func() toolscache.Store { return r.services },
		addresses: func() toolscache.Store { return r.carriers.addresses },
	}
}

// tenantsChanged is told by the ledger.
func (r *replica) tenantsChanged(news store.TenantNews) {
	if r.balancers != nil {
		r.balancers.tenantsChanged(news)
	}
}

// cacheKinds has the cache hold all that is read from it.
func (r *replica) cacheKinds() error {
	for _, kind := range r.kinds() {
		ctx := context.Background() //nolint:forbidigo // nothing is started yet that a context could end
		informer, err := r.cluster.GetCache().GetInformer(ctx, kind)
		if err != nil {
			return fmt.Errorf("adding %T to the cache: %w", kind, err)
		}
		switch kind.(type) {
		case *networkingv1.IPAddress:
			r.carriers.addresses = storeOf(informer)
		case *corev1.Service:
			r.services = storeOf(informer)
		}
	}
	return nil
}

// kinds are those that are cached.
func (r *replica) kinds() []client.Object {
	kinds := []client.Object{&corev1.Service{}, &corev1.Namespace{}, &servicenetv1alpha1.AllocationBlock{}}
	if r.options.runs(ClusterIPName) {
		kinds = append(kinds, &servicenetv1alpha1.ClusterIPPool{}, &networkingv1.ServiceCIDR{}, &networkingv1.IPAddress{})
	}
	if r.options.runs(NodePortName) {
		kinds = append(kinds, &servicenetv1alpha1.NodePortPool{})
	}
	if r.options.runs(LoadBalancerName) {
		kinds = append(kinds, &servicenetv1alpha1.LoadBalancerPool{}, &corev1.Node{})
	}
	return kinds
}

// storeOf returns what an informer knows, nothing if it does not say.
func storeOf(informer cache.Informer) toolscache.Indexer {
	if shared, ok := informer.(toolscache.SharedIndexInformer); ok {
		return shared.GetIndexer()
	}
	return newRecordStore()
}

// newRecordStore returns an empty store, as those of informers are.
func newRecordStore() toolscache.Indexer {
	return toolscache.NewIndexer(toolscache.MetaNamespaceKeyFunc,
		toolscache.Indexers{toolscache.NamespaceIndex: toolscache.MetaNamespaceIndexFunc})
}

// each iterates over what is of a type in a list of a store. It must not be changed.
func each[T any](of []any) iter.Seq[T] {
	return func(yield func(T) bool) {
		for _, object := range of {
			if typed, ok := object.(T); ok && !yield(typed) {
				return
			}
		}
	}
}

// runnable is what a manager runs: on every replica, or on the leader.
type runnable struct {
	run        func(context.Context) error
	everywhere bool
}

// Start is of manager.Runnable.
func (r runnable) Start(ctx context.Context) error { return r.run(ctx) }

// NeedLeaderElection is of manager.LeaderElectionRunnable.
func (r runnable) NeedLeaderElection() bool { return !r.everywhere }

// watched is a kind of object whose events somebody wants.
type watched struct {
	kind    client.Object
	handler toolscache.ResourceEventHandler
}

// watched returns who is told of what. Services come last: what becomes of their
// numbers depends on pools.
func (r *replica) watched() []watched {
	h := &hints{ledger: r.store, carriers: r.carriers, retention: r.book.retention, changed: r.news.serviceChanged}
	all := []watched{
		{&servicenetv1alpha1.AllocationBlock{}, r.store.Feed()},
		{&servicenetv1alpha1.AllocationBlock{}, anyEvent(r.news.blockChanged)},
		{&corev1.Namespace{}, r.news.namespaceEvents()},
	}
	if r.options.runs(ClusterIPName) {
		all = append(all,
			watched{&networkingv1.ServiceCIDR{}, r.book.serviceCIDREvents(r.news.poolsChanged)},
			watched{&servicenetv1alpha1.ClusterIPPool{}, r.book.clusterIPPoolEvents(r.poolsChanged)},
			watched{&networkingv1.IPAddress{}, anyEvent(r.news.addressChanged)})
	}
	if r.options.runs(NodePortName) {
		all = append(all, watched{&servicenetv1alpha1.NodePortPool{}, r.book.nodePortPoolEvents(r.poolsChanged)})
	}
	if r.options.runs(LoadBalancerName) {
		all = append(all,
			watched{&corev1.Node{}, r.book.nodeEvents(r.balancersChanged)},
			watched{&servicenetv1alpha1.LoadBalancerPool{}, r.book.loadBalancerPoolEvents(r.balancersChanged)},
			watched{&corev1.Namespace{}, r.balancers.namespaceEvents()})
		h.changed = func(before, after *serviceRecord) {
			r.news.serviceChanged(before, after)
			r.balancers.serviceChanged(before, after)
		}
	}
	return append(all, watched{&corev1.Service{}, h.handler()})
}

// poolsChanged tells those who work on the leader that pools have changed.
func (r *replica) poolsChanged() {
	r.news.poolsChanged()
	r.policies.changed()
}

// balancersChanged tells them of pools of load balancers, and of nodes.
func (r *replica) balancersChanged() {
	r.news.poolsChanged()
	r.balancers.changed.ring()
}

// watch has the caches, which are synced, tell everybody what they show.
func (r *replica) watch(ctx context.Context) error {
	for _, of := range r.watched() {
		informer, err := r.cluster.GetCache().GetInformer(ctx, of.kind)
		if err != nil {
			return fmt.Errorf("reading %T: %w", of.kind, err)
		}
		registration, err := informer.AddEventHandler(of.handler)
		if err != nil {
			return fmt.Errorf("watching %T: %w", of.kind, err)
		}
		select {
		case <-registration.HasSyncedChecker().Done():
		case <-ctx.Done():
			return nil
		}
	}
	close(r.told)
	<-ctx.Done()
	return nil
}

// lead does what one replica does for all.
func (r *replica) lead(ctx context.Context) error {
	select {
	case <-r.told:
	case <-ctx.Done():
		return nil
	}
	r.news.begin()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return r.store.Collect(ctx) })
	group.Go(func() error { return r.repairs.run(ctx) })
	group.Go(func() error { return newPoolStatus(r).run(ctx) })
	if r.balancers != nil {
		group.Go(func() error { return r.balancers.run(ctx) })
	}
	return group.Wait()
}

// ready is a readiness check: what the caches show is known, and the replica that
// leads has compared the ledger with the Services.
func (r *replica) ready(elected <-chan struct{}) func(*http.Request) error {
	return func(*http.Request) error {
		if err := r.hasBeenTold(); err != nil {
			return err
		}
		select {
		case <-elected:
		default:
			return nil
		}
		select {
		case <-r.repairs.agreed:
			return nil
		default:
			return errors.New("the ledger has not been compared with the Services yet")
		}
	}
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	toolscache "k8s.io/client-go/tools/cache"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"servicenet.dev/servicenet/internal/ledger"
	"servicenet.dev/servicenet/internal/ledger/store"
	"servicenet.dev/servicenet/internal/loadbalancer"
	"servicenet.dev/servicenet/internal/pool"
	"servicenet.dev/servicenet/internal/tracker"
)

// loadBalancers is what all that looks after Services of type LoadBalancer has in
// common. Only the leader acts; others keep up to date.
type loadBalancers struct {
	*replica

	terms    loadbalancer.Terms
	provider provider
	statuses client.StatusClient
	// recorder is that of the replica, with patience.
	recorder *pacedEvents
	counters *loadBalancerMetrics
	requests *requests
	// calls bounds how many Services are read or written at a time.
	calls chan struct{}
	// tracker knows which of our writes the cache has not shown yet.
	tracker *tracker.Tracker[*corev1.Service]
	// pools are those from which addresses are given: all that Services had of them
	// before has been taken over.
	pools atomic.Pointer[pool.LoadBalancers]
	// changed rings when the pools of the book have changed.
	changed bell

	// mu is never held while the ledger is called, which calls tenantsChanged while it
	// is locked.
	mu      sync.Mutex
	waiters *loadbalancer.Waiters
	turn    *loadbalancer.Turn
	// services are those that matter, by UID.
	services map[types.UID]types.NamespacedName
	// busy are those that are worked on.
	busy map[types.UID]bool
	// departed are Services that are gone, whose addresses may be left.
	departed map[types.NamespacedName][]types.UID
	// wants is since when a Service is known to want an address.
	wants map[types.UID]time.Time
	// waitsFor is for which pool Services wait.
	waitsFor map[types.NamespacedName]string
	// unclear is when a status was written of Services of which it is not known whether
	// that was done, or will be.
	unclear map[types.UID]time.Time
	// contests counts how often a status was restored.
	contests map[types.UID]contest
}

func newLoadBalancers(r *replica, registry prometheus.Registerer) (*loadBalancers, error) {
	b := &loadBalancers{
		replica: r, statuses: r.cluster.GetClient(), recorder: newPacedEvents(r.recorder),
		terms:    termsOf(r.options),
		requests: &requests{early: map[types.NamespacedName]bool{}},
		calls:    make(chan struct{}, r.options.ConcurrentServiceSyncs),
		tracker:  tracker.New(func(s *corev1.Service) types.NamespacedName { return client.ObjectKeyFromObject(s) }),
		changed:  newBell(),
		waiters:  loadbalancer.NewWaiters(), turn: loadbalancer.NewTurn(),
		services: map[types.UID]types.NamespacedName{}, busy: map[types.UID]bool{},
		departed: map[types.NamespacedName][]types.UID{}, wants: map[types.UID]time.Time{},
		waitsFor: map[types.NamespacedName]string{}, contests: map[types.UID]contest{},
		unclear: map[types.UID]time.Time{},
	}
	b.provider = &poolProvider{loadBalancers: b, sharers: newSharers()}
	var err error
	b.counters, err = newLoadBalancerMetrics(registry)
	return b, err
}

// termsOf returns which Services are ours.
func termsOf(options Options) loadbalancer.Terms {
	return loadbalancer.Terms{Class: options.LoadBalancerClass, Default: options.LoadBalancerDefault}
}

// requests are Services to be looked at.
type requests struct {
	mu    sync.Mutex
	queue queue
	// early are those that were asked for before there was a queue, or addresses to
	// give.
	early map[types.NamespacedName]bool
	// sort puts those first that have waited for longest. It is nil until addresses
	// may be given.
	sort func([]types.NamespacedName)
}

// start is source.Func.
func (q *requests) start(_ context.Context, to queue) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.queue = to
	q.flush()
	return nil
}

// open lets all come that were asked for so far, sorted, and from then on any at once.
func (q *requests) open(sort func([]types.NamespacedName)) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.sort = sort
	q.flush()
}

func (q *requests) flush() {
	if q.queue == nil || q.sort == nil {
		return
	}
	names := slices.Collect(maps.Keys(q.early))
	q.sort(names)
	for _, name := range names {
		q.queue.Add(ctrl.Request{NamespacedName: name})
	}
	q.early = nil
}

func (q *requests) add(name types.NamespacedName) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.queue == nil || q.sort == nil {
		q.early[name] = true
		return
	}
	q.queue.Add(ctrl.Request{NamespacedName: name})
}

// enqueue has Services that wait tried again.
func (b *loadBalancers) enqueue(waiters ...loadbalancer.Waiter) {
	for _, waiter := range waiters {
		b.requests.add(waiter.NamespacedName)
	}
}

// record returns what the cache has of a Service, nil if it has none.
func (b *loadBalancers) record(name types.NamespacedName) *serviceRecord {
	object, _, err := b.replica.services.GetByKey(name.String())
	if err != nil {
		return nil
	}
	record, _ := object.(*serviceRecord)
	return record
}

// showing returns what the cache has of the Services of a namespace, for the tracker.
func (b *loadBalancers) showing(namespace string) func(name string) (*corev1.Service, bool) {
	return func(name string) (*corev1.Service, bool) {
		record := b.record(types.NamespacedName{Namespace: namespace, Name: name})
		if record == nil || record.balanced == nil {
			return nil, false
		}
		return record.balanced, true
	}
}

// serviceChanged is told of each change of a Service that the cache shows.
func (b *loadBalancers) serviceChanged(before, after *serviceRecord) {
	was, is := before.balancedService(), after.balancedService()
	if was == nil && is == nil {
		return
	}
	if was != nil && (is == nil || is.UID != was.UID) {
		b.mu.Lock()
		delete(b.services, was.UID)
		delete(b.wants, was.UID)
		delete(b.contests, was.UID)
		delete(b.unclear, was.UID)
		if after == nil || after.UID != was.UID {
			b.departed[before.NamespacedName] = append(b.departed[before.NamespacedName], was.UID)
		}
		b.mu.Unlock()
		b.tracker.Gone(was) // what was written, nobody will see, also if the answer is yet to come
	}
	if after == nil {
		b.requests.add(before.NamespacedName)
		return
	}
	if is == nil || b.isNews(is, was) {
		b.requests.add(after.NamespacedName)
	}
}

// isNews takes over a Service that the cache shows, and tells whether it is to be
// looked at: what we wrote ourselves, or a resync shows, is no news.
func (b *loadBalancers) isNews(is, was *corev1.Service) bool {
	b.mu.Lock()
	b.services[is.UID] = client.ObjectKeyFromObject(is)
	b.mu.Unlock()
	return b.tracker.Seen(is) && (was == nil || was.ResourceVersion != is.ResourceVersion)
}

// balancedService returns the Service of a record that matters here, nil if it does
// not.
func (r *serviceRecord) balancedService() *corev1.Service {
	if r == nil {
		return nil
	}
	return r.balanced
}

// namespaceEvents has the Services of a namespace looked at whose labels change.
func (b *loadBalancers) namespaceEvents() toolscache.ResourceEventHandler {
	return toolscache.ResourceEventHandlerFuncs{UpdateFunc: func(before, after any) {
		was, _ := before.(*corev1.Namespace)
		is, _ := after.(*corev1.Namespace)
		if was != nil && is != nil && !maps.Equal(was.Labels, is.Labels) {
			for record := range b.balancedIn(is.Name) {
				b.requests.add(record.NamespacedName)
			}
		}
	}}
}

// tenantsChanged is told by the ledger of addresses that come free, or whose tenants
// change. It does not wait.
func (b *loadBalancers) tenantsChanged(news store.TenantNews) {
	b.mu.Lock()
	spots := b.spotsOf(&news)
	called := b.waiters.Free(spots...)
	var known, changed []types.NamespacedName
	for _, uid := range news.UIDs {
		name, is := b.services[uid]
		if is {
			known = append(known, name)
		}
		if is && !b.busy[uid] {
			changed = append(changed, name)
		}
	}
	b.mu.Unlock()
	b.enqueue(called...)
	for _, name := range changed {
		b.requests.add(name)
	}
	b.tellHeir(&news)
	for _, name := range known {
		b.news.balancingChanged(name)
	}
}

// tellHeir has a Service looked at that waits already when an address comes to be kept for
// its name.
func (b *loadBalancers) tellHeir(news *store.TenantNews) {
	if news.Keeps.Nobody() {
		return
	}
	if heir := b.record(news.Keeps.Name()); heir != nil && !slices.Contains(news.UIDs, heir.UID) {
		b.requests.add(heir.NamespacedName)
	}
}

// spotsOf returns where those wait to whom news of an address matter. mu is held.
func (b *loadBalancers) spotsOf(news *store.TenantNews) []loadbalancer.Spot {
	spots := []loadbalancer.Spot{{Address: news.Address()}}
	all := b.pools.Load()
	if all == nil {
		return spots
	}
	owner := all.Owner(news.Address())
	if owner == nil {
		return spots
	}
	if news.Free {
		spots = append(spots, loadbalancer.Spot{Pool: owner.Name, Family: loadbalancer.FamilyOf(news.Address())})
	}
	if owner.Limit == 0 {
		return spots
	}
	// A namespace may have one address less than it had.
	namespaces := map[string]bool{news.Kept.Name().Namespace: true}
	for _, uid := range news.UIDs {
		namespaces[b.services[uid].Namespace] = true
	}
	for namespace := range namespaces {
		if namespace != "" {
			spots = append(spots, loadbalancer.Spot{Pool: owner.Name, Namespace: namespace})
		}
	}
	return spots
}

// begin notes that a Service is worked on, until done is called: what the ledger tells
// of it is then no news. Whether it is what the work has made of it, stillHas tells
// afterwards.
func (b *loadBalancers) begin(uid types.UID) (done func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.busy[uid] = true
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.busy, uid)
	}
}

// stillHas tells whether the ledger has what was made of a Service, nil if that is nothing.
// Another leader may have changed that, or the block was written again.
func (b *loadBalancers) stillHas(uid types.UID, is *ensured) bool {
	var made map[ledger.Place]ledger.Tenant
	if is != nil {
		made = is.has
	}
	places := b.store.Tenancies(uid)
	return len(places) == len(made) && !slices.ContainsFunc(places, func(place ledger.Place) bool {
		tenant, _ := tenantOf(b.store.Tenants(place), uid)
		before, had := made[place]
		return !had || !before.Equal(tenant)
	})
}

// leave ends the waiting of a Service, and returns who is called instead of it.
func (b *loadBalancers) leave(name types.NamespacedName) []loadbalancer.Waiter {
	b.mu.Lock()
	defer b.mu.Unlock()
	next := b.waiters.Leave(name)
	if _, waited := b.waitsFor[name]; waited {
		delete(b.waitsFor, name)
		b.news.balancingChanged(name)
	}
	return append(next, b.turn.End(name)...)
}

// forget ends all that a Service waits for.
func (b *loadBalancers) forget(name types.NamespacedName) { b.enqueue(b.leave(name)...) }

// wanting notes since when a Service has no address.
func (b *loadBalancers) wanting(service *corev1.Service) {
	if _, allocated := loadbalancer.Reason(service); allocated {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, known := b.wants[service.UID]; !known {
		b.wants[service.UID] = b.clock.Now()
	}
}

// satisfied notes that a Service has all that it asks for.
func (b *loadBalancers) satisfied(service *corev1.Service) {
	b.mu.Lock()
	since, wanted := b.wants[service.UID]
	delete(b.wants, service.UID)
	b.mu.Unlock()
	if wanted {
		b.counters.allocation.Observe(b.clock.Since(since).Seconds())
	}
}

// contest is how often a status was restored, and when that is next to be done.
type contest struct {
	times int
	next  time.Time
}

// contested returns for how long a status is left as somebody else made it: longer
// each time that it was restored, so that two who disagree do not keep the API server
// busy.
func (b *loadBalancers) contested(service *corev1.Service, is *ensured) time.Duration {
	const longest, quiet = time.Minute, 5 * time.Minute
	if _, had := loadbalancer.Reason(service); is.acted || !had || !is.Allocated.True || !loadbalancer.Edited(service, &is.Desired) {
		return 0
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	now, of := b.clock.Now(), b.contests[service.UID]
	if wait := of.next.Sub(now); wait > 0 {
		return wait
	}
	if now.Sub(of.next) > quiet {
		of.times = 0
	}
	of.next = now.Add(min(time.Second<<min(of.times, 6)/2, longest))
	of.times++
	b.contests[service.UID] = of
	return 0
}

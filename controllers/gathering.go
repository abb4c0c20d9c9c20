// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// The first change of a Service is published at once. When a burst of them follows,
// publishing each would write the same slices again and again, so they are gathered:
// the longer the burst, the longer. Where many Services of a namespace change, each
// of them gathers from the first change on: they wait for each other anyway, and
// fewer writes serve all of them sooner.
const (
	// longestRemoval is for how long a change is held back at most that takes an
	// endpoint away: until it is published, traffic goes where nobody answers.
	longestRemoval = 100 * time.Millisecond
	// shortestHold is for how long changes are gathered when a burst begins.
	shortestHold = 100 * time.Millisecond
	// quiet is after how long without a change a burst is over.
	quiet = 40 * time.Millisecond
	// burst is how many changes during one write make a burst.
	burst = 3
)

// gatherer decides for how long changes of pods wait before their Service is
// reconciled. Event handlers tell it of changes, and reconciles when they begin and
// end. A gatherer remembers only Services that have changed lately.
type gatherer struct {
	clock clock.PassiveClock
	// fixed, if not zero, is for how long every change waits, burst or not: then a
	// user has asked for that, as stock controllers offer it.
	fixed time.Duration
	// longest is for how long at most changes wait in a burst.
	longest time.Duration
	// took, if not nil, observes how long it takes to publish changes, in seconds.
	took prometheus.Observer

	mu       sync.Mutex
	services map[types.NamespacedName]*gathering
	crowds   crowds
}

// gathering is what is known of one Service.
type gathering struct {
	pending gathered
	last    time.Time     // when the last change came
	hold    time.Duration // for how long changes are gathered now
	until   time.Time     // the end of that
	crowd   time.Time     // the end of gathering in a crowd
	batch   gathered      // what the reconcile under way has taken
}

// gathered are the changes that one reconcile publishes.
type gathered struct {
	changes int
	first   time.Time // when the first came
	removal time.Time // when the first came that takes an endpoint away; zero is none
}

func newGatherer(now clock.PassiveClock, fixed, longest time.Duration) *gatherer {
	return &gatherer{clock: now, fixed: fixed, longest: longest, services: map[types.NamespacedName]*gathering{}}
}

// changed takes notice of a pod's change and returns for how long it waits.
func (g *gatherer) changed(service types.NamespacedName, removal bool) time.Duration {
	if g.fixed > 0 {
		return g.fixed
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.services[service]
	if s == nil {
		s = &gathering{}
		g.services[service] = s
	}
	now := g.clock.Now()
	if now.Sub(s.last) > g.longest {
		s.hold = 0 // of a burst that is long over
	}
	s.last = now
	if inCrowd := g.crowds.joined(service.Namespace, now); inCrowd && s.pending.changes == 0 {
		s.crowd = now.Add(min(crowdHold, g.longest))
	}
	if s.pending.changes == 0 {
		s.pending.first = now
	}
	s.pending.changes++
	if removal && s.pending.removal.IsZero() {
		s.pending.removal = now
	}
	return max(0, s.due().Sub(now))
}

// due is when the changes of a Service are to be published: when they have been
// gathered for long enough, or when a burst is over outside a crowd, or when the first
// removal has waited for as long as it may.
func (s *gathering) due() time.Time {
	at := s.until
	if over := s.last.Add(quiet); over.Before(at) {
		at = over
	}
	if s.crowd.After(at) {
		at = s.crowd
	}
	if latest := s.pending.removal.Add(longestRemoval); !s.pending.removal.IsZero() && latest.Before(at) {
		at = latest
	}
	return at
}

// begin returns for how long a reconcile that is about to begin has to wait. If
// that is zero, it takes the changes there are, and must end with end.
func (g *gatherer) begin(service types.NamespacedName) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.services[service]
	if s == nil {
		return 0
	}
	if wait := s.due().Sub(g.clock.Now()); s.pending.changes > 0 && wait > 0 {
		return wait
	}
	s.batch, s.pending = s.pending, gathered{}
	return 0
}

// end takes notice that a reconcile is over. Changes that it has not published are
// due at once.
func (g *gatherer) end(service types.NamespacedName, published bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.services[service]
	if s == nil {
		return
	}
	now, batch := g.clock.Now(), s.batch
	s.batch = gathered{}
	switch {
	case !published && batch.changes > 0:
		s.pending.changes += batch.changes
		s.pending.first = batch.first
		s.until, s.crowd = now, time.Time{}
		return
	case s.pending.changes >= burst:
		s.hold = min(max(2*s.hold, shortestHold), g.longest)
	case batch.changes < burst:
		s.hold = 0
	}
	if batch.changes > 0 && g.took != nil {
		g.took.Observe(now.Sub(batch.first).Seconds())
	}
	s.until = now.Add(s.hold)
	if s.hold == 0 && s.pending.changes == 0 {
		delete(g.services, service)
	}
}

// urge makes the changes of a Service wait no longer, since something else has
// happened that is not to be put off.
func (g *gatherer) urge(service types.NamespacedName) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if s := g.services[service]; s != nil {
		s.until, s.crowd = time.Time{}, time.Time{}
	}
}

// forget drops what is known of a Service.
func (g *gatherer) forget(service types.NamespacedName) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.services, service)
}

// promptly makes handlers enqueue a Service for what happened to itself: that is not
// put off. Before that, it is introduced.
func (g *gatherer) promptly(
	introduce func(*corev1.Service), to handler.TypedEventHandler[*corev1.Service, reconcile.Request],
) eventHandlers[*corev1.Service] {
	return eventHandlers[*corev1.Service]{
		CreateFunc: func(ctx context.Context, e event.TypedCreateEvent[*corev1.Service], q queue) {
			introduce(e.Object)
			g.urge(client.ObjectKeyFromObject(e.Object))
			to.Create(ctx, e, q)
		},
		UpdateFunc: func(ctx context.Context, e event.TypedUpdateEvent[*corev1.Service], q queue) {
			introduce(e.ObjectNew)
			g.urge(client.ObjectKeyFromObject(e.ObjectNew))
			to.Update(ctx, e, q)
		},
		DeleteFunc: func(ctx context.Context, e event.TypedDeleteEvent[*corev1.Service], q queue) {
			g.urge(client.ObjectKeyFromObject(e.Object))
			to.Delete(ctx, e, q)
		},
	}
}

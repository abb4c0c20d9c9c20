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
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"
)

const (
	// secondLook is after what time a difference is looked for again. One that is
	// still there then is no change on its way to the event handlers.
	secondLook = 5 * time.Second
	// looksAPeriod is how often in a period the Services are gone through.
	looksAPeriod = 20
)

// checks compare the state of each Service with one made anew from the cache, once
// in a period. A difference should never be. If there is one, it is counted, logged
// and put right.
type checks struct {
	clock       clock.PassiveClock
	period      time.Duration
	differences prometheus.Counter

	mu       sync.Mutex
	services map[types.NamespacedName]*checked
}

// checked is a Service that has a state.
type checked struct {
	next      time.Time // when to check it
	suspicion string    // what the last check found
}

func newChecks(now clock.PassiveClock, period time.Duration, differences prometheus.Counter) *checks {
	return &checks{clock: now, period: period, differences: differences, services: map[types.NamespacedName]*checked{}}
}

func newDifferences(registry prometheus.Registerer, controller string) (prometheus.Counter, error) {
	r := &registrar{registry: registry, subsystem: "servicenet"}
	differences := r.counter("endpoint_state_differences_total",
		"Services of which a controller knew something else than the API server, found and put right", "controller")
	return differences.WithLabelValues(controller), r.failed()
}

// due tells whether a Service is to be checked now. One that is not known yet is
// checked a period from now.
func (c *checks) due(service types.NamespacedName) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	of := c.services[service]
	if of == nil {
		c.services[service] = &checked{next: c.clock.Now().Add(c.period)}
		return false
	}
	return !c.clock.Now().Before(of.next)
}

// judge takes notice of what a check has found, nothing if all is well, and tells
// whether it has to be put right.
func (c *checks) judge(service types.NamespacedName, difference string) (wrong bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	of := c.services[service]
	if of == nil {
		return false
	}
	wrong = difference != "" && difference == of.suspicion
	if wrong {
		c.differences.Inc()
		difference = ""
	}
	of.suspicion, of.next = difference, c.clock.Now().Add(c.period)
	if difference != "" {
		of.next = c.clock.Now().Add(secondLook)
	}
	return wrong
}

// forget drops a Service that has no state any more.
func (c *checks) forget(service types.NamespacedName) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.services, service)
}

// from is a [watch] of nothing but time: it enqueues the Services that are due.
func (c *checks) from(cache.Cache) source.Source {
	return source.Func(func(ctx context.Context, q queue) error {
		go wait.UntilWithContext(ctx, func(context.Context) { c.enqueueDue(q) }, c.period/looksAPeriod)
		return nil
	})
}

// enqueueDue enqueues Services at low priority: changes go before them.
func (c *checks) enqueueDue(q queue) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.clock.Now()
	for service, of := range c.services {
		if now.Before(of.next) {
			continue
		}
		request := reconcile.Request{NamespacedName: service}
		if prioritized, ok := q.(priorityqueue.PriorityQueue[reconcile.Request]); ok {
			prioritized.AddWithOpts(priorityqueue.AddOpts{Priority: new(handler.LowPriority)}, request)
		} else {
			q.Add(request)
		}
	}
}

// run checks a Service if that is due. difference says what is wrong with its state,
// and invalid makes it be made anew.
func (c *checks) run(
	ctx context.Context, service *corev1.Service,
	difference func(context.Context, *corev1.Service) (string, error), invalidate func(),
) error {
	key := client.ObjectKeyFromObject(service)
	if !c.due(key) {
		return nil
	}
	found, err := difference(ctx, service)
	if err != nil {
		return err
	}
	if c.judge(key, found) {
		log.FromContext(ctx).Error(nil, "What was known of the Service was wrong, and is made anew", "difference", found)
		invalidate()
	}
	return nil
}

// difference tells where the state of a Service is not what the cache holds, empty
// if it is. While changes are on their way to the event handlers, it may be found
// behind without being wrong.
func (r *endpointSliceReconciler) difference(ctx context.Context, service *corev1.Service) (string, error) {
	state, err := r.refresh(ctx, service)
	if err != nil {
		return "", err
	}
	pods, err := r.listPods(ctx, service)
	if err != nil {
		return "", err
	}
	slices, err := r.listSlices(ctx, client.ObjectKeyFromObject(service))
	if err != nil {
		return "", err
	}
	nodes := newNodeZones(ctx, r.reader)
	return state.Compare(service, pods, slices, nodes.zoneOf), nodes.err
}

// difference tells the same of the Endpoints of a Service.
func (r *endpointsReconciler) difference(ctx context.Context, service *corev1.Service) (string, error) {
	state, err := r.refresh(ctx, service)
	if err != nil {
		return "", err
	}
	pods, err := r.listPods(ctx, service)
	if err != nil {
		return "", err
	}
	return state.Compare(service, pods), nil
}

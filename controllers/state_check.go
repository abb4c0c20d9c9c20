// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
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

	"servicenet.dev/servicenet/internal/endpointslice"
)

const (
	// secondLook is after what time a difference is looked for again. One that is
	// still there then is no change on its way to the event handlers.
	secondLook = 5 * time.Second
	// looksAPeriod is how often in a period the Services are gone through.
	looksAPeriod = 20
	// checkPace is how far apart checks are: each is two or three requests.
	checkPace = 100 * time.Millisecond
)

// checks compare the state of each Service with what the API server holds, once in a
// period, or as often as their pace allows. A difference should never be. If there is
// one, it is counted, logged and put right.
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

// enqueueDue enqueues Services one after the other, those first that have waited for
// longest, and at low priority: changes go before them.
func (c *checks) enqueueDue(q queue) {
	for i, service := range c.allDue() {
		request, after := reconcile.Request{NamespacedName: service}, time.Duration(i)*checkPace
		if prioritized, ok := q.(priorityqueue.PriorityQueue[reconcile.Request]); ok {
			prioritized.AddWithOpts(priorityqueue.AddOpts{After: after, Priority: new(handler.LowPriority)}, request)
		} else {
			q.AddAfter(request, after)
		}
	}
}

// allDue returns as many Services as can be checked until the next look.
func (c *checks) allDue() []types.NamespacedName {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.clock.Now()
	var due []types.NamespacedName
	for service, of := range c.services {
		if !now.Before(of.next) {
			due = append(due, service)
		}
	}
	slices.SortFunc(due, func(a, b types.NamespacedName) int {
		return cmp.Or(c.services[a].next.Compare(c.services[b].next), strings.Compare(a.String(), b.String()))
	})
	return due[:min(len(due), max(1, int(c.period/looksAPeriod/checkPace)))]
}

// examination compares the state of a Service with what the API server holds. It
// returns what is different, empty if nothing is, and how to put that right.
type examination func(context.Context, *corev1.Service) (difference string, repair func(), err error)

// run checks a Service for which nothing else is to do, if that is due. It returns
// after what time to look at the Service again, since its state was put right; zero
// is never.
func (c *checks) run(ctx context.Context, service *corev1.Service, examine examination) (again time.Duration, err error) {
	key := client.ObjectKeyFromObject(service)
	if !c.due(key) {
		return 0, nil
	}
	difference, repair, err := examine(ctx, service)
	if err != nil || !c.judge(key, difference) {
		return 0, err
	}
	log.FromContext(ctx).Error(nil, "What was known of the Service was wrong, and is put right", "difference", difference)
	repair()
	return soon, nil
}

// examine compares a state with the API server. While changes are on their way to the
// cache, it may be found behind without being wrong.
func (r *endpointSliceReconciler) examine(ctx context.Context, service *corev1.Service) (string, func(), error) {
	pods, err := r.readPods(ctx, service)
	if err != nil {
		return "", nil, err
	}
	all, err := r.readSlices(ctx, service)
	if err != nil {
		return "", nil, err
	}
	// What the event handlers have noted meanwhile is no difference.
	state, err := r.refresh(ctx, service)
	if err != nil {
		return "", nil, err
	}
	nodes := newNodeZones(ctx, r.reader)
	repair := func() { state.Reset(service, pods, all, newNodeZones(ctx, r.reader).zoneOf) }
	return state.Compare(service, pods, all, nodes.zoneOf), repair, nodes.err
}

// examine does the same for the Endpoints of a Service.
func (r *endpointsReconciler) examine(ctx context.Context, service *corev1.Service) (string, func(), error) {
	pods, err := r.readPods(ctx, service)
	if err != nil {
		return "", nil, err
	}
	state, err := r.refresh(ctx, service)
	if err != nil {
		return "", nil, err
	}
	return state.Compare(service, pods), func() { state.Reset(service, pods) }, nil
}

// pageSize is how many objects are read at a time.
const pageSize = 500

// readPods returns the pods a Service selects as the API server has them.
func (a *access) readPods(ctx context.Context, service *corev1.Service) ([]*corev1.Pod, error) {
	var all []*corev1.Pod
	page := &corev1.PodList{}
	for more := true; more; more = page.Continue != "" {
		err := a.live.List(ctx, page, client.InNamespace(service.Namespace), client.MatchingLabels(service.Spec.Selector),
			client.Limit(pageSize), client.Continue(page.Continue))
		if err != nil {
			return nil, fmt.Errorf("reading the pods the Service selects: %w", err)
		}
		for i := range page.Items {
			all = append(all, endpointslice.StripPod(page.Items[i].DeepCopy()))
		}
	}
	return all, nil
}

// readSlices returns the slices that bear a Service's name likewise.
func (a *access) readSlices(ctx context.Context, service *corev1.Service) ([]*discoveryv1.EndpointSlice, error) {
	var list discoveryv1.EndpointSliceList
	ofService := client.MatchingLabels{discoveryv1.LabelServiceName: service.Name}
	if err := a.live.List(ctx, &list, client.InNamespace(service.Namespace), ofService); err != nil {
		return nil, fmt.Errorf("reading the EndpointSlices of the Service: %w", err)
	}
	for i := range list.Items {
		endpointslice.StripSlice(&list.Items[i])
	}
	return pointers(list.Items), nil
}

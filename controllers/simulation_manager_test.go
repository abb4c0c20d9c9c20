// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"reflect"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"servicenet.dev/servicenet/internal/endpointslice"
	"servicenet.dev/servicenet/internal/mirroring"
)

// simManager is one process: the real reconcilers and their handlers, with a
// cache, queues and a connection to the server of their own.
type simManager struct {
	world       *simWorld
	name        string
	cache       *simCache
	controllers []*simController
	dead        bool
}

// simController is one reconciler and its queue.
type simController struct {
	name       string
	queue      *simQueue
	reconciler reconcile.Reconciler
	remembers  func() int // how much it remembers that should be settled at rest
	// examine compares its state of a Service with the server.
	examine examination
}

// newSimManager starts a process, which begins with a fresh list.
func newSimManager(w *simWorld) *simManager {
	w.managers++
	m := &simManager{world: w, name: fmt.Sprintf("manager-%d", w.managers), cache: newSimCache(w.api, &w.chaos)}
	w.must(addIndexes(w.ctx, m.cache, w.options.Controllers))
	m.addEndpointSlice()
	m.addEndpoints()
	m.addMirroring()
	return m
}

func (m *simManager) addEndpointSlice() {
	options := m.world.options
	r := newEndpointSliceReconciler(m.access(endpointslice.ManagedBy), m.world.metrics.slices, m.world.metrics.differences, options)
	r.carryOut = m.world.inAnyOrder
	m.add(EndpointSliceName, r, r.watches(options), func() int { return simTracked(r.tracker) }).examine = r.examine
}

func (m *simManager) addEndpoints() {
	options := m.world.options
	r := newEndpointsReconciler(m.access(""), m.world.metrics.differences, options)
	added := m.add(EndpointsName, r, r.watches(), func() int { return simTracked(r.tracker) + len(r.departed.seen) })
	added.examine = r.examine
}

func (m *simManager) addMirroring() {
	options := m.world.options
	r := newMirroringReconciler(m.access(mirroring.ManagedBy), m.world.metrics.mirroring, options)
	r.carryOut = m.world.inAnyOrder
	m.add(EndpointSliceMirroringName, r, r.watches(options), func() int { return simTracked(r.tracker) })
}

// access is that of the reconciler which keeps the slices with a managed-by
// label, if it keeps slices.
func (m *simManager) access(managedBy string) access {
	remote := client.WithFieldOwner(&simClient{manager: m, managedBy: managedBy}, endpointslice.FieldManager)
	return access{reader: m.cache, live: remote, writer: remote, recorder: &events.FakeRecorder{}, clock: m.world.clock}
}

// add adds a reconciler, with the events it acts on.
func (m *simManager) add(name string, r reconcile.Reconciler, watches []watch, remembers func() int) *simController {
	q := newSimQueue(m.world.random, m.world.clock)
	c := &simController{name: name, queue: q, reconciler: r, remembers: remembers}
	m.controllers = append(m.controllers, c)
	for _, each := range watches {
		switch w := each.(type) {
		case watchOf[*corev1.Service]:
			simListen(m.cache, q, simServices, w)
		case watchOf[*corev1.Pod]:
			simListen(m.cache, q, simPods, w)
		case watchOf[*corev1.Node]:
			simListen(m.cache, q, simNodes, w)
		case watchOf[*discoveryv1.EndpointSlice]:
			simListen(m.cache, q, simSlices, w)
		case watchOf[*corev1.Endpoints]:
			simListen(m.cache, q, simEndpoints, w)
		case *checks: // a check that is due is part of the next reconcile
		default:
			panic(fmt.Sprintf("the simulation has no %T", each))
		}
	}
	return c
}

// cached returns a Service as the cache holds it.
func (m *simManager) cached(service *corev1.Service) *corev1.Service {
	return simAs[*corev1.Service](m.cache.objects[simServices][client.ObjectKeyFromObject(service)])
}

// simTracked looks into a tracker for how many owners it remembers.
func simTracked(of any) int { return reflect.ValueOf(of).Elem().FieldByName("owners").Len() }

// work reconciles one request that is due, and returns false if there is none.
func (m *simManager) work() bool {
	for _, at := range m.world.random.Perm(len(m.controllers)) {
		c := m.controllers[at]
		if request, found := c.queue.take(); found {
			m.reconcile(c, request)
			return true
		}
	}
	return false
}

// reconcile does what controller-runtime does with a request and its result.
func (m *simManager) reconcile(c *simController, request reconcile.Request) {
	defer func() {
		c.queue.Done(request)
		if cause := recover(); cause != nil {
			if _, crashed := cause.(simCrash); !crashed {
				panic(cause)
			}
		}
	}()
	m.world.tracef("%s: %s reconciles %s", m.name, c.name, request)
	result, err := c.reconciler.Reconcile(m.world.ctx, request)
	m.world.tracef("%s: %s reconciled %s: again after %s, error %v", m.name, c.name, request, result.RequeueAfter, err)
	switch {
	case err != nil:
		c.queue.AddRateLimited(request)
	case result.RequeueAfter > 0:
		c.queue.Forget(request)
		c.queue.AddAfter(request, result.RequeueAfter)
	default:
		c.queue.Forget(request)
	}
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
)

// simWorld is one sequence: a server, the managers that work against it, and a
// source of chance from which everything that happens follows.
type simWorld struct {
	ctx     context.Context
	random  *rand.Rand
	clock   *clocktesting.FakePassiveClock
	api     *simAPI
	options Options
	metrics *simMetrics
	zonal   bool // nodes change often and are mostly in good order, and most Services ask for shares of zones

	chaos    bool // requests fail, processes die, time passes between writes
	depth    int  // of steps within a reconcile
	leader   *simManager
	standby  *simManager // warm, but not at work; nil while there is none
	managers int         // started so far
	underWay []func() error
	writes   int   // of all managers
	broken   error // the first promise that was seen broken

	tracing bool
	lines   []string
}

// simMetrics are counted for all sequences together: nobody reads them here.
type simMetrics struct {
	slices    *endpointSliceMetrics
	mirroring *mirroringMetrics

	differences prometheus.Counter
}

func newSimWorld(ctx context.Context, seed uint64, metrics *simMetrics, tracing bool) *simWorld {
	random := rand.New(rand.NewPCG(seed, 0))
	w := &simWorld{
		ctx:     log.IntoContext(ctx, logr.Discard()),
		random:  random,
		clock:   clocktesting.NewFakePassiveClock(time.Unix(1_000_000, 0)),
		api:     &simAPI{simStore: newSimStore(), random: random, dropsEndpoints: random.IntN(2) == 0},
		metrics: metrics,
		zonal:   random.IntN(4) == 0,
		tracing: tracing,
	}
	w.options = Options{
		MaxEndpointsPerSlice:                     1 + random.IntN(4),
		MirroringMaxEndpointsPerSubset:           pick(w, 2, 1000, 1000),
		EndpointSliceUpdatesBatchPeriod:          pick(w, 0, 0, time.Second),
		EndpointUpdatesBatchPeriod:               pick(w, 0, 0, time.Second),
		MirroringEndpointSliceUpdatesBatchPeriod: pick(w, 0, 0, time.Second),
		KeepOrphanedEndpoints:                    w.chance(4),
		EndpointsCheckPeriod:                     pick(w, time.Second, time.Hour),
	}.withDefaults()
	w.tracef("%+v", w.options)
	return w
}

// chance is true once in n times.
func (w *simWorld) chance(n int) bool { return w.random.IntN(n) == 0 }

// pick returns one of several values.
func pick[T any](w *simWorld, values ...T) T { return values[w.random.IntN(len(values))] }

func (w *simWorld) tracef(format string, args ...any) {
	if w.tracing {
		w.lines = append(w.lines, strings.Repeat("    ", w.depth)+fmt.Sprintf(format, args...))
	}
}

// breaks notes a broken promise; the first one ends the sequence.
func (w *simWorld) breaksf(format string, args ...any) {
	if w.broken == nil {
		w.broken = fmt.Errorf(format, args...)
	}
}

// interleave lets other things happen in the middle of a reconcile.
func (w *simWorld) interleave() {
	if !w.chaos || w.depth > 1 || !w.chance(4) {
		return
	}
	w.depth++
	for range 1 + w.random.IntN(3) {
		w.step()
	}
	if w.zonal {
		w.changeNode()
		w.deliverSome()
		w.deliverSome()
	}
	w.depth--
}

// restart begins a new process with nothing remembered.
func (w *simWorld) restart() {
	w.retire(w.leader)
	w.leader = newSimManager(w)
	w.tracef("%s: starts", w.leader.name)
}

// failOver makes the standby the leader. The old leader may be in the middle of
// a reconcile, and goes on with it.
func (w *simWorld) failOver() {
	if w.standby == nil {
		w.standby = newSimManager(w)
		w.tracef("%s: stands by", w.standby.name)
		return
	}
	w.retire(w.leader)
	w.leader, w.standby = w.standby, nil
	w.tracef("%s: leads", w.leader.name)
}

// retire ends the watches of a process.
func (w *simWorld) retire(m *simManager) {
	if m != nil {
		w.api.watchers = slices.DeleteFunc(w.api.watchers, func(c *simCache) bool { return c == m.cache })
	}
}

// land lets a request take effect that was under way.
func (w *simWorld) land() {
	if len(w.underWay) > 0 {
		at := w.random.IntN(len(w.underWay))
		late := w.underWay[at]
		w.underWay = slices.Delete(w.underWay, at, at+1)
		_ = late() // nobody hears of it
	}
}

// pass lets virtual time pass.
func (w *simWorld) pass(d time.Duration) { w.clock.SetTime(w.clock.Now().Add(d)) }

// collect is the garbage collector: it removes slices whose owners are all gone,
// and tells whether there were any.
func (w *simWorld) collect() (found bool) {
	for _, slice := range simAll[*discoveryv1.EndpointSlice](w.api.simStore) {
		owners := slice.OwnerReferences
		if len(owners) == 0 || slice.DeletionTimestamp != nil || slices.ContainsFunc(owners, w.ownerExists(slice.Namespace)) {
			continue
		}
		found = true
		w.tracef("garbage collector: delete %s", simText{slice})
		w.must(w.api.Delete(w.ctx, slice))
	}
	return found
}

func (w *simWorld) ownerExists(namespace string) func(metav1.OwnerReference) bool {
	return func(owner metav1.OwnerReference) bool {
		found := w.api.objects[simKind(owner.Kind)][simKey(namespace, owner.Name)]
		return found != nil && found.GetUID() == owner.UID
	}
}

// must is for writes of the world itself, which cannot fail.
func (w *simWorld) must(err error) {
	if err != nil {
		w.breaksf("the simulation is wrong: %w", err)
	}
}

// settle ends all faults and lets everything that is under way arrive and every
// queue run empty. It fails when that takes more reconciles than can be needed.
func (w *simWorld) settle() {
	const enough = 150
	w.chaos = false
	for len(w.underWay) > 0 {
		w.land()
	}
	if w.leader.cache.broken != "" {
		w.breakWatch()
	}
	for reconciles := 0; w.broken == nil && reconciles < enough; {
		if w.chance(2) && w.leader.cache.deliver(w.ctx) {
			continue
		}
		if w.leader.work() {
			reconciles++
			continue
		}
		if !w.leader.cache.deliver(w.ctx) && !w.awaitNext() && !w.collect() {
			return
		}
	}
	w.breaksf("%d reconciles did not bring it to rest", enough)
}

// awaitNext lets time pass until the next request is due, and returns false if
// there is none.
func (w *simWorld) awaitNext() bool {
	for _, c := range w.leader.controllers {
		if at, found := c.queue.nextDue(); found {
			w.pass(max(0, at.Sub(w.clock.Now())))
			return true
		}
	}
	return false
}

// checkForeign notices a write to what belongs to somebody else: a slice with
// another manager, or Endpoints that never had a Service.
func (w *simWorld) checkForeign(before client.Object, managedBy string) {
	foreign := true
	switch simKindOf(before) {
	case simSlices:
		foreign = before.GetLabels()[discoveryv1.LabelManagedBy] != managedBy
	case simEndpoints:
		foreign = before.GetName() == simLock || before.GetName() == simSolo
	default: // nobody here writes to it
	}
	if foreign {
		w.breaksf("a manager wrote to %s, which is somebody else's", simText{before})
	}
}

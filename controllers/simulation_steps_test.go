// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"
)

// populate fills a world before anything runs.
func (w *simWorld) populate() {
	for range 1 + w.random.IntN(3) {
		w.changeNode()
		w.changeService()
	}
	for w.zonal && len(w.api.objects[simNodes]) < 3 {
		w.changeNode()
	}
	for range w.random.IntN(8) {
		w.changePod()
	}
	for w.zonal && len(w.api.objects[simPods]) < simPodCount-2 {
		w.changePod()
	}
	w.restart()
}

// step is one thing that happens.
func (w *simWorld) step() {
	switch n := w.random.IntN(100); {
	case n < 45:
		w.change()
	case n < 70:
		w.deliverSome()
	case n < 90:
		w.leader.work()
	default:
		w.trouble()
	}
}

// change is a step of the users and of the cluster.
func (w *simWorld) change() {
	switch n := w.random.IntN(100); {
	case n < 50:
		w.changePod()
	case n < 65:
		w.changeService()
	case n < 73:
		w.changeNode()
	case n < 84:
		w.changeEndpoints()
	case n < 97:
		w.tamper()
	default:
		w.collect()
	}
}

// trouble is a step of what goes wrong.
func (w *simWorld) trouble() {
	switch n := w.random.IntN(100); {
	case n < 35:
		w.breakWatch()
	case n < 50:
		w.land()
	case n < 70:
		w.pass(time.Duration(w.random.IntN(5000)) * time.Millisecond)
	case n < 80 && w.chaos:
		w.tracef("%s: is killed", w.leader.name)
		w.leader.dead = true
		w.restart()
	default:
		w.failOver()
	}
}

// breakWatch ends the watch of one kind, or the outage if there is one.
func (w *simWorld) breakWatch() {
	cache := w.leader.cache
	if cache.broken != "" {
		w.tracef("%s: lists %s anew", w.leader.name, cache.broken)
		cache.relist(w.api)
		return
	}
	cache.broken = pick(w, simKinds()...)
	w.tracef("%s: loses the watch of %s", w.leader.name, cache.broken)
}

func (w *simWorld) deliverSome() {
	for range 1 + w.random.IntN(6) {
		w.leader.cache.deliver(w.ctx)
		if w.standby != nil {
			w.standby.cache.deliver(w.ctx)
		}
	}
}

// create, update and remove are writes of users and of the cluster.
func (w *simWorld) create(object client.Object) {
	w.tracef("user: create %s", simText{object})
	w.must(w.api.Create(w.ctx, object))
}

func (w *simWorld) update(object client.Object) {
	w.tracef("user: update %s", simText{object})
	w.must(w.api.Update(w.ctx, object))
}

func (w *simWorld) remove(object client.Object) {
	w.tracef("user: delete %s", simText{object})
	w.must(w.api.Delete(w.ctx, object))
}

// removeGracefully marks an object that is not marked yet, as a kubelet or a
// finalizer has it, and removes one that is.
func (w *simWorld) removeGracefully(object client.Object) {
	if object.GetDeletionTimestamp() == nil {
		w.tracef("user: %s is terminating", simText{object})
		w.api.markDeleted(object)
		return
	}
	gone := simCopy(object)
	gone.SetFinalizers(nil)
	w.tracef("user: %s has terminated", simText{object})
	w.api.put(gone, true)
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"math/rand/v2"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"servicenet.dev/servicenet/internal/endpoints"
	"servicenet.dev/servicenet/internal/endpointslice"
)

// simCache is the cache of one manager. It lags behind the server, and its
// listeners behind it: a change is first under way, then in the store, and then
// told to the handlers, with any amount of other work between.
type simCache struct {
	*simStore
	random    *rand.Rand
	chaos     *bool // whether the store may move on between two reads
	watch     map[simKind][]simChange
	broken    simKind // the kind whose watch is down, if any
	listeners []*simListener
}

// simListener is one handler of one kind.
type simListener struct {
	kind    simKind
	handle  func(context.Context, simNotice)
	notices []simNotice
}

// simNotice is an event for handlers: an object that came (no before), went (no
// after) or changed.
type simNotice struct {
	before, after client.Object
	initial       bool
}

// newSimCache returns a cache that has just listed everything.
func newSimCache(api *simAPI, chaos *bool) *simCache {
	c := &simCache{simStore: newSimStore(), random: api.random, chaos: chaos, watch: map[simKind][]simChange{}}
	for _, kind := range simKinds() {
		for _, object := range api.sorted(kind) {
			c.objects[kind][client.ObjectKeyFromObject(object)] = simStrip(simCopy(object))
		}
	}
	api.watchers = append(api.watchers, c)
	return c
}

// simListen adds a handler, which first hears of all that the cache holds.
func simListen[T client.Object](c *simCache, q queue, kind simKind, w watchOf[T]) {
	filter, to := predicate.And(w.filters...), w.handler
	listener := &simListener{kind: kind, handle: func(ctx context.Context, n simNotice) {
		switch {
		case n.before == nil:
			if e := (event.TypedCreateEvent[T]{Object: simAs[T](n.after), IsInInitialList: n.initial}); filter.Create(e) {
				to.Create(ctx, e, q)
			}
		case n.after == nil:
			if e := (event.TypedDeleteEvent[T]{Object: simAs[T](n.before)}); filter.Delete(e) {
				to.Delete(ctx, e, q)
			}
		default:
			if e := (event.TypedUpdateEvent[T]{ObjectOld: simAs[T](n.before), ObjectNew: simAs[T](n.after)}); filter.Update(e) {
				to.Update(ctx, e, q)
			}
		}
	}}
	for _, object := range c.sorted(kind) {
		listener.notices = append(listener.notices, simNotice{after: object, initial: true})
	}
	c.listeners = append(c.listeners, listener)
}

// Get may read a store that moved on since the last read.
func (c *simCache) Get(ctx context.Context, key client.ObjectKey, into client.Object, opts ...client.GetOption) error {
	c.drift()
	return c.simStore.Get(ctx, key, into, opts...)
}

// List may read a store that moved on since the last read.
func (c *simCache) List(ctx context.Context, into client.ObjectList, opts ...client.ListOption) error {
	c.drift()
	return c.simStore.List(ctx, into, opts...)
}

func (c *simCache) drift() {
	if under := c.underWay(); *c.chaos && len(under) > 0 && c.random.IntN(8) == 0 {
		c.arrive(under[c.random.IntN(len(under))])
	}
}

// underWay returns the kinds of which changes are under way and can arrive.
func (c *simCache) underWay() []simKind {
	var kinds []simKind
	for _, kind := range simKinds() {
		if len(c.watch[kind]) > 0 && kind != c.broken {
			kinds = append(kinds, kind)
		}
	}
	return kinds
}

// arrive stores the next change of a kind and leaves a notice of it.
func (c *simCache) arrive(kind simKind) {
	change := c.watch[kind][0]
	c.watch[kind] = c.watch[kind][1:]
	key := client.ObjectKeyFromObject(change.object)
	object := simStrip(simCopy(change.object))
	notice := simNotice{before: c.objects[kind][key], after: object}
	c.objects[kind][key] = object
	if change.deleted {
		delete(c.objects[kind], key)
		notice = simNotice{before: object}
	}
	for _, listener := range c.listeners {
		if listener.kind == kind {
			listener.notices = append(listener.notices, notice)
		}
	}
}

// deliver moves one change one step on, and returns false if there is none.
func (c *simCache) deliver(ctx context.Context) bool {
	var waiting []*simListener
	for _, listener := range c.listeners {
		if len(listener.notices) > 0 {
			waiting = append(waiting, listener)
		}
	}
	kinds := c.underWay()
	if len(kinds)+len(waiting) == 0 {
		return false
	}
	pick := c.random.IntN(len(kinds) + len(waiting))
	if pick < len(kinds) {
		c.arrive(kinds[pick])
		return true
	}
	listener := waiting[pick-len(kinds)]
	notice := listener.notices[0]
	listener.notices = listener.notices[1:]
	listener.handle(ctx, notice)
	return true
}

// relist is what follows a broken watch: the changes under way are lost, and
// instead come the differences to what the server holds now. An object that was
// deleted and created again meanwhile is seen as an update.
func (c *simCache) relist(api *simAPI) {
	kind := c.broken
	c.broken, c.watch[kind] = "", nil
	for _, object := range api.sorted(kind) {
		held := c.objects[kind][client.ObjectKeyFromObject(object)]
		if held == nil || held.GetResourceVersion() != object.GetResourceVersion() {
			c.watch[kind] = append(c.watch[kind], simChange{object: object})
		}
	}
	for _, held := range c.sorted(kind) {
		if api.objects[kind][client.ObjectKeyFromObject(held)] == nil {
			c.watch[kind] = append(c.watch[kind], simChange{object: held, deleted: true})
		}
	}
}

// resync tells all handlers of all objects once more.
func (c *simCache) resync() {
	for _, listener := range c.listeners {
		for _, object := range c.sorted(listener.kind) {
			listener.notices = append(listener.notices, simNotice{before: object, after: object})
		}
	}
}

// simStrip strips an object as the cache of the controllers does.
func simStrip(object client.Object) client.Object {
	switch object := object.(type) {
	case *corev1.Service:
		return endpointslice.StripService(object)
	case *corev1.Pod:
		return endpointslice.StripPod(object)
	case *corev1.Node:
		return endpointslice.StripNode(object)
	case *discoveryv1.EndpointSlice:
		return endpointslice.StripSlice(object)
	case *corev1.Endpoints:
		return endpoints.StripEndpoints(object)
	default:
		return object
	}
}

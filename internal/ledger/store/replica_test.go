// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/allocator"
	"servicenet.dev/servicenet/internal/bitmap"
	"servicenet.dev/servicenet/internal/ledger"
	"servicenet.dev/servicenet/internal/repair"
)

// event is what a watch of Services shows.
type event struct {
	service *service
	gone    bool
}

// object is what a watch of IPAddress objects shows.
type object struct {
	place         ledger.Place
	foreign, gone bool
}

// watcher is a replica's watches: what the server has to tell it, in order.
type watcher struct {
	news     chan struct{}
	blocks   []*servicenetv1alpha1.AllocationBlock
	services []event
	objects  []object
}

// replica is a Store with its watches, on a server.
type replica struct {
	*Store
	v    *server
	link *link
	w    *watcher
	// lag is the longest a watch event takes.
	lag time.Duration
	// skew is how far its clock is off.
	skew time.Duration

	mu sync.Mutex
	// cache is which Services it has seen.
	cache map[ledger.Place]*service
	// objects is which IPAddress objects it has seen.
	objects map[ledger.Place]object

	stopRun, stopWatch, stopCollect context.CancelFunc
	running                         sync.WaitGroup
	// deaf stops its watches for a while, blind that of Services alone.
	deaf, blind bool
}

// start starts a replica, which is told of what exists and then of changes.
func (v *server) start(ctx context.Context, holder uint64, skew time.Duration, adjust func(*Options)) *replica {
	r := &replica{v: v, link: &link{v: v}, lag: 20 * time.Millisecond, skew: skew, cache: map[ledger.Place]*service{}, objects: map[ledger.Place]object{}}
	options := Options{
		Client: r.link, Evidence: r.link, Seen: r.seen, Namespace: "servicenet-system",
		Holder: ledger.Holder(holder), Identity: "replica", Seed: holder, Now: func() time.Time { return time.Now().Add(skew) },
	}
	if adjust != nil {
		adjust(&options)
	}
	r.Store = New(ctx, options)
	v.mu.Lock()
	w := &watcher{news: make(chan struct{}, 1)}
	for _, object := range v.blocks {
		w.blocks = append(w.blocks, object.DeepCopy())
	}
	for _, s := range v.services {
		w.services = append(w.services, event{service: s})
	}
	for place := range v.allocated {
		if hasObjects(place.Family) {
			w.objects = append(w.objects, object{place: place})
		}
	}
	for place := range v.parked {
		w.objects = append(w.objects, object{place: place, foreign: true})
	}
	w.news <- struct{}{}
	v.watchers = append(v.watchers, w)
	r.w = w
	v.mu.Unlock()

	run, stopRun := context.WithCancel(ctx)
	watch, stopWatch := context.WithCancel(ctx)
	r.stopRun, r.stopWatch, r.stopCollect = stopRun, stopWatch, func() {}
	r.running.Go(func() { _ = r.Run(run) })
	r.running.Go(func() { r.watch(watch, w) })
	return r
}

// seen is Seen of the Store's Options.
func (r *replica) seen(place ledger.Place) Finding {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s := r.cache[place]; s != nil {
		return Finding{Carrier: s.Owner}
	}
	o, exists := r.objects[place]
	return Finding{Leftover: exists && !o.foreign, Foreign: o.foreign}
}

// lead makes the replica the leader, which also compares the ledger with the
// Services from time to time.
func (r *replica) lead(ctx context.Context) {
	collect, stop := context.WithCancel(ctx)
	r.stopCollect = stop
	r.running.Go(func() { _ = r.Collect(collect) })
	r.running.Go(func() {
		last := map[ledger.Key]*ledger.Block{}
		for sleep(collect, 20*time.Second) == nil {
			r.compare(collect, last)
		}
	})
}

// compare is what the repair loop does, at its simplest. last are the blocks as it
// saw them before.
func (r *replica) compare(ctx context.Context, last map[ledger.Key]*ledger.Block) {
	r.mu.Lock()
	carried := maps.Clone(r.cache)
	r.mu.Unlock()
	blocks := r.Blocks()
	maps.DeleteFunc(blocks, func(key ledger.Key, _ *ledger.Block) bool { return ledger.HasTenants(key.Family) })
	r.rebuild(ctx, blocks, carried, last)
	for key, block := range blocks {
		last[key] = block
		for number := range block.Used().Numbers() {
			if f := r.seen(ledger.Place{Key: key, Number: number}); !f.carried() {
				r.Release(ledger.Place{Key: key, Number: number})
			}
		}
	}
	for place, s := range carried {
		r.Carried(place, s.Owner, s.version)
	}
}

// rebuild rebuilds the blocks that can't be read, and those that are not there
// any more though Services have numbers of theirs.
func (r *replica) rebuild(ctx context.Context, blocks map[ledger.Key]*ledger.Block, services map[ledger.Place]*service, last map[ledger.Key]*ledger.Block) {
	lost := map[ledger.Key]*bitmap.Set{}
	for key := range r.Broken() {
		if ledger.HasTenants(key.Family) {
			continue // that is another controller's
		}
		lost[key] = bitmap.New(allocator.BlockSize)
	}
	for place := range services {
		if blocks[place.Key] == nil && last[place.Key] != nil && lost[place.Key] == nil {
			lost[place.Key] = bitmap.New(allocator.BlockSize)
		}
		if lost[place.Key] != nil {
			lost[place.Key].Take(place.Number)
		}
	}
	for key, carried := range lost {
		_ = r.Rebuild(ctx, key, func(b *ledger.Block, absent ledger.Holder) { repair.Restore(b, last[key], carried, absent) })
	}
}

// stop ends a replica as a signal does, kill as a power cut does.
func (r *replica) stop() {
	r.stopCollect()
	r.stopRun()
	time.Sleep(6 * time.Second)
	r.kill()
}

func (r *replica) kill() {
	r.link.sever()
	r.stopCollect()
	r.stopRun()
	r.stopWatch()
	r.running.Wait()
	r.v.mu.Lock()
	defer r.v.mu.Unlock()
	r.v.watchers = slices.DeleteFunc(r.v.watchers, func(w *watcher) bool { return w == r.w })
}

// watch shows the Store what the server tells, later and in order.
func (r *replica) watch(ctx context.Context, w *watcher) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.news:
		}
		for ctx.Err() == nil {
			if sleep(ctx, r.v.upTo(r.lag)) != nil {
				return
			}
			if r.link.broken() || r.isDeaf() {
				_ = sleep(ctx, 300*time.Millisecond)
				continue
			}
			if !r.show(w) {
				break
			}
		}
	}
}

func (r *replica) isDeaf() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.deaf
}

func (r *replica) setDeaf(deaf bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.deaf = deaf
}

func (r *replica) isBlind() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.blind
}

func (r *replica) setBlind(blind bool) {
	r.mu.Lock()
	r.blind = blind
	r.mu.Unlock()
	r.v.mu.Lock()
	defer r.v.mu.Unlock()
	r.v.tell(func(*watcher) {})
}

// relist drops what a watch would not show that was broken off and begun anew:
// all but the last of each object.
func (r *replica) relist() {
	r.v.mu.Lock()
	defer r.v.mu.Unlock()
	blocks := map[types.UID]int{}
	for i, b := range r.w.blocks {
		blocks[b.UID] = i
	}
	services := map[types.UID]int{}
	for i, s := range r.w.services {
		services[s.service.UID] = i
	}
	objects := map[ledger.Place]int{}
	for i, o := range r.w.objects {
		objects[o.place] = i
	}
	keep := *r.w
	r.w.blocks, r.w.services, r.w.objects = nil, nil, nil
	for i, o := range keep.objects {
		if objects[o.place] == i {
			r.w.objects = append(r.w.objects, o)
		}
	}
	for i, b := range keep.blocks {
		if blocks[b.UID] == i {
			r.w.blocks = append(r.w.blocks, b)
		}
	}
	for i, s := range keep.services {
		if services[s.service.UID] == i {
			r.w.services = append(r.w.services, s)
		}
	}
}

// show shows the next event of each watch and tells whether there was one.
func (r *replica) show(w *watcher) bool {
	r.v.mu.Lock()
	var block *servicenetv1alpha1.AllocationBlock
	var s *event
	if len(w.blocks) > 0 {
		block, w.blocks = w.blocks[0], w.blocks[1:]
	}
	if len(w.services) > 0 && !r.isBlind() {
		s, w.services = &w.services[0], w.services[1:]
	}
	some := block != nil || s != nil || len(w.objects) > 0
	if len(w.objects) > 0 {
		r.showObject(w.objects[0])
		w.objects = w.objects[1:]
	}
	r.v.mu.Unlock()
	switch {
	case block == nil:
	case block.DeletionTimestamp != nil:
		r.BlockGone(block)
	default:
		r.BlockSeen(block)
	}
	if s != nil {
		r.showService(s)
	}
	return some
}

func (r *replica) showObject(o object) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if o.gone {
		delete(r.objects, o.place)
		return
	}
	r.objects[o.place] = o
}

func (r *replica) showService(s *event) {
	for _, place := range s.service.places {
		r.mu.Lock()
		switch {
		case !s.gone:
			r.cache[place] = s.service
		case r.cache[place] != nil && r.cache[place].Owner == s.service.Owner:
			delete(r.cache, place)
		}
		r.mu.Unlock()
		if !s.gone {
			r.Carried(place, s.service.Owner, s.service.version)
			continue
		}
		then := ledger.Retention{}
		if s.service.keep > 0 {
			then = ledger.Retention{Until: r.Now().Add(s.service.keep), For: ledger.SubjectOf(s.service.NamespacedName)}
		}
		r.Dropped(place, s.service.Owner, then)
	}
}

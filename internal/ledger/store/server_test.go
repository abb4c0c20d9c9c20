// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/ledger"
)

// server is an API server for tests that run in a synctest bubble: what it does
// takes time, and faults are up to chance. It has blocks, Leases, Services and
// IPAddress objects, and allocates as the stock server does: a Service is refused
// whose number it has not let go of.
type server struct {
	t *testing.T

	mu       sync.Mutex
	rng      *rand.Rand
	revision int
	blocks   map[string]*servicenetv1alpha1.AllocationBlock
	// decoded is what the blocks say.
	decoded  map[string]*ledger.Block
	leases   map[string]*coordinationv1.Lease
	services map[types.NamespacedName]*service
	// allocated is what the stock allocator has, by number, until it lets go.
	allocated map[ledger.Place]ledger.Owner
	// parked are IPAddress objects that are no Service's.
	parked map[ledger.Place]bool

	// faults is the chance that a call goes wrong, in percent.
	faults int
	// refused is the name of a block that may not be written, and refusals how
	// often that was tried.
	refused  string
	refusals int
	// slow is the longest a call takes.
	slow time.Duration
	// letGo is the longest the stock allocator takes to let go of a number.
	letGo time.Duration

	watchers []*watcher
	// writes counts writes of blocks, and looks the questions about numbers.
	writes, looks int
	// applied is called after a block has changed. mu is held.
	applied func(name string, before, after *ledger.Block)
}

type service struct {
	ledger.Owner
	places  []ledger.Place
	keep    time.Duration
	version string
}

func newServer(t *testing.T, seed uint64) *server {
	t.Helper()
	return &server{
		t: t, rng: rand.New(rand.NewPCG(seed, 1)), revision: 100,
		blocks: map[string]*servicenetv1alpha1.AllocationBlock{}, decoded: map[string]*ledger.Block{}, leases: map[string]*coordinationv1.Lease{},
		services: map[types.NamespacedName]*service{}, allocated: map[ledger.Place]ledger.Owner{}, parked: map[ledger.Place]bool{},
		slow: 5 * time.Millisecond, letGo: 50 * time.Millisecond,
		applied: func(string, *ledger.Block, *ledger.Block) {},
	}
}

// chance returns a number below limit.
func (v *server) chance(limit int) int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.rng.IntN(limit)
}

func (v *server) upTo(limit time.Duration) time.Duration {
	v.mu.Lock()
	defer v.mu.Unlock()
	return time.Duration(v.rng.Int64N(int64(limit))) + 1
}

// pace returns how long half a call takes.
func (v *server) pace() time.Duration {
	v.mu.Lock()
	defer v.mu.Unlock()
	return time.Duration(v.rng.Int64N(int64(v.slow))) + 1
}

// link is a replica's connection to the server.
type link struct {
	v *server
	// down tells that nothing gets through, cut that it never will again.
	mu        sync.Mutex
	down, cut bool
}

func (l *link) set(down bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = down
}

func (l *link) sever() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut = true
}

func (l *link) broken() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.down || l.cut
}

var (
	errLost    = errors.New("connection lost")
	errRefused = errors.New("refused")
)

// call does something that takes time and may go wrong: before it is done, after
// it is done, or it is done only after the caller was told that it went wrong.
func (l *link) call(ctx context.Context, do func() error) error {
	v := l.v
	if err := sleep(ctx, v.pace()); err != nil || l.broken() {
		return errors.Join(errLost, err)
	}
	v.mu.Lock()
	fault := v.rng.IntN(100) < v.faults
	kind := v.rng.IntN(3)
	v.mu.Unlock()
	var err error
	switch {
	case fault && kind == 0:
		return errLost
	case fault && kind == 1:
		late := v.upTo(8 * time.Second)
		time.AfterFunc(late, func() {
			v.mu.Lock()
			defer v.mu.Unlock()
			_ = do()
		})
		return errLost
	default:
		v.mu.Lock()
		err = do()
		v.mu.Unlock()
	}
	if errSleep := sleep(ctx, v.pace()); errSleep != nil || l.broken() || fault {
		return errors.Join(errLost, errSleep)
	}
	return err
}

// refuse has updates of a block refused, of none if the name is empty.
func (v *server) refuse(name string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.refused = name
}

func notFound(name string) error {
	return apierrors.NewNotFound(schema.GroupResource{Resource: "things"}, name)
}

func conflict(name string) error {
	return apierrors.NewConflict(schema.GroupResource{Resource: "things"}, name, errors.New("changed"))
}

func (v *server) next() string {
	v.revision++
	return strconv.Itoa(v.revision)
}

// Get is of Client.
func (l *link) Get(ctx context.Context, key client.ObjectKey, object client.Object, _ ...client.GetOption) error {
	return l.call(ctx, func() error {
		switch into := object.(type) {
		case *servicenetv1alpha1.AllocationBlock:
			if is := l.v.blocks[key.Name]; is != nil {
				is.DeepCopyInto(into)
				return nil
			}
		case *coordinationv1.Lease:
			if is := l.v.leases[key.Name]; is != nil {
				is.DeepCopyInto(into)
				return nil
			}
		}
		return notFound(key.Name)
	})
}

// List is of Client.
func (l *link) List(ctx context.Context, list client.ObjectList, _ ...client.ListOption) error {
	return l.call(ctx, func() error {
		switch into := list.(type) {
		case *servicenetv1alpha1.AllocationBlockList:
			into.Items = nil
			for _, is := range l.v.blocks {
				into.Items = append(into.Items, *is.DeepCopy())
			}
		case *coordinationv1.LeaseList:
			into.Items = nil
			for _, is := range l.v.leases {
				into.Items = append(into.Items, *is.DeepCopy())
			}
		}
		return nil
	})
}

// Create is of Client.
func (l *link) Create(ctx context.Context, object client.Object, _ ...client.CreateOption) error {
	wanted := copyOf(object)
	var made client.Object
	err := l.call(ctx, func() error {
		v := l.v
		if v.stored(wanted) != nil {
			return apierrors.NewAlreadyExists(schema.GroupResource{Resource: "things"}, wanted.GetName())
		}
		made = copyOf(wanted)
		made.SetResourceVersion(v.next())
		made.SetUID(types.UID("uid-" + made.GetResourceVersion()))
		v.store(made)
		return nil
	})
	if err != nil {
		return err
	}
	l.answer(object, made)
	return nil
}

// Update is of Client.
func (l *link) Update(ctx context.Context, object client.Object, _ ...client.UpdateOption) error {
	wanted := copyOf(object)
	var made client.Object
	err := l.call(ctx, func() error {
		v := l.v
		is := v.stored(wanted)
		switch {
		case wanted.GetName() == v.refused:
			v.refusals++
			return errRefused
		case is == nil:
			return notFound(wanted.GetName())
		case is.GetResourceVersion() != wanted.GetResourceVersion() || is.GetUID() != wanted.GetUID():
			return conflict(wanted.GetName())
		}
		made = copyOf(wanted)
		made.SetResourceVersion(v.next())
		v.store(made)
		return nil
	})
	if err != nil {
		return err
	}
	l.answer(object, made)
	return nil
}

// Delete is of Client.
func (l *link) Delete(ctx context.Context, object client.Object, options ...client.DeleteOption) error {
	wanted := copyOf(object)
	applied := &client.DeleteOptions{}
	applied.ApplyOptions(options)
	return l.call(ctx, func() error {
		is := l.v.stored(wanted)
		if is == nil {
			return notFound(wanted.GetName())
		}
		if only := applied.Preconditions; only != nil && (*only.UID != is.GetUID() || *only.ResourceVersion != is.GetResourceVersion()) {
			return conflict(wanted.GetName())
		}
		l.v.next()
		l.v.remove(is)
		return nil
	})
}

func (l *link) answer(object, made client.Object) {
	l.v.mu.Lock()
	defer l.v.mu.Unlock()
	switch into := object.(type) {
	case *servicenetv1alpha1.AllocationBlock:
		*into = *made.(*servicenetv1alpha1.AllocationBlock) //nolint:errcheck // of the same kind
	case *coordinationv1.Lease:
		*into = *made.(*coordinationv1.Lease) //nolint:errcheck // of the same kind
	}
}

func copyOf(object client.Object) client.Object {
	switch object := object.(type) {
	case *servicenetv1alpha1.AllocationBlock:
		return object.DeepCopy()
	case *coordinationv1.Lease:
		return object.DeepCopy()
	default:
		return nil
	}
}

func (v *server) stored(like client.Object) client.Object {
	switch like.(type) {
	case *servicenetv1alpha1.AllocationBlock:
		if is := v.blocks[like.GetName()]; is != nil {
			return is
		}
	case *coordinationv1.Lease:
		if is := v.leases[like.GetName()]; is != nil {
			return is
		}
	}
	return nil
}

func (v *server) store(object client.Object) {
	switch object := object.(type) {
	case *servicenetv1alpha1.AllocationBlock:
		before := v.block(object.Name)
		v.blocks[object.Name] = object.DeepCopy()
		delete(v.decoded, object.Name)
		v.writes++
		v.applied(object.Name, before, v.block(object.Name))
		v.tell(func(w *watcher) { w.blocks = append(w.blocks, object.DeepCopy()) })
	case *coordinationv1.Lease:
		v.leases[object.Name] = object.DeepCopy()
	}
}

func (v *server) remove(object client.Object) {
	switch object := object.(type) {
	case *servicenetv1alpha1.AllocationBlock:
		before := v.block(object.Name)
		delete(v.blocks, object.Name)
		delete(v.decoded, object.Name)
		v.writes++
		v.applied(object.Name, before, v.block(object.Name))
		gone := object.DeepCopy()
		gone.DeletionTimestamp = new(metav1.Now())
		v.tell(func(w *watcher) { w.blocks = append(w.blocks, gone) })
	case *coordinationv1.Lease:
		delete(v.leases, object.Name)
	}
}

func (v *server) block(name string) *ledger.Block {
	object := v.blocks[name]
	switch {
	case object == nil:
		return ledger.NewBlock(0)
	case v.decoded[name] != nil:
		return v.decoded[name]
	}
	block, err := ledger.Decode(object.Data)
	if err != nil {
		v.t.Errorf("block %s: %v", name, err)
		return ledger.NewBlock(0)
	}
	v.decoded[name] = block
	return block
}

// Look is of Evidence.
func (l *link) Look(ctx context.Context, questions []Question) ([]Finding, error) {
	findings := make([]Finding, len(questions))
	err := l.call(ctx, func() error {
		l.v.looks += len(questions)
		for i, q := range questions {
			findings[i] = l.v.finding(q.Place)
		}
		return nil
	})
	return findings, err
}

func (v *server) finding(place ledger.Place) Finding {
	for _, s := range v.services {
		if slices.Contains(s.places, place) {
			return Finding{Carrier: s.Owner}
		}
	}
	if !hasObjects(place.Family) {
		return Finding{}
	}
	_, leftover := v.allocated[place]
	return Finding{Leftover: leftover, Foreign: v.parked[place]}
}

// apply makes a Service that carries these numbers, or fails as the stock server
// would. The answer tells which.
func (v *server) apply(owner ledger.Owner, places []ledger.Place, keep time.Duration) (ledger.Owner, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.services[owner.NamespacedName] != nil {
		return ledger.Owner{}, fmt.Errorf("%s exists", owner)
	}
	for _, place := range places {
		if by, taken := v.allocated[place]; taken || v.parked[place] {
			return ledger.Owner{}, fmt.Errorf("%s is allocated by %s", place, by)
		}
	}
	version := v.next()
	v.showObjects(places, false)
	owner.UID = types.UID("uid-" + version)
	made := &service{Owner: owner, places: places, keep: keep, version: version}
	for _, place := range places {
		v.allocated[place] = owner
	}
	v.services[owner.NamespacedName] = made
	v.tell(func(w *watcher) { w.services = append(w.services, event{service: made}) })
	return owner, nil
}

// extend gives a Service that exists one more number, or fails as the stock server
// would.
func (v *server) extend(owner ledger.Owner, place ledger.Place) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	is := v.services[owner.NamespacedName]
	if is == nil || is.UID != owner.UID {
		return fmt.Errorf("%s is gone", owner)
	}
	if by, taken := v.allocated[place]; taken || v.parked[place] {
		return fmt.Errorf("%s is allocated by %s", place, by)
	}
	v.showObjects([]ledger.Place{place}, false)
	more := &service{Owner: owner, places: append(slices.Clone(is.places), place), keep: is.keep, version: v.next()}
	v.allocated[place] = owner
	v.services[owner.NamespacedName] = more
	v.tell(func(w *watcher) { w.services = append(w.services, event{service: more}) })
	return nil
}

// drop removes a Service. The stock allocator lets go of its numbers some time
// later.
func (v *server) drop(name types.NamespacedName) {
	v.mu.Lock()
	defer v.mu.Unlock()
	gone := v.services[name]
	if gone == nil {
		return
	}
	v.next()
	delete(v.services, name)
	v.tell(func(w *watcher) { w.services = append(w.services, event{service: gone, gone: true}) })
	time.AfterFunc(time.Duration(v.rng.Int64N(int64(v.letGo)))+1, func() {
		v.mu.Lock()
		defer v.mu.Unlock()
		for _, place := range gone.places {
			if v.allocated[place] == gone.Owner {
				delete(v.allocated, place)
				v.showObjects([]ledger.Place{place}, true)
			}
		}
	})
}

// spoil writes something else into a block, if there is one, as somebody might who
// has no business there. What the block said is compared with what it says next.
func (v *server) spoil(name string, data []byte) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.blocks[name] == nil {
		return
	}
	was, spoilt := v.block(name), v.blocks[name].DeepCopy()
	spoilt.Data, spoilt.ResourceVersion = data, v.next()
	v.blocks[name], v.decoded[name] = spoilt, was
	v.tell(func(w *watcher) { w.blocks = append(w.blocks, spoilt.DeepCopy()) })
}

// wipe deletes a block, if there is one, as above, whatever it says.
func (v *server) wipe(name string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if object := v.blocks[name]; object != nil {
		v.next()
		checked := v.applied
		v.applied = func(string, *ledger.Block, *ledger.Block) {}
		v.remove(object)
		v.applied = checked
	}
}

// park makes an IPAddress object that is no Service's.
func (v *server) park(place ledger.Place) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.parked[place] = true
	v.tell(func(w *watcher) { w.objects = append(w.objects, object{place: place, foreign: true}) })
}

func (v *server) unpark(place ledger.Place) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.parked, place)
	v.showObjects([]ledger.Place{place}, true)
}

// showObjects tells of the IPAddress objects of Services.
func (v *server) showObjects(places []ledger.Place, gone bool) {
	for _, place := range places {
		if hasObjects(place.Family) {
			v.tell(func(w *watcher) { w.objects = append(w.objects, object{place: place, gone: gone}) })
		}
	}
}

func (v *server) tell(each func(*watcher)) {
	for _, w := range v.watchers {
		each(w)
		select {
		case w.news <- struct{}{}:
		default:
		}
	}
}

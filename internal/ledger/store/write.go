// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/ledger"
)

// errMoved says that a number is not any more what a change needs it to be.
var errMoved = errors.New("the number changed meanwhile")

// change is something to be done to a block. All that wait when a write begins
// are done in one.
type change struct {
	// ctx is whose who waits. A change that nobody waits for any more is dropped
	// if it was not written yet.
	ctx context.Context //nolint:containedctx // of the one call that waits
	// move changes a block, or fails and changes nothing. It may be called again
	// for a newer block. mu is held.
	move func(*ledger.Block) error
	// landed is called when what move did is in the API server, and was learned. It
	// may find that the number was given to another already, if a watch was faster
	// than the answer. mu is held.
	landed func() error
	done   chan error
	// fault is the last fault of the API server.
	fault error
}

// swap makes a change and waits for it.
func (s *Store) swap(ctx context.Context, key ledger.Key, move func(*ledger.Block) error, landed func() error) error {
	c := &change{ctx: ctx, move: move, landed: landed, done: make(chan error, 1)}
	s.mu.Lock()
	p := s.page(key)
	p.waiting = append(p.waiting, c)
	s.startWriting(p)
	s.mu.Unlock()
	select {
	case err := <-c.done:
		return err
	case <-ctx.Done():
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.tooLate(c)
	}
}

// later makes a change that nobody waits for. A move that returns false finds
// nothing to do any more.
func (s *Store) later(p *page, move func(*ledger.Block) bool, landed func() error) {
	p.waiting = append(p.waiting, &change{
		ctx: s.life, landed: landed, done: make(chan error, 1),
		move: func(b *ledger.Block) error { move(b); return nil },
	})
	s.startWriting(p)
}

// lazily makes a change that nobody waits for with the next write, or some time
// later.
func (s *Store) lazily(p *page, move func(*ledger.Block) bool) {
	p.waiting = append(p.waiting, &change{
		ctx: s.life, done: make(chan error, 1),
		move: func(b *ledger.Block) error { move(b); return nil },
	})
	s.flushLater(p)
}

func (s *Store) tooLate(c *change) error {
	return &ledger.UnavailableError{Reason: "the ledger could not be written in time", RetryAfter: time.Second, Err: c.fault}
}

func (s *Store) startWriting(p *page) {
	if !p.writing && s.life.Err() == nil {
		p.writing = true
		go s.write(p)
	}
}

// write makes all changes of a page that wait, and ends when none does.
func (s *Store) write(p *page) {
	var batch []*change
	faults := 0
	for more := true; more; {
		var err error
		if batch, more, err = s.writeOnce(p, batch); err == nil {
			faults = 0
			continue
		}
		s.pause(faults)
		faults++
	}
}

// pause waits after a fault of the API server, longer after each further one.
func (s *Store) pause(faults int) {
	timer := time.NewTimer(min(20*time.Millisecond<<min(faults, 6), time.Second))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.life.Done():
	}
}

// writeOnce makes what waits now. It returns what has to be tried again, with an
// error if there was a fault, and whether to go on at all.
func (s *Store) writeOnce(p *page, batch []*change) (again []*change, more bool, err error) {
	s.mu.Lock()
	batch = s.gather(p, batch)
	if len(batch) == 0 && (len(p.carried) == 0 || p.broken != nil || s.life.Err() != nil) {
		p.writing = false
		s.mu.Unlock()
		return nil, false, nil
	}
	if !p.known {
		seen := p.seen
		s.mu.Unlock()
		return batch, true, s.fault(batch, s.read(p, seen))
	}
	d, err := s.draft(p, batch)
	if err != nil || d.unchanged {
		s.land(p, d, nil)
		s.mu.Unlock()
		return nil, true, err
	}
	object := p.object(d.block, d.data)
	s.mu.Unlock()

	err = s.put(d, object)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		s.land(p, d, object)
		return nil, true, nil
	}
	p.known = false
	s.unsettle(p, d)
	if contended(err) {
		s.Metrics.swapped(p.key.Family, "conflict")
		return d.changes, true, nil
	}
	s.Metrics.swapped(p.key.Family, "fault")
	for _, c := range d.changes {
		c.fault = err
	}
	return d.changes, true, err
}

func (s *Store) fault(batch []*change, err error) error {
	if err == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range batch {
		c.fault = err
	}
	return err
}

// gather adds what waits to a batch and drops what nobody waits for any more. At
// the end of the Store's life that is all.
func (s *Store) gather(p *page, batch []*change) []*change {
	live := make([]*change, 0, len(batch)+len(p.waiting))
	all := slices.Concat(batch, p.waiting)
	p.waiting = nil
	for _, c := range all {
		if c.ctx.Err() != nil || s.life.Err() != nil {
			c.done <- s.tooLate(c)
			continue
		}
		live = append(live, c)
	}
	return live
}

// draft is a block as it is to be.
type draft struct {
	block *ledger.Block
	data  []byte
	// changes are those that were made.
	changes  []*change
	settling []*number
	// exists tells that there is an object to change.
	exists, unchanged bool
}

// draft makes changes, and settles what is carried, in a copy of the block. With
// an error nothing is to be written, and all changes were told.
func (s *Store) draft(p *page, batch []*change) (*draft, error) {
	d := &draft{exists: p.meta.UID != ""}
	if p.broken != nil {
		d.changes = batch
		return d.refuse("the ledger has to be repaired", p.broken)
	}
	if p.block != nil {
		d.block = p.block.Clone()
	} else {
		d.block = ledger.NewBlock(s.rng.Uint32())
	}
	for _, c := range batch {
		if err := c.move(d.block); err != nil {
			c.done <- err
			continue
		}
		d.changes = append(d.changes, c)
	}
	for _, n := range p.carried {
		d.block.Settle(n.Number, s.Holder)
		n.state = leaving
		p.settled[n.Number] = true
		d.settling = append(d.settling, n)
	}
	clear(p.carried)
	var err error
	if d.data, err = d.block.Encode(); err != nil {
		s.Logger.Error(err, "Could not write a block", "block", p.key.String())
		s.unsettle(p, d)
		return d.refuse("the ledger has no room", err)
	}
	d.unchanged = bytes.Equal(d.data, p.data) || !d.exists && d.block.Empty()
	return d, nil
}

// refuse fails all changes of a draft.
func (d *draft) refuse(reason string, err error) (*draft, error) {
	for _, c := range d.changes {
		c.done <- &ledger.UnavailableError{Reason: reason, RetryAfter: 10 * time.Second, Err: err}
	}
	return &draft{}, err
}

// unsettle notes that numbers are still to be settled.
func (s *Store) unsettle(p *page, d *draft) {
	for _, n := range d.settling {
		if p.mine[n.Number] == n {
			n.state = carried
			p.carried[n.Number] = n
		}
	}
}

// put writes a draft, with the object as it is read back.
func (s *Store) put(d *draft, object *servicenetv1alpha1.AllocationBlock) error {
	ctx, cancel := context.WithTimeout(s.life, s.Timing.Call)
	defer cancel()
	switch {
	case !d.exists:
		return s.Client.Create(ctx, object)
	case d.block.Empty():
		only := client.Preconditions{UID: &object.UID, ResourceVersion: &object.ResourceVersion}
		return s.Client.Delete(ctx, object, only)
	default:
		return s.Client.Update(ctx, object)
	}
}

// land takes over a draft that is in the API server, as this object if it is new.
func (s *Store) land(p *page, d *draft, object *servicenetv1alpha1.AllocationBlock) {
	switch {
	case object == nil:
	case d.exists && d.block.Empty():
		if p.meta.UID == object.UID {
			s.miss(p)
		}
	default:
		s.see(p, written(d, object))
	}
	if object != nil {
		s.Metrics.swapped(p.key.Family, "done")
		s.Metrics.batched(len(d.changes) + len(d.settling))
	}
	for _, c := range d.changes {
		c.done <- s.conclude(c)
	}
}

func written(d *draft, object *servicenetv1alpha1.AllocationBlock) *version {
	v := &version{block: d.block, data: d.data, meta: *object.ObjectMeta.DeepCopy()}
	v.meta.ManagedFields = nil
	return v
}

// conclude ends a change that has landed. What nobody waits for any more stays
// as the block has it.
func (s *Store) conclude(c *change) error {
	switch {
	case c.ctx.Err() != nil:
		return s.tooLate(c)
	case c.landed != nil:
		return c.landed()
	default:
		return nil
	}
}

// read asks the API server for a block. seen is how many versions had been seen
// before.
func (s *Store) read(p *page, seen int) error {
	ctx, cancel := context.WithTimeout(s.life, s.Timing.Call)
	defer cancel()
	object := &servicenetv1alpha1.AllocationBlock{}
	err := s.Client.Get(ctx, types.NamespacedName{Name: p.key.String()}, object)
	var v *version
	if err == nil {
		v = versionOf(object)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err == nil:
		s.see(p, v)
	case apierrors.IsNotFound(err) && p.seen == seen:
		s.miss(p)
	case !apierrors.IsNotFound(err):
		return err
	}
	return nil
}

// contended tells that a write failed because the block is not what it was.
func contended(err error) bool {
	return apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) || apierrors.IsNotFound(err)
}

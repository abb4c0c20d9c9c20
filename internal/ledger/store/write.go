// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/ledger"
)

// mostWriters is how many blocks a replica writes at a time. The changes of the
// others wait and share writes: where the API server is busy, fewer and larger
// writes get more done.
const mostWriters = 4

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
		s.gatherCrowd(p)
		leave := s.enter()
		batch, more, err = s.writeOnce(p, batch)
		leave()
		if err == nil {
			if len(batch) == 0 { // not after a read, to which the next write may fail again
				faults = 0
			}
			continue
		}
		if faults == 0 && s.life.Err() == nil {
			s.Logger.Error(err, "Could not read or write a block, and will try again", "block", p.key.String())
		}
		s.pause(faults)
		faults++
	}
}

// enter waits until not too many blocks are being written.
func (s *Store) enter() (leave func()) {
	select {
	case s.writers <- struct{}{}:
		return func() { <-s.writers }
	case <-s.life.Done():
		return func() {}
	}
}

// A block of load-balancer addresses says of each who has it, up to some 200 KiB, and
// is written, watched and read as a whole. Where many Services change at a time, their
// changes wait for each other, the longer the larger the block is, within a bound, and
// twice as long where so many come at once that each waits for others in any case.
const (
	bytesPerMillisecond = 1 << 10
	longestCrowding     = 90 * time.Millisecond
	flood               = 64
)

// gatherCrowd waits for others if the last write of a page was for several.
func (s *Store) gatherCrowd(p *page) {
	s.mu.Lock()
	wait := time.Duration(0)
	if p.crowd > 1 && ledger.HasTenants(p.key.Family) {
		apart := min(longestCrowding, time.Duration(len(p.data)/bytesPerMillisecond)*time.Millisecond)
		if p.crowd >= flood {
			apart *= 2
		}
		wait = time.Until(p.written.Add(apart))
	}
	s.mu.Unlock()
	if wait <= 0 {
		return
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.life.Done():
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
	if len(batch) == 0 && !s.settleNow(p) {
		p.writing = false
		s.mu.Unlock()
		return nil, false, nil
	}
	if !p.known {
		seen := p.seen
		s.mu.Unlock()
		return batch, true, s.fault(batch, s.read(s.life, p, seen))
	}
	d, err := s.draft(p, batch)
	if err != nil || d.unchanged {
		s.land(p, d, nil)
		s.mu.Unlock()
		return nil, true, err
	}
	object := p.object(d.block, d.data)
	p.sent, p.written, p.crowd = d, time.Now(), len(d.changes)
	s.mu.Unlock()

	err = s.put(d, object)
	s.mu.Lock()
	defer s.mu.Unlock()
	p.sent = nil
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

// settleNow tells whether there are numbers to settle that no other write comes for.
func (s *Store) settleNow(p *page) bool {
	return len(p.carried) > 0 && p.flush.IsZero() && p.broken == nil && s.life.Err() == nil
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

// put writes a draft, with the object as it is read back. A block whose numbers are
// all free is written like that first and then deleted, so that whoever sees one be
// deleted that is not knows that it was not done here.
func (s *Store) put(d *draft, object *servicenetv1alpha1.AllocationBlock) error {
	ctx, cancel := context.WithTimeout(s.life, s.Timing.Call)
	defer cancel()
	switch {
	case !d.exists:
		return s.Client.Create(ctx, object)
	case d.ends:
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
	case d.ends:
		if p.meta.UID == object.UID {
			s.miss(p)
		}
	default:
		s.see(p, written(d, object))
		if d.block.Empty() {
			s.later(p, func(*ledger.Block) bool { return false }, nil)
		}
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

// read asks the API server for a block. seen is how many versions had been seen
// before.
func (s *Store) read(ctx context.Context, p *page, seen int) error {
	ctx, cancel := context.WithTimeout(ctx, s.Timing.Call)
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

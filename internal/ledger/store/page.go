// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/allocator"
	"servicenet.dev/servicenet/internal/bitmap"
	"servicenet.dev/servicenet/internal/ledger"
)

// page is a block as this replica knows it, what it has on loan of it, and the
// changes that wait for it.
type page struct {
	key ledger.Key
	version
	// known tells that nothing newer than the version is known to exist. Else the
	// API server has to be asked before a write.
	known bool
	// floor is the newest resourceVersion seen: nothing older is listened to.
	floor string
	// gone is the object that was last seen to be deleted, and lost when one was that
	// was in use.
	gone types.UID
	lost time.Time
	// seen counts the versions seen.
	seen int
	// changed is closed, and replaced, when a version is seen.
	changed chan struct{}

	// mine is what this replica has on loan.
	mine map[int]*number
	// asked is whom a number that others have on loan was asked for.
	asked map[int]asked
	// carried are the numbers to settle. The next write takes them along.
	carried map[int]*number
	// flush is when what can wait is written at the latest, if anything waits.
	flush time.Time
	// settled are numbers that this replica settled last.
	settled *bitmap.Set
	// ending are numbers whose Services were seen to be gone, and until when the
	// block is expected to show it.
	ending map[int]time.Time
	// parted are numbers whose Services were seen to be gone while another led, and
	// for how long they are kept. The block does not show yet that it was told.
	parted map[int]ledger.Retention

	waiting []*change
	writing bool
	// sent is what is being written, if anything is.
	sent *draft
	// written is when the last write began, and crowd how many changes it had.
	written time.Time
	crowd   int

	// retained are the numbers that are held for whom.
	retained map[ledger.Digest][]int
	// watches is what the collector knows of held numbers.
	watches map[int]*watch
	// tenanted is the block as it says who has which load-balancer address, also while
	// it can't be read any more, and expires when the first retention of one is over.
	tenanted *ledger.Block
	expires  time.Time
}

// version is a block as the API server has it.
type version struct {
	// block is nil where there is no object, or none that can be read. It is
	// never changed, only replaced.
	block *ledger.Block
	data  []byte
	meta  metav1.ObjectMeta
	// broken says why an object can't be read, or that there is none since it was
	// lost.
	broken error
}

func newPage(key ledger.Key) *page {
	return &page{
		key: key, changed: make(chan struct{}),
		mine: map[int]*number{}, asked: map[int]asked{}, carried: map[int]*number{}, settled: bitmap.New(allocator.BlockSize),
		ending: map[int]time.Time{}, parted: map[int]ledger.Retention{}, retained: map[ledger.Digest][]int{}, watches: map[int]*watch{},
	}
}

// wake has everybody look at the page again who waits for a change of it.
func (p *page) wake() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// versionOf returns what an object says.
func versionOf(object *servicenetv1alpha1.AllocationBlock) *version {
	meta := object.ObjectMeta
	meta.ManagedFields = nil
	v := &version{data: object.Data, meta: *meta.DeepCopy()}
	if v.block, v.broken = ledger.Decode(object.Data); v.broken != nil {
		v.block, v.broken = nil, fmt.Errorf("block %s can't be read: %w", object.Name, v.broken)
	}
	return v
}

// object returns the object that says what a block does.
func (p *page) object(block *ledger.Block, data []byte) *servicenetv1alpha1.AllocationBlock {
	used, lent, held := block.Count()
	object := &servicenetv1alpha1.AllocationBlock{
		ObjectMeta: *p.meta.DeepCopy(), Family: p.key.Family, First: p.key.First(), Data: data,
		//nolint:gosec // at most as many as a block has
		Summary: servicenetv1alpha1.AllocationSummary{Used: int32(used), Lent: int32(lent), Held: int32(held)},
	}
	object.Name = p.key.String()
	return object
}

// state returns what a number of the page is.
func (p *page) state(number int) ledger.State {
	if p.block == nil {
		return ledger.Free
	}
	return p.block.State(number)
}

// see takes over a version that was read or watched, if it is news. It never
// goes back: a number that was put on loan since would be forgotten, and given
// out a second time when it turns up again.
func (s *Store) see(p *page, v *version) {
	if s.isNews(p, &v.meta) {
		p.version, p.known, p.floor = *v, true, v.meta.ResourceVersion
		s.learn(p)
	}
}

// isNews tells whether a version is news.
func (s *Store) isNews(p *page, meta *metav1.ObjectMeta) bool {
	if meta.UID == p.gone && p.gone != "" {
		return false
	}
	order, err := 1, error(nil)
	if p.floor != "" {
		order, err = resourceversion.CompareResourceVersion(meta.ResourceVersion, p.floor)
	}
	if err == nil && order == 0 {
		p.known = p.known || meta.ResourceVersion == p.meta.ResourceVersion
	}
	return err == nil && order > 0
}

// miss takes over that the object is not there. If addresses had tenants when it was
// last seen, it is lost: before it is deleted as it should be, it says that none has.
func (s *Store) miss(p *page) {
	if p.meta.UID != "" {
		p.gone = p.meta.UID
	}
	p.version, p.known = version{}, true
	if p.tenanted != nil && !p.tenanted.Empty() {
		p.broken, p.lost = ledger.ErrLost, time.Now()
	}
	s.learn(p)
}

// BlockSeen tells of a block that a watch shows.
func (s *Store) BlockSeen(object *servicenetv1alpha1.AllocationBlock) {
	key, err := keyOf(object)
	if err != nil {
		s.Logger.Error(err, "Left a block alone that is none of the ledger's", "block", object.Name)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.page(key)
	if !s.isNews(p, &object.ObjectMeta) {
		return
	}
	v := s.sentAs(p, object)
	if v == nil {
		s.mu.Unlock()
		v = versionOf(object)
		s.mu.Lock()
	}
	s.see(p, v)
}

// sentAs returns the version that an object is if it is what is being written now: it is
// mostly seen before the write is answered, and need not be decoded. Else it returns nil.
func (s *Store) sentAs(p *page, object *servicenetv1alpha1.AllocationBlock) *version {
	if p.sent == nil || !bytes.Equal(p.sent.data, object.Data) {
		return nil
	}
	return written(p.sent, object)
}

// BlockGone tells of a block that a watch shows to be deleted, as it was then. If not
// all numbers were free, others have deleted it: what was in flight is not known any
// more, and until it is rebuilt none of its numbers is given out.
func (s *Store) BlockGone(object *servicenetv1alpha1.AllocationBlock) {
	s.gone(object, versionOf(object))
}

// BlockMissing tells of a block of which a watch does not show how it went.
func (s *Store) BlockMissing(object *servicenetv1alpha1.AllocationBlock) { s.gone(object, nil) }

// gone takes over that a block was deleted, as it was last, if that is known.
func (s *Store) gone(object *servicenetv1alpha1.AllocationBlock, last *version) {
	key, err := keyOf(object)
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.page(key)
	lost := last != nil && (last.broken != nil || !last.block.Empty())
	if p.meta.UID == object.UID {
		s.miss(p)
	}
	if last == nil || p.gone != object.UID || p.meta.UID != "" {
		return
	}
	switch {
	case lost:
		p.broken, p.lost = ledger.ErrLost, time.Now()
		s.learn(p)
	case errors.Is(p.broken, ledger.ErrLost):
		p.broken = nil // it only seemed so
		s.learn(p)
	}
}

// giveUpOn gives up waiting for a block that is lost to be rebuilt: no request lives
// any more that could have been given one of its numbers. Who has load-balancer
// addresses nothing but the block tells: that is waited for.
func (s *Store) giveUpOn(p *page) {
	if errors.Is(p.broken, ledger.ErrLost) && time.Since(p.lost) > s.Timing.Stale && !ledger.HasTenants(p.key.Family) {
		p.broken = nil
		s.learn(p)
	}
}

func keyOf(object *servicenetv1alpha1.AllocationBlock) (ledger.Key, error) {
	key, err := ledger.ParseKey(object.Family, object.First)
	if err == nil && key.String() != object.Name {
		err = errors.New("its name is not that of its numbers")
	}
	return key, err
}

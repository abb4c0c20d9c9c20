// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
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

	// retained are the numbers that are held for whom.
	retained map[ledger.Digest][]int
	// watches is what the collector knows of held numbers.
	watches map[int]*watch
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

// versionOf returns what an object says.
func versionOf(object *servicenetv1alpha1.AllocationBlock) *version {
	v := &version{data: object.Data, meta: *object.ObjectMeta.DeepCopy()}
	v.meta.ManagedFields = nil
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
	if v.meta.UID == p.gone && p.gone != "" {
		return
	}
	order, err := 1, error(nil)
	if p.floor != "" {
		order, err = resourceversion.CompareResourceVersion(v.meta.ResourceVersion, p.floor)
	}
	switch {
	case err != nil || order < 0:
	case order == 0:
		p.known = p.known || v.meta.ResourceVersion == p.meta.ResourceVersion
	default:
		p.version, p.known, p.floor = *v, true, v.meta.ResourceVersion
		s.learn(p)
	}
}

// miss takes over that the object is not there.
func (s *Store) miss(p *page) {
	if p.meta.UID != "" {
		p.gone = p.meta.UID
	}
	p.version, p.known = version{}, true
	s.learn(p)
}

// BlockSeen tells of a block that a watch shows.
func (s *Store) BlockSeen(object *servicenetv1alpha1.AllocationBlock) {
	key, err := keyOf(object)
	if err != nil {
		s.Logger.Error(err, "Left a block alone that is none of the ledger's", "block", object.Name)
		return
	}
	if s.has(key, object.ResourceVersion) {
		return // mostly an echo of what was written here
	}
	v := versionOf(object)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.see(s.page(key), v)
}

// has tells whether a version of a block is known, and that it is the newest.
func (s *Store) has(key ledger.Key, version string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.page(key)
	return p.known && p.meta.ResourceVersion == version
}

// BlockGone tells of a block that a watch shows to be deleted, as it was then. If not
// all numbers were free, others have deleted it: what was in flight is not known any
// more, and until it is rebuilt none of its numbers is given out.
func (s *Store) BlockGone(object *servicenetv1alpha1.AllocationBlock) {
	last := versionOf(object)
	s.gone(object, last.broken != nil || !last.block.Empty())
}

// BlockMissing tells of a block of which a watch does not show how it went.
func (s *Store) BlockMissing(object *servicenetv1alpha1.AllocationBlock) { s.gone(object, false) }

func (s *Store) gone(object *servicenetv1alpha1.AllocationBlock, lost bool) {
	key, err := keyOf(object)
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.page(key)
	if p.meta.UID == object.UID {
		s.miss(p)
	}
	if lost && p.gone == object.UID && p.meta.UID == "" {
		p.broken, p.lost = ledger.ErrLost, time.Now()
		s.learn(p)
	}
}

// giveUpOn gives up waiting for a block that is lost to be rebuilt: no request lives
// any more that could have been given one of its numbers.
func (s *Store) giveUpOn(p *page) {
	if errors.Is(p.broken, ledger.ErrLost) && time.Since(p.lost) > s.Timing.Stale {
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

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package repair

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/ledger"
)

// Claim is a number and a Service that carries it.
type Claim struct {
	Place   ledger.Place
	Service ledger.Owner
}

// Report is what a comparison found.
type Report struct {
	// Adopt is what the ledger has for nobody and is to take over: nothing is wrong
	// with that.
	Adopt []Claim
	// Findings are what looks wrong. A Memory tells which of them last.
	Findings []Finding
}

// Compare returns what of a world does not agree.
func Compare(w *World) Report { return compare(w, past{}) }

// past is the ledger as it was once. What it had for Services that are older, it
// should still have.
type past struct {
	blocks map[ledger.Key]*ledger.Block
	asOf   time.Time
}

// precision is that of the times when Services were made: they are cut off.
const precision = time.Second

// had tells whether the ledger had a number for a Service. It is no matter that it
// had it for one before that, whose number went to this one since.
func (p *past) had(s *Service, place ledger.Place) bool {
	before := p.blocks[place.Key]
	return before != nil && before.State(place.Number) == ledger.Used && s.Created.Add(precision).Before(p.asOf)
}

// comparison is a world while it is looked at.
type comparison struct {
	*World
	past past

	tallies []tally
	pages   map[ledger.Key]*page
	// recent is the page that was used last: neighbours come one after the other.
	recent *page
	// objects are the indices of IPAddress objects. matched tells of each whether
	// the Service that it refers to has the address.
	objects map[netip.Addr]int
	matched []bool
	// misled are ClusterIPs whose IPAddress object refers to something else.
	misled []Claim

	report Report
}

// tally counts the numbers of a family.
type tally struct {
	family   servicenetv1alpha1.NumberFamily
	capacity int
	// given is how many of those in range Services have, and last the one that the
	// youngest of them has: of several of one age, the one with the highest number,
	// so that it is the same at every look.
	given    int
	youngest time.Time
	last     Claim
}

func compare(w *World, past past) Report {
	c := &comparison{
		World: w, past: past,
		pages:   make(map[ledger.Key]*page, len(w.Blocks)),
		objects: make(map[netip.Addr]int, len(w.Addresses)),
		matched: make([]bool, len(w.Addresses)),
	}
	for _, family := range w.Families {
		if ledger.HasTenants(family) {
			continue // what Services show of those is no sign of anything
		}
		c.tallies = append(c.tallies, tally{family: family, capacity: w.Capacity[family]})
	}
	for i := range w.Addresses {
		c.objects[w.Addresses[i].Address] = i
	}
	for i := range w.Services {
		c.read(&w.Services[i])
	}
	c.judgeCarriers()
	c.judgeObjects()
	c.judgeLedger()
	c.judgeRanges()
	slices.SortStableFunc(c.report.Findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), comparePlaces(a.Place, b.Place))
	})
	return c.report
}

// tally returns the count of a family, nil if it is to be left alone.
func (c *comparison) tally(family servicenetv1alpha1.NumberFamily) *tally {
	for i := range c.tallies {
		if c.tallies[i].family == family {
			return &c.tallies[i]
		}
	}
	return nil
}

func (c *comparison) page(key ledger.Key) *page {
	if c.recent != nil && c.recent.key == key {
		return c.recent
	}
	p := c.pages[key]
	if p == nil {
		p = newPage(key, c.Blocks[key], c.Broken[key] != nil)
		c.pages[key] = p
	}
	c.recent = p
	return p
}

func (c *comparison) find(f Finding) { c.report.Findings = append(c.report.Findings, f) }

// read notes what a Service carries, and what is wrong with that alone.
func (c *comparison) read(s *Service) {
	if c.tally(servicenetv1alpha1.ClusterIPv4) != nil || c.tally(servicenetv1alpha1.ClusterIPv6) != nil {
		for _, text := range s.Invalid {
			c.find(Finding{Kind: Invalid, Service: s.Owner, Detail: text})
		}
	}
	if c.tally(servicenetv1alpha1.NodePort) != nil {
		for _, place := range s.Twice {
			c.find(Finding{Kind: Duplicate, Place: place, Service: s.Owner})
		}
	}
	for i := range s.Numbers {
		c.readNumber(s, i)
	}
}

func (c *comparison) readNumber(s *Service, i int) {
	place := s.Numbers[i]
	count := c.tally(place.Family)
	if count == nil {
		return
	}
	first := c.page(place.Key).carry(place.Number)
	if !first && !c.share(s, i) {
		return
	}
	if isClusterIP(place.Family) {
		c.checkObject(s, place)
	}
	switch {
	case c.outOfRange(place):
		c.find(Finding{Kind: OutOfRange, Place: place, Service: s.Owner})
	case first:
		count.add(s, place)
	}
}

// share notes that a number of a Service was seen before: with another Service, or
// else it was counted.
func (c *comparison) share(s *Service, i int) bool {
	place := s.Numbers[i]
	if slices.Contains(s.Numbers[:i], place) {
		return false
	}
	c.page(place.Key).share(place.Number)
	return true
}

func (t *tally) add(s *Service, place ledger.Place) {
	t.given++
	age := s.Created.Compare(t.youngest)
	if t.given == 1 || age > 0 || age == 0 && comparePlaces(place, t.last.Place) > 0 {
		t.youngest, t.last = s.Created, Claim{place, s.Owner}
	}
}

// comparePlaces orders numbers of a family.
func comparePlaces(a, b ledger.Place) int {
	return cmp.Or(a.Block.Compare(b.Block), cmp.Compare(a.Number, b.Number))
}

// checkObject looks whether the IPAddress object of a ClusterIP is its Service's.
func (c *comparison) checkObject(s *Service, place ledger.Place) {
	i, found := c.objects[place.Address()]
	switch {
	case !found:
		c.find(Finding{Kind: NoObject, Place: place, Service: s.Owner, Detail: "there is none"})
	case c.Addresses[i].Service == s.NamespacedName:
		c.matched[i] = true
	default:
		c.misled = append(c.misled, Claim{place, s.Owner})
	}
}

// judgeCarriers compares what Services carry with each other and with the ledger.
func (c *comparison) judgeCarriers() {
	odd := false
	for _, p := range c.pages {
		odd = p.compare() || odd
	}
	if !odd {
		return
	}
	sharers := map[ledger.Place][]ledger.Owner{}
	for i := range c.Services {
		s := &c.Services[i]
		for j, place := range s.Numbers {
			if c.tally(place.Family) == nil || slices.Contains(s.Numbers[:j], place) {
				continue
			}
			p := c.page(place.Key)
			if p.twice.Has(place.Number) {
				sharers[place] = append(sharers[place], s.Owner)
			}
			if p.missing.Has(place.Number) {
				c.miss(p, s, place)
			}
		}
	}
	for place, owners := range sharers {
		for i, owner := range owners {
			others := slices.Delete(slices.Clone(owners), i, i+1)
			c.find(Finding{Kind: Duplicate, Place: place, Service: owner, Others: others})
		}
	}
}

// mostLost is for how many Services of a block it is told that the ledger has lost
// their numbers. If there are more, the event about the block is enough.
const mostLost = 10

// miss is for a number that a Service carries and that the ledger does not have
// for a Service. If it is on loan, whoever has it on loan settles it.
func (c *comparison) miss(p *page, s *Service, place ledger.Place) {
	state := p.state(place.Number)
	switch {
	case state == ledger.Lent:
	case state == ledger.Free && c.past.had(s, place):
		if p.lost == 0 {
			c.find(Finding{Kind: BlockLost, Place: place, Service: s.Owner})
		}
		p.lost++
		if p.lost <= mostLost {
			c.find(Finding{Kind: NotAllocated, Place: place, Service: s.Owner})
		}
	default:
		c.report.Adopt = append(c.report.Adopt, Claim{place, s.Owner})
	}
}

// judgeLedger looks for what the ledger has alone.
func (c *comparison) judgeLedger() {
	for key, err := range c.Broken {
		if c.tally(key.Family) != nil {
			c.find(unreadable(key, err))
		}
	}
	for key := range c.Blocks {
		if c.tally(key.Family) == nil {
			continue
		}
		p := c.page(key)
		for number := range p.leaks() {
			c.find(Finding{Kind: Leak, Place: ledger.Place{Key: key, Number: number}})
		}
	}
}

// judgeRanges looks for families of which all numbers are given.
func (c *comparison) judgeRanges() {
	for i := range c.tallies {
		t := &c.tallies[i]
		if t.capacity > 0 && t.given >= t.capacity {
			c.find(Finding{Kind: Full, Place: t.last.Place, Service: t.last.Service})
		}
	}
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/types"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/allocator"
	"servicenet.dev/servicenet/internal/ledger"
)

// In trials everything takes half as long as in a cluster, or less.
const (
	// requestLife is how long a request may take after it was given a number. The
	// API server's own limit for a request is 34 s.
	requestLife = 15 * time.Second
	// patience is the deadline of a caller.
	patience = 5 * time.Second
	// skews are how far clocks differ at most.
	skews = 5 * time.Second
	// calmedDown is how long after the last fault the ledger has to be right.
	calmedDown = 80 * time.Second
	// forgotten is for how long numbers may be in flight that nothing tells of, when
	// somebody has deleted their block: a replica may not have noticed.
	forgotten = 40 * time.Second
)

func trialTiming() Timing {
	t := Defaults()
	t.Renew, t.Distrust, t.Stale, t.InFlight = 4*time.Second, 10*time.Second, 30*time.Second, 30*time.Second
	t.Settle, t.Quarantine, t.Release, t.Patience = time.Second, 5*time.Second, 500*time.Millisecond, 4*time.Second
	t.Recall, t.Call, t.Idle = 1500*time.Millisecond, 2500*time.Millisecond, 20*time.Second
	t.Tick = 2 * time.Second
	return t
}

// trial is one run of the model: replicas, clients and faults by chance, and what
// must hold at each moment.
type trial struct {
	numbers
	diary
	metrics *Metrics
	t       *testing.T
	v       *server
	seed    uint64

	mu       sync.Mutex
	replicas []*replica
	started  uint64
	// pool is which of the pools the one there is was edited to be.
	pool *allocator.Range
	// damages tells whether blocks are damaged in this trial, damaged when one was last,
	// and wiped when one was deleted.
	damages bool
	damaged time.Time
	wiped   map[ledger.Key]time.Time
	// grants are the requests that were given a number and have not ended.
	grants map[ledger.Place][]*grant
	// kept are holds for a Service, as the blocks have them.
	kept map[ledger.Place]ledger.Hold
	// past are Services made without the ledger, or with a number that the ledger
	// did not keep for them alone.
	past map[types.UID]bool
	// had is whose Service was last deleted with a number.
	had map[ledger.Place]ledger.Owner
}

type grant struct {
	owner  ledger.Owner
	number ledger.Place
	// shared tells that two requests for one name were given the number, as the
	// second named it or is the one it is kept for, or that a Service of that name
	// had it when it was asked for. Once that is gone, nothing keeps the number for
	// the request. The same goes where somebody deletes the block.
	shared bool
}

func (m *trial) errorf(format string, args ...any) {
	m.t.Helper()
	m.t.Errorf("seed %d: "+format, append([]any{m.seed}, args...)...)
}

// TestModel lets two and three replicas give numbers out while connections break,
// answers get lost, writes land late, watches lag, break off and skip events,
// replicas die, stop and start, the leader changes, clocks differ, requests fail,
// Services are made past the ledger, the pool is edited that requests are served from,
// and blocks are made unreadable or deleted. At each moment no number may be given to
// two requests, or to one while another's Service has it; none that is in use may
// be freed; numbers that are kept for a Service are given to no other; and nobody
// waits longer than asked for. Once the faults end, the ledger must agree with the
// Services within the times that the design allows, and nothing must be lost.
//
// MODEL_RUNS sets how many runs there are, MODEL_SEED makes it the one run with
// that seed.
//
// It was seen to fail with each of these changes:
//
//   - an older version of a block is taken for news (page.see)
//   - a number that is being returned can be given again (number.leave)
//   - numbers of a replica are taken back in a third of the time (leases.stale)
//   - a number that just came on loan is given without a look whether another was
//     faster (quest.take)
//   - a number that is kept for one Service is claimed for another (quest.held)
//   - a number is cleared although the API server has not let go of it
//     (Store.judge)
//   - a number that was kept for a Service is free when its loan ends
//     (Block.Return)
//   - a number that was given is asked about too early (Store.givenUntil)
//   - what may be in flight is free in a block that is made anew (repair.Restore)
func TestModel(t *testing.T) {
	t.Parallel()
	runs, first := uint64(20_000), uint64(1)
	if testing.CoverMode() != "" {
		runs = 1000 // each costs three times as much
	}
	if text, set := os.LookupEnv("MODEL_RUNS"); set {
		runs, _ = strconv.ParseUint(text, 10, 64)
	}
	if text, set := os.LookupEnv("MODEL_SEED"); set {
		first, _ = strconv.ParseUint(text, 10, 64)
		runs = 1
	}
	seeds := make(chan uint64)
	go func() {
		defer close(seeds)
		for seed := first; seed < first+runs; seed++ {
			seeds <- seed
		}
	}()
	choices, metrics := numbersOfTrials(t), NewMetrics()
	for worker := range runtime.GOMAXPROCS(0) {
		t.Run(strconv.Itoa(worker), func(t *testing.T) {
			t.Parallel()
			for seed := range seeds {
				synctest.Test(t, func(t *testing.T) { runTrial(t, seed, choices, metrics) })
				if t.Failed() {
					return
				}
			}
		})
	}
}

func runTrial(t *testing.T, seed uint64, choices []numbers, metrics *Metrics) {
	t.Helper()
	m := &trial{
		t: t, v: newServer(t, seed), seed: seed, metrics: metrics,
		grants: map[ledger.Place][]*grant{}, kept: map[ledger.Place]ledger.Hold{}, past: map[types.UID]bool{},
		had: map[ledger.Place]ledger.Owner{}, wiped: map[ledger.Key]time.Time{},
	}
	m.numbers = choices[m.v.rng.IntN(len(choices))]
	m.pool = m.pools[0]
	m.damages = m.v.rng.IntN(200) == 0
	m.v.applied = m.check
	m.v.faults = m.v.rng.IntN(3) * 5
	m.v.slow = []time.Duration{2 * time.Millisecond, 50 * time.Millisecond, 2 * time.Second}[m.v.rng.IntN(3)]
	ctx, end := context.WithCancel(t.Context())
	for range 2 + m.v.rng.IntN(2) {
		m.startReplica(ctx)
	}
	m.replicas[0].lead(ctx)
	time.Sleep(2 * time.Second)

	var clients sync.WaitGroup
	for id := range 3 + m.v.chance(4) {
		clients.Go(func() { m.client(ctx, id) })
	}
	faulty, calm := context.WithCancel(ctx)
	var faults sync.WaitGroup
	faults.Go(func() { m.trouble(faulty, ctx) })
	clients.Wait()
	calm()
	faults.Wait()
	m.settle(ctx)
	end()
	for _, r := range m.replicas {
		r.kill()
	}
	if t.Failed() {
		m.tell(t)
	}
}

// numbers are what a trial gives out.
type numbers struct {
	family servicenetv1alpha1.NumberFamily
	// pools are what a pool over them may be edited to: all of them, one half, the
	// other, both without some.
	pools []*allocator.Range
	all   []ledger.Place
	keys  map[string]ledger.Key
}

// numbersOfTrials returns what trials give out: ports and addresses, from a
// handful to two blocks.
func numbersOfTrials(t *testing.T) []numbers {
	t.Helper()
	var choices []numbers
	for _, last := range []int{30007, 30040, 30999} {
		middle := (30000 + last) / 2
		pools := []*allocator.Range{ports(t, 30000, last), ports(t, 30000, middle), ports(t, middle, last), ports(t, 30000, last, 30003, 30004)}
		choices = append(choices, newNumbers(servicenetv1alpha1.NodePort, pools, ledger.Port(30000)))
	}
	for _, of := range [][]string{
		{"10.0.0.0/29", "10.0.0.0/30", "10.0.0.4/30"},
		{"10.0.0.0/26", "10.0.0.0/27", "10.0.0.32/27"},
		{"10.0.0.0/22", "10.0.0.0/23", "10.0.2.0/23"},
		{"10.0.0.0/19", "10.0.0.0/20", "10.0.16.0/20"},
	} {
		var pools []*allocator.Range
		for _, prefix := range of {
			pools = append(pools, cidr(t, prefix))
		}
		first, second := netip.MustParseAddr("10.0.0.0"), netip.MustParseAddr("10.0.16.0")
		choices = append(choices, newNumbers(v4, pools, ledger.Address(v4, first), ledger.Address(v4, second)))
	}
	return choices
}

// ports returns the ports from first to last without those that are excluded.
func ports(t *testing.T, first, last int, excluded ...int) *allocator.Range {
	t.Helper()
	span, err := allocator.Ports(first, last)
	if err != nil {
		t.Fatal(err)
	}
	spec := allocator.PortSpec{Spans: []allocator.PortSpan{span}}
	for _, port := range excluded {
		only, err := allocator.Ports(port, port)
		if err != nil {
			t.Fatal(err)
		}
		spec.Excluded = append(spec.Excluded, only)
	}
	of, err := allocator.NewPorts(spec)
	if err != nil {
		t.Fatal(err)
	}
	return of
}

func newNumbers(family servicenetv1alpha1.NumberFamily, pools []*allocator.Range, blocks ...ledger.Place) numbers {
	n := numbers{family: family, pools: pools, keys: map[string]ledger.Key{}}
	for _, place := range blocks {
		n.keys[place.Key.String()] = place.Key
		for place.Number = range allocator.BlockSize {
			if has(pools[0], place) {
				n.all = append(n.all, place)
			}
		}
	}
	return n
}

// has tells whether a range has a number.
func has(of *allocator.Range, place ledger.Place) bool {
	return of.ClassOf(place.Block, place.Number) > allocator.Excluded
}

func (m *trial) startReplica(ctx context.Context) {
	m.started++
	skew := time.Duration(m.v.chance(int(2*skews))) - skews
	r := m.v.start(ctx, m.started, skew, func(o *Options) { o.Timing, o.Metrics = trialTiming(), m.metrics })
	m.mu.Lock()
	defer m.mu.Unlock()
	m.replicas = append(m.replicas, r)
}

func (m *trial) anyReplica() *replica {
	m.mu.Lock()
	count := len(m.replicas)
	m.mu.Unlock()
	at := m.v.chance(count)
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.replicas[at%len(m.replicas)]
}

// client makes requests.
func (m *trial) client(ctx context.Context, id int) {
	for range 5 + m.v.chance(7) {
		_ = sleep(ctx, m.v.upTo(4*time.Second))
		name := types.NamespacedName{Namespace: "team", Name: strconv.Itoa(m.v.chance(9))}
		switch m.v.chance(10) {
		case 0, 1, 2:
			m.drop(name)
			m.logf("%d: %s is deleted", id, name)
		case 3:
			m.makePast(name)
		case 4, 5:
			m.createExplicit(ctx, id, name)
		case 6:
			m.update(ctx, id, name)
		default:
			m.createAutomatic(ctx, id, name)
		}
	}
}

func (m *trial) drop(name types.NamespacedName) {
	m.v.mu.Lock()
	gone := m.v.services[name]
	m.v.mu.Unlock()
	if gone != nil {
		m.mu.Lock()
		for _, place := range gone.places {
			m.had[place] = gone.Owner
		}
		m.mu.Unlock()
	}
	m.v.drop(name)
}

func (m *trial) createAutomatic(ctx context.Context, id int, name types.NamespacedName) {
	request := Request{Owner: ledger.Owner{NamespacedName: name}}
	place, ok := m.take(ctx, id, request, nil)
	if !ok {
		return
	}
	g := m.grant(request.Owner, place, false)
	if m.v.chance(4) == 0 {
		// The request is seen again, at any replica, and names its number now.
		if _, ok := m.take(ctx, id, request, &place); !ok {
			m.revoke(g)
			return
		}
	}
	m.finish(ctx, id, g)
}

func (m *trial) createExplicit(ctx context.Context, id int, name types.NamespacedName) {
	request := Request{Owner: ledger.Owner{NamespacedName: name}}
	place := m.all[m.v.chance(min(len(m.all), 12))]
	if _, ok := m.take(ctx, id, request, &place); ok {
		m.finish(ctx, id, m.grant(request.Owner, place, true))
	}
}

// update gives a Service one more number, and asks for it twice now and then.
func (m *trial) update(ctx context.Context, id int, name types.NamespacedName) {
	m.v.mu.Lock()
	is := m.v.services[name]
	m.v.mu.Unlock()
	if is == nil || len(is.places) > 2 {
		return
	}
	request := Request{Owner: is.Owner, Slot: fmt.Sprint(id, len(is.places))}
	r := m.anyReplica()
	place, ok := m.takeFrom(ctx, r, id, request, nil)
	if !ok {
		return
	}
	g := m.grant(request.Owner, place, false)
	if m.v.chance(2) == 0 {
		again, ok := m.takeFrom(ctx, r, id, request, nil)
		if ok && again != place && m.v.finding(place) == (Finding{}) && m.mayRepeat(place) {
			m.errorf("%s was given %s and, asked again, %s", name, place, again)
		}
	}
	_ = sleep(ctx, m.v.upTo(requestLife/4))
	err := m.v.extend(is.Owner, place)
	m.logf("%d: %s is added to %s: %v", id, place, name, err)
	m.revoke(g)
}

// makePast makes a Service that the ledger is not asked about.
func (m *trial) makePast(name types.NamespacedName) {
	place := m.all[m.v.chance(len(m.all))]
	m.mu.Lock()
	given := len(m.grants[place]) > 0
	m.mu.Unlock()
	if given {
		return // it would look like the Service that the number was given to
	}
	owner, err := m.v.apply(ledger.Owner{NamespacedName: name}, []ledger.Place{place}, 0)
	if err == nil {
		m.mu.Lock()
		m.past[owner.UID] = true
		m.mu.Unlock()
		m.logf("%s is made past the ledger with %s", name, place)
	}
}

func (m *trial) take(ctx context.Context, id int, request Request, want *ledger.Place) (ledger.Place, bool) {
	return m.takeFrom(ctx, m.anyReplica(), id, request, want)
}

// takeFrom takes a number, any or the one that is wanted.
func (m *trial) takeFrom(ctx context.Context, r *replica, id int, request Request, want *ledger.Place) (ledger.Place, bool) {
	begun := time.Now()
	bounded, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var place ledger.Place
	var err error
	if want == nil {
		m.mu.Lock()
		of := m.pool
		m.mu.Unlock()
		place, err = r.Take(bounded, m.family, of, request)
		if err == nil && !has(of, place) {
			m.errorf("%s is given to %s, which its pool has not", place, request.Owner)
		}
	} else {
		place = *want
		err = r.TakeNumber(bounded, place, request)
	}
	if waited := time.Since(begun); waited > patience {
		m.errorf("a caller waited for %v", waited)
	}
	m.logf("%d: %s at %s: %s: %v", id, request.Owner.Name, r.Holder, place, err)
	return place, err == nil && !r.link.severed()
}

// grant notes that a request was given a number, and checks that nobody else has
// it.
func (m *trial) grant(owner ledger.Owner, place ledger.Place, explicit bool) *grant {
	m.v.mu.Lock()
	carrier := m.v.finding(place).Carrier
	m.v.mu.Unlock()
	m.mu.Lock()
	defer m.mu.Unlock()
	g := &grant{owner: owner, number: place, shared: carrier.Same(owner) || explicit && m.had[place].Same(owner)}
	g.shared = g.shared || time.Since(m.wiped[place.Key]) < forgotten
	for _, other := range m.grants[place] {
		if (explicit || other.shared) && other.owner.Same(owner) {
			g.shared, other.shared = true, true
		}
		if !other.shared {
			m.errorf("%s is given to %s while it is given to %s", place, owner, other.owner)
		}
	}
	if carrier != (ledger.Owner{}) && !carrier.Same(owner) && !m.past[carrier.UID] {
		m.errorf("%s is given to %s while %s carries it", place, owner, carrier)
	}
	if hold, kept := m.kept[place]; kept && hold.Until.After(time.Now().Add(skews)) &&
		hold.For.Digest() != ledger.SubjectOf(owner.NamespacedName).Digest() {
		m.errorf("%s is given to %s while it is kept for %s", place, owner, hold.For)
	}
	m.grants[place] = append(m.grants[place], g)
	return g
}

func (m *trial) revoke(g *grant) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.grants[g.number] = slices.DeleteFunc(m.grants[g.number], func(other *grant) bool { return other == g })
}

// finish ends a request some time after it was given a number: the Service is
// made, or something else refuses it.
func (m *trial) finish(ctx context.Context, id int, g *grant) {
	defer m.revoke(g)
	limit := requestLife
	if m.v.chance(4) > 0 {
		limit /= 100
	}
	_ = sleep(ctx, m.v.upTo(limit))
	if m.v.chance(5) == 0 {
		m.logf("%d: %s with %s is refused by others", id, g.owner.Name, g.number)
		return
	}
	keep := time.Duration(0)
	if m.v.chance(2) == 0 {
		keep = m.v.upTo(time.Minute)
	}
	m.v.mu.Lock()
	by := m.v.allocated[g.number]
	exists := m.v.services[g.owner.NamespacedName] != nil
	m.v.mu.Unlock()
	made, err := m.v.apply(g.owner, []ledger.Place{g.number}, keep)
	m.logf("%d: %s is made with %s: %v", id, g.owner.Name, g.number, err)
	m.mu.Lock()
	defer m.mu.Unlock()
	if err == nil && g.shared {
		m.past[made.UID] = true
	}
	if err != nil && !g.shared && !exists && by != (ledger.Owner{}) && !by.Same(g.owner) && !m.past[by.UID] {
		m.errorf("%s is refused %s: %v", g.owner, g.number, err)
	}
}

// check is called after each change of a block.
func (m *trial) check(name string, before, after *ledger.Block) {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := m.keys[name]
	touched := after.Taken().Clone()
	_ = touched.Union(before.Taken())
	lent, returned := 0, 0
	defer func() {
		if lent+returned > 0 {
			m.logf("%s: %d are lent, %d come back", name, lent, returned)
		}
	}()
	for number := range touched.Numbers() {
		place := ledger.Place{Key: key, Number: number}
		was, is := before.State(place.Number), after.State(place.Number)
		switch {
		case was == is && is != ledger.Held:
			continue
		case was == ledger.Free && is == ledger.Lent:
			lent++
		case was == ledger.Lent && is == ledger.Free:
			returned++
		case was != is:
			m.logf("%s: %s -> %s", place, was, is)
		}
		if kept, ok := m.kept[place]; ok && is == ledger.Free && kept.Until.After(time.Now().Add(2*skews)) {
			hold, _ := before.Hold(number)
			m.errorf("%s is freed while it is kept for %s until %v: %+v", place, kept.For, kept.Until, hold)
		}
		// One write may settle a number and hold it anew, for nobody.
		if hold, held := after.Hold(place.Number); held && !hold.For.Nobody() {
			m.kept[place] = hold
		} else if held || is == ledger.Free || is == ledger.Used {
			delete(m.kept, place)
		}
		if was == ledger.Free || is != ledger.Free {
			continue
		}
		carrier := m.v.finding(place).Carrier
		if carrier != (ledger.Owner{}) && !m.past[carrier.UID] {
			m.errorf("%s is freed while %s carries it", place, carrier)
		}
		if len(m.grants[place]) > 0 && !m.grants[place][0].shared {
			m.errorf("%s is freed while it is given to %s", place, m.grants[place][0].owner)
		}
	}
}

// trouble makes faults until calm.
func (m *trial) trouble(calm, ctx context.Context) {
	for sleep(calm, m.v.upTo(8*time.Second)) == nil {
		at := m.v.chance(len(m.replicas))
		r := m.replicas[at]
		switch m.v.chance(9) {
		case 0:
			m.logf("%s is cut off", r.Holder)
			r.link.set(true)
			_ = sleep(calm, m.v.upTo(45*time.Second))
			r.link.set(false)
			m.logf("%s is back", r.Holder)
		case 1:
			r.setDeaf(true)
			_ = sleep(calm, m.v.upTo(15*time.Second))
			if m.v.chance(2) == 0 {
				r.relist()
			}
			r.setDeaf(false)
		case 2:
			m.logf("%s dies", r.Holder)
			m.replace(ctx, at, r.kill)
		case 3:
			m.logf("%s stops", r.Holder)
			m.replace(ctx, at, r.stop)
		case 4, 5:
			m.editPool()
		case 6:
			if m.damages {
				m.damage()
			}
		default:
			m.elect(ctx, at)
		}
	}
}

// mayRepeat tells whether a number that was given can be given again to whom asks again:
// the pool still has it, and no block was damaged, so that replicas forgot to whom they
// gave what.
func (m *trial) mayRepeat(place ledger.Place) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return has(m.pool, place) && time.Since(m.damaged) >= forgotten
}

// editPool has requests take their numbers from another pool, from now on.
func (m *trial) editPool() {
	at := m.v.chance(len(m.pools))
	m.mu.Lock()
	defer m.mu.Unlock()
	m.pool = m.pools[at]
}

// damage makes a block unreadable or deletes it, as somebody might who has no
// business there. What was kept for a deleted Service is forgotten then.
func (m *trial) damage() {
	for _, name := range slices.Sorted(maps.Keys(m.keys)) {
		key := m.keys[name]
		if m.v.chance(2) == 0 {
			continue
		}
		spoil := m.v.chance(3) > 0
		m.mu.Lock()
		m.damaged = time.Now()
		maps.DeleteFunc(m.kept, func(place ledger.Place, _ ledger.Hold) bool { return place.Key == key })
		if !spoil {
			m.wiped[key] = time.Now()
			for place, all := range m.grants {
				for _, g := range all {
					g.shared = g.shared || place.Key == key
				}
			}
		}
		m.mu.Unlock()
		if spoil {
			m.logf("block %s is spoilt", name)
			m.v.spoil(name, []byte("garbage"))
		} else {
			m.logf("block %s is deleted", name)
			m.v.wipe(name)
		}
	}
}

// replace ends a replica and starts another.
func (m *trial) replace(ctx context.Context, at int, end func()) {
	end()
	m.startReplica(ctx)
	m.mu.Lock()
	last := len(m.replicas) - 1
	m.replicas[at] = m.replicas[last]
	m.replicas = m.replicas[:last]
	m.mu.Unlock()
	m.elect(ctx, m.v.chance(len(m.replicas)))
}

// elect makes a replica the leader. For a while there are two.
func (m *trial) elect(ctx context.Context, at int) {
	stops := []context.CancelFunc{}
	for _, r := range m.replicas {
		stops = append(stops, r.stopCollect)
	}
	m.replicas[at].lead(ctx)
	_ = sleep(ctx, m.v.upTo(5*time.Second))
	for _, stop := range stops {
		stop()
	}
}

// settle lets all faults end, and checks that the ledger comes to agree with the
// Services within two minutes and the life of a Lease.
func (m *trial) settle(ctx context.Context) {
	m.v.mu.Lock()
	m.v.faults, m.v.slow = 0, 5*time.Millisecond
	m.v.mu.Unlock()
	for _, r := range m.replicas {
		r.link.set(false)
		r.setDeaf(false)
	}
	m.elect(ctx, 0)
	// Mostly all is well long before it has to be. Now and then it has to stay so; and
	// all seems well before anybody has noticed that a block was damaged.
	for patient, until := m.v.chance(4) == 0 || m.damages, time.Now().Add(calmedDown); time.Now().Before(until); {
		time.Sleep(calmedDown / 16)
		if !patient && len(m.disagreements()) == 0 {
			break
		}
	}
	for _, fault := range m.disagreements() {
		m.errorf("%s", fault)
	}
	m.stopAll()
	m.compare(func(place ledger.Place, block *ledger.Block, _ bool) {
		if block.State(place.Number) == ledger.Lent {
			m.errorf("%s is lent, and all replicas have stopped", place)
		}
	})
}

// disagreements tells where the ledger differs from the Services.
func (m *trial) disagreements() []string {
	holders := map[ledger.Holder]bool{}
	var faults []string
	found := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	for _, r := range m.replicas {
		holders[r.whom()] = true
		r.mine(func(n *number) {
			if n.state != spare {
				found("%s has %s on loan as %d", r.Holder, n, n.state)
			}
		})
	}
	m.compare(func(place ledger.Place, block *ledger.Block, carried bool) {
		state := block.State(place.Number)
		loan, _ := block.Loan(place.Number)
		hold, _ := block.Hold(place.Number)
		kept := !hold.For.Nobody() && hold.Until.After(time.Now().Add(-2*skews))
		switch {
		case carried && state != ledger.Used:
			found("%s is %s, and a Service carries it", place, state)
		case !carried && state == ledger.Used:
			found("%s is used, and no Service carries it", place)
		case state == ledger.Lent && !holders[loan.Holder]:
			found("%s is lent to %s, which is no more", place, loan.Holder)
		case state == ledger.Held && !kept:
			found("%s is held: %+v", place, hold)
		}
	})
	return faults
}

func (m *trial) stopAll() {
	var stops sync.WaitGroup
	for _, r := range m.replicas {
		stops.Go(r.stop)
	}
	stops.Wait()
}

// compare calls what for each number.
func (m *trial) compare(what func(place ledger.Place, block *ledger.Block, carried bool)) {
	m.v.mu.Lock()
	defer m.v.mu.Unlock()
	carried := map[ledger.Place]bool{}
	for _, s := range m.v.services {
		for _, place := range s.places {
			carried[place] = true
		}
	}
	for name, key := range m.keys {
		block := m.v.block(name)
		for number := range block.Taken().Numbers() {
			place := ledger.Place{Key: key, Number: number}
			what(place, block, carried[place])
			delete(carried, place)
		}
	}
	for place := range carried {
		what(place, ledger.NewBlock(0), true)
	}
}

// mine calls what for each number on loan to the replica.
func (r *replica) mine(what func(*number)) {
	r.Store.mu.Lock()
	defer r.Store.mu.Unlock()
	for _, p := range r.pages {
		for _, n := range p.mine {
			what(n)
		}
	}
}

func (l *link) severed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cut
}

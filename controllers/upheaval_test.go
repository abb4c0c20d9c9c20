// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr/funcr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/loadbalancer"
)

// TestUpheaval has replicas of the load balancer controller, with the real reconciler,
// handlers and ledger, look after Services, while users change these, pools, nodes and
// namespaces in every way there is, and while connections break, answers get lost,
// writes land late, caches lag and are listed anew, processes die between any two
// writes, two of them lead at once, statuses are edited, and blocks are damaged.
//
// At each moment those who have an address may share it, no status says more than the
// ledger, nothing is given up that a status shows, and no Service loses an address for
// another reason than its own wish or that of its pools (upheaval_rules_test.go). Once
// all is calm, nobody waits for what is free, nobody has what it should not, each status
// is as the ledger, and nothing is written or remembered for nothing
// (upheaval_rest_test.go). Then a Service that is made again has what is kept for it, and
// what is free when somebody begins to lead has gone to who waited longest
// (upheaval_order_test.go). From then on, until somebody wants something else, nobody
// moves, whatever happens to replicas and statuses.
//
// MODEL_RUNS sets how many runs there are, MODEL_SEED makes it the one run with
// that seed. Runs are nearly, not wholly, the same each time.
//
// It was seen to fail with each of these changes:
//
//   - an address is given up before the status is written (serve)
//   - a status is written whatever the Service's version (patch)
//   - the finalizer is not put on, or not taken off (serve, cleanUp)
//   - blocks that are lost are not written again (mend)
//   - those who wait for a pool are not called when an address comes free (spotsOf)
//   - what came free between a look and the waiting calls nobody (rest)
//   - terms that change are not renewed in the ledger (renew)
//   - addresses of nodes stay when the nodes go (look)
//   - a Service that moves keeps what it had (met)
//   - entries of others are dropped from the list (loadbalancer.ingress)
//   - a call is not passed on by who leaves (Waiters.leave)
//   - of several addresses one is kept that nobody sees (loadbalancer.Make)
//   - what is asked for by name comes after the old address went (planNamed)
func TestUpheaval(t *testing.T) {
	t.Parallel()
	runs, found := numberFrom(t, "MODEL_RUNS")
	if !found {
		runs = 40
	}
	first := uint64(1)
	if seed, found := numberFrom(t, "MODEL_SEED"); found {
		first, runs = seed, 1
	}
	seeds := make(chan uint64)
	go func() {
		defer close(seeds)
		for seed := first; seed < first+runs; seed++ {
			seeds <- seed
		}
	}()
	for worker := range runtime.GOMAXPROCS(0) {
		t.Run(strconv.Itoa(worker), func(t *testing.T) {
			t.Parallel()
			for seed := range seeds {
				synctest.Test(t, func(t *testing.T) { heave(t, seed) })
				if t.Failed() {
					return
				}
			}
		})
	}
}

// upheaval is one run.
type upheaval struct {
	t       *testing.T
	v       *heavedServer
	seed    uint64
	options Options
	terms   loadbalancer.Terms
	workers int
	started int
	// replicas are those that run, the one that leads first.
	replicas []*heavedReplica

	// What follows is guarded by the server's mu.

	// past is what pools and Services were lately.
	past past
	// edited is when somebody changed a Service, or its status, last.
	edited map[types.UID]time.Time
	// damaged is when blocks were damaged last, contended until when two replicas led, and
	// elected when another began to.
	damaged, contended, elected time.Time
	// links are the connections of replicas, by their names.
	links map[string]*heavedLink
	// writes are those of replicas, but for their Leases.
	writes int

	mu  sync.Mutex
	log []string
}

// logf notes what happens, for the log of a run that fails.
func (u *upheaval) logf(format string, args ...any) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.log = append(u.log, time.Now().Format("04:05.000 ")+fmt.Sprintf(format, args...))
}

func (u *upheaval) errorf(format string, args ...any) {
	u.t.Helper()
	u.logf(format, args...)
	u.t.Errorf("seed %d: "+format, append([]any{u.seed}, args...)...)
}

// heave plays the run of one seed.
func heave(t *testing.T, seed uint64) {
	t.Helper()
	u := newUpheaval(t, seed)
	ctx, end := context.WithCancel(t.Context())
	defer func() {
		end()
		for _, r := range u.replicas {
			r.kill()
		}
		_ = lapse(context.WithoutCancel(ctx), time.Minute) // what is under way lands
		if t.Failed() {
			for _, line := range u.log {
				t.Log(line)
			}
		}
	}()
	for range 2 {
		u.replicas = append(u.replicas, u.start(ctx))
	}
	u.lead(ctx, u.replicas[0])
	for range 1 + u.v.chance(2) {
		u.v.mu.Lock()
		u.v.faults = u.v.rng.IntN(3) * 5
		u.v.slow = []time.Duration{2 * time.Millisecond, 50 * time.Millisecond, 500 * time.Millisecond}[u.v.rng.IntN(3)]
		u.v.mu.Unlock()
		u.logf("users begin")
		u.during(ctx, u.v.once(4), func() {
			var users sync.WaitGroup
			for range 3 {
				users.Go(func() { u.user(ctx) })
			}
			users.Wait()
		})
		for _, next := range []func(context.Context){u.settle, u.makeAgain, u.succeed} {
			next(ctx)
			if t.Failed() {
				return
			}
		}
	}
	u.storm(ctx)
}

func newUpheaval(t *testing.T, seed uint64) *upheaval {
	t.Helper()
	u := &upheaval{t: t, v: newHeavedServer(seed), seed: seed, edited: map[types.UID]time.Time{}, past: newPast(), links: map[string]*heavedLink{}}
	u.options = Options{
		Controllers: []string{LoadBalancerName}, LoadBalancerDefault: u.v.once(3), Namespace: "system",
		RepairInterval: time.Duration(10+u.v.chance(60)) * time.Second,
	}.withDefaults()
	u.terms, u.workers = termsOf(u.options), 1+u.v.chance(6)
	u.v.changed = u.check
	u.v.mu.Lock()
	for _, name := range []string{"shop", "team"} {
		u.v.put("", &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"of": name}}})
	}
	u.v.mu.Unlock()
	for range 2 {
		u.changePool()
		u.changeNode()
	}
	return u
}

func (u *upheaval) start(ctx context.Context) *heavedReplica {
	u.started++
	name := strconv.Itoa(u.started)
	logger := funcr.New(func(_, args string) { u.logf("replica %s logs %s", name, args) }, funcr.Options{})
	r := startReplica(ctx, u.t, u.v, name, u.seed<<8+uint64(u.started), u.options, logger) //nolint:gosec // small
	u.v.mu.Lock()
	u.links[name] = r.link
	u.v.mu.Unlock()
	u.logf("%s starts", r)
	return r
}

func (u *upheaval) lead(ctx context.Context, r *heavedReplica) {
	u.logf("%s leads", r)
	u.v.mu.Lock()
	u.elected = time.Now()
	u.v.mu.Unlock()
	r.startLeading(ctx, u.t, u.workers)
}

// contend notes until when two lead.
func (u *upheaval) contend(until time.Time) {
	u.v.mu.Lock()
	defer u.v.mu.Unlock()
	u.contended = until
}

// during makes faults while something is done.
func (u *upheaval) during(ctx context.Context, damages bool, do func()) {
	faulty, calm := context.WithCancel(ctx)
	var faults sync.WaitGroup
	faults.Go(func() {
		for lapse(faulty, u.v.upTo(8*time.Second)) == nil {
			u.trouble(faulty, ctx, damages)
		}
	})
	do()
	calm()
	faults.Wait()
}

// trouble makes one fault.
func (u *upheaval) trouble(calm, ctx context.Context, damages bool) {
	r := u.replicas[u.v.chance(len(u.replicas))]
	switch u.v.chance(8) {
	case 0:
		r.link.set(func(l *heavedLink) { l.down = true })
		_ = lapse(calm, u.v.upTo(15*time.Second))
		r.link.set(func(l *heavedLink) { l.down = false })
	case 1, 2:
		r.setDeaf(true)
		_ = lapse(calm, u.v.upTo(10*time.Second))
		if u.v.once(2) {
			u.logf("%s lists anew", r)
			r.relist()
		}
		r.setDeaf(false)
	case 3, 4: // the leader dies with one of its next writes
		leader := u.replicas[0]
		leader.link.set(func(l *heavedLink) { l.fuse = 1 + u.v.chance(8) })
		_ = lapse(calm, u.v.upTo(10*time.Second))
		leader.link.set(func(l *heavedLink) { l.fuse = 0 })
		if leader.link.isCut() {
			u.failOver(ctx, 0)
		}
	case 5:
		if damages {
			u.damage()
		} else {
			u.restart(ctx)
		}
	default:
		u.failOver(ctx, u.v.upTo(5*time.Second))
	}
}

// failOver has the other replica lead. The one before it goes on for some time, as one
// that does not know that it lost its Lease, and dies then. Another starts.
func (u *upheaval) failOver(ctx context.Context, after time.Duration) {
	old, next := u.replicas[0], u.replicas[1]
	if u.v.once(2) {
		u.logf("%s dies", old)
		old.kill()
		after = 0
	}
	if after > 0 {
		u.contend(time.Now().Add(after))
	}
	u.lead(ctx, next)
	_ = lapse(ctx, after)
	u.logf("%s ends", old)
	old.kill()
	u.replicas = []*heavedReplica{next, u.start(ctx)}
}

// restart has all processes die, and others start some time later.
func (u *upheaval) restart(ctx context.Context) {
	for _, r := range u.replicas {
		u.logf("%s dies", r)
		r.kill()
	}
	_ = lapse(ctx, u.v.upTo(5*time.Second))
	u.replicas = []*heavedReplica{u.start(ctx), u.start(ctx)}
	u.lead(ctx, u.replicas[0])
}

// damage makes a block unreadable or deletes it, as somebody might who has no business
// there.
func (u *upheaval) damage() {
	u.v.mu.Lock()
	defer u.v.mu.Unlock()
	for _, block := range heavedAll[*servicenetv1alpha1.AllocationBlock](u.v) {
		u.damaged = time.Now()
		if u.v.rng.IntN(2) == 0 {
			u.logf("block %s is deleted", block.Name)
			u.v.remove("", block)
			continue
		}
		u.logf("block %s is spoilt", block.Name)
		spoilt := block.DeepCopy()
		spoilt.Data = []byte(garbage)
		u.v.put("", spoilt)
	}
}

// storm has everything happen to replicas and statuses that there is, while nobody
// wants anything else. What Services have, they have afterwards.
func (u *upheaval) storm(ctx context.Context) {
	before := u.tenancies()
	damages := u.v.once(3)
	u.v.mu.Lock()
	u.v.faults = u.v.rng.IntN(3) * 5
	u.v.mu.Unlock()
	u.logf("a storm begins")
	u.during(ctx, damages, func() {
		for range 8 {
			_ = lapse(ctx, u.v.upTo(5*time.Second))
			u.v.mu.Lock()
			all := heavedAll[*corev1.Service](u.v)
			u.v.mu.Unlock()
			if len(all) == 0 || damages { // two of the three places that know, lost at once, would be too much
				continue
			}
			of := all[u.v.chance(len(all))]
			u.edit(types.NamespacedName{Namespace: of.Namespace, Name: of.Name}, func(s *corev1.Service) bool {
				u.spoilStatus(s)
				return false
			})
		}
	})
	u.settle(ctx)
	after := u.tenancies()
	for uid, places := range before {
		for _, address := range places {
			if !containsAddress(after[uid], address) {
				u.errorf("%s had %s before the storm, and has %v", uid, address, after[uid])
			}
		}
	}
}

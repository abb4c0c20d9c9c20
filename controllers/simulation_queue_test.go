// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// simQueue is a work queue in virtual time: each request is in it once, at its
// earliest time, and is never given out twice at once. Which of the due ones
// comes first is left to chance.
type simQueue struct {
	queue   // what the handlers do not call is missing
	random  *rand.Rand
	clock   clock.PassiveClock
	limiter workqueue.TypedRateLimiter[reconcile.Request]
	due     map[reconcile.Request]time.Time
	working map[reconcile.Request]bool
}

func newSimQueue(random *rand.Rand, now clock.PassiveClock) *simQueue {
	return &simQueue{
		random: random, clock: now, limiter: retryLimiter(),
		due: map[reconcile.Request]time.Time{}, working: map[reconcile.Request]bool{},
	}
}

func (q *simQueue) Add(request reconcile.Request) { q.AddAfter(request, 0) }

func (q *simQueue) AddAfter(request reconcile.Request, delay time.Duration) {
	at := q.clock.Now().Add(delay)
	if earlier, queued := q.due[request]; !queued || at.Before(earlier) {
		q.due[request] = at
	}
}

func (q *simQueue) AddRateLimited(request reconcile.Request) {
	q.AddAfter(request, q.limiter.When(request))
}

func (q *simQueue) Forget(request reconcile.Request) { q.limiter.Forget(request) }

func (q *simQueue) Done(request reconcile.Request) { delete(q.working, request) }

// take returns one of the requests that are due, and false if there is none.
func (q *simQueue) take() (reconcile.Request, bool) {
	var ready []reconcile.Request
	for request, at := range q.due {
		if !q.working[request] && !at.After(q.clock.Now()) {
			ready = append(ready, request)
		}
	}
	if len(ready) == 0 {
		return reconcile.Request{}, false
	}
	slices.SortFunc(ready, func(a, b reconcile.Request) int { return strings.Compare(a.String(), b.String()) })
	request := ready[q.random.IntN(len(ready))]
	delete(q.due, request)
	q.working[request] = true
	return request, true
}

// nextDue returns when the first request comes due, and false if the queue is
// empty.
func (q *simQueue) nextDue() (time.Time, bool) {
	if len(q.due) == 0 {
		return time.Time{}, false
	}
	return slices.MinFunc(slices.Collect(maps.Values(q.due)), time.Time.Compare), true
}

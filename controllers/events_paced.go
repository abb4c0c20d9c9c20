// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"sync"

	"golang.org/x/time/rate"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/events"
)

const (
	// eventsPerSecond is how many events go out in the long run. Each is a write, and
	// costs the API server as much as the change it tells of.
	eventsPerSecond = 10
	// eventsAtOnce go out without a wait after some time of rest.
	eventsAtOnce = 100
	// mostEventsWaiting is how many may wait, and mostGoodNewsWaiting until when it is
	// worth while to tell that a Service has what it asks for. What comes on top is
	// dropped: each Service says in its status what its event would.
	mostEventsWaiting   = 5000
	mostGoodNewsWaiting = 100
)

// pacedEvents records events at a bounded rate, so that thousands of Services that
// change at a time, as when a pool appears that they wait for, get what they need
// first. They are recorded in order.
type pacedEvents struct {
	to events.EventRecorder

	mu      sync.Mutex
	waiting []func()
	arrived bell
}

var _ events.EventRecorder = &pacedEvents{}

func newPacedEvents(to events.EventRecorder) *pacedEvents {
	return &pacedEvents{to: to, arrived: newBell()}
}

// Eventf is of events.EventRecorder. It does not wait.
func (p *pacedEvents) Eventf(regarding, related runtime.Object, kind, reason, action, note string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	most := mostEventsWaiting
	if kind == corev1.EventTypeNormal {
		most = mostGoodNewsWaiting
	}
	if len(p.waiting) >= most {
		return
	}
	p.waiting = append(p.waiting, func() { p.to.Eventf(regarding, related, kind, reason, action, note, args...) })
	p.arrived.ring()
}

// run records what waits until the context ends. What waits then is lost.
func (p *pacedEvents) run(ctx context.Context) error {
	limit := rate.NewLimiter(eventsPerSecond, eventsAtOnce)
	for {
		next := p.next()
		if next == nil {
			select {
			case <-p.arrived:
				continue
			case <-ctx.Done():
				return nil
			}
		}
		if limit.Wait(ctx) != nil {
			return nil //nolint:nilerr // the context has ended
		}
		next()
	}
}

// next takes the event that has waited for longest, nil if none waits.
func (p *pacedEvents) next() func() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.waiting) == 0 {
		p.waiting = nil
		return nil
	}
	next := p.waiting[0]
	p.waiting[0] = nil
	p.waiting = p.waiting[1:]
	return next
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// cloudCalls make the calls of a provider. None takes longer than its time: a call that
// does not return is left to itself, and holds up no other Service. Its own Service is
// not called for again before it has returned, so that there are never two at a time.
type cloudCalls struct {
	timeout time.Duration
	metrics *cloudMetrics

	mu sync.Mutex
	// stuck are the Services with a call that has not returned in time.
	stuck map[types.NamespacedName]bool
}

// untilStuck is how long a call may take to return once its context has ended.
const untilStuck = time.Second

var (
	errOverdue = errors.New("the provider has not answered in time")
	errStuck   = errors.New("the provider has not answered an earlier call")
)

func newCloudCalls(timeout time.Duration, metrics *cloudMetrics) *cloudCalls {
	return &cloudCalls{timeout: timeout, metrics: metrics, stuck: map[types.NamespacedName]bool{}}
}

// called makes a call for a Service, and returns what it does. It fails with errOverdue
// when that takes too long, and with errStuck when an earlier one still does.
func called[T any](
	ctx context.Context, c *cloudCalls, name types.NamespacedName, call string, do func(context.Context) (T, error),
) (T, error) {
	var none T
	if c.isStuck(name) {
		return none, errStuck
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	answers := make(chan answer[T], 1)
	go func() {
		defer cancel()
		value, err := do(ctx)
		c.mu.Lock()
		defer c.mu.Unlock()
		answers <- answer[T]{value, err}
		c.setStuck(name, false)
	}()
	patience := time.NewTimer(c.timeout + untilStuck)
	defer patience.Stop()
	select {
	case a := <-answers:
		if a.err == nil || !errors.Is(a.err, context.DeadlineExceeded) {
			return a.value, a.err
		}
		c.metrics.overdue.WithLabelValues(call).Inc()
		return none, fmt.Errorf("%w: %w", errOverdue, a.err)
	case <-patience.C:
		c.metrics.overdue.WithLabelValues(call).Inc()
		c.mu.Lock()
		defer c.mu.Unlock()
		c.setStuck(name, len(answers) == 0)
		return none, errOverdue
	}
}

// answer is what a call returned.
type answer[T any] struct {
	value T
	err   error
}

func (c *cloudCalls) isStuck(name types.NamespacedName) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stuck[name]
}

// setStuck notes whether a Service has a call that has not returned in time. mu is held.
func (c *cloudCalls) setStuck(name types.NamespacedName, stuck bool) {
	if stuck {
		c.stuck[name] = true
	} else {
		delete(c.stuck, name)
	}
	c.metrics.unanswered.Set(float64(len(c.stuck)))
}

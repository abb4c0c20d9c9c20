// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"math"
	"time"
)

const (
	// crowded is from how many changes of pods a second on, in one namespace, there is
	// a crowd: a deployment of many Services at once, not the life of a few.
	crowded = 100
	// crowdHold is for how long changes of a Service are gathered in a crowd.
	crowdHold = 700 * time.Millisecond
	// rateOver is the time that changes a second are counted over.
	rateOver = time.Second
	// sweepAfter is after how many changes rates are dropped that mean nothing any more.
	sweepAfter = 4096
)

// crowds knows how many pods change in each namespace. It is not safe for concurrent
// use.
type crowds struct {
	rates   map[string]changeRate
	changes int // since the last sweep
}

// changeRate is a number of changes of which each counts the less the longer ago it
// was, so that at a steady pace it is the number in [rateOver].
type changeRate struct {
	weight float64
	last   time.Time
}

func (r changeRate) at(now time.Time) float64 {
	return r.weight * math.Exp(-float64(now.Sub(r.last))/float64(rateOver))
}

// joined takes notice of a change and tells whether it is one of a crowd.
func (c *crowds) joined(namespace string, now time.Time) bool {
	c.changes++
	if c.changes >= sweepAfter || c.rates == nil {
		c.sweep(now)
	}
	rate := changeRate{weight: c.rates[namespace].at(now) + 1, last: now}
	c.rates[namespace] = rate
	return rate.weight > crowded
}

func (c *crowds) sweep(now time.Time) {
	still := map[string]changeRate{}
	for namespace, rate := range c.rates {
		if rate.at(now) >= 1 {
			still[namespace] = rate
		}
	}
	c.rates, c.changes = still, 0
}

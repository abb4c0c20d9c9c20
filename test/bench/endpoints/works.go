// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"time"

	"servicenet.dev/servicenet/test/bench/endpoints/report"
)

// sizes are how much work there is.
type sizes struct {
	// pods are those of the one large Service.
	pods int
	// flips are single changes of readiness in it, one every flipPace.
	flips    int
	flipPace time.Duration
	// step is how many of its pods are replaced at a time, one step every
	// stepPace.
	step     int
	stepPace time.Duration
	// high and low are the pods between which a Service oscillates, swings times.
	high, low, swings int
	// rest is how long every second swing pauses at both ends.
	rest time.Duration
	// created are the Services that come from nothing, existing those that are
	// there, perService the pods of each.
	created, existing, perService int
	// changes are spread over the existing ones, one every changePace.
	changes    int
	changePace time.Duration
}

func newSizes(scale float64) sizes {
	scaled := func(full, least int) int { return max(least, int(float64(full)*scale)) }
	return sizes{
		pods:       scaled(5000, 300),
		flips:      scaled(500, 20),
		flipPace:   50 * time.Millisecond,
		step:       scaled(50, 3),
		stepPace:   max(100*time.Millisecond, time.Duration(float64(500*time.Millisecond)*min(scale, 1))),
		high:       scaled(1000, 400),
		low:        scaled(250, 100),
		swings:     scaled(10, 2),
		rest:       time.Duration(float64(3*time.Second) * min(scale*3, 1)),
		created:    scaled(2000, 100),
		existing:   scaled(5000, 100),
		perService: 5,
		changes:    scaled(2000, 50),
		changePace: 10 * time.Millisecond,
	}
}

// work is something that both sides are given to do.
type work struct {
	report.Work

	// seed is the cluster that every run begins with.
	seed seed
	do   func(context.Context, *trial) error
	// starts says that do starts the side itself.
	starts bool
}

func allWorks(s sizes) []work {
	one := seed{services: 1, pods: s.pods}
	many := seed{services: s.existing, pods: s.perService}
	return []work{
		{report.Work{
			Name:  "ready",
			Title: fmt.Sprintf("one Service, %d pods made ready by %d writers", s.pods, writers),
		}, seed{}, s.makeReady, false},
		{report.Work{
			Name:  "flips",
			Title: fmt.Sprintf("%d single readiness flips, %s apart, in a Service of %d pods", s.flips, s.flipPace, s.pods),
		}, one, s.flip, false},
		{report.Work{
			Name: "rolling",
			Title: fmt.Sprintf("rolling update of half of a Service's %d pods, %d at a time, every %s",
				s.pods, s.step, s.stepPace),
		}, one, s.roll, false},
		{report.Work{
			Name:  "scaledown",
			Title: fmt.Sprintf("a Service of %d pods scaled down to a tenth, evenly over its slices", s.pods),
		}, one, s.scaleDown, false},
		{report.Work{
			Name:  "oscillate",
			Title: fmt.Sprintf("%d oscillations of a Service, %d to %d pods and back", s.swings, s.high, s.low),
		}, seed{services: 1, pods: s.high}, s.oscillate, false},
		{report.Work{
			Name:  "services",
			Title: fmt.Sprintf("%d Services of %d pods each in one namespace, from nothing", s.created, s.perService),
		}, seed{}, s.createServices, false},
		{report.Work{
			Name: "spread",
			Title: fmt.Sprintf("%d pod changes, %s apart, spread over %d Services of one namespace",
				s.changes, s.changePace, s.existing),
		}, many, s.spread, false},
		{report.Work{
			Name:  "restart",
			Title: fmt.Sprintf("restart with %d Services and %d pods", s.existing, s.existing*s.perService),
		}, many, s.restart, true},
	}
}

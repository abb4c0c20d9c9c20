// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"math"
	"time"

	"servicenet.dev/servicenet/hack/controlplane"
	"servicenet.dev/servicenet/test/bench/endpoints/report"
)

const (
	// trialTimeout bounds one run: the slowest one that still says something.
	trialTimeout = 30 * time.Minute
	// underWay is how long it takes at most until a write has reached the API
	// server's counters and whoever watches.
	underWay = 100 * time.Millisecond
	// perSlice is how many endpoints a slice holds by default, on both sides.
	perSlice = 100
)

// trial is one run of one side.
type trial struct {
	*world

	side     report.Side
	settings settings
	// contender does the work, watcher looks on.
	contender, watcher *controlplane.Process
	figures            map[report.Figure]float64
	// shown is how things were when the last change had just been published.
	shown moment
}

// moment is what the API server had answered and which pods slices listed.
type moment struct {
	traffic traffic
	slices  map[string][]string
}

// startBoth starts the watcher and the side, and waits until neither has
// anything to do.
func (t *trial) startBoth(ctx context.Context) error {
	var err error
	if t.watcher, err = t.startWatcher(ctx); err != nil {
		return err
	}
	if t.contender, err = t.start(ctx, t.side, t.settings); err != nil {
		return err
	}
	return t.awaitRest(ctx)
}

// stopBoth ends both.
func (t *trial) stopBoth(ctx context.Context) error {
	if err := t.contender.Stop(ctx); err != nil {
		return err
	}
	return t.watcher.Stop(ctx)
}

// awaitRest waits until everything is published and nobody has anything to do.
func (t *trial) awaitRest(ctx context.Context) error {
	if err := t.awaitShown(ctx); err != nil {
		return err
	}
	return awaitIdle(ctx, t.contender.PID(), t.watcher.PID())
}

// measure takes the figures of some work, from the moment it begins until
// everybody rests again.
func (t *trial) measure(ctx context.Context, work func(context.Context) error) error {
	begin, err := t.read(ctx)
	if err != nil {
		return err
	}
	if err := work(ctx); err != nil {
		return err
	}
	if err := t.awaitShown(ctx); err != nil {
		return err
	}
	t.figures[report.Lag] = max(0, t.settledAt().Sub(t.lastWritten)).Seconds()
	if err := t.takeDown(ctx); err != nil {
		return err
	}
	if err := t.awaitRest(ctx); err != nil {
		return err
	}
	return t.take(ctx, begin)
}

// takeDown sets shown. Writes that are on their way count as earlier.
func (t *trial) takeDown(ctx context.Context) (err error) {
	t.shown.slices = t.snapshot()
	if err := pause(ctx, underWay); err != nil {
		return err
	}
	t.shown.traffic, err = readTraffic(ctx, t.admin, t.plane.APIServer().URL)
	return err
}

// take fills in what came since the begin.
func (t *trial) take(ctx context.Context, begin reading) error {
	end, err := t.read(ctx)
	if err != nil {
		return err
	}
	end.traffic.since(begin.traffic).fill(t.figures)
	t.figures[report.CPU] = (end.used - begin.used).Seconds()
	t.figures[report.WatcherCPU] = (end.watcherUsed - begin.watcherUsed).Seconds()
	t.figures[report.CPUAbove] = t.figures[report.CPU] - t.figures[report.WatcherCPU]
	t.fillLatencies()
	return t.fillMemory()
}

// reading is what counters show at a moment.
type reading struct {
	used, watcherUsed time.Duration
	traffic           traffic
}

// read reads the counters of both processes and of the API server.
func (t *trial) read(ctx context.Context) (reading, error) {
	var r reading
	var err error
	if r.traffic, err = readTraffic(ctx, t.admin, t.plane.APIServer().URL); err != nil {
		return r, err
	}
	if r.used, err = processorTime(t.contender.PID()); err != nil {
		return r, err
	}
	r.watcherUsed, err = processorTime(t.watcher.PID())
	return r, err
}

func (t *trial) fillMemory() error {
	const mebibyte = 1 << 20
	for figure, process := range map[report.Figure]*controlplane.Process{report.Memory: t.contender, report.WatcherMemory: t.watcher} {
		peak, err := peakMemory(process.PID())
		if err != nil {
			return err
		}
		t.figures[figure] = float64(peak) / mebibyte
	}
	return nil
}

func (t *trial) fillLatencies() {
	var all, stale []float64
	for _, c := range t.changes {
		milliseconds := c.latency().Seconds() * 1000
		all = append(all, milliseconds)
		if c.stale {
			stale = append(stale, milliseconds)
		}
	}
	t.fillShares(all, report.LatencyP50, report.LatencyP99, report.LatencyMax)
	t.fillShares(stale, report.StaleP50, report.StaleP99, report.StaleMax)
}

// fillShares sets figures to the median, the 99th percentile and the largest of
// some values, if there are any.
func (t *trial) fillShares(values []float64, p50, p99, largest report.Figure) {
	for figure, share := range map[report.Figure]float64{p50: 0.5, p99: 0.99, largest: 1} {
		if len(values) > 0 {
			t.figures[figure] = report.Percentile(values, share)
		}
	}
}

// fillSlices says how many slices there are for the pods that Services have, and
// were at most for the most pods.
func (t *trial) fillSlices(services, pods, mostPods int) {
	ideal := func(pods int) float64 { return float64(services) * math.Ceil(float64(pods)/perSlice) }
	slices, most := t.sliceCounts()
	t.figures[report.Slices] = float64(slices)
	t.figures[report.IdealSlices] = ideal(pods)
	t.figures[report.SlicesOverIdeal] = float64(slices) / ideal(pods)
	t.figures[report.PeakOverIdeal] = float64(most) / ideal(mostPods)
}

// attempt does a work with one side, in a control plane of its own.
func attempt(ctx context.Context, s settings, w work, side report.Side, dir, etcdData string) (_ map[report.Figure]float64, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, trialTimeout, fmt.Errorf("given up after %s", trialTimeout))
	defer cancel()
	world, err := newWorld(ctx, dir, etcdData)
	if err != nil {
		return nil, err
	}
	defer func() {
		if stopped := world.stop(); err == nil {
			err = stopped
		}
	}()
	world.adopt(w.seed)
	t := &trial{world: world, side: side, settings: s, figures: map[report.Figure]float64{}}
	if !w.starts {
		if err := t.startBoth(ctx); err != nil {
			return nil, err
		}
	}
	if err := w.do(ctx, t); err != nil {
		return nil, err
	}
	return t.figures, world.verify()
}

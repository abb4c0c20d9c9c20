// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"

	"servicenet.dev/servicenet/test/bench/endpoints/report"
)

const (
	// Pods change every livePace from the start of the process until liveAfter
	// its caches are synced.
	livePace  = 100 * time.Millisecond
	liveAfter = 3 * time.Second
)

// restart starts the side in a cluster where all is published: once to see what
// that costs, and once more while pods change.
func (s sizes) restart(ctx context.Context, t *trial) error {
	before, err := readTraffic(ctx, t.admin, t.plane.APIServer().URL)
	if err != nil {
		return err
	}
	if err := t.startBoth(ctx); err != nil {
		return err
	}
	if err := t.take(ctx, reading{traffic: before}); err != nil {
		return err
	}
	t.fillSlices(s.existing, s.perService, s.perService)
	if err := t.stopBoth(ctx); err != nil {
		return err
	}
	return s.restartAmidChanges(ctx, t)
}

// restartAmidChanges turns pods unready while the process starts, and takes how
// long after its caches were synced each change was published. Those made before
// the process had read the pods count too.
func (s sizes) restartAmidChanges(ctx context.Context, t *trial) error {
	var synced time.Time
	begin := time.Now()
	enough, stop := context.WithCancel(ctx)
	defer stop()
	group, both := errgroup.WithContext(ctx)
	group.Go(func() error { return s.changeUntil(both, enough.Done(), t) })
	group.Go(func() error {
		defer stop()
		process, err := t.start(both, t.side, t.settings)
		if err != nil {
			return err
		}
		if synced, err = awaitSynced(both, t.side, process.LogPath()); err != nil {
			return err
		}
		return pause(both, liveAfter)
	})
	if err := group.Wait(); err != nil {
		return err
	}
	t.figures[report.Synced] = synced.Sub(begin).Seconds()
	return t.fillLive(ctx, synced)
}

// changeUntil turns a pod of one Service after the other unready, until the
// channel is closed.
func (s sizes) changeUntil(ctx context.Context, enough <-chan struct{}, t *trial) error {
	clock := time.NewTicker(livePace)
	defer clock.Stop()
	for i := range s.existing {
		service := serviceName(i)
		t.expectEndpoints(service, s.perService-1)
		if err := t.setReady(ctx, podName(service, 0), false); err != nil {
			return err
		}
		select {
		case <-enough:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-clock.C:
		}
	}
	return nil
}

// fillLive waits until all changes are published.
func (t *trial) fillLive(ctx context.Context, synced time.Time) error {
	if err := t.awaitShown(ctx); err != nil {
		return err
	}
	waits := make([]float64, 0, len(t.changes))
	for _, c := range t.changes {
		since := c.written
		if synced.After(since) {
			since = synced
		}
		waits = append(waits, max(0, c.seen.Sub(since)).Seconds()*1000)
	}
	t.figures[report.LiveP50] = report.Percentile(waits, 0.5)
	t.figures[report.LiveMax] = report.Percentile(waits, 1)
	return nil
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"time"

	"servicenet.dev/servicenet/test/bench/endpoints/report"
)

// scaleDown removes nine pods of ten from every slice, and looks on while slices
// may be merged.
func (s sizes) scaleDown(ctx context.Context, t *trial) error {
	const kept = 10 // one in
	var removed []string
	for _, pods := range t.snapshot() {
		for i, pod := range pods {
			if i%kept != 0 {
				removed = append(removed, pod)
			}
		}
	}
	left := s.pods - len(removed)
	t.expectEndpoints(serviceName(0), left)
	err := t.measure(ctx, func(ctx context.Context) error {
		return inParallel(ctx, len(removed), func(ctx context.Context, i int) error { return t.remove(ctx, removed[i]) })
	})
	if err != nil {
		return err
	}
	if err := pause(ctx, time.Until(t.settledAt().Add(t.settings.settle))); err != nil {
		return err
	}
	t.fillSlices(1, left, s.pods)
	return t.fillLater(ctx)
}

// fillLater says what was written after the last change had been published, and
// what came of it.
func (t *trial) fillLater(ctx context.Context) error {
	counts, err := readTraffic(ctx, t.admin, t.plane.APIServer().URL)
	if err != nil {
		return err
	}
	if err := pause(ctx, underWay); err != nil {
		return err
	}
	later := counts.since(t.shown.traffic)
	t.figures[report.LaterUpdates] = later.sum(endpointSlices, succeeded, "update")
	t.figures[report.LaterDeletes] = later.sum(endpointSlices, succeeded, "delete")
	filled, removed := compareSlices(t.shown.slices, t.snapshot())
	t.figures[report.SlicesFilled] = float64(filled)
	t.figures[report.SlicesRemoved] = float64(removed)
	return nil
}

// compareSlices counts the slices that list more pods than before, and those
// that went.
func compareSlices(before, after map[string][]string) (filled, removed int) {
	for name, pods := range before {
		now, still := after[name]
		if !still {
			removed++
		} else if len(now) > len(pods) {
			filled++
		}
	}
	return filled, removed
}

// oscillate scales a Service down and up again, over and over: one time at full
// speed, the next with a rest at both ends, in which slices may be merged.
func (s sizes) oscillate(ctx context.Context, t *trial) error {
	service := serviceName(0)
	pods := make([]int, 0, s.high)
	for i := range s.high {
		pods = append(pods, i)
	}
	err := t.measure(ctx, func(ctx context.Context) error {
		for swing := range s.swings {
			length := time.Duration(swing%2) * s.rest
			// As a Deployment does: no pod comes back under its old name.
			kept, removed := thin(pods, s.low)
			added := s.high + swing*(s.high-s.low)
			err := inParallel(ctx, len(removed), func(ctx context.Context, i int) error {
				return t.remove(ctx, podName(service, removed[i]))
			})
			if err != nil {
				return err
			}
			if err := t.rest(ctx, service, s.low, length); err != nil {
				return err
			}
			err = inParallel(ctx, len(removed), func(ctx context.Context, i int) error {
				return t.createPod(ctx, service, added+i)
			})
			if err != nil {
				return err
			}
			if err := t.rest(ctx, service, s.high, length); err != nil {
				return err
			}
			pods = kept
			for i := range removed {
				pods = append(pods, added+i)
			}
		}
		return nil
	})
	t.fillSlices(1, s.high, s.high)
	return err
}

// rest waits until a Service with so many pods is published, and then for some
// time.
func (t *trial) rest(ctx context.Context, service string, pods int, length time.Duration) error {
	t.expectEndpoints(service, pods)
	if err := t.awaitShown(ctx); err != nil {
		return err
	}
	return pause(ctx, length)
}

// thin keeps so many of some pods, evenly spread over the list.
func thin(pods []int, count int) (kept, removed []int) {
	for i, pod := range pods {
		if (i+1)*count/len(pods) > i*count/len(pods) {
			kept = append(kept, pod)
		} else {
			removed = append(removed, pod)
		}
	}
	return kept, removed
}

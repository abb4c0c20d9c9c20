// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import "context"

// makeReady fills an empty Service.
func (s sizes) makeReady(ctx context.Context, t *trial) error {
	service := serviceName(0)
	if err := t.createService(ctx, service); err != nil {
		return err
	}
	if err := t.awaitRest(ctx); err != nil {
		return err
	}
	t.expectEndpoints(service, s.pods)
	err := t.measure(ctx, func(ctx context.Context) error {
		return inParallel(ctx, s.pods, func(ctx context.Context, i int) error { return t.createPod(ctx, service, i) })
	})
	t.fillSlices(1, s.pods, s.pods)
	return err
}

// flip turns pods of a Service unready one by one, and then ready again.
func (s sizes) flip(ctx context.Context, t *trial) error {
	service := serviceName(0)
	different := max(1, s.flips/2)
	err := t.measure(ctx, func(ctx context.Context) error {
		return paced(ctx, 2*different, s.flipPace, func(ctx context.Context, i int) error {
			pod := podName(service, i%different*s.pods/different)
			return t.setReady(ctx, pod, i >= different)
		})
	})
	t.fillSlices(1, s.pods, s.pods)
	return err
}

// createServices makes Services and their pods, one Service after the other,
// many at a time.
func (s sizes) createServices(ctx context.Context, t *trial) error {
	for i := range s.created {
		t.expectEndpoints(serviceName(i), s.perService)
	}
	err := t.measure(ctx, func(ctx context.Context) error {
		return inParallel(ctx, s.created, func(ctx context.Context, i int) error {
			service := serviceName(i)
			if err := t.createService(ctx, service); err != nil {
				return err
			}
			for pod := range s.perService {
				if err := t.createPod(ctx, service, pod); err != nil {
					return err
				}
			}
			return nil
		})
	})
	t.fillSlices(s.created, s.perService, s.perService)
	return err
}

// spread turns a pod unready in one Service after the other.
func (s sizes) spread(ctx context.Context, t *trial) error {
	for i := range s.changes {
		t.expectEndpoints(serviceName(s.target(i)), s.perService-1)
	}
	err := t.measure(ctx, func(ctx context.Context) error {
		return paced(ctx, s.changes, s.changePace, func(ctx context.Context, i int) error {
			return t.setReady(ctx, podName(serviceName(s.target(i)), i%s.perService), false)
		})
	})
	t.fillSlices(s.existing, s.perService, s.perService)
	return err
}

// target is the Service of a change: no two changes have the same.
func (s sizes) target(change int) int { return change * s.existing / s.changes }

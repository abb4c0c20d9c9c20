// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"time"
)

// roll replaces half of a Service's pods as a Deployment does: each step makes
// some new pods, lets as many old ones terminate, and removes those that the step
// before let terminate. Steps follow a clock and never wait for the slices.
func (s sizes) roll(ctx context.Context, t *trial) error {
	service := serviceName(0)
	steps := s.pods / 2 / s.step
	err := t.measure(ctx, func(ctx context.Context) error {
		clock := time.NewTicker(s.stepPace)
		defer clock.Stop()
		for step := range steps + 1 { // the last one only removes
			if err := s.rollStep(ctx, t, service, step, step == steps); err != nil {
				return err
			}
			select {
			case <-ctx.Done():
				return context.Cause(ctx)
			case <-clock.C:
			}
		}
		return nil
	})
	t.fillSlices(1, s.pods, s.pods+s.step)
	return err
}

func (s sizes) rollStep(ctx context.Context, t *trial, service string, step int, isLast bool) error {
	const create, terminate, remove, tasks = 0, 1, 2, 3
	return inParallel(ctx, tasks*s.step, func(ctx context.Context, i int) error {
		old := step*s.step + i%s.step
		switch task := i / s.step; {
		case task == create && !isLast:
			return t.createPod(ctx, service, s.pods+old)
		case task == terminate && !isLast:
			return t.terminate(ctx, podName(service, old))
		case task == remove && step > 0:
			return t.remove(ctx, podName(service, old-s.step))
		default:
			return nil
		}
	})
}

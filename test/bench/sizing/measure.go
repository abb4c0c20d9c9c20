// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"time"

	"servicenet.dev/servicenet/hack/controlplane"
	"servicenet.dev/servicenet/test/bench/process"
)

const (
	// look is how often it is found out whether a manager has come to rest.
	look = 5 * time.Second
	// restingShare is how much of a processor one uses at most that rests.
	restingShare = 0.03
	// mostSettling is after what time it counts as at rest in any case: numbers that were
	// given are looked after for a minute.
	mostSettling = 3 * time.Minute
)

// measure makes so many Services on a control plane of their own.
func (s *settings) measure(ctx context.Context, way string, size int) (measured row, err error) {
	w, err := s.startWorld(ctx, way)
	if err != nil {
		return row{}, err
	}
	defer func() { err = errors.Join(err, w.plane.Stop()) }()
	measured = row{way: way, size: size}
	before := max(0, size-s.made)
	if err := w.store(ctx, before); err != nil {
		return row{}, err
	}
	manager, err := w.start(ctx)
	if err != nil {
		return row{}, err
	}
	if err := settle(ctx, manager.PID()); err != nil { // it takes over what there is
		return row{}, err
	}
	if err := w.measureMaking(ctx, manager, before, &measured); err != nil {
		return row{}, err
	}
	if err := w.measureRest(ctx, manager, &measured); err != nil {
		return row{}, err
	}
	if err := manager.Stop(ctx); err != nil {
		return row{}, err
	}
	err = w.measureStart(ctx, &measured)
	return measured, err
}

// measureMaking makes those that are not there before.
func (w *world) measureMaking(ctx context.Context, manager *controlplane.Manager, before int, into *row) error {
	if err := w.route(ctx, manager); err != nil {
		return err
	}
	idle, err := process.Read(manager.PID())
	if err != nil {
		return err
	}
	begun := time.Now()
	if err := w.fill(ctx, before, into.size); err != nil {
		return err
	}
	into.made = time.Since(begun)
	busy, err := process.Read(manager.PID())
	into.making, into.makingPeak = busy.Processor-idle.Processor, busy.Peak
	return err
}

func (w *world) measureRest(ctx context.Context, manager *controlplane.Manager, into *row) error {
	if err := settle(ctx, manager.PID()); err != nil {
		return err
	}
	before, err := process.Read(manager.PID())
	if err != nil {
		return err
	}
	if err := wait(ctx, w.rest); err != nil {
		return err
	}
	after, err := process.Read(manager.PID())
	into.resting = after.Resident
	into.perMinute = time.Duration(float64(after.Processor-before.Processor) * float64(time.Minute) / float64(w.rest))
	return err
}

// measureStart starts another manager. What it needs at most it may need after it is
// ready.
func (w *world) measureStart(ctx context.Context, into *row) error {
	begun := time.Now()
	manager, err := w.start(ctx)
	if err != nil {
		return err
	}
	into.ready = time.Since(begun)
	if err := settle(ctx, manager.PID()); err != nil {
		return err
	}
	after, err := process.Read(manager.PID())
	into.starting, into.startingPeak = after.Processor, after.Peak
	return err
}

// settle waits until a process has come to rest.
func settle(ctx context.Context, pid int) error {
	for end := time.Now().Add(mostSettling); time.Now().Before(end); {
		before, err := process.Read(pid)
		if err != nil {
			return err
		}
		if err := wait(ctx, look); err != nil {
			return err
		}
		after, err := process.Read(pid)
		if err != nil {
			return err
		}
		if (after.Processor - before.Processor).Seconds() < restingShare*look.Seconds() {
			return nil
		}
	}
	return nil
}

func wait(ctx context.Context, period time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(period):
		return nil
	}
}

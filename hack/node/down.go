// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"servicenet.dev/servicenet/hack/lock"
)

const (
	// stopGrace is how long a supervisor has to end by itself.
	stopGrace = 20 * time.Second
	// clearTimeout bounds the wait for what the kernel clears away by itself.
	clearTimeout = time.Minute
)

// down takes the cluster of a folder down, if there is one, and removes the folder
// and all else that is left of it. It may be run again and again.
func down(ctx context.Context, s settings) error {
	begin := time.Now()
	if _, err := os.Stat(s.dir); os.IsNotExist(err) && bridgeOwner(ctx) != s.dir {
		fmt.Println("there is no cluster in " + s.dir)
		return nil
	}
	mine, err := stopSupervisor(ctx, s)
	if err != nil {
		return err
	}
	if err := clearAll(ctx, s); err != nil {
		return errors.Join(err, mine.Release())
	}
	if err := errors.Join(os.RemoveAll(s.dir), mine.Release()); err != nil {
		return err
	}
	fmt.Printf("the cluster is down after %.0f s; nothing is left of it\n", time.Since(begin).Seconds())
	return nil
}

// stopSupervisor asks the supervisor to end, then has it killed, and returns with its
// lock. While the lock is held its holder lives, and the number that it wrote there is
// still its own.
func stopSupervisor(ctx context.Context, s settings) (*lock.Lock, error) {
	signal := syscall.SIGTERM
	patience := time.Now().Add(stopGrace)
	for signalled := false; ; {
		mine, err := lock.Acquire(s.dir)
		other, isHeld := errors.AsType[*lock.HeldError](err)
		if !isHeld {
			return mine, err
		}
		if time.Now().After(patience) {
			signal, signalled = syscall.SIGKILL, false
			patience = time.Now().Add(stopGrace)
		}
		var pid int
		if _, err := fmt.Sscanf(other.Text, "pid %d", &pid); err == nil && !signalled {
			if err := syscall.Kill(pid, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
				return nil, fmt.Errorf("ending the supervisor, pid %d: %w", pid, err)
			}
			signalled = true
		}
		if !pause(ctx, followInterval) {
			return nil, ctx.Err()
		}
	}
}

// clearAll removes what a cluster of the folder has left, but for the lock, which the
// caller holds.
func clearAll(ctx context.Context, s settings) error {
	ctx, cancel := context.WithTimeout(ctx, clearTimeout)
	defer cancel()
	if err := killMarked(ctx, s.dir); err != nil {
		return err
	}
	if owner := bridgeOwner(ctx); owner == "" || owner == s.dir || !held(owner) {
		if err := errors.Join(removeLinks(ctx), removeCgroups(ctx), removePolicy()); err != nil {
			return err
		}
	}
	return clearFolder(s)
}

// clearFolder removes what is in the folder, but for the lock.
func clearFolder(s settings) error {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return fmt.Errorf("clearing the folder of the cluster: %w", err)
	}
	for _, entry := range entries {
		if entry.Name() == lock.File {
			continue
		}
		if err := os.RemoveAll(s.path(entry.Name())); err != nil {
			return fmt.Errorf("clearing the folder of the cluster: %w", err)
		}
	}
	return nil
}

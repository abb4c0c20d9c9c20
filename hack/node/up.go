// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"

	"servicenet.dev/servicenet/hack/lock"
)

// marker is the environment variable, with the folder as its value, by which down
// knows the processes of a cluster: all that a supervisor starts inherit it.
const marker = "SERVICENET_CLUSTER"

// followInterval is how often up looks at how the supervisor is getting on.
const followInterval = 100 * time.Millisecond

// up brings a cluster up unless one is up already. What a start that fails or is
// interrupted has left is taken down again.
func up(ctx context.Context, s settings) error {
	begin := time.Now()
	if os.Geteuid() != 0 {
		return errors.New("real nodes take root: namespaces, mounts and interfaces are made")
	}
	held, err := lock.Acquire(s.dir)
	if other, isHeld := errors.AsType[*lock.HeldError](err); isHeld {
		return joinRunning(ctx, s, other)
	}
	if err != nil {
		return err
	}
	if err := errors.Join(prepare(ctx, s, begin), held.Release()); err != nil {
		return err
	}
	if err := supervise(ctx, s); err != nil {
		// The context has ended if that is why.
		return errors.Join(err, down(context.WithoutCancel(ctx), s))
	}
	fmt.Printf("the cluster is up after %.0f s\n", time.Since(begin).Seconds())
	return nil
}

// prepare sees to what the machine must have, and clears away what a cluster has left
// that was not taken down.
func prepare(ctx context.Context, s settings, begin time.Time) error {
	if owner := bridgeOwner(ctx); owner != "" && owner != s.dir && held(owner) {
		return fmt.Errorf("another cluster is up on this machine, in %s: `make cluster-down` there first", owner)
	}
	if err := installPackages(ctx, begin); err != nil {
		return err
	}
	return clearAll(ctx, s)
}

// held tells whether a supervisor runs in a folder.
func held(dir string) bool {
	if _, err := os.Stat(dir); err != nil {
		return false
	}
	taken, err := lock.Acquire(dir)
	if _, isHeld := errors.AsType[*lock.HeldError](err); isHeld {
		return true
	}
	if err == nil {
		_ = taken.Release() // it was free a moment ago, whatever comes of that
	}
	return false
}

// joinRunning waits for the cluster that somebody else has begun to bring up.
func joinRunning(ctx context.Context, s settings, other *lock.HeldError) error {
	is, err := os.ReadFile(s.path("settings"))
	if err == nil && string(is) != s.describe() {
		return fmt.Errorf("a cluster is up already, but otherwise (%s): `make cluster-down` first", is)
	}
	if _, err := os.Stat(s.kubeconfig()); err == nil {
		fmt.Printf("the cluster is up already\n\n%s", other.Text)
		return nil
	}
	fmt.Println("the cluster is being brought up already")
	ended := make(chan error)
	go func() {
		for held(s.dir) {
			if !pause(ctx, followInterval) {
				return
			}
		}
		close(ended)
	}()
	return follow(ctx, s, ended)
}

// supervise starts the supervisor and shows what it says until the cluster is up.
func supervise(ctx context.Context, s settings) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("looking for this program: %w", err)
	}
	log, err := os.OpenFile(s.path("cluster.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("log of the supervisor: %w", err)
	}
	defer func() { _ = log.Close() }()                                    // the child has a descriptor of its own
	cmd := exec.Command(self, append([]string{"serve"}, s.flags()...)...) //nolint:noctx // it outlives this process
	cmd.Env = append(os.Environ(), marker+"="+s.dir)
	cmd.Stdout, cmd.Stderr = log, log
	// A session of its own: Ctrl-C in the terminal is none of its business.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting the supervisor: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	return follow(ctx, s, ended)
}

// follow copies the log of the supervisor to the standard output until the cluster
// is up, or the supervisor has ended.
func follow(ctx context.Context, s settings, ended <-chan error) error {
	log, err := os.Open(s.path("cluster.log"))
	if err != nil {
		return fmt.Errorf("log of the supervisor: %w", err)
	}
	defer func() { _ = log.Close() }()
	for {
		var end error
		over := false
		select {
		case end = <-ended:
			over = true
		default:
		}
		_, ready := os.Stat(s.kubeconfig())
		if _, err := io.Copy(os.Stdout, log); err != nil {
			return fmt.Errorf("log of the supervisor: %w", err)
		}
		switch {
		case over:
			return errors.Join(errors.New("the cluster did not come up"), end)
		case ready == nil:
			return nil
		case !pause(ctx, followInterval):
			return ctx.Err()
		}
	}
}

// pause waits, and returns false when the context ended meanwhile.
func pause(ctx context.Context, length time.Duration) bool {
	timer := time.NewTimer(length)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"time"
)

const (
	// readyTimeout bounds the wait for a part that runs but is not ready, for
	// callers without a deadline of their own. A busy machine needs its time.
	readyTimeout = 2 * time.Minute

	// readyInterval is how often a starting part is probed.
	readyInterval = 50 * time.Millisecond

	// portAttempts is how often a part is started, each time with another port,
	// when somebody else takes the port that was free a moment ago.
	portAttempts = 5
)

// StartProcess runs any program as a part of the control plane: Done watches it
// and Stop ends it like the others. It returns when the part is ready.
func (cp *ControlPlane) StartProcess(ctx context.Context, command Command) (*Process, error) {
	part := &Process{
		command: command,
		logPath: cp.path("logs", command.Name+".log"),
		owner:   cp,
	}
	if err := part.start(ctx); err != nil {
		return nil, err
	}
	return part, nil
}

// startOnFreePort starts a part that listens on a port of the loopback
// interface. The given function tells how, given the port.
func (cp *ControlPlane) startOnFreePort(
	ctx context.Context, describe func(port int) (Command, error),
) (*Process, int, error) {
	for attempt := 1; ; attempt++ {
		port, err := FreePort(ctx)
		if err != nil {
			return nil, 0, err
		}
		command, err := describe(port)
		if err != nil {
			return nil, 0, err
		}
		part, err := cp.StartProcess(ctx, command)
		var death *DeathError
		if errors.As(err, &death) && death.portTaken() && attempt < portAttempts {
			continue
		}
		return part, port, err
	}
}

// start runs the program and waits until it is ready. One that fails to get
// ready is killed.
func (p *Process) start(ctx context.Context) error {
	begin := time.Now()
	life, err := p.spawn()
	if err != nil {
		return err
	}
	if err := p.awaitReady(ctx, life); err != nil {
		return errors.Join(err, p.Kill())
	}
	p.owner.options.OnReady(p, time.Since(begin))
	return nil
}

// spawn starts a process of the operating system, unless the control plane has
// been stopped.
func (p *Process) spawn() (*run, error) {
	cp := p.owner
	cp.mu.Lock()
	defer cp.mu.Unlock()
	if cp.stopped {
		return nil, fmt.Errorf("starting %s: the control plane is stopped", p.Name())
	}

	log, err := os.OpenFile(p.logPath, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("log of %s: %w", p.Name(), err)
	}
	defer func() { _ = log.Close() }() // the child has a descriptor of its own

	cmd := exec.Command(p.command.Path, p.command.Args...) //nolint:noctx // a part outlives the context of its start
	cmd.Env = append(os.Environ(), p.command.Env...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = sysProcAttr(p.command.Isolated)
	if err := cp.spawner.start(cmd); err != nil {
		return nil, fmt.Errorf("starting %s: %w", p.Name(), err)
	}
	life := &run{cmd: cmd, done: make(chan struct{})}
	p.setLife(life)
	if !slices.Contains(cp.parts, p) {
		cp.parts = append(cp.parts, p)
	}
	go p.wait(life)
	return life, nil
}

// wait reaps the process. An end that nobody asked for is the control plane's
// failure, but for a part that is still starting: there the start fails.
func (p *Process) wait(life *run) {
	life.err = life.cmd.Wait()
	close(life.done)
	if life.served.Load() && !life.asked.Load() {
		p.owner.fail(p.deathError(life))
	}
}

func (p *Process) awaitReady(ctx context.Context, life *run) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	ticker := time.NewTicker(readyInterval)
	defer ticker.Stop()
	for {
		notReady := p.probe(ctx)
		life.served.Store(notReady == nil)
		select {
		case <-life.done:
			return p.deathError(life)
		default:
		}
		if notReady == nil {
			return nil
		}
		select {
		case <-life.done:
			return p.deathError(life)
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %w (%w)\n%s", p.Name(), notReady, ctx.Err(), p.logExcerpt())
		case <-ticker.C:
		}
	}
}

// probe asks the part once whether it is ready.
func (p *Process) probe(ctx context.Context) error {
	if p.command.Ready == nil {
		return nil
	}
	return p.command.Ready(ctx)
}

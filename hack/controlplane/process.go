// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// stopGrace is how long a part has to end before it is killed. What parts keep
// is thrown away, so nothing is lost by being short.
const stopGrace = 5 * time.Second

// Command says how to run a part.
type Command struct {
	// Name stands in messages and is the name of the log file.
	Name string
	// Path of the program.
	Path string
	Args []string
	// Env is added to the environment of this process, as "name=value".
	Env []string
	// Isolated gives the process PID, mount, network and host name namespaces of its
	// own, of which it is the first process: with it ends all that lives there. It
	// takes Linux and root.
	Isolated bool
	// Ready is asked again and again until it returns nil; the part is then
	// ready. Nil means ready as soon as it runs.
	Ready func(context.Context) error
}

// Process is a part that runs, or ran. It can be restarted, so that it stands
// for several processes of the operating system one after another.
type Process struct {
	command Command
	logPath string
	owner   *ControlPlane

	mu      sync.Mutex
	current *run
}

// run is one life of a part. Its err is read after done is closed only.
type run struct {
	cmd    *exec.Cmd
	asked  atomic.Bool // its end was asked for
	served atomic.Bool // it was ready once, its start is over
	done   chan struct{}
	err    error
}

// Name of the part.
func (p *Process) Name() string { return p.command.Name }

// PID is the id of the operating system's process, also when it has ended.
func (p *Process) PID() int { return p.life().cmd.Process.Pid }

// Done is closed when the process that runs now has ended.
func (p *Process) Done() <-chan struct{} { return p.life().done }

// Err says how the process ended: nil for exit status 0 or while it runs, else
// an *exec.ExitError.
func (p *Process) Err() error {
	life := p.life()
	select {
	case <-life.done:
		return life.err
	default:
		return nil
	}
}

// LogPath is the file with what the part wrote to its standard output and
// error, over all its restarts.
func (p *Process) LogPath() string { return p.logPath }

// LogTail returns the last lines of the log, at most n of them.
func (p *Process) LogTail(n int) string { return tail(p.logPath, n) }

// Signal sends a signal to the process: syscall.SIGSTOP pauses it,
// syscall.SIGCONT lets it go on. A process that ends later has been asked to.
func (p *Process) Signal(signal os.Signal) error {
	life := p.life()
	if signal != syscall.SIGSTOP && signal != syscall.SIGCONT {
		life.asked.Store(true)
	}
	err := life.cmd.Process.Signal(signal)
	if err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("sending %v to %s: %w", signal, p.Name(), err)
	}
	return nil
}

// Kill ends the process at once, as a crash would, and waits for its end.
func (p *Process) Kill() error {
	if err := p.Signal(syscall.SIGKILL); err != nil {
		return err
	}
	<-p.Done()
	return nil
}

// Stop asks the process to end, and kills it when the context ends first. It
// works on a paused process too, and does nothing to one that has ended.
func (p *Process) Stop(ctx context.Context) error { return p.end(ctx.Done()) }

// stopWithGrace is Stop with the time that a part has by default.
func (p *Process) stopWithGrace() error {
	giveUp := make(chan struct{})
	defer time.AfterFunc(stopGrace, func() { close(giveUp) }).Stop()
	return p.end(giveUp)
}

func (p *Process) end(giveUp <-chan struct{}) error {
	if err := p.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	if err := p.Signal(syscall.SIGCONT); err != nil {
		return err
	}
	select {
	case <-p.Done():
		return nil
	case <-giveUp:
		return p.Kill()
	}
}

// Restart stops the process if it runs, starts it again with the same
// arguments, and waits until it is ready.
func (p *Process) Restart(ctx context.Context) error {
	if err := p.stopWithGrace(); err != nil {
		return err
	}
	return p.start(ctx)
}

func (p *Process) life() *run {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.current
}

func (p *Process) setLife(life *run) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.current = life
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// restartDelay is how long what has ended is left alone before it is started again.
const restartDelay = time.Second

// program is a process that a machine keeps running. Its log is open.
type program struct {
	name string
	path string
	args []string
	log  *os.File
}

// tender is who keeps programs running, and reaps what is left to the first process
// of a PID namespace.
type tender struct {
	mu      sync.Mutex
	running map[int]program
}

// tend starts the programs, and again when they end, until the context ends. The rest
// is left to the kernel, which ends all with the first process.
func tend(ctx context.Context, programs []program) error {
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGCHLD)
	t := &tender{running: map[int]program{}}
	for i := range programs {
		if err := t.start(&programs[i]); err != nil {
			return err
		}
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ended:
			t.reap()
		}
	}
}

// start starts a program. Whoever reaps waits meanwhile, so that its end is not taken
// for a stranger's.
func (t *tender) start(p *program) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	pid, err := syscall.ForkExec(p.path, append([]string{p.path}, p.args...), &syscall.ProcAttr{
		Env:   os.Environ(),
		Files: []uintptr{uintptr(syscall.Stdin), p.log.Fd(), p.log.Fd()},
		Sys:   &syscall.SysProcAttr{Setpgid: true},
	})
	if err != nil {
		return fmt.Errorf("starting %s: %w", p.name, err)
	}
	t.running[pid] = *p
	return nil
}

// reap takes leave of all children that have ended.
func (t *tender) reap() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, syscall.WNOHANG, nil)
		if pid <= 0 || err != nil {
			return
		}
		p, isOurs := t.running[pid]
		if !isOurs {
			continue
		}
		delete(t.running, pid)
		fmt.Printf("%s ended (exit status %d, signal %d) and is started again\n", p.name, status.ExitStatus(), status.Signal())
		time.AfterFunc(restartDelay, func() {
			if err := t.start(&p); err != nil {
				fmt.Println(err)
			}
		})
	}
}

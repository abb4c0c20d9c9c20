// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"os/exec"
	"runtime"
)

// spawner starts all processes of a control plane from one thread that lives
// as long as they do. On Linux they are to die with their parent, and the
// kernel takes the parent to be the thread that started them, not the process:
// were they started from whatever thread the Go scheduler picks, they would die
// as soon as it lets that thread go.
type spawner struct {
	requests chan spawnRequest
}

type spawnRequest struct {
	cmd    *exec.Cmd
	result chan<- error
}

func newSpawner() *spawner {
	s := &spawner{requests: make(chan spawnRequest)}
	go s.serve()
	return s
}

func (s *spawner) serve() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for request := range s.requests {
		request.result <- request.cmd.Start()
	}
}

// start is cmd.Start on the spawner's thread.
func (s *spawner) start(cmd *exec.Cmd) error {
	result := make(chan error)
	s.requests <- spawnRequest{cmd: cmd, result: result}
	return <-result
}

// close lets the thread go. All processes must have ended.
func (s *spawner) close() { close(s.requests) }

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// socketTimeout bounds the wait for a containerd that starts.
const socketTimeout = time.Minute

// ctr runs containerd's client on a node. A path through the machine's process is always
// short enough for a socket; the length of the folder's has no bounds.
func (s *settings) ctr(ctx context.Context, number int, args ...string) error {
	pid, _, err := readMachine(s.path("nodes", nodeName(number), machineFile))
	if err != nil {
		return err
	}
	socket := fmt.Sprintf("/proc/%d/root%s/containerd.sock", pid, inside)
	return runProgram(ctx, "ctr", append([]string{"--address", socket, "--connect-timeout", "1s"}, args...)...)
}

// load brings images into the nodes of a cluster that is up.
func load(ctx context.Context, s settings) error {
	if len(s.args) == 0 {
		return errors.New("load: name files with images")
	}
	nodes, err := filepath.Glob(s.path("nodes", "*"))
	if err != nil || len(nodes) == 0 {
		return errors.Join(errors.New("no cluster is up in "+s.dir), err)
	}
	s.nodes = len(nodes)
	for _, image := range s.args {
		if err := s.loadEverywhere(ctx, image); err != nil {
			return err
		}
	}
	return nil
}

// loadEverywhere brings the images of a file into all nodes.
func (s *settings) loadEverywhere(ctx context.Context, image string) error {
	for number := 1; number <= s.nodes; number++ {
		if err := s.awaitSocket(ctx, number); err != nil {
			return err
		}
		if err := s.ctr(ctx, number, "--namespace", "k8s.io", "images", "import", image); err != nil {
			return fmt.Errorf("bringing %s into %s: %w", image, nodeName(number), err)
		}
	}
	return nil
}

// awaitSocket waits until a node's containerd answers.
func (s *settings) awaitSocket(ctx context.Context, number int) error {
	ctx, cancel := context.WithTimeout(ctx, socketTimeout)
	defer cancel()
	for {
		err := s.ctr(ctx, number, "version")
		if err == nil {
			return nil
		}
		if !pause(ctx, followInterval) {
			return fmt.Errorf("containerd of %s does not answer: %w%s", nodeName(number), err,
				s.logTail(number, "machine")+s.logTail(number, "containerd"))
		}
	}
}

// logTail is the end of the log of a program of a node.
func (s *settings) logTail(number int, program string) string {
	const lines = 15
	content, err := os.ReadFile(s.path("logs", nodeName(number)+"-"+program+".log"))
	if err != nil || len(content) == 0 {
		return ""
	}
	all := strings.Split(strings.TrimSpace(string(content)), "\n")
	return "\nlast lines of " + program + ":\n" + strings.Join(all[max(0, len(all)-lines):], "\n")
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
)

// process is one of a cluster.
type process struct {
	pid  int
	name string
}

// marked are the processes that have the marker with a folder in their environment.
// Containers do not have it; they end with the machine they live on.
func marked(dir string) ([]process, error) {
	folders, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, fmt.Errorf("looking for processes: %w", err)
	}
	var processes []process
	for _, folder := range folders {
		pid, err := strconv.Atoi(filepath.Base(folder))
		if err != nil || pid == os.Getpid() || !isMarked(pid, dir) {
			continue
		}
		line, err := os.ReadFile(filepath.Join(folder, "cmdline"))
		if err == nil { // else it has just ended
			processes = append(processes, process{pid, programName(line)})
		}
	}
	slices.SortFunc(processes, func(a, b process) int { return a.pid - b.pid })
	return processes, nil
}

// programName is what a process runs, by its arguments. Those of this program are known
// by what they do.
func programName(line []byte) string {
	args := bytes.Split(line, []byte{0})
	name := filepath.Base(string(args[0]))
	if len(args) > 1 {
		switch string(args[1]) {
		case "serve":
			return "supervisor"
		case "machine":
			return "machine"
		}
	}
	return name
}

// isMarked reads the environment that a process was started with. One that has ended
// has none.
func isMarked(pid int, dir string) bool {
	environment, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	return err == nil && slices.ContainsFunc(bytes.Split(environment, []byte{0}), func(variable []byte) bool {
		return string(variable) == marker+"="+dir
	})
}

// killMarked kills all processes of a folder, and waits for their end.
func killMarked(ctx context.Context, dir string) error {
	for {
		processes, err := marked(dir)
		if err != nil || len(processes) == 0 {
			return err
		}
		for _, p := range processes {
			// What FindProcess returns stands for this very process: the number may
			// be given to another one, but then that one has the marker, too.
			found, err := os.FindProcess(p.pid)
			if err != nil || !isMarked(p.pid, dir) {
				continue
			}
			if err := found.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
				return fmt.Errorf("killing %s, pid %d: %w", p.name, p.pid, err)
			}
		}
		if !pause(ctx, followInterval) {
			return fmt.Errorf("processes of the cluster do not end: %v", processes)
		}
	}
}

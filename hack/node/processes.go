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
		case machineCommand:
			return machineCommand
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

// machineFile has the id of a node's machine and when it was started: together they
// are not given to another process.
const machineFile = "machine"

// recordMachine writes down which process is the machine of the node with a folder.
func recordMachine(folder string, pid int) error {
	record := fmt.Sprintf("%d %s", pid, startTime(pid))
	if err := os.WriteFile(filepath.Join(folder, machineFile), []byte(record), 0o600); err != nil {
		return fmt.Errorf("writing down a machine: %w", err)
	}
	return nil
}

// startTime of a process, "" if there is none. It is told of one that is ending, too.
func startTime(pid int) string {
	const field = 22 - 3 // proc_pid_stat(5) counts from 1; the first two end with the name, in brackets
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	return string(fields[field])
}

// machineEnds tells whether a machine is there that was written down, be it ending: a
// machine that ends has no environment any more, but waits for all that lives on it.
func machineEnds(dir string) bool {
	records, err := filepath.Glob(filepath.Join(dir, "nodes", "*", machineFile))
	if err != nil {
		return false
	}
	return slices.ContainsFunc(records, func(file string) bool {
		pid, started, err := readMachine(file)
		return err == nil && startTime(pid) == started
	})
}

// readMachine reads what recordMachine wrote.
func readMachine(file string) (pid int, started string, err error) {
	content, err := os.ReadFile(file)
	if err == nil {
		_, err = fmt.Sscan(string(content), &pid, &started)
	}
	if err != nil {
		return 0, "", fmt.Errorf("looking for a machine: %w", err)
	}
	return pid, started, nil
}

// killMarked kills all processes of a folder, and waits for their end.
func killMarked(ctx context.Context, dir string) error {
	for {
		processes, err := marked(dir)
		if err != nil || len(processes) == 0 && !machineEnds(dir) {
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

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

const (
	// tick is the unit of processor time in /proc on Linux.
	tick = 10 * time.Millisecond
	// A process is idle when it uses less than idleShare of a processor for
	// idleFor.
	idleShare = 0.05
	idleFor   = 2 * time.Second
	idleProbe = 250 * time.Millisecond
)

// processorTime is what a process has used so far, all its threads together.
func processorTime(pid int) (time.Duration, error) {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, fmt.Errorf("processor time: %w", err)
	}
	return parseProcessorTime(content)
}

// parseProcessorTime reads a file "stat" of /proc. The second field is the name
// of the program in parentheses, which may hold anything; utime and stime are
// the 12th and 13th after it.
func parseProcessorTime(stat []byte) (time.Duration, error) {
	const utime, stime = 11, 12
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) <= stime {
		return 0, fmt.Errorf("processor time: %q is cut short", stat)
	}
	total := time.Duration(0)
	for _, field := range [][]byte{fields[utime], fields[stime]} {
		ticks, err := strconv.ParseInt(string(field), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("processor time: %w", err)
		}
		total += time.Duration(ticks) * tick
	}
	return total, nil
}

// peakMemory is the most bytes that a process ever had resident.
func peakMemory(pid int) (int64, error) {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, fmt.Errorf("peak memory: %w", err)
	}
	return parsePeakMemory(string(content))
}

// parsePeakMemory reads a file "status" of /proc.
func parsePeakMemory(status string) (int64, error) {
	for line := range strings.Lines(status) {
		text, found := strings.CutPrefix(line, "VmHWM:")
		if !found {
			continue
		}
		kibibytes, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(text), "kB")), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("peak memory: %w", err)
		}
		return kibibytes << 10, nil
	}
	return 0, fmt.Errorf("peak memory: no VmHWM in %q", status)
}

// awaitIdle waits until processes have done next to nothing for a while.
func awaitIdle(ctx context.Context, pids ...int) error {
	probes := time.NewTicker(idleProbe)
	defer probes.Stop()
	since, used := time.Now(), time.Duration(-1)
	for {
		now, err := sumProcessorTime(pids)
		if err != nil {
			return err
		}
		if busy := float64(now-used) > idleShare*float64(idleFor); busy || used < 0 {
			since, used = time.Now(), now
		}
		if time.Since(since) >= idleFor {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for idle processes: %w", context.Cause(ctx))
		case <-probes.C:
		}
	}
}

func sumProcessorTime(pids []int) (time.Duration, error) {
	total := time.Duration(0)
	for _, pid := range pids {
		used, err := processorTime(pid)
		if err != nil {
			return 0, err
		}
		total += used
	}
	return total, nil
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Package process reads what a process has used, on Linux.
package process

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of processor time in /proc on Linux.
const tick = 10 * time.Millisecond

// Usage is what a process has used.
type Usage struct {
	Processor time.Duration
	// Resident is the bytes in memory now, Peak those at most.
	Resident, Peak int64
}

// Read reads it.
func Read(pid int) (Usage, error) {
	folder := os.DirFS(fmt.Sprintf("/proc/%d", pid))
	stat, err := fs.ReadFile(folder, "stat")
	if err != nil {
		return Usage{}, fmt.Errorf("processor time: %w", err)
	}
	status, err := fs.ReadFile(folder, "status")
	if err != nil {
		return Usage{}, fmt.Errorf("memory: %w", err)
	}
	// The second field is the name in parentheses; utime and stime are the 12th and
	// 13th after it.
	const utime, stime = 11, 12
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) <= stime {
		return Usage{}, fmt.Errorf("processor time: %q is cut short", stat)
	}
	var used Usage
	for _, field := range [][]byte{fields[utime], fields[stime]} {
		ticks, err := strconv.ParseInt(string(field), 10, 64)
		if err != nil {
			return Usage{}, fmt.Errorf("processor time: %w", err)
		}
		used.Processor += time.Duration(ticks) * tick
	}
	used.Resident, used.Peak = kibibytes(string(status), "VmRSS:"), kibibytes(string(status), "VmHWM:")
	return used, nil
}

// kibibytes returns a line of a file "status" of /proc in bytes, 0 without it.
func kibibytes(status, field string) int64 {
	for line := range strings.Lines(status) {
		if text, found := strings.CutPrefix(line, field); found {
			count, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(text), " kB"), 10, 64)
			return count << 10
		}
	}
	return 0
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
)

const (
	// excerptLines is how much of a log an error quotes.
	excerptLines = 15

	// tailBytes bounds what is read of a log for its last lines.
	tailBytes = 64 << 10
)

// DeathError tells about a part that ended though nobody asked it to.
type DeathError struct {
	// Part is the name of the part.
	Part string
	// Exit is how it ended, nil for exit status 0.
	Exit error
	// LogPath is its log, LogTail the last lines of it.
	LogPath, LogTail string
}

// Error names the part, its exit status and its last log lines.
func (e *DeathError) Error() string {
	exit := "exit status 0"
	if e.Exit != nil {
		exit = e.Exit.Error()
	}
	return fmt.Sprintf("%s ended: %s\n%s", e.Part, exit, excerpt(e.LogPath, e.LogTail))
}

// Unwrap returns how the part ended.
func (e *DeathError) Unwrap() error { return e.Exit }

// portTaken says that the part ended because somebody else had its port.
func (e *DeathError) portTaken() bool {
	return strings.Contains(e.LogTail, "address already in use")
}

func (p *Process) deathError(life *run) error {
	<-life.done
	return &DeathError{Part: p.Name(), Exit: life.err, LogPath: p.logPath, LogTail: p.LogTail(excerptLines)}
}

func (p *Process) logExcerpt() string { return excerpt(p.logPath, p.LogTail(excerptLines)) }

func excerpt(path, lines string) string {
	if lines == "" {
		return fmt.Sprintf("its log %s is empty", path)
	}
	return fmt.Sprintf("last lines of %s:\n%s", path, lines)
}

// tail returns the last lines of a file, at most n, without the last newline.
// A file that cannot be read has none: the caller is about to report something
// more important.
func tail(path string, n int) string {
	file, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer func() { _ = file.Close() }()
	if info, err := file.Stat(); err == nil && info.Size() > tailBytes {
		if _, err := file.Seek(-tailBytes, io.SeekEnd); err != nil {
			return ""
		}
	}
	content, err := io.ReadAll(io.LimitReader(file, tailBytes))
	if err != nil {
		return ""
	}
	lines := bytes.Split(bytes.TrimRight(content, "\n"), []byte("\n"))
	return string(bytes.Join(lines[max(0, len(lines)-n):], []byte("\n")))
}

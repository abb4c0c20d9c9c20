// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Package lock makes sure that one cluster at a time runs in a folder, and tells
// others who runs it.
package lock

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// File is the name of the file in the folder.
const File = "lock"

// Lock is held by one process at a time. The kernel lets it go when the process
// ends, however it ends.
type Lock struct {
	file *os.File
}

// HeldError says that another process has the lock.
type HeldError struct {
	// Path is the file that is locked.
	Path string
	// Text is what the holder left for others.
	Text string
}

// Error tells what the holder says of itself.
func (e *HeldError) Error() string {
	return fmt.Sprintf("servicenet already runs in this clone (%s is locked):\n\n%s", e.Path, e.Text)
}

// Acquire takes the lock of a folder, which it makes if need be. A *HeldError tells
// what already runs there.
func Acquire(dir string) (*Lock, error) {
	for {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("making the folder of the cluster: %w", err)
		}
		l, err := acquire(filepath.Join(dir, File))
		if l != nil || err != nil {
			return l, err
		}
	}
}

// acquire takes a lock, or returns nothing if its file was removed meanwhile: others
// may have a lock on the next one of that name.
func acquire(path string) (*Lock, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the lock: %w", err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = file.Close()
		holder, _ := os.ReadFile(path) // without it the message is still right
		return nil, &HeldError{Path: path, Text: string(holder)}
	}
	is, err := file.Stat()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("looking at the lock: %w", err), file.Close())
	}
	if named, err := os.Stat(path); err != nil || !os.SameFile(is, named) {
		return nil, file.Close()
	}
	l := &Lock{file: file}
	if err := l.Describe(fmt.Sprintf("pid %d, still starting\n", os.Getpid())); err != nil {
		return nil, err
	}
	return l, nil
}

// Describe leaves a text for whoever finds the lock taken.
func (l *Lock) Describe(text string) error {
	if err := l.file.Truncate(0); err != nil {
		return fmt.Errorf("writing the lock: %w", err)
	}
	if _, err := l.file.WriteAt([]byte(text), 0); err != nil {
		return fmt.Errorf("writing the lock: %w", err)
	}
	return nil
}

// Release lets the lock go. The file stays; who removes the folder does so while
// holding the lock.
func (l *Lock) Release() error {
	if err := errors.Join(l.Describe(""), l.file.Close()); err != nil {
		return fmt.Errorf("releasing the lock: %w", err)
	}
	return nil
}

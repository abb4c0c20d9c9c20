// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// lock makes sure that one cluster at a time runs in a folder. The kernel lets
// it go when the process ends, however it ends.
type lock struct {
	file *os.File
}

// acquire takes the lock of a folder, or returns an error that tells what
// already runs there.
func acquire(dir string) (*lock, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the folder of the cluster: %w", err)
	}
	path := filepath.Join(dir, "lock")
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the lock: %w", err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = file.Close()
		holder, _ := os.ReadFile(path) // without it the message is still right
		return nil, fmt.Errorf("servicenet already runs in this clone (%s is locked):\n\n%s", path, holder)
	}
	l := &lock{file: file}
	if err := l.describe(fmt.Sprintf("pid %d, still starting\n", os.Getpid())); err != nil {
		return nil, err
	}
	return l, nil
}

// describe leaves a text for whoever finds the lock taken.
func (l *lock) describe(text string) error {
	if err := l.file.Truncate(0); err != nil {
		return fmt.Errorf("writing the lock: %w", err)
	}
	if _, err := l.file.WriteAt([]byte(text), 0); err != nil {
		return fmt.Errorf("writing the lock: %w", err)
	}
	return nil
}

// release lets the lock go. The file stays: removing it would let two others
// hold locks on two files of one name.
func (l *lock) release() error {
	if err := errors.Join(l.describe(""), l.file.Close()); err != nil {
		return fmt.Errorf("releasing the lock: %w", err)
	}
	return nil
}

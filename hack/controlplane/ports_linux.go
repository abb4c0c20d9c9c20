// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// claim reserves a port among the processes of this user that look for one with
// FreePort, until this process ends: a program that was told a port may begin to listen
// there seconds later. It returns false if somebody has it already.
func claim(port int) bool {
	path := filepath.Join(os.TempDir(), fmt.Sprintf("servicenet-ports-%d", os.Getuid()))
	descriptor, err := unix.Open(path, unix.O_CREAT|unix.O_RDWR|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return true // that it listens nowhere yet is all that can be known
	}
	// A lock of one byte of the file. It belongs to the descriptor, which stays open.
	of := unix.Flock_t{Type: unix.F_WRLCK, Start: int64(port), Len: 1}
	if unix.FcntlFlock(uintptr(descriptor), unix.F_OFD_SETLK, &of) != nil {
		_ = unix.Close(descriptor)
		return false
	}
	return true
}

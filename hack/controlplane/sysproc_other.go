// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package controlplane

import "syscall"

// sysProcAttr puts a part into a process group of its own, so that Ctrl-C in
// the terminal reaches only us. Only Linux can end it with us should we be
// killed, and isolate it.
func sysProcAttr(bool) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}

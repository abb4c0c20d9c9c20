// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// mount is an argument list of the system call.
type mount struct {
	source, target, kind string
	flags                uintptr
	data                 string
}

func (m *mount) do() error {
	if err := syscall.Mount(m.source, m.target, m.kind, m.flags, m.data); err != nil {
		return fmt.Errorf("mounting %s on %s (%s): %w", m.source, m.target, m.kind, err)
	}
	return nil
}

// mountAll gives the machine file systems of its own where nodes write: what is
// written below /var/lib and /var/log lands in the folder of the node, and what is
// written below /run in memory, but for the folder of the node, which is there, too.
// The kernel's settings, which are everybody's, are shielded from kubelet.
func mountAll(folder string) error {
	// Seen through this, the folder stays what it is when mounts hide its path, and has
	// no comma or colon in its name, which the options of mounts can't have.
	opened, err := os.Open(folder)
	if err != nil {
		return fmt.Errorf("folder of the node: %w", err)
	}
	defer func() { _ = opened.Close() }()

	through := fmt.Sprintf("/proc/self/fd/%d", opened.Fd())
	mounts := []mount{
		{"none", "/", "", syscall.MS_REC | syscall.MS_PRIVATE, ""},
		{"none", "/", "", syscall.MS_REC | syscall.MS_SHARED, ""}, // for volumes that containers share
		{"proc", "/proc", "proc", 0, ""},
	}
	if err := mountEach(mounts); err != nil {
		return err
	}
	mounts = []mount{}
	for _, covered := range []string{"/var/log", "/var/lib"} { // in this order: the folder may be in the second
		m, err := overlay(through, covered)
		if err != nil {
			return err
		}
		mounts = append(mounts, m)
	}
	mounts = append(mounts, mount{"tmpfs", "/run", "tmpfs", 0, "mode=755"})
	if err := mountEach(mounts); err != nil {
		return err
	}
	if err := os.Mkdir(inside, 0o700); err != nil {
		return fmt.Errorf("folder of the node: %w", err)
	}
	self := mount{through, inside, "", syscall.MS_BIND, ""}
	if err := self.do(); err != nil {
		return err
	}
	return shieldSettings()
}

func mountEach(mounts []mount) error {
	for i := range mounts {
		if err := mounts[i].do(); err != nil {
			return err
		}
	}
	return nil
}

// overlay lets a folder be seen, and keeps what is written to it in the folder of the
// node.
func overlay(folder, covered string) (mount, error) {
	name := strings.ReplaceAll(strings.Trim(covered, "/"), "/", "-")
	upper, work := filepath.Join(folder, name), filepath.Join(folder, name+"-work")
	for _, made := range []string{upper, work} {
		if err := os.MkdirAll(made, 0o755); err != nil { //nolint:gosec // as what it covers
			return mount{}, fmt.Errorf("folder of the node: %w", err)
		}
	}
	return mount{"overlay", covered, "overlay", 0, fmt.Sprintf("lowerdir=%s,upperdir=%s,workdir=%s", covered, upper, work)}, nil
}

// shieldSettings puts files over the settings of the kernel that kubelet writes and
// that have no namespace, with what kubelet wants to find there.
func shieldSettings() error {
	for name, value := range map[string]string{
		"vm.overcommit_memory":      "1",
		"vm.panic_on_oom":           "0",
		"kernel.panic":              "10",
		"kernel.panic_on_oops":      "1",
		"kernel.keys.root_maxkeys":  "1000000",
		"kernel.keys.root_maxbytes": "25000000",
	} {
		file := "/run/" + name
		if err := os.WriteFile(file, []byte(value+"\n"), 0o600); err != nil {
			return fmt.Errorf("shielding %s: %w", name, err)
		}
		shield := mount{file, "/proc/sys/" + strings.ReplaceAll(name, ".", "/"), "", syscall.MS_BIND, ""}
		if err := shield.do(); err != nil {
			return err
		}
	}
	return nil
}

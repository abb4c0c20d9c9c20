// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package node

import (
	"bytes"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// traces are what clusters leave on a machine if they leave anything, by kind.
type traces map[string][]string

// lookForTraces looks at the machine. Processes are those of the programs that clusters
// consist of, whoever started them.
func lookForTraces(t *testing.T) traces {
	t.Helper()
	interfaces, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	found := traces{}
	for i := range interfaces {
		found["interfaces"] = append(found["interfaces"], interfaces[i].Name)
	}
	found["routes"] = lines(t, "ip", "route", "show", "table", "all")
	found["rules of nftables"] = lines(t, "nft", "list", "tables")
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		t.Fatal(err)
	}
	found["mounts"] = strings.Split(string(mounts), "\n")
	found["control groups"] = cgroups(t)
	found["processes"] = processes(t)
	for _, pattern := range []string{"/var/lib/*", "/var/log/*", "/run/*", "/etc/cni/*", "/usr/sbin/policy-rc.d"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		found["files"] = append(found["files"], files...)
	}
	for _, setting := range []string{
		"vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops",
		"kernel/keys/root_maxkeys", "kernel/keys/root_maxbytes", "net/ipv4/ip_forward",
	} {
		value, err := os.ReadFile("/proc/sys/" + setting)
		if err != nil {
			t.Fatal(err)
		}
		found["settings"] = append(found["settings"], setting+"="+string(bytes.TrimSpace(value)))
	}
	return found
}

// lines of what a program prints.
func lines(t *testing.T, name string, args ...string) []string {
	t.Helper()
	output, err := exec.CommandContext(t.Context(), name, args...).Output()
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	all := strings.Split(string(output), "\n")
	slices.Sort(all)
	return all
}

// cgroups of pods, and the folders that are theirs.
func cgroups(t *testing.T) []string {
	t.Helper()
	var folders []string
	err := filepath.WalkDir("/sys/fs/cgroup", func(path string, _ fs.DirEntry, err error) error {
		if name := filepath.Base(path); name == "servicenet" || strings.Contains(name, "kubepods") {
			folders = append(folders, path)
		}
		if os.IsNotExist(err) { // others come and go
			return nil
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return folders
}

// processes that a cluster is made of, by name.
func processes(t *testing.T) []string {
	t.Helper()
	names, err := filepath.Glob("/proc/[0-9]*/comm")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, file := range names {
		name, _ := os.ReadFile(file) // it may have just ended
		if text := string(bytes.TrimSpace(name)); slices.Contains([]string{
			"containerd", "containerd-shim", "kubelet", "kube-proxy", "coredns", "pause", "runc",
		}, text) {
			found = append(found, text)
		}
	}
	return found
}

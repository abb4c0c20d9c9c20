// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// pluginFolder is where Debian has the CNI plugins.
const pluginFolder = "/usr/lib/cni"

// packages are what a node is made of besides programs built here, by a program of
// each.
func packages() map[string]string {
	return map[string]string{
		"containerd":             "containerd",
		"runc":                   "runc",
		pluginFolder + "/bridge": "containernetworking-plugins",
		"nft":                    "nftables",
		"iptables":               "iptables",
		"conntrack":              "conntrack",
		"ip":                     "iproute2",
	}
}

// missingPackages are those whose programs are not there.
func missingPackages() []string {
	var missing []string
	for program, name := range packages() {
		if _, err := exec.LookPath(program); err != nil {
			missing = append(missing, name)
		}
	}
	slices.Sort(missing)
	return missing
}

// installAll is the command packages.
func installAll(ctx context.Context, _ settings) error { return installPackages(ctx, time.Now()) }

// installPackages installs what is missing, where that can be done.
func installPackages(ctx context.Context, begin time.Time) error {
	missing := missingPackages()
	if len(missing) == 0 {
		return nil
	}
	if _, err := exec.LookPath("apt-get"); err != nil {
		return fmt.Errorf("this machine lacks what Debian has in the packages %s: install them first", strings.Join(missing, ", "))
	}
	progressf(begin, "installing %s", strings.Join(missing, " "))
	if err := forbidServices(); err != nil {
		return err
	}
	install := append([]string{"install", "--yes", "--quiet", "--no-install-recommends"}, missing...)
	err := aptGet(ctx, install...)
	if err != nil { // the lists of packages may be missing, or old
		if err = aptGet(ctx, "update", "--quiet"); err == nil {
			err = aptGet(ctx, install...)
		}
	}
	if err := errors.Join(err, removePolicy()); err != nil {
		return err
	}
	progressf(begin, "packages installed")
	return nil
}

func aptGet(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, "apt-get", args...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("apt-get %s: %w\n%s", strings.Join(args, " "), err, output)
	}
	return nil
}

// Debian starts services on installation unless this program forbids it: nobody here
// wants its containerd.
const (
	policyFile = "/usr/sbin/policy-rc.d"
	policy     = "#!/bin/sh\n# Made by servicenet while it installs packages.\nexit 101\n"
)

// forbidServices keeps packages from starting services. A machine that has rules of
// its own keeps them.
func forbidServices() error {
	file, err := os.OpenFile(policyFile, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755) //nolint:gosec // a program
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("forbidding services: %w", err)
	}
	_, err = file.WriteString(policy)
	if err := errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("forbidding services: %w", err)
	}
	return nil
}

// removePolicy removes the program of forbidServices, if it is that.
func removePolicy() error {
	is, err := os.ReadFile(policyFile)
	if err != nil || string(is) != policy {
		return nil //nolint:nilerr // it is not ours
	}
	if err := os.Remove(policyFile); err != nil {
		return fmt.Errorf("allowing services again: %w", err)
	}
	return nil
}

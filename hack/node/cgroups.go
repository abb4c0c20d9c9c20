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
	"path/filepath"
	"slices"
)

const cgroupRoot = "/sys/fs/cgroup"

// hierarchies are the roots of control groups: one in version 2, one a controller in
// version 1.
func hierarchies() ([]string, error) {
	if _, err := os.Stat(filepath.Join(cgroupRoot, "cgroup.controllers")); err == nil {
		return []string{cgroupRoot}, nil
	}
	entries, err := os.ReadDir(cgroupRoot)
	if err != nil {
		return nil, fmt.Errorf("control groups: %w", err)
	}
	var roots []string
	for _, entry := range entries {
		if entry.IsDir() { // links are other names of these
			roots = append(roots, filepath.Join(cgroupRoot, entry.Name()))
		}
	}
	return roots, nil
}

// nodeCgroup is the control group of a node's pods, below a hierarchy.
func nodeCgroup(number int) string { return "/" + cgroupName + "/" + nodeName(number) }

// makeCgroups makes the control group that a kubelet wants to find.
func makeCgroups(number int) error {
	roots, err := hierarchies()
	if err != nil {
		return err
	}
	for _, root := range roots {
		folder := root
		for _, name := range []string{cgroupName, nodeName(number)} {
			parent := folder
			folder = filepath.Join(folder, name)
			if err := os.Mkdir(folder, 0o755); err != nil && !errors.Is(err, fs.ErrExist) { //nolint:gosec // as others there
				return fmt.Errorf("making a control group: %w", err)
			}
			if err := inherit(parent, folder); err != nil {
				return err
			}
		}
	}
	return nil
}

// inherit gives a new group its parent's processors and memory, without which version
// 1 lets no process in.
func inherit(parent, child string) error {
	for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
		value, err := os.ReadFile(filepath.Join(parent, file))
		if errors.Is(err, fs.ErrNotExist) || len(value) == 0 {
			continue
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(child, file), value, 0o600)
		}
		if err != nil {
			return fmt.Errorf("setting up a control group: %w", err)
		}
	}
	return nil
}

// removeCgroups removes the control groups of all nodes. They are busy until the
// kernel is done with the processes that were in them.
func removeCgroups(ctx context.Context) error {
	roots, err := hierarchies()
	if err != nil {
		return err
	}
	for _, root := range roots {
		top := filepath.Join(root, cgroupName)
		for {
			err := removeTree(top)
			if err == nil {
				break
			}
			if !pause(ctx, followInterval) {
				return err
			}
		}
	}
	return nil
}

// removeTree removes a control group with all below, the lowest first.
func removeTree(top string) error {
	var folders []string
	err := filepath.WalkDir(top, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil && entry.IsDir() {
			folders = append(folders, path)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("looking for control groups: %w", err)
	}
	for _, folder := range slices.Backward(folders) {
		if err := os.Remove(folder); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("removing a control group: %w", err)
		}
	}
	return nil
}

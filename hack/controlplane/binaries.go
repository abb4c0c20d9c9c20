// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Binaries are folders with programs, in the order in which they are searched.
type Binaries []string

// FindBinaries returns the folders the environment names, as `make` sets it:
//
//   - KUBEBUILDER_ASSETS, a folder as setup-envtest makes it,
//   - SERVICENET_BIN, the folders `make` builds into, separated as in PATH, each
//     with its folder of the Kubernetes version K8S_VERSION.
//
// Without SERVICENET_BIN the folder bin of the Go module around the working
// folder is taken, and without K8S_VERSION the oldest version built there, so
// that a test also runs from an editor once `make tools` has run.
func FindBinaries() Binaries {
	var folders Binaries
	if assets := os.Getenv("KUBEBUILDER_ASSETS"); assets != "" {
		folders = append(folders, assets)
	}
	bins := filepath.SplitList(os.Getenv("SERVICENET_BIN"))
	if len(bins) == 0 {
		bins = []string{filepath.Join(moduleRoot(), "bin")}
	}
	for _, bin := range bins {
		folders = append(folders, bin)
		if kubernetes := kubernetesFolder(bin); kubernetes != "" {
			folders = append(folders, kubernetes)
		}
	}
	return folders
}

// kubernetesFolder returns the folder of the control plane's programs in bin,
// or "" when none have been built.
func kubernetesFolder(bin string) string {
	if version := os.Getenv("K8S_VERSION"); version != "" {
		return filepath.Join(bin, "k8s", version)
	}
	// Glob sorts, and fails on a malformed pattern only.
	servers, _ := filepath.Glob(filepath.Join(bin, "k8s", "*", "kube-apiserver"))
	if len(servers) == 0 {
		return ""
	}
	return filepath.Dir(servers[0])
}

// Find returns the path of a program.
func (b Binaries) Find(name string) (string, error) {
	for _, folder := range b {
		path, err := filepath.Abs(filepath.Join(folder, name))
		if err != nil {
			return "", fmt.Errorf("looking for %s: %w", name, err)
		}
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path, nil
		}
	}
	return "", fmt.Errorf("no %s in %s: run `make tools` (`make test` and `make run` do), "+
		"or set KUBEBUILDER_ASSETS to a folder that has it", name, strings.Join(b, ", "))
}

// moduleRoot returns the nearest folder with a go.mod at or above the working
// folder, or the working folder itself.
func moduleRoot() string {
	working, err := os.Getwd()
	if err != nil {
		return "."
	}
	for folder := working; ; folder = filepath.Dir(folder) {
		if _, err := os.Stat(filepath.Join(folder, "go.mod")); err == nil {
			return folder
		}
		if folder == filepath.Dir(folder) {
			return working
		}
	}
}

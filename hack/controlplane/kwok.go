// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"context"
	_ "embed"
	"fmt"
	"net/http"
)

// The package documentation tells what the stages do.
//
//go:embed stages.yaml
var stages []byte

// simulated marks the nodes that kwok manages.
const (
	simulatedKey   = "kwok.x-k8s.io/node"
	simulatedValue = "fake"
)

// StartKwok starts kwok, which plays the kubelet on the nodes of AddNodes. The
// arguments come last, so that they win.
//
// A kwok that is restarted does not know the addresses it gave before, and
// waits for the Leases of its nodes to expire (40 s): to hold the simulation
// up, pause it with SIGSTOP instead.
func (cp *ControlPlane) StartKwok(ctx context.Context, args ...string) (*Process, error) {
	const name = "kwok"
	path, err := cp.options.Binaries.Find(name)
	if err != nil {
		return nil, err
	}
	kubeconfig, err := cp.writeKubeconfigFor(name, name, AdminGroup)
	if err != nil {
		return nil, err
	}
	config := cp.path("data", "kwok.yaml")
	if err := replaceFile(config, stages); err != nil {
		return nil, fmt.Errorf("writing the stages of kwok: %w", err)
	}
	part, _, err := cp.startOnFreePort(ctx, func(port int) (Command, error) {
		all := []string{
			"--kubeconfig=" + kubeconfig,
			"--config=" + config,
			"--manage-nodes-with-annotation-selector=" + simulatedKey + "=" + simulatedValue,
			// Without Leases the nodes are NotReady after 50 s, and so are their pods.
			"--node-lease-duration-seconds=40",
			"--server-address=" + loopbackAddress(port),
		}
		return Command{
			Name:  name,
			Path:  path,
			Args:  append(all, args...),
			Ready: HTTPReady(http.DefaultClient, loopbackURL("http", port)+"/healthz"),
		}, nil
	})
	return part, err
}

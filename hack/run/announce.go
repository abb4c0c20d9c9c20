// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"k8s.io/client-go/discovery"

	"servicenet.dev/servicenet/hack/controlplane"
	"servicenet.dev/servicenet/hack/lock"
)

// announce prints what runs where, and leaves the same with the lock for
// whoever tries to start a second cluster.
func (c *cluster) announce(held *lock.Lock) error {
	summary, err := c.summary()
	if err != nil {
		return err
	}
	if err := held.Describe(summary); err != nil {
		return err
	}
	fmt.Printf("\n%s\nservicenet is ready\n", summary)
	return nil
}

func (c *cluster) summary() (string, error) {
	discover, err := discovery.NewDiscoveryClientForConfig(c.plane.RESTConfig())
	if err != nil {
		return "", fmt.Errorf("client of the control plane: %w", err)
	}
	version, err := discover.ServerVersion()
	if err != nil {
		return "", fmt.Errorf("version of the API server: %w", err)
	}
	lines := [][2]string{
		{"pid", fmt.Sprintf("%d (Ctrl-C stops everything)", os.Getpid())},
		{"API server", fmt.Sprintf("%s  Kubernetes %s", c.plane.RESTConfig().Host, version.GitVersion)},
		{"nodes", fmt.Sprintf("%d, simulated, in %s", c.nodes, strings.Join(controlplane.DefaultZones(), ", "))},
		{"manager", fmt.Sprintf("%s/readyz  %s/metrics", c.manager.HealthURL, c.manager.MetricsURL)},
		{"webhooks", c.manager.WebhookURL},
		{"logs", filepath.Dir(c.manager.LogPath())},
	}
	if kubectl, err := controlplane.FindBinaries().Find("kubectl"); err == nil {
		lines = append(lines, [2]string{"kubectl", kubectl})
	}
	var text strings.Builder
	for _, line := range lines {
		fmt.Fprintf(&text, "%-11s  %s\n", line[0], line[1])
	}
	fmt.Fprintf(&text, "\nexport KUBECONFIG=%s\n", c.kubeconfig)
	return text.String(), nil
}

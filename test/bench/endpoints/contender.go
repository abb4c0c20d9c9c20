// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"k8s.io/client-go/rest"

	"servicenet.dev/servicenet/hack/controlplane"
	"servicenet.dev/servicenet/test/bench/endpoints/report"
)

// start starts one of the two sides as a new process.
func (w *world) start(ctx context.Context, side report.Side, s settings) (*controlplane.Process, error) {
	if side == report.Stock {
		return w.startStock(ctx, s)
	}
	manager, err := w.plane.StartManager(ctx, controlplane.ManagerOptions{
		Name:     w.processName("manager"),
		Path:     s.manager,
		RoleFile: s.role,
		Args:     append(commonArgs(s), "--controllers=endpointslice,endpoints,endpointslicemirroring"),
	})
	if err != nil {
		return nil, err
	}
	return manager.Process, nil
}

// commonArgs are flags that both sides have.
func commonArgs(s settings) []string {
	return []string{
		"--leader-elect=false",
		fmt.Sprintf("--kube-api-qps=%d", s.qps),
		fmt.Sprintf("--kube-api-burst=%d", s.qps),
		"--endpoint-updates-batch-period=0s",
		"--endpointslice-updates-batch-period=0s",
		"--mirroring-endpointslice-updates-batch-period=0s",
	}
}

// startStock starts a kube-controller-manager that runs its three endpoint
// controllers and nothing else.
func (w *world) startStock(ctx context.Context, s settings) (*controlplane.Process, error) {
	const program = "kube-controller-manager"
	path, err := controlplane.FindBinaries().Find(program)
	if err != nil {
		return nil, err
	}
	kubeconfig, err := w.kubeconfig("system:" + program)
	if err != nil {
		return nil, err
	}
	port, err := controlplane.FreePort(ctx)
	if err != nil {
		return nil, err
	}
	certificates := filepath.Join(w.plane.Dir(), "certificates")
	return w.plane.StartProcess(ctx, controlplane.Command{
		Name: w.processName(program),
		Path: path,
		Args: append(commonArgs(s),
			"--controllers=endpoints-controller,endpointslice-controller,endpointslice-mirroring-controller",
			"--use-service-account-credentials",
			"--service-account-private-key-file="+filepath.Join(certificates, "service-account.key"),
			"--kubeconfig="+kubeconfig,
			"--authentication-kubeconfig="+kubeconfig,
			"--authorization-kubeconfig="+kubeconfig,
			"--bind-address=127.0.0.1",
			fmt.Sprintf("--secure-port=%d", port),
			"--tls-cert-file="+filepath.Join(certificates, "serving.crt"),
			"--tls-private-key-file="+filepath.Join(certificates, "serving.key"),
		),
		Ready: controlplane.HTTPReady(w.admin, fmt.Sprintf("https://127.0.0.1:%d/healthz", port)),
	})
}

// startWatcher starts this program as a process that only watches.
func (w *world) startWatcher(ctx context.Context) (*controlplane.Process, error) {
	path, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding this program: %w", err)
	}
	kubeconfig, err := w.kubeconfig("watcher", controlplane.AdminGroup)
	if err != nil {
		return nil, err
	}
	return w.plane.StartProcess(ctx, controlplane.Command{
		Name: w.processName(watcherCommand),
		Path: path,
		Args: []string{watcherCommand, kubeconfig},
	})
}

// processName gives every process a log of its own.
func (w *world) processName(program string) string {
	return fmt.Sprintf("%s-%d", program, w.starts.Add(1))
}

func (w *world) kubeconfig(user string, groups ...string) (string, error) {
	config, err := w.plane.ConfigFor(user, groups...)
	if err != nil {
		return "", err
	}
	return w.writeKubeconfig(strings.ReplaceAll(user, ":", "-"), config)
}

func (w *world) writeKubeconfig(name string, config *rest.Config) (string, error) {
	path := filepath.Join(w.plane.Dir(), "kubeconfigs", name)
	return path, controlplane.WriteKubeconfig(path, config)
}

// isSynced reads in the log of a side that the caches of its three controllers
// are filled.
func isSynced(side report.Side, log string) bool {
	const controllers = 3
	if side == report.Ours {
		return strings.Count(log, "Starting workers") == controllers
	}
	// Others wait for caches too, and no line says who waits.
	for _, line := range []string{
		"Starting endpoint slice controller", "Starting EndpointSliceMirroring controller", "Starting endpoint controller",
	} {
		if !strings.Contains(log, line) {
			return false
		}
	}
	return strings.Count(log, "Caches are synced") == strings.Count(log, "Waiting for caches to sync")
}

// awaitSynced returns when a process has logged that its caches are filled.
func awaitSynced(ctx context.Context, side report.Side, logPath string) (time.Time, error) {
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	for {
		content, err := os.ReadFile(logPath)
		if err == nil && isSynced(side, string(content)) {
			return time.Now(), nil
		}
		select {
		case <-ctx.Done():
			return time.Time{}, fmt.Errorf("waiting for synced caches in %s: %w", logPath, context.Cause(ctx))
		case <-ticker.C:
		}
	}
}

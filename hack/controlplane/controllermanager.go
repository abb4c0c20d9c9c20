// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
)

// Sets of controllers of kube-controller-manager.
const (
	allControllers   = "*"
	withoutEndpoints = allControllers + ",-endpoints-controller,-endpointslice-controller,-endpointslice-mirroring-controller"
)

// StartControllerManager starts kube-controller-manager without the three
// controllers that write Endpoints and EndpointSlices, and waits until pods can
// be created in the default namespace. The arguments come last, so that they
// win, except for --controllers: its values add up, and the first that names a
// controller decides. [ControlPlane.StartProcess] starts one with other
// controllers.
func (cp *ControlPlane) StartControllerManager(ctx context.Context, args ...string) (*Process, error) {
	return cp.startControllerManager(ctx, withoutEndpoints, args...)
}

// StartStockControllerManager is StartControllerManager with the three controllers
// that write Endpoints and EndpointSlices.
func (cp *ControlPlane) StartStockControllerManager(ctx context.Context, args ...string) (*Process, error) {
	return cp.startControllerManager(ctx, allControllers, args...)
}

func (cp *ControlPlane) startControllerManager(ctx context.Context, controllers string, args ...string) (*Process, error) {
	const name = "kube-controller-manager"
	path, err := cp.options.Binaries.Find(name)
	if err != nil {
		return nil, err
	}
	kubeconfig, err := cp.writeKubeconfigFor(name, "system:kube-controller-manager")
	if err != nil {
		return nil, err
	}
	probes, err := cp.pki.cluster.httpClient()
	if err != nil {
		return nil, err
	}
	part, _, err := cp.startOnFreePort(ctx, func(port int) (Command, error) {
		all := []string{
			"--controllers=" + controllers,
			"--service-account-private-key-file=" + cp.pki.path(serviceAccountKeyFile),
			"--root-ca-file=" + cp.pki.path(clusterCAFile),
			"--use-service-account-credentials",
			"--leader-elect=false", // saves the wait for the lease
			"--kube-api-qps=1000",
			"--kube-api-burst=2000",
		}
		all = append(all, cp.componentArgs(kubeconfig, port)...)
		return Command{
			Name:  name,
			Path:  path,
			Args:  append(all, args...),
			Ready: HTTPReady(probes, loopbackURL("https", port)+"/healthz"),
		}, nil
	})
	if err != nil {
		return nil, err
	}
	return part, cp.awaitServiceAccount(ctx)
}

// StartScheduler starts kube-scheduler. The arguments come last, so that they
// win.
func (cp *ControlPlane) StartScheduler(ctx context.Context, args ...string) (*Process, error) {
	const name = "kube-scheduler"
	path, err := cp.options.Binaries.Find(name)
	if err != nil {
		return nil, err
	}
	kubeconfig, err := cp.writeKubeconfigFor(name, "system:kube-scheduler")
	if err != nil {
		return nil, err
	}
	probes, err := cp.pki.cluster.httpClient()
	if err != nil {
		return nil, err
	}
	part, _, err := cp.startOnFreePort(ctx, func(port int) (Command, error) {
		all := []string{
			"--leader-elect=false",
			"--kube-api-qps=1000",
			"--kube-api-burst=2000",
		}
		all = append(all, cp.componentArgs(kubeconfig, port)...)
		return Command{
			Name:  name,
			Path:  path,
			Args:  append(all, args...),
			Ready: HTTPReady(probes, loopbackURL("https", port)+"/readyz"),
		}, nil
	})
	return part, err
}

// componentArgs are what all stock components share: their client, and a
// server for health and metrics.
func (cp *ControlPlane) componentArgs(kubeconfig string, port int) []string {
	return []string{
		"--kubeconfig=" + kubeconfig,
		"--authentication-kubeconfig=" + kubeconfig,
		"--authorization-kubeconfig=" + kubeconfig,
		"--bind-address=" + loopback,
		fmt.Sprintf("--secure-port=%d", port),
		"--tls-cert-file=" + cp.pki.path(servingFile),
		"--tls-private-key-file=" + cp.pki.path(servingKeyFile),
	}
}

// awaitServiceAccount waits until pods of the default namespace can be created:
// admission refuses them before their service account exists.
func (cp *ControlPlane) awaitServiceAccount(ctx context.Context) error {
	if cp.options.NoServiceAccountAdmission {
		return nil
	}
	clients, err := kubernetes.NewForConfig(cp.RESTConfig())
	if err != nil {
		return fmt.Errorf("client of the control plane: %w", err)
	}
	var missing error
	err = wait.PollUntilContextTimeout(ctx, readyInterval, readyTimeout, true, func(ctx context.Context) (bool, error) {
		_, missing = clients.CoreV1().ServiceAccounts(metav1.NamespaceDefault).Get(ctx, "default", metav1.GetOptions{})
		return missing == nil, nil
	})
	if err != nil {
		return fmt.Errorf("kube-controller-manager makes no service account (%w): %w", missing, err)
	}
	return nil
}

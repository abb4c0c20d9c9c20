// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package takeover

import (
	"context"
	"fmt"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/client-go/rest"

	"servicenet.dev/servicenet/hack/controlplane"
)

// stockName is the program of the stock controllers, and its user.
const stockName = "kube-controller-manager"

// stockControllers are the endpoint controllers of kube-controller-manager.
const stockControllers = "endpoints-controller,endpointslice-controller,endpointslice-mirroring-controller"

// startStock starts a kube-controller-manager that runs its three endpoint
// controllers and nothing else. The control plane's own way to start one leaves
// out just these.
func (w *world) startStock(ctx context.Context, args ...string) *writer {
	GinkgoHelper()
	return w.startStockOf(ctx, stockControllers, args...)
}

// startStockOf starts one with some controllers, separated by commas.
func (w *world) startStockOf(ctx context.Context, controllers string, args ...string) *writer {
	GinkgoHelper()
	path, err := controlplane.FindBinaries().Find(stockName)
	Expect(err).NotTo(HaveOccurred())
	config, err := w.plane.ConfigFor("system:" + stockName)
	Expect(err).NotTo(HaveOccurred())
	kubeconfig := filepath.Join(w.plane.Dir(), "kubeconfigs", stockName)
	Expect(controlplane.WriteKubeconfig(kubeconfig, config)).To(Succeed())
	port, err := controlplane.FreePort(ctx)
	Expect(err).NotTo(HaveOccurred())
	through, err := rest.HTTPClientFor(w.plane.RESTConfig())
	Expect(err).NotTo(HaveOccurred())
	root := fmt.Sprintf("https://127.0.0.1:%d", port)
	certificates := filepath.Join(w.plane.Dir(), "certificates")

	started, err := w.plane.StartProcess(ctx, controlplane.Command{
		Name: stockName,
		Path: path,
		Args: append([]string{
			"--controllers=" + controllers,
			"--leader-elect=false",
			"--use-service-account-credentials",
			"--service-account-private-key-file=" + filepath.Join(certificates, "service-account.key"),
			"--kubeconfig=" + kubeconfig,
			"--authentication-kubeconfig=" + kubeconfig,
			"--authorization-kubeconfig=" + kubeconfig,
			"--bind-address=127.0.0.1",
			fmt.Sprintf("--secure-port=%d", port),
			"--tls-cert-file=" + filepath.Join(certificates, "serving.crt"),
			"--tls-private-key-file=" + filepath.Join(certificates, "serving.key"),
		}, args...),
		Ready: controlplane.HTTPReady(through, root+"/healthz"),
	})
	Expect(err).NotTo(HaveOccurred())
	return reportOnFailure(&writer{
		Process: started,
		busy:    []string{"workqueue_depth", "workqueue_unfinished_work_seconds"},
		read: func(ctx context.Context) (metrics, error) {
			return readMetrics(ctx, through, root)
		},
	})
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package library

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"servicenet.dev/servicenet/controllers"
)

// newManager returns a manager with the controllers, as a host would make it.
func newManager(config *rest.Config, options controllers.Options) ctrl.Manager {
	mgr, err := ctrl.NewManager(config, ctrl.Options{Metrics: metricsserver.Options{BindAddress: "0"}})
	Expect(err).NotTo(HaveOccurred())
	Expect(controllers.Add(mgr, options)).To(Succeed())
	return mgr
}

// start runs a manager until stop is called, or the spec ends.
func start(mgr ctrl.Manager) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background()) //nolint:forbidigo // it outlives the node it is called from
	done := make(chan struct{})
	go func() {
		defer GinkgoRecover()
		defer close(done)
		Expect(mgr.Start(ctx)).To(Succeed())
	}()
	stop = func() {
		cancel()
		<-done
	}
	DeferCleanup(stop)
	return stop
}

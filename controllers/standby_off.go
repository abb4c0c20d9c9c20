// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
)

// addNoQuestion is for the modes in which nobody has to ask who writes endpoints: the
// leader removes what asks, if it was left by one in another mode, and with it a record
// that does not hold any more.
func addNoQuestion(mgr ctrl.Manager, options Options) error {
	acting, err := newActing(metrics.Registry, options)
	if err != nil {
		return err
	}
	api, err := newAskingClient(mgr, options)
	if err != nil {
		return fmt.Errorf("building the client that asks who writes endpoints: %w", err)
	}
	return mgr.Add(runnable{run: func(ctx context.Context) error {
		for _, name := range endpointNames() {
			if options.EndpointsMode == EndpointsOn && options.runs(name) {
				acting.WithLabelValues(name).Set(1)
			}
		}
		if err := withdraw(ctx, api, options.Namespace); err != nil {
			mgr.GetLogger().V(1).Info("What asks who writes endpoints is not removed", "reason", err.Error())
		}
		return nil
	}})
}

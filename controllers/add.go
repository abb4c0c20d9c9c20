// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
)

// Add adds the selected controllers to a manager, with a cache and a client of
// their own that the manager starts and stops. They run when the manager leads,
// if it has leader election; their caches are warm before that. The manager's
// readiness then includes that the caches are synced.
//
// The manager's identity needs the rights in config/rbac/role.yaml. Add fails
// for invalid options, naming each; it must be called before the manager starts.
func Add(mgr ctrl.Manager, options Options) error {
	if err := options.Validate(); err != nil {
		return fmt.Errorf("invalid options: %w", err)
	}
	options = options.withDefaults()
	if options.EndpointsMode == EndpointsOff || !slices.ContainsFunc(Names(), options.runs) {
		return nil
	}
	own, err := newCluster(mgr, options)
	if err != nil {
		return fmt.Errorf("building the cache of the endpoint controllers: %w", err)
	}
	if err := mgr.Add(own); err != nil {
		return fmt.Errorf("adding the cache of the endpoint controllers: %w", err)
	}
	if err := mgr.AddReadyzCheck("servicenet-caches", cachesSynced(own.GetCache())); err != nil {
		return fmt.Errorf("adding the readiness check of the endpoint controllers: %w", err)
	}
	for name, setup := range setups() {
		if !options.runs(name) {
			continue
		}
		if err := setup(mgr, own, options); err != nil {
			return fmt.Errorf("adding the %s controller: %w", name, err)
		}
	}
	return nil
}

// cachesSynced is a readiness check. It answers at once: a probe that waits is a
// probe that times out.
func cachesSynced(informers cache.Cache) func(*http.Request) error {
	const patience = 100 * time.Millisecond
	return func(request *http.Request) error {
		ctx, cancel := context.WithTimeout(request.Context(), patience)
		defer cancel()
		if !informers.WaitForCacheSync(ctx) {
			return errors.New("the caches of the endpoint controllers are not synced yet")
		}
		return nil
	}
}

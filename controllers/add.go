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

// Add adds the selected controllers to a manager, with caches and clients of
// their own that the manager starts and stops. They run when the manager leads,
// if it has leader election; their caches are warm before that. The manager's
// readiness then includes that the caches are synced.
//
// With Options.EnableWebhooks it also registers the webhooks on the manager's webhook
// server, which every replica then serves, and readiness includes that it is up. What
// makes the API server call them, config/webhook has. When the manager is told to stop
// they go on answering for Options.WebhookDrainPeriod, which its
// GracefulShutdownTimeout must leave time for.
//
// The manager's identity needs the rights in config/rbac/role.yaml, and those on
// Leases in Options.Namespace. Add fails for invalid options, naming each, and if
// the cluster does not have the kinds of a controller that is asked for; it must
// be called before the manager starts.
//
// With Options.EndpointsMode auto the endpoint controllers act while nobody else is seen
// to write endpoints. For that, the manager's identity needs the rights on Services and
// Endpoints in Options.Namespace in config/rbac/leader_election_role.yaml, and to read
// the Leases of Options.KubeControllerManagerLeases. Readiness does not depend on what is
// decided.
func Add(mgr ctrl.Manager, options Options) error {
	if err := options.Validate(); err != nil {
		return fmt.Errorf("invalid options: %w", err)
	}
	choosy := len(options.Controllers) > 0
	options = options.withDefaults()
	if slices.ContainsFunc(endpointNames(), options.runs) {
		if err := addEndpointsIn(options.EndpointsMode)(mgr, options); err != nil {
			return err
		}
	}
	if err := addCloud(mgr, options); err != nil {
		return err
	}
	if !slices.ContainsFunc(ledgerNames(), options.runs) {
		return nil
	}
	return addNumbers(mgr, options, choosy)
}

// addNumbers adds the controllers of numbers. Where the cluster does not have their
// kinds, they are left out unless somebody chose them.
func addNumbers(mgr ctrl.Manager, options Options, choosy bool) error {
	err := haveLedgerKinds(mgr.GetRESTMapper(), options)
	if _, missing := errors.AsType[*missingKindsError](err); missing && !choosy && !options.EnableWebhooks {
		mgr.GetLogger().Info("Controllers are left out", "controllers", ledgerNames(), "reason", err.Error())
		return nil
	}
	if err != nil {
		return err
	}
	return addLedger(mgr, options)
}

// addEndpointsIn returns what adds the endpoint controllers in a mode.
func addEndpointsIn(mode EndpointsMode) func(ctrl.Manager, Options) error {
	switch mode {
	case EndpointsAuto:
		return addAttendant
	case EndpointsOff:
		return addNoQuestion
	default:
		return func(mgr ctrl.Manager, options Options) error {
			return errors.Join(addEndpoints(mgr, options), addNoQuestion(mgr, options))
		}
	}
}

// addEndpoints adds the controllers of EndpointSlices and Endpoints.
func addEndpoints(mgr ctrl.Manager, options Options) error {
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

// cachesSynced is a readiness check.
func cachesSynced(informers cache.Cache) func(*http.Request) error {
	return func(request *http.Request) error { return syncedNow(request.Context(), informers) }
}

// syncedNow fails if a cache is not synced. It answers at once: a probe that waits is a
// probe that times out.
func syncedNow(ctx context.Context, informers cache.Cache) error {
	const patience = 100 * time.Millisecond
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if !informers.WaitForCacheSync(ctx) {
		return errors.New("the caches of the endpoint controllers are not synced yet")
	}
	return nil
}

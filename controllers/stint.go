// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"servicenet.dev/servicenet/internal/standby"
)

// stint is a time in which endpoint controllers act, with a cache of their own. Each
// begins as if the process had just started: it looks at every Service, and writes what
// differs. Between stints nothing is cached, so that standing by costs next to nothing.
type stint struct {
	names  []string
	synced func() error
	cancel context.CancelFunc
	ended  sync.WaitGroup
}

// stage is a manager to the controllers of a stint: it keeps what they would have it run.
type stage struct {
	ctrl.Manager

	parts []manager.Runnable
}

// Add implements manager.Manager.
func (s *stage) Add(part manager.Runnable) error {
	s.parts = append(s.parts, part)
	return nil
}

// warmable are controllers that read their caches before they are to act.
type warmable interface {
	Warmup(ctx context.Context) error
}

// beginStint begins one that ends with the context, or with end. Its caches are read at
// once, and its controllers act from when the manager leads. A part that fails tells so.
func beginStint(ctx context.Context, mgr ctrl.Manager, options Options, names []string, failed chan<- error) (*stint, error) {
	options.Controllers = names
	own, err := newCluster(mgr, options) //nolint:contextcheck // it is built as before a start, and started below
	if err != nil {
		return nil, fmt.Errorf("building the cache of the endpoint controllers: %w", err)
	}
	on := &stage{Manager: mgr}
	for _, name := range names {
		if err := setups()[name](on, own, options); err != nil {
			return nil, fmt.Errorf("adding the %s controller: %w", name, err)
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	s := &stint{names: names, cancel: cancel}
	s.synced = func() error { return syncedNow(ctx, own.GetCache()) }
	s.run(ctx, failed, own.Start)
	for _, part := range on.parts {
		s.run(ctx, failed, func(ctx context.Context) error { return runPart(ctx, mgr.Elected(), part) })
	}
	return s, nil
}

// run runs a part of a stint until the context ends.
func (s *stint) run(ctx context.Context, failed chan<- error, part func(context.Context) error) {
	s.ended.Go(func() {
		err := part(ctx)
		if ctx.Err() != nil {
			return // what fails then, fails since it is over
		}
		select {
		case failed <- cmp.Or(err, errEnded):
		default: // one is enough
		}
	})
}

// errEnded is of a part that ends without being told to.
var errEnded = errors.New("an endpoint controller ended by itself")

// runPart runs a part once the manager leads, and lets it read its caches before that.
func runPart(ctx context.Context, elected <-chan struct{}, part manager.Runnable) error {
	if warm, ok := part.(warmable); ok {
		if err := warm.Warmup(ctx); err != nil {
			return err
		}
	}
	select {
	case <-elected:
		return part.Start(ctx)
	case <-ctx.Done():
		return nil
	}
}

// end ends a stint and waits until nothing of it is left: no write is begun after that.
func (s *stint) end() {
	s.cancel()
	s.ended.Wait()
	forgetGauges(s.names)
}

// forgetGauges takes what controllers had counted and queued out of the metrics.
func forgetGauges(names []string) {
	depth := register(&registrar{registry: metrics.Registry}, prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Subsystem: "workqueue", Name: "depth", Help: "Current depth of workqueue by workqueue and priority",
	}, []string{"name", "controller", "priority"}))
	for name, queue := range map[string]string{
		EndpointSliceName: "endpoint_slice", EndpointsName: "endpoint", EndpointSliceMirroringName: "endpoint_slice_mirroring",
	} {
		if slices.Contains(names, name) {
			depth.DeletePartialMatch(prometheus.Labels{"name": queue})
		}
	}
	if counters, err := newEndpointSliceMetrics(metrics.Registry); err == nil && slices.Contains(names, EndpointSliceName) {
		counters.reset()
		counters.distributions.Reset()
	}
	if counters, err := newMirroringMetrics(metrics.Registry); err == nil && slices.Contains(names, EndpointSliceMirroringName) {
		counters.reset()
	}
}

// sparing keeps a controller away from the Services that ask whether somebody else is at
// work, where anybody asks.
func sparing(options Options, to reconcile.Reconciler) reconcile.Reconciler {
	if options.EndpointsMode != EndpointsAuto {
		return to
	}
	return reconcile.Func(func(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
		if standby.Question(request.NamespacedName, options.Namespace) {
			return ctrl.Result{}, nil
		}
		return to.Reconcile(ctx, request)
	})
}

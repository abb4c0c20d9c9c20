// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Package part is what a manager's part in the ledger comes to, for tests: a
// Store, informers that tell it what they see, and on the leader what frees and
// takes back numbers. All that a manager has besides, such as webhooks that ask for
// numbers, is left to whoever uses it.
package part

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	servicenetv1alpha1 "servicenet.dev/servicenet/api/v1alpha1"
	"servicenet.dev/servicenet/internal/ledger"
	"servicenet.dev/servicenet/internal/ledger/store"
)

// comparisons is how often the leader compares the ledger with the Services.
const comparisons = 3 * time.Second

// Options says what a Part works with. Config and Namespace must be set.
type Options struct {
	Config *rest.Config
	// Namespace is where the Leases are: the replicas', and the leader's.
	Namespace string
	// Identity names the replica to people.
	Identity string
	// Timing is that of a manager if zero.
	Timing store.Timing
	Logger logr.Logger
}

// Part is one replica's part in the ledger.
type Part struct {
	*store.Store
	// Client asks the API server itself.
	Client client.Client
	// Manager runs the part. More can be added to it until it is started.
	Manager manager.Manager

	services  toolscache.Indexer
	addresses toolscache.Store
}

// NewScheme returns the kinds that the ledger has to do with.
func NewScheme() (*runtime.Scheme, error) {
	scheme := runtime.NewScheme()
	if err := clientgoscheme.AddToScheme(scheme); err != nil {
		return nil, err
	}
	return scheme, servicenetv1alpha1.AddToScheme(scheme)
}

// New returns a part that does nothing until its manager is started.
func New(ctx context.Context, options Options) (*Part, error) {
	scheme, err := NewScheme()
	if err != nil {
		return nil, err
	}
	p := &Part{}
	config := rest.CopyConfig(options.Config)
	config.QPS = -1 // no limit: the API server's own fairness paces a manager
	if p.Client, err = client.New(config, client.Options{Scheme: scheme}); err != nil {
		return nil, fmt.Errorf("client of the API server: %w", err)
	}
	p.Manager, err = manager.New(config, manager.Options{
		Scheme: scheme, Logger: options.Logger, Metrics: metricsserver.Options{BindAddress: "0"},
		LeaderElection: true, LeaderElectionID: "ledger-leader", LeaderElectionNamespace: options.Namespace,
		LeaderElectionReleaseOnCancel: true,
	})
	if err != nil {
		return nil, err
	}
	p.Store = store.New(ctx, store.Options{
		Client: p.Client, Evidence: store.NewEvidence(p.Client), Seen: p.seen,
		Namespace: options.Namespace, Identity: options.Identity,
		Holder: ledger.Holder(rand.Uint64()), Seed: rand.Uint64(),
		Timing: options.Timing, Logger: options.Logger,
	})
	if err := p.watch(ctx); err != nil {
		return nil, err
	}
	for _, r := range []*runnable{
		{run: p.Run, everywhere: true}, {run: p.Collect}, {run: p.compareOftenEnough},
	} {
		if err := p.Manager.Add(r); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// AddEverywhere lets the manager run something whether it leads or not.
func (p *Part) AddEverywhere(run func(context.Context) error) error {
	return p.Manager.Add(&runnable{run: run, everywhere: true})
}

// runnable is what a manager runs.
type runnable struct {
	run        func(context.Context) error
	everywhere bool
}

// Start is of manager.Runnable.
func (r *runnable) Start(ctx context.Context) error { return r.run(ctx) }

// NeedLeaderElection is of manager.LeaderElectionRunnable.
func (r *runnable) NeedLeaderElection() bool { return !r.everywhere }

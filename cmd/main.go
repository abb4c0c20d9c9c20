// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Command manager runs servicenet: the Kubernetes Service control plane as one
// controller-manager.
package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"time"

	"github.com/spf13/pflag"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/metrics/filters"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"servicenet.dev/servicenet/controllers"
)

// leaderElectionID names the Lease that the replicas compete for.
const leaderElectionID = "manager.servicenet.dev"

// gcPercent is how much may be allocated between two collections, in hundredths of
// what is in use, unless $GOGC says otherwise. The caches are most of it, and less than half
// of them again is enough: a start, whose garbage is large, then needs a quarter less
// memory and no more processor time.
const gcPercent = 45

// Exit codes.
const (
	exitOK = iota
	exitFailure
	exitUsage
)

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	os.Exit(run(ctrl.SetupSignalHandler(), os.Args[1:], os.Stdout, os.Stderr))
}

// run is main without the process around it.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) > 0 && args[0] == convertCommand {
		return runConvert(ctx, args[1:], os.Stdin, stdout, stderr)
	}
	if len(args) > 0 && args[0] == statusCommand {
		return runStatus(ctx, args[1:], stdout, stderr)
	}
	settings := newSettings()
	switch err := settings.parse(args); {
	case errors.Is(err, pflag.ErrHelp):
		settings.printUsage(stdout)
		return exitOK
	case err != nil:
		fmt.Fprintf(stderr, "manager: %v\nRun 'manager --help' for all flags.\n", err)
		return exitUsage
	case settings.version:
		fmt.Fprintln(stdout, versionLine())
		return exitOK
	}
	logger := zap.New(zap.UseFlagOptions(&settings.zap), zap.WriteTo(stderr))
	ctrl.SetLogger(logger)
	klog.SetLogger(logger)
	if err := serve(ctx, settings); err != nil {
		logger.Error(err, "The manager ended")
		return exitFailure
	}
	return exitOK
}

// serve runs the manager until the context ends or a part of it fails.
func serve(ctx context.Context, settings *settings) error {
	config, err := ctrl.GetConfig()
	if err != nil {
		return fmt.Errorf("finding the API server (--kubeconfig, $KUBECONFIG, the cluster this runs in, ~/.kube/config): %w", err)
	}
	options, err := managerOptions(settings)
	if err != nil {
		return err
	}
	mgr, err := ctrl.NewManager(config, options)
	if err != nil {
		return fmt.Errorf("setting up the manager: %w", err)
	}
	if err := controllers.Add(mgr, settings.controllers); err != nil {
		return err
	}
	if err := addRotation(mgr, settings); err != nil {
		return err
	}
	if err := errors.Join(mgr.AddHealthzCheck("ping", healthz.Ping), mgr.AddReadyzCheck("ping", healthz.Ping)); err != nil {
		return fmt.Errorf("adding the health checks: %w", err)
	}
	mgr.GetLogger().Info("Starting", "version", versionLine(), "server", config.Host,
		"controllers", settings.controllers.Controllers, "endpointsMode", settings.controllers.EndpointsMode)
	return mgr.Start(ctx)
}

// longestRequest is how long the end of the manager waits for requests that are being
// answered, and for what goes back to the ledger.
const longestRequest = 30 * time.Second

// shutdown is how long the manager may take to end.
func (s *settings) shutdown() time.Duration { return s.controllers.WebhookDrainPeriod + longestRequest }

// tlsOptions is for all servers. Without the flag they keep to HTTP/1.1: scrapers and
// API servers need no more, and HTTP/2 lets a client open streams faster than a server
// can close them.
func (s *settings) tlsOptions() []func(*tls.Config) {
	return []func(*tls.Config){func(config *tls.Config) {
		config.MinVersion = tls.VersionTLS12
		if !s.enableHTTP2 {
			config.NextProtos = []string{"http/1.1"}
		}
	}}
}

func managerOptions(settings *settings) (manager.Options, error) {
	scheme := runtime.NewScheme()
	if err := corev1.AddToScheme(scheme); err != nil {
		return manager.Options{}, fmt.Errorf("building the scheme: %w", err)
	}
	metrics := metricsserver.Options{
		BindAddress:   settings.metricsAddress,
		SecureServing: settings.metricsSecure,
		TLSOpts:       settings.tlsOptions(),
	}
	if settings.metricsSecure {
		metrics.FilterProvider = filters.WithAuthenticationAndAuthorization
	}
	return manager.Options{
		Scheme:                        scheme,
		Metrics:                       metrics,
		WebhookServer:                 settings.webhookServer(),
		HealthProbeBindAddress:        settings.healthAddress,
		LeaderElection:                settings.leaderElect,
		LeaderElectionID:              leaderElectionID,
		LeaderElectionNamespace:       settings.leaderElectionNamespace,
		LeaderElectionReleaseOnCancel: true, // the process ends as soon as Start returns
		GracefulShutdownTimeout:       new(settings.shutdown()),
	}, nil
}

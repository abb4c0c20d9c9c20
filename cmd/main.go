// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Command manager runs servicenet: the Kubernetes Service control plane as one
// controller-manager.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/pflag"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/controller-runtime/pkg/metrics/filters"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"servicenet.dev/servicenet/controllers"
)

// leaderElectionID names the Lease that the replicas compete for.
const leaderElectionID = "manager.servicenet.dev"

// Exit codes.
const (
	exitOK = iota
	exitFailure
	exitUsage
)

func main() {
	ctx := ctrl.SetupSignalHandler()
	if os.Getenv("GOGC") == "" {
		go tuneCollector(ctx)
	}
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is main without the process around it.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) > 0 {
		switch args[0] {
		case convertCommand:
			return runConvert(ctx, args[1:], os.Stdin, stdout, stderr)
		case cleanupCommand:
			return runCleanup(ctx, args[1:], stdout, stderr)
		}
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
	if err := addCertificateMetrics(metrics.Registry, settings); err != nil {
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

func managerOptions(settings *settings) (manager.Options, error) {
	scheme := runtime.NewScheme()
	if err := corev1.AddToScheme(scheme); err != nil {
		return manager.Options{}, fmt.Errorf("building the scheme: %w", err)
	}
	tlsOptions, err := settings.tlsOptions()
	if err != nil {
		return manager.Options{}, err
	}
	serving := metricsserver.Options{
		BindAddress:   settings.metricsAddress,
		SecureServing: settings.metricsSecure,
		TLSOpts:       tlsOptions,
	}
	if settings.metricsSecure {
		serving.FilterProvider = filters.WithAuthenticationAndAuthorization
	}
	return manager.Options{
		Scheme:                        scheme,
		Metrics:                       serving,
		WebhookServer:                 settings.webhookServer(tlsOptions),
		HealthProbeBindAddress:        settings.healthAddress,
		LeaderElection:                settings.leaderElect,
		LeaderElectionID:              leaderElectionID,
		LeaderElectionNamespace:       settings.leaderElectionNamespace,
		LeaderElectionReleaseOnCancel: true, // the process ends as soon as Start returns
		GracefulShutdownTimeout:       new(settings.shutdown()),
	}, nil
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"time"

	"github.com/go-logr/logr"
	"github.com/spf13/pflag"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/config"
)

// cleanupCommand is the first argument that has the program remove what the manager
// leaves in a cluster.
const cleanupCommand = "cleanup"

// installedNamespace and installedPrefix are those of config/default.
const (
	installedNamespace = "servicenet-system"
	installedPrefix    = "servicenet-"
)

// cleanupUsage is what --help prints before the flags.
const cleanupUsage = `Stop the manager of a cluster, and remove what it made there: before what it was
installed from is deleted, since nobody could remove it later on.

In this order: the webhook configurations, the Deployment, and when no replica is left,
our finalizers on Services and pools, the admission policies, the ledger, the ServiceCIDRs
of pools, what asked who writes endpoints, and the Leases. Services keep their numbers, and load balancers their addresses.
The pools stay, and go with their kinds.

Usage:
  manager cleanup [flags]

Exit code: 0, 1 if something is left, 2 for wrong arguments. It can be run again.

Flags:
`

// cleanup is a command line of it.
type cleanup struct {
	flags *pflag.FlagSet

	namespace, prefix string
	timeout           time.Duration
}

func newCleanup() *cleanup {
	const patience, shortest = 5 * time.Minute, time.Second
	c := &cleanup{
		flags:     pflag.NewFlagSet(cleanupCommand, pflag.ContinueOnError),
		namespace: cmp.Or(os.Getenv("POD_NAMESPACE"), installedNamespace), prefix: installedPrefix, timeout: patience,
	}
	c.flags.Usage = func() {} // runCleanup prints it, where it belongs
	c.flags.SortFlags = false
	c.flags.Var(&value[string]{&c.namespace, "name", namespaceName}, "namespace", "Namespace of the manager, and of its Leases")
	c.flags.Var(&value[string]{&c.prefix, "prefix", namePrefix}, "name-prefix",
		"What the names of the Deployment and of the webhook configurations begin with")
	c.flags.Var(&value[time.Duration]{&c.timeout, "duration", period(shortest, math.MaxInt64)}, "timeout", "How long it may take")
	c.flags.AddGoFlag(flag.CommandLine.Lookup(config.KubeconfigFlagName)) // registered by controller-runtime
	return c
}

func (c *cleanup) parse(args []string) error {
	if err := c.flags.Parse(args); err != nil {
		return err
	}
	if c.flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q: cleanup takes flags only", c.flags.Arg(0))
	}
	return nil
}

// runCleanup is manager cleanup.
func runCleanup(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	const width = 100
	c := newCleanup()
	switch err := c.parse(args); {
	case errors.Is(err, pflag.ErrHelp):
		fmt.Fprint(stdout, cleanupUsage, c.flags.FlagUsagesWrapped(width))
		return exitOK
	case err != nil:
		fmt.Fprintf(stderr, "manager cleanup: %v\nRun 'manager cleanup --help' for all flags.\n", err)
		return exitUsage
	}
	ctrl.SetLogger(logr.Discard())
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	if err := c.run(ctx, stdout); err != nil {
		fmt.Fprintf(stderr, "manager cleanup: %v\n", err)
		return exitFailure
	}
	return exitOK
}

func (c *cleanup) run(ctx context.Context, stdout io.Writer) error {
	restConfig, err := ctrl.GetConfig()
	if err != nil {
		return fmt.Errorf("finding the API server (--kubeconfig, $KUBECONFIG, ~/.kube/config): %w", err)
	}
	scheme, err := cleanupScheme()
	if err != nil {
		return err
	}
	api, err := client.New(restConfig, client.Options{Scheme: scheme})
	if err != nil {
		return fmt.Errorf("reaching the API server %s: %w", restConfig.Host, err)
	}
	return (&cleaner{api: api, namespace: c.namespace, prefix: c.prefix}).run(ctx, stdout)
}

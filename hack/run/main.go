// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Command run is `make run`: it starts a Kubernetes control plane with
// simulated nodes and the servicenet manager on this machine, and stays in the
// foreground until Ctrl-C. The cluster starts empty every time.
//
//	run [flags] [-- flags of the manager]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"servicenet.dev/servicenet/hack/lock"
)

// settings are the command line.
type settings struct {
	dir         string
	manager     string
	roleFile    string
	crds        string
	webhooks    string
	nodes       int
	managerArgs []string
}

func main() {
	settings, err := parse(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		os.Exit(2) // the flag package has said why
	}
	// The first signal stops everything in order. From then on signals do what
	// they do by default, so that a second one ends us at once, and on Linux all
	// parts with us.
	ctx, restore := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	context.AfterFunc(ctx, restore)
	if err := run(ctx, settings); err != nil {
		fmt.Fprintf(os.Stderr, "\n%v\n", err)
		os.Exit(1)
	}
}

func parse(args []string) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("run", flag.ContinueOnError)
	flags.StringVar(&s.dir, "dir", "bin/local", "folder for data, certificates, logs and the kubeconfig")
	flags.StringVar(&s.manager, "manager", "bin/manager", "program of the manager")
	flags.StringVar(&s.roleFile, "role", "config/rbac/role.yaml", "file with the ClusterRole of the manager")
	flags.StringVar(&s.crds, "crds", "config/crd/bases", "folder with the CustomResourceDefinitions")
	flags.StringVar(&s.webhooks, "webhooks", "config/webhook/service-webhooks.yaml", "file with the webhook configurations")
	flags.IntVar(&s.nodes, "nodes", 3, "number of simulated nodes")
	err := flags.Parse(args)
	s.managerArgs = flags.Args()
	return s, err
}

// run starts everything, waits for a signal or for the end of a part, and stops
// everything. It holds the lock of the folder meanwhile.
func run(ctx context.Context, s settings) error {
	held, err := lock.Acquire(s.dir)
	if err != nil {
		return err
	}
	cluster, err := start(ctx, s)
	if err != nil {
		if ctx.Err() != nil {
			err = nil // a signal ended the start
		}
		return errors.Join(err, held.Release())
	}
	if err = cluster.announce(held); err == nil {
		err = cluster.wait(ctx)
	}
	return errors.Join(err, cluster.stop(), held.Release())
}

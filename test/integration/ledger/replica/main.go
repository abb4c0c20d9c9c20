// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Command replica is a replica of a manager that has nothing but the ledger, for
// tests that kill it: callers in it take numbers, create Services that name them,
// and delete Services again. A Service that the API server refuses is an error in
// its log, for the ledger gave it a number that was not free.
//
// SIGUSR1 lets the callers rest: they end what they are at and log it. SIGTERM ends
// the replica in good order.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"servicenet.dev/servicenet/test/integration/ledger/part"
)

// settings are the command line. The flag --kubeconfig is controller-runtime's.
type settings struct {
	namespace string
	callers   int
	addresses string
	ports     string
}

func main() {
	var s settings
	flag.StringVar(&s.namespace, "namespace", "default", "where Services and Leases are made")
	flag.IntVar(&s.callers, "callers", 0, "how many take and free numbers at a time")
	flag.StringVar(&s.addresses, "addresses", "10.96.0.0/16", "where ClusterIPs are from: the ServiceCIDR or a part of it")
	flag.StringVar(&s.ports, "ports", "30000-32767", "where NodePorts are from")
	flag.Parse()
	if err := run(ctrl.SetupSignalHandler(), s); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, s settings) error {
	log.SetLogger(zap.New())
	config, err := ctrl.GetConfig()
	if err != nil {
		return err
	}
	p, err := part.New(ctx, part.Options{
		Config: config, Namespace: s.namespace, Identity: fmt.Sprintf("process %d", os.Getpid()), Logger: log.Log,
	})
	if err != nil {
		return err
	}
	log.Log.Info("Replica starts", "holder", p.Holder.String())
	c, err := newCallers(p, s)
	if err != nil {
		return err
	}
	rest, stop := signal.NotifyContext(ctx, syscall.SIGUSR1)
	defer stop()
	if err := p.AddEverywhere(func(ctx context.Context) error { return c.run(ctx, rest.Done()) }); err != nil {
		return err
	}
	return p.Manager.Start(ctx)
}

// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Endpoints is `make bench`: it gives the same work to kube-controller-manager,
// running its three endpoint controllers only, and to the servicenet manager, on
// a real kube-apiserver and etcd, and prints what each needed. docs/benchmarks.md
// tells how to read the tables.
//
//	endpoints [flags]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/go-logr/logr"
	"sigs.k8s.io/controller-runtime/pkg/log"
)

// Exit codes.
const (
	exitOK = iota
	// exitFailure means that something went wrong or a bar was missed.
	exitFailure
	exitUsage
)

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	// The first signal stops everything in order. From then on signals do what
	// they do by default, so that a second one ends us at once, and on Linux all
	// processes with us.
	ctx, restore := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	context.AfterFunc(ctx, restore)
	if len(args) > 0 && args[0] == watcherCommand {
		return exitCode(watchOnly(ctx, args[1:]))
	}
	log.SetLogger(logr.Discard()) // what its client has to say concerns nobody here
	settings, err := parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitOK
	case err != nil:
		return exitUsage // the flag package has said why
	}
	return exitCode(compare(ctx, settings))
}

func exitCode(err error) int {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%v\n", err)
		return exitFailure
	}
	return exitOK
}

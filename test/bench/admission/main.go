// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Admission is `make bench-admission`: it creates and deletes Services on a real API
// server that gives their numbers out itself, on one that asks webhooks which do
// nothing, and on one that asks the manager. The three take turns, each time with a
// control plane of their own. It prints how fast each was, and whether the manager
// is as fast as it promises.
//
//	admission [flags]
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

// errMissed says that a bar was missed. Which one was printed.
var errMissed = errors.New("a bar was missed")

// settings are the command line.
type settings struct {
	rounds  int
	clients int
	scale   float64

	manager, roleFile, crds, hooks string
}

// scaled returns a number of Services at the scale that was asked for.
func (s *settings) scaled(count int) int { return max(1, int(float64(count)*s.scale)) }

func main() {
	ctx, restore := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, restore)
	log.SetLogger(logr.Discard())
	if len(os.Args) == 4 && os.Args[1] == idleHooksCommand {
		if err := serveIdleHooks(ctx, os.Args[2], os.Args[3]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	s, err := parse(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		os.Exit(2) // the flag package has said why
	}
	if err := run(ctx, s); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func parse(args []string) (*settings, error) {
	s := &settings{}
	flags := flag.NewFlagSet("admission", flag.ContinueOnError)
	flags.IntVar(&s.rounds, "rounds", 3, "how often each of the three is measured")
	flags.IntVar(&s.clients, "clients", 32, "how many clients there are")
	flags.Float64Var(&s.scale, "scale", 1, "factor on the numbers of Services, above 0 to 1")
	flags.StringVar(&s.manager, "manager", "bin/manager", "program of the manager")
	flags.StringVar(&s.roleFile, "role", "config/rbac/role.yaml", "file with the ClusterRole of the manager")
	flags.StringVar(&s.crds, "crds", "config/crd/bases", "folder with the CustomResourceDefinitions")
	flags.StringVar(&s.hooks, "webhooks", "config/webhook/service-webhooks.yaml", "file with the webhook configurations")
	err := flags.Parse(args)
	if err == nil && (s.rounds < 1 || s.clients < 1 || s.scale <= 0 || s.scale > 1) {
		err = errors.New("admission: rounds and clients are at least 1, and the scale is above 0 and at most 1")
		fmt.Fprintln(os.Stderr, err)
	}
	return s, err
}

// run measures all in turns, each of them first in one round, and prints the table.
func run(ctx context.Context, s *settings) error {
	all := contenders()
	results := results{}
	for round := range s.rounds {
		for i := range all {
			c := all[(round+i)%len(all)]
			fmt.Fprintf(os.Stderr, "round %d of %d: %s\n", round+1, s.rounds, c.name)
			if err := try(ctx, s, c, results); err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
		}
	}
	if !results.print(os.Stdout) {
		return errMissed
	}
	return nil
}

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
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"servicenet.dev/servicenet/test/bench/command"
)

// settings are the command line.
type settings struct {
	command.Manager

	rounds  int
	clients int
	scale   float64

	hooks string
}

// scaled returns a number of Services at the scale that was asked for.
func (s *settings) scaled(count int) int { return max(1, int(float64(count)*s.scale)) }

func main() {
	if len(os.Args) == 4 && os.Args[1] == idleHooksCommand {
		ctx, restore := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		context.AfterFunc(ctx, restore)
		if err := serveIdleHooks(ctx, os.Args[2], os.Args[3]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(command.Run(parse, run))
}

func parse(args []string) (*settings, error) {
	s := &settings{}
	flags := flag.NewFlagSet("admission", flag.ContinueOnError)
	flags.IntVar(&s.rounds, "rounds", 3, "how often each of the three is measured")
	flags.IntVar(&s.clients, "clients", 32, "how many clients there are")
	flags.Float64Var(&s.scale, "scale", 1, "factor on the numbers of Services, above 0 to 1")
	s.AddFlags(flags)
	flags.StringVar(&s.hooks, "webhooks", "config/webhook/service-webhooks.yaml", "file with the webhook configurations")
	err := flags.Parse(args)
	if err == nil && (s.rounds < 1 || s.clients < 1 || s.scale <= 0 || s.scale > 1) {
		err = command.Mistakef("admission: rounds and clients are at least 1, and the scale is above 0 and at most 1")
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
		return command.ErrMissed
	}
	return nil
}

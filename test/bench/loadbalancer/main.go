// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Loadbalancer is `make bench-loadbalancer`: it has a manager give addresses to Services
// of type LoadBalancer on a real API server. It prints how fast that is and what it
// writes, and whether that is what the manager promises.
//
// All Services have the manager's finalizer, as admission puts it on where the webhooks
// are served, and no node ports. Where making them is not what is measured, they are put
// into etcd itself.
//
//	loadbalancer [flags]
package main

import (
	"context"
	"flag"
	"fmt"
	"os"

	"servicenet.dev/servicenet/test/bench/command"
)

// settings are the command line.
type settings struct {
	command.Manager

	clients int
	scale   float64
}

// scaled returns a number of Services at the scale that was asked for.
func (s *settings) scaled(count int) int { return max(1, int(float64(count)*s.scale)) }

func main() { os.Exit(command.Run(parse, run)) }

func parse(args []string) (*settings, error) {
	s := &settings{}
	flags := flag.NewFlagSet("loadbalancer", flag.ContinueOnError)
	flags.IntVar(&s.clients, "clients", 32, "how many clients there are")
	flags.Float64Var(&s.scale, "scale", 1, "factor on the numbers of Services, above 0 to 1")
	s.AddFlags(flags)
	err := flags.Parse(args)
	if err == nil && (s.clients < 1 || s.scale <= 0 || s.scale > 1) {
		err = command.Mistakef("loadbalancer: there is at least one client, and the scale is above 0 and at most 1")
	}
	return s, err
}

// run does all works, each on a control plane of its own, and prints the table.
func run(ctx context.Context, s *settings) error {
	var r results
	for _, work := range []struct {
		name string
		do   func(ctx context.Context, w *world, r *results) error
	}{{"a crowd", crowd}, {"waiting for a pool", waiting}, {"waiting for an address", freed}} {
		fmt.Fprintln(os.Stderr, work.name)
		if err := inWorld(ctx, s, func(w *world) error { return work.do(ctx, w, &r) }); err != nil {
			return fmt.Errorf("%s: %w", work.name, err)
		}
	}
	if !r.print(os.Stdout) {
		return command.ErrMissed
	}
	return nil
}

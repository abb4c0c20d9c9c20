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
	clients int
	scale   float64

	manager, roleFile, crds string
}

// scaled returns a number of Services at the scale that was asked for.
func (s *settings) scaled(count int) int { return max(1, int(float64(count)*s.scale)) }

func main() {
	ctx, restore := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, restore)
	log.SetLogger(logr.Discard())
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
	flags := flag.NewFlagSet("loadbalancer", flag.ContinueOnError)
	flags.IntVar(&s.clients, "clients", 32, "how many clients there are")
	flags.Float64Var(&s.scale, "scale", 1, "factor on the numbers of Services, above 0 to 1")
	flags.StringVar(&s.manager, "manager", "bin/manager", "program of the manager")
	flags.StringVar(&s.roleFile, "role", "config/rbac/role.yaml", "file with the ClusterRole of the manager")
	flags.StringVar(&s.crds, "crds", "config/crd/bases", "folder with the CustomResourceDefinitions")
	err := flags.Parse(args)
	if err == nil && (s.clients < 1 || s.scale <= 0 || s.scale > 1) {
		err = errors.New("loadbalancer: there is at least one client, and the scale is above 0 and at most 1")
		fmt.Fprintln(os.Stderr, err)
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
		return errMissed
	}
	return nil
}

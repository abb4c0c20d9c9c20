// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

// Pools is `make bench-pools`: a manager of numbers alone starts on a cluster with
// many Services that it does not know yet. It prints what that costs in memory and
// processor time, and whether that is what the manager promises.
//
//	pools [flags]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"servicenet.dev/servicenet/hack/controlplane"
	"servicenet.dev/servicenet/test/bench/process"
)

const (
	// mostMemory is what the manager may have resident at most, in bytes.
	mostMemory = 150 << 20
	// resting is for how long the manager is watched at rest.
	resting = 30 * time.Second
)

// errMissed says that a bar was missed. Which one was printed.
var errMissed = errors.New("a bar was missed")

// settings are the command line.
type settings struct {
	services, pools         int
	manager, roleFile, crds string
}

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

func parse(args []string) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("pools", flag.ContinueOnError)
	flags.IntVar(&s.services, "services", 20000, "how many Services there are, up to 60,000")
	flags.IntVar(&s.pools, "pools", 200, "how many pools of addresses there are, up to 240")
	flags.StringVar(&s.manager, "manager", "bin/manager", "program of the manager")
	flags.StringVar(&s.roleFile, "role", "config/rbac/role.yaml", "file with the ClusterRole of the manager")
	flags.StringVar(&s.crds, "crds", "config/crd/bases", "folder with the CustomResourceDefinitions")
	return s, flags.Parse(args)
}

func run(ctx context.Context, s settings) error {
	w, err := startWorld(ctx, s)
	if err != nil {
		return err
	}
	return errors.Join(measure(ctx, w, s), w.plane.Stop())
}

// measure starts the manager and prints what it costs.
func measure(ctx context.Context, w *world, s settings) error {
	begun := time.Now()
	manager, err := w.plane.StartManager(ctx, controlplane.ManagerOptions{
		Path: s.manager, RoleFile: s.roleFile, ServeWebhooks: true, Args: []string{"--controllers=clusterip,nodeport"},
	})
	if err != nil {
		return err
	}
	fmt.Printf("ready after               %8.1f s\n", time.Since(begun).Seconds())
	if err := w.awaitLedger(ctx, s.services); err != nil {
		return err
	}
	fmt.Printf("all is in the ledger after%8.1f s\n", time.Since(begun).Seconds())
	atStart, err := process.Read(manager.PID())
	if err != nil {
		return err
	}
	fmt.Printf("processor time at start   %8.2f s\n", atStart.Processor.Seconds())
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(resting):
	}
	atRest, err := process.Read(manager.PID())
	if err != nil {
		return err
	}
	fmt.Printf("processor time at rest    %8.2f %% of one\n", 100*(atRest.Processor-atStart.Processor).Seconds()/resting.Seconds())
	fmt.Printf("memory at rest            %8d MiB\n", atRest.Resident>>20)
	told, err := w.events(ctx)
	if err != nil {
		return err
	}
	passed := bar("memory at most, in MiB", atRest.Peak>>20, mostMemory>>20)
	passed = bar("events", int64(told), 0) && passed
	if !passed {
		return errMissed
	}
	return nil
}

// bar prints whether something is as promised.
func bar(what string, got, most int64) bool {
	verdict := "PASS"
	if got > most {
		verdict = "FAIL"
	}
	fmt.Printf("%-26s%8d, promised %d: %s\n", what, got, most, verdict)
	return got <= most
}

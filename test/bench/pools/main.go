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
	"time"

	"servicenet.dev/servicenet/hack/controlplane"
	"servicenet.dev/servicenet/test/bench/command"
	"servicenet.dev/servicenet/test/bench/process"
)

const (
	// mostMemory is what the manager may have resident at most, in bytes.
	mostMemory = 150 << 20
	// resting is for how long the manager is watched at rest.
	resting = 30 * time.Second
)

// settings are the command line.
type settings struct {
	command.Manager

	services, pools int
}

func main() { os.Exit(command.Run(parse, run)) }

func parse(args []string) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("pools", flag.ContinueOnError)
	flags.IntVar(&s.services, "services", 20000, "how many Services there are, up to 60,000")
	flags.IntVar(&s.pools, "pools", 200, "how many pools of addresses there are, up to 240")
	s.AddFlags(flags)
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
		Path: s.Program, RoleFile: s.RoleFile, ServeWebhooks: true, Args: []string{"--controllers=clusterip,nodeport"},
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
		return command.ErrMissed
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
